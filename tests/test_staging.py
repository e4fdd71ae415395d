"""A build in memory holds, and writes to disk, what a build on disk would."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg import pipeline, staging
from kg.digests import content_digest
from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.engine import Engine
from kg.errors import SourceError
from kg.pipeline import build
from kg.snapshot import open_snapshot
from kg.staging import StagedEngine, fits_in_memory
from kg.streams import Chunks
from kg.workshop import workshop

E = "https://example.org/"
NODE = ox.NamedNode(E + "x")
QUAD = ox.Quad(NODE, NODE, ox.Literal("plain"), NODE)
# A text that looks like the end of a line, and a blank node.
LINES = f'<{E}x> <{E}x> "one .\\n" .\n_:b <{E}x> "two" .\n'.encode()
QUADS = LINES.replace(b" .\n", f" <{E}other> .\n".encode())


def load_triples(engine: Engine, folder: Path) -> None:
    assert isinstance(engine, EmbeddedEngine)
    (folder / "lines.nt").write_bytes(LINES)
    engine.load(folder / "lines.nt", E + "graph", ox.RdfFormat.N_TRIPLES, checked=True)


def load_quads(engine: Engine, folder: Path) -> None:
    assert isinstance(engine, EmbeddedEngine)
    engine.load(Chunks([QUADS[:30], QUADS[30:]]), None, ox.RdfFormat.N_QUADS, checked=True)


def load_turtle(engine: Engine, folder: Path) -> None:
    assert isinstance(engine, EmbeddedEngine)
    engine.load(f"<{E}a> a <{E}b> , <{E}c> .".encode(), E + "turtle")


def add(engine: Engine, folder: Path) -> None:
    engine.add([QUAD])


def fill(engine: Engine, folder: Path) -> None:
    assert isinstance(engine, EmbeddedEngine)
    engine.fill([QUAD])


def remove(engine: Engine, folder: Path) -> None:
    assert isinstance(engine, EmbeddedEngine)
    engine.remove(list(engine.quads(None, None, ox.Literal("two"))))


def drop(engine: Engine, folder: Path) -> None:
    engine.drop_graph(E + "graph")


def drop_what_is_not_there(engine: Engine, folder: Path) -> None:
    engine.drop_graph(E + "never")


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [load_triples],
        [load_quads],
        [load_quads, drop_what_is_not_there, load_triples],
        [load_quads, load_triples, drop],
        [load_quads, load_turtle, load_triples],
        [load_quads, load_quads, add],
        [load_triples, fill],
        [load_triples, load_quads, remove],
        [load_quads, add, load_triples, drop],
    ],
)
def test_what_settles_is_what_was_in_memory(
    tmp_path: Path, steps: list[Callable[[Engine, Path], None]]
) -> None:
    staged = StagedEngine(tmp_path / "staged.nq")
    direct = EmbeddedEngine.memory()
    for step in steps:
        step(staged, tmp_path)
        step(direct, tmp_path)
    wanted = content_digest(direct)
    assert content_digest(staged) == wanted
    settled = staged.settle(tmp_path / "store")
    assert content_digest(settled) == wanted
    assert len(settled) == len(direct)
    assert not (tmp_path / "staged.nq").exists()


def test_what_a_source_raises_comes_through(tmp_path: Path) -> None:
    staged = StagedEngine(tmp_path / "staged.nq")
    with pytest.raises(SourceError, match="subject"):
        staged.load(Chunks([b"not a quad\n"]), None, ox.RdfFormat.N_QUADS)


def test_a_build_gives_the_same_in_memory_and_on_disk_with_any_number_of_jobs(
    dispute: Dispute, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = []
    for small, jobs in ((True, 1), (False, 1), (False, 3)):
        monkeypatch.setattr(pipeline, "fits_in_memory", lambda _, small=small: small)
        report = build(dispute, jobs=jobs)
        engine = EmbeddedEngine.open_read_only(report.path / "store")
        built.append((content_digest(engine), list(report.derived.items())))
        # Else the second build would find its content published.
        shutil.rmtree(dispute.folder / ".kg")
    assert built[0] == built[1] == built[2]


def test_a_workshop_in_memory_publishes(dispute: Dispute) -> None:
    with workshop(dispute, in_memory=True) as shop:
        assert isinstance(shop.engine, StagedEngine)
        shop.engine.add([QUAD])
        snapshot = shop.publish({}, {"triples": 1})
    assert list(open_snapshot(snapshot).quads()) == [QUAD]
    assert not (dispute.folder / ".kg" / "work").exists()


@pytest.mark.parametrize(
    ("free", "fits"), [(10**9, True), (100, False), (100 * 10**9, True), (0, False)]
)
def test_what_fits_depends_on_what_is_free(
    dispute: Dispute, monkeypatch: pytest.MonkeyPatch, free: int, fits: bool
) -> None:
    monkeypatch.setattr(staging, "free_memory", lambda: free)
    assert fits_in_memory(dispute) is fits


def test_a_large_dispute_does_not_fit_however_much_is_free(
    dispute: Dispute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "_size", lambda _: 2**30)
    assert not fits_in_memory(dispute)


def test_a_source_that_is_gone_is_left_to_who_loads_it(dispute: Dispute) -> None:
    dispute.sources[0].path.unlink()
    assert fits_in_memory(dispute)
