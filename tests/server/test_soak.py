"""A short soak; ``tests/server/soak.py`` does the same for as long as one likes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server import soak


@pytest.mark.server
def test_good_clients_fare_well_among_hostile_ones(tmp_path: Path) -> None:
    report = soak.run(tmp_path, 20)
    assert report.faults == [], "\n".join(report.lines())
    asked = {*soak.HOSTILE_REQUESTS, soak.never_reads}
    assert {request.__name__ for request in asked} >= set(report.hostile)
    assert report.hostile["never_reads"] > soak.NON_READERS  # cut off, and back again
    assert report.publications
