"""Snapshots: named by content, visible by renames, and never half there."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg import snapshot as module
from kg.dispute import Dispute, open_dispute
from kg.embedded import EmbeddedEngine
from kg.errors import EngineError, SnapshotError
from kg.snapshot import Snapshot, current, open_snapshot, roots, workshop

E = "https://example.org/"


def quad(value: str) -> ox.Quad:
    node = ox.NamedNode(E + "x")
    return ox.Quad(node, node, ox.Literal(value), node)


def published(dispute: Dispute, value: str, **inputs: str) -> Snapshot:
    with workshop(dispute) as shop:
        shop.engine.add([quad(value)])
        return shop.publish(inputs, {"triples": 1})


def value_of(snapshot: Snapshot | None) -> str:
    assert snapshot is not None
    (only,) = open_snapshot(snapshot).quads()
    return only.object.value


@pytest.fixture
def dispute(example_dispute: Path) -> Dispute:
    return open_dispute(str(example_dispute))


@pytest.fixture
def root(dispute: Dispute) -> Path:
    return dispute.folder / ".kg"


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


def test_the_manifest_holds_no_time_and_the_same_content_the_same_name(
    dispute: Dispute, root: Path
) -> None:
    first = published(dispute, "one", file="abc")
    manifest = (first.folder / "manifest.json").read_bytes()
    assert published(dispute, "one", file="abc") == first
    assert (first.folder / "manifest.json").read_bytes() == manifest
    # Other files that say the same: only the manifest changes.
    again = published(dispute, "one", file="changed")
    assert again.digest == first.digest
    found = current(root)
    assert found is not None
    assert found.inputs == {"file": "changed"}
    assert value_of(found) == "one"


def test_the_snapshot_before_stays_and_older_ones_go(dispute: Dispute, root: Path) -> None:
    one = published(dispute, "one")
    reader = open_snapshot(one)
    two = published(dispute, "two")
    assert one.folder.exists()
    three = published(dispute, "three")
    assert {p.name for p in (root / "snapshots").iterdir()} == {two.digest, three.digest}
    # Who had it open reads on.
    assert [q.object.value for q in reader.quads()] == ["one"]
    assert value_of(current(root)) == "three"


def test_going_back_to_an_earlier_content(dispute: Dispute, root: Path) -> None:
    for value in ("one", "two", "one"):
        published(dispute, value)
        assert value_of(current(root)) == value


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


@pytest.mark.parametrize("stage", ["backup", "optimize"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), None])
def test_a_full_disk_leaves_the_old_one(
    dispute: Dispute,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    error: OSError | None,
) -> None:
    published(dispute, "one")

    def fail(*_: object) -> None:
        raise error or EngineError("cannot: IO error: No space left on device: x.sst")

    with monkeypatch.context() as patch:
        patch.setattr(EmbeddedEngine, stage, fail)
        with pytest.raises(SnapshotError, match="No space left on device") as caught:
            published(dispute, "two")
    assert "Free some space" in (caught.value.hint or "")
    assert value_of(current(root)) == "one"
    assert not (root / "work").exists()
    published(dispute, "two")


def test_a_folder_that_cannot_be_written_is_kept_in_the_cache(
    dispute: Dispute, root: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 'os.access' answers for the user; the superuser may write nearly everywhere.
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    made = published(dispute, "one")
    assert own_cache in made.folder.parents
    assert roots(dispute) == (root, made.folder.parent.parent)
    assert not root.exists()


def test_no_place_to_write_at_all(
    dispute: Dispute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("KG_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    with pytest.raises(SnapshotError, match="cannot write") as caught:
        published(dispute, "one")
    assert "KG_CACHE" in (caught.value.hint or "")


@pytest.mark.parametrize("place", [".kg", ".kg/snapshots", ".kg/lock"])
def test_what_stands_in_the_place_of_a_snapshot_is_to_be_removed(
    dispute: Dispute, place: str
) -> None:
    other = dispute.folder / place
    if place == ".kg":
        other.symlink_to(dispute.folder / "nowhere")  # as to a disk that is not there
    elif place == ".kg/lock":
        other.mkdir(parents=True)
    else:
        other.parent.mkdir()
        other.write_text("", "utf-8")
    with pytest.raises(SnapshotError, match="cannot write a snapshot") as caught:
        published(dispute, "one")
    assert "Something else stands in its place" in (caught.value.hint or "")


def test_a_second_build_waits_and_then_says_so(dispute: Dispute, root: Path) -> None:
    published(dispute, "one")
    said: list[str] = []
    with (root / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with (
            pytest.raises(SnapshotError, match="another build"),
            workshop(dispute, lambda: said.append("waiting"), patience=0.2),
        ):
            pytest.fail("two builds at once")
    assert said == ["waiting"]
    published(dispute, "two")


def test_remains_of_a_killed_build_are_cleared(dispute: Dispute, root: Path) -> None:
    remains = root / "work" / "abc" / "store"
    remains.mkdir(parents=True)
    (remains / "LOCK").write_text("", "utf-8")
    assert value_of(published(dispute, "one")) == "one"
    assert not remains.exists()
