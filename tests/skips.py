"""Which skipped tests are allowed where nothing may be skipped, as in continuous integration."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

# What no installation can mend: the kernel, or the container around it, decides.
NO_NAMESPACES = "this system lets no process give up the network"
_ALLOWED = {NO_NAMESPACES}


def forbidden(reports: Iterable[pytest.TestReport | pytest.CollectReport]) -> list[str]:
    """Return the tests among the skipped ones whose reason is none of those that are allowed."""
    return [report.nodeid for report in reports if _reason(report) not in _ALLOWED]


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    told = report.longrepr
    text = told[2] if isinstance(told, tuple) else str(told)
    return text.removeprefix("Skipped: ")
