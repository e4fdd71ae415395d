"""Fixtures every test may use: a copy of the small example dispute, the shared folder, a cache."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import hypothesis
import pytest

from kg.dispute import Dispute, open_dispute
from tests.skips import forbidden

TESTS = Path(__file__).resolve().parent
EXAMPLE = TESTS / "disputes" / "example"
SHARED = TESTS.parent.parent / "shared"

# How long an example takes says more of what else the machine does than of the code.
hypothesis.settings.register_profile("without-deadline", deadline=None)
hypothesis.settings.load_profile("without-deadline")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test out of the user's cache and out of the user's choice of dispute."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("KG_CACHE", str(cache))
    monkeypatch.delenv("KG_DISPUTE", raising=False)
    return cache


@pytest.fixture
def example_dispute(tmp_path: Path) -> Path:
    """A writable copy of the example of the design: three speakers, one proposition, two hops."""
    folder = tmp_path / "example"
    # A snapshot that somebody made there by hand is none of the copy's business.
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".kg"))
    return folder


@pytest.fixture
def dispute(example_dispute: Path) -> Dispute:
    """The same, opened."""
    return open_dispute(str(example_dispute))


@pytest.fixture
def root(dispute: Dispute) -> Path:
    """Where its snapshots lie."""
    return dispute.folder / ".kg"


@pytest.fixture
def shared_dir() -> Path:
    """The folder of source documents and conformance suites beside the project."""
    if not SHARED.is_dir():
        pytest.skip(f"no shared folder at {SHARED}")
    return SHARED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """With ``KG_NO_SKIPS`` set, as in continuous integration, list what was skipped."""
    if os.environ.get("KG_NO_SKIPS"):
        for name in forbidden(terminalreporter.stats.get("skipped", [])):
            terminalreporter.write_line(f"skipped, which is not allowed here: {name}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With ``KG_NO_SKIPS`` set, a test skipped for want of what can be had fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("KG_NO_SKIPS") and reporter and forbidden(reporter.stats.get("skipped", [])):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
