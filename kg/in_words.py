"""Counts and lists in words."""

from __future__ import annotations

from collections.abc import Iterable


def listed(names: Iterable[str], last: str = "and") -> str:
    """Return names as a list in words: ``a, b and c``."""
    every = list(names)
    return f" {last} ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return ``1 statement`` or ``2 statements``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
