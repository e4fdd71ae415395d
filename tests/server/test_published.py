"""Which snapshot of a dispute is served: there may be one in its folder and one in a cache."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kg.digests import inputs_of
from kg.dispute import read_dispute
from kg.pipeline import build
from kg.server.published import Published, latest_first
from kg.snapshot import current

from .conftest import EXAMPLE, numbers, publish


class Roots:
    """Two places where snapshots are published, as a counter tells them apart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.roots = (folder / "beside" / ".kg", folder / "cache" / ".kg")
        self.changes = 0
        self.seen = Published(self.roots, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def publish(self, place: str, count: int) -> str:
        """Publish so many triples in a place, and return the digest."""
        root = publish(self.folder / place, numbers(count))
        return (root / "current").readlink().name

    def look(self) -> str:
        self.seen.look()
        assert self.seen.snapshot
        return self.seen.snapshot.digest


def test_what_is_published_last_is_served_wherever_it_is(tmp_path: Path) -> None:
    places = Roots(tmp_path)
    first = places.publish("beside", 1)
    assert places.look() == first
    assert places.look() == first
    second = places.publish("cache", 2)
    assert places.look() == second
    # The same as before, published anew.
    assert places.publish("beside", 1) == first
    assert places.look() == first
    assert places.changes == 3
    third = places.publish("cache", 3)
    assert places.look() == third
    shutil.rmtree(places.roots[1])
    assert places.look() == first


def test_at_the_start_it_is_that_of_the_first_root(tmp_path: Path) -> None:
    places = Roots(tmp_path)
    places.seen.look()
    assert places.seen.problem == "no snapshot has been published"
    digests = [places.publish("beside", 1), places.publish("cache", 2)]
    assert places.look() == digests[0]
    other = Published(places.roots[::-1], lambda: None)
    other.look()
    assert other.snapshot
    assert other.snapshot.digest == digests[1]


def test_a_damaged_snapshot_leaves_the_one_before_and_is_looked_at_again(tmp_path: Path) -> None:
    places = Roots(tmp_path)
    first, second = places.publish("beside", 1), places.publish("beside", 2)
    manifest = places.roots[0] / "snapshots" / second / "manifest.json"
    kept = manifest.read_bytes()
    manifest.write_bytes(b"")
    places.seen.look()
    assert places.seen.snapshot is None
    assert "damaged" in str(places.seen.problem)
    manifest.write_bytes(kept)
    assert places.look() == second != first


def test_a_snapshot_of_the_files_as_they_are_comes_before_a_later_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KG_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "dispute"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".kg"))
    dispute = read_dispute(folder)
    build(dispute)
    later = publish(tmp_path / "later", numbers(3))
    roots = (later, folder / ".kg")
    assert latest_first(roots, inputs_of(dispute)) == roots[::-1]
    # Where neither is, as with --no-build after an edit, it is the later one.
    with (folder / "agents.ttl").open("a") as stream:
        stream.write("# edited\n")
    assert latest_first(roots[::-1], inputs_of(read_dispute(folder))) == roots


def test_in_a_folder_that_may_not_be_entered_is_no_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a service's home with ``ProtectHome=yes``, where the cache would be."""
    root = publish(tmp_path / "store", numbers(1))
    assert current(root)

    def refuse(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    for name in ("is_symlink", "readlink"):
        monkeypatch.setattr(Path, name, refuse)
    assert current(root) is None
    assert latest_first([root], {}) == (root,)
    seen = Published([root], lambda: None)
    seen.look()
    assert seen.problem == "no snapshot has been published"
