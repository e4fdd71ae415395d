"""How work that takes a while says what it is doing."""

from __future__ import annotations

from collections.abc import Callable

# Called with what is being done now, in a few words.
Progress = Callable[[str], None]


def silent(what: str) -> None:
    """Say nothing: the progress of work that nobody watches."""
