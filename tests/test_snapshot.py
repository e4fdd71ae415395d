"""Snapshots: found by a link, and damage is noticed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kg.dispute import Dispute
from kg.errors import SnapshotError
from kg.snapshot import current, open_snapshot
from tests.published import published, value_of


def test_nothing_is_published_at_first(root: Path) -> None:
    assert current(root) is None


def test_what_is_published_is_current(dispute: Dispute, root: Path) -> None:
    made = published(dispute, "one", file="abc")
    found = current(root)
    assert found == made
    assert found is not None
    assert found.folder == root / "snapshots" / found.digest
    assert found.counts == {"triples": 1}
    assert found.is_of({"file": "abc"})
    assert not found.is_of({"file": "abd"})
    assert value_of(found) == "one"
    assert not (root / "work").exists()
    assert (root / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("harm", ["cut", "missing", "no manifest", "bad manifest", "link", "list"])
def test_damage_is_noticed_and_mended_by_the_next_build(
    dispute: Dispute, root: Path, harm: str
) -> None:
    made = published(dispute, "one")
    table = max(made.store.glob("*.sst"), key=lambda file: file.stat().st_size)
    manifest = made.folder / "manifest.json"
    if harm == "cut":
        os.truncate(table, table.stat().st_size // 2)
    elif harm == "missing":
        table.unlink()
    elif harm == "no manifest":
        manifest.unlink()
    elif harm == "bad manifest":
        manifest.write_bytes(manifest.read_bytes()[:40])
    elif harm == "list":
        manifest.write_text("[]", "utf-8")
    else:
        (root / "current").unlink()
        (root / "current").symlink_to("snapshots/nowhere")
    with pytest.raises(SnapshotError, match="damaged") as caught:
        current(root)
    assert caught.value.hint == "Run 'kg build' to write it anew from the sources."
    assert value_of(published(dispute, "one")) == "one"
    assert value_of(current(root)) == "one"


def test_damage_that_keeps_the_size_is_a_snapshot_error(dispute: Dispute, root: Path) -> None:
    made = published(dispute, "one")
    descriptor = made.store / "CURRENT"
    descriptor.write_bytes(b"x" * descriptor.stat().st_size)
    found = current(root)
    assert found is not None
    with pytest.raises(SnapshotError, match="damaged"):
        open_snapshot(found)
    assert value_of(published(dispute, "one")) == "one"
