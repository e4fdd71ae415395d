"""The briefs of both shipped disputes, made once: from the sources in memory, nothing published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from kg.brief.gather import make_brief
from kg.brief.model import Brief
from kg.dispute import Dispute, open_dispute
from kg.embedded import EmbeddedEngine
from kg.preparing import staged

SHIPPED = ("tideline", "llama-mmap")


@dataclass(frozen=True)
class Made:
    dispute: Dispute
    engine: EmbeddedEngine
    brief: Brief


@pytest.fixture(scope="session")
def made() -> Callable[[str], Made]:
    """Give the brief of a shipped dispute by name."""
    kept: dict[str, Made] = {}

    def make(name: str) -> Made:
        if name not in kept:
            dispute = open_dispute(name)
            engine = staged(dispute)
            kept[name] = Made(dispute, engine, make_brief(engine, dispute))
        return kept[name]

    return make


@pytest.fixture(params=SHIPPED)
def shipped_brief(request: pytest.FixtureRequest, made: Callable[[str], Made]) -> Made:
    """Each shipped dispute in turn."""
    return made(request.param)


@pytest.fixture
def tideline(made: Callable[[str], Made]) -> Made:
    return made("tideline")
