"""New snapshots: named by content, visible by renames, and never half there."""

from __future__ import annotations

import errno
import fcntl
from pathlib import Path

import pytest

from kg import workshop as workshops
from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.errors import EngineError, SnapshotError
from kg.snapshot import current, open_snapshot, roots
from kg.workshop import workshop
from tests.published import published, value_of


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
    monkeypatch.setattr(workshops.os, "access", lambda *_: False)
    made = published(dispute, "one")
    assert own_cache in made.folder.parents
    assert roots(dispute) == (root, made.folder.parent.parent)
    assert not root.exists()


def test_no_place_to_write_at_all(
    dispute: Dispute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("KG_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(workshops.os, "access", lambda *_: False)
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
