"""A store that several processes read: the same answers, and nothing is left of them."""

from __future__ import annotations

import io
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg import machine
from kg.engine import Rows, Triples
from kg.errors import EngineError, QueryError
from kg.machine import usual_jobs
from kg.readers import Readers
from kg.shared_engine import SharedEngine

E = "https://example.org/"
SELECT = "SELECT ?s ?o WHERE { ?s ?p ?o } ORDER BY ?s"
ASK = "ASK { ?s ?p 'v' }"
CONSTRUCT = "CONSTRUCT { ?o <https://example.org/q> ?s } WHERE { ?s ?p ?o FILTER(isIRI(?o)) }"
ALL = (SELECT, ASK, CONSTRUCT)
# More work than anybody waits for: all pairs of all pairs of 200 nodes.
ENDLESS = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


def quad(subject: str, object: ox.NamedNode | ox.Literal, graph: str = "g") -> ox.Quad:
    p = ox.NamedNode(E + "p")
    return ox.Quad(ox.NamedNode(E + subject), p, object, ox.NamedNode(E + graph))


QUADS = [
    quad("a", ox.Literal("v")),
    quad("b", ox.Literal("wörter", language="de"), "h"),
    quad("c", ox.NamedNode(E + "a")),
]


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def engine(tmp_path: Path, places: Path) -> Iterator[SharedEngine]:
    engine = SharedEngine.make(tmp_path / "store", jobs=2)
    engine.add(QUADS)
    yield engine
    engine.close()
    assert not list(places.iterdir())


def readers_of(engine: SharedEngine) -> list[int]:
    return [p.pid for p in engine._readers._started] if engine._readers else []


def started(engine: SharedEngine, count: int) -> list[int]:
    """Wait until so many processes read."""
    deadline = time.monotonic() + 20
    while len(found := readers_of(engine)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def answers(engine: SharedEngine) -> list[object]:
    """Ask, and consume each answer before the next is asked."""
    rows = engine.query(SELECT)
    assert isinstance(rows, Rows)
    found: list[object] = [rows.columns, list(rows.rows), engine.query(ASK)]
    del rows
    triples = engine.query(CONSTRUCT)
    assert isinstance(triples, Triples)
    return [*found, list(triples.triples)]


def constructed(engine: SharedEngine) -> bytes:
    written = io.BytesIO()
    engine.construct(CONSTRUCT, written)
    return written.getvalue()


def test_what_was_foreseen_is_answered_as_if_it_were_not(engine: SharedEngine) -> None:
    before, lines = answers(engine), constructed(engine)
    assert not readers_of(engine)
    engine.foresee(ALL)
    assert answers(engine) == before
    engine.foresee([CONSTRUCT])
    assert constructed(engine) == lines
    assert readers_of(engine)
    assert before[1][1] == (ox.NamedNode(E + "b"), QUADS[1].object)  # type: ignore[index]


def test_one_job_needs_no_other_process(tmp_path: Path, places: Path) -> None:
    engine = SharedEngine.make(tmp_path / "store", jobs=1)
    engine.add(QUADS)
    engine.foresee(ALL)
    assert engine.query(ASK) is True
    assert not readers_of(engine)
    engine.close()


def test_a_write_forgets_what_was_foreseen(engine: SharedEngine) -> None:
    engine.foresee([SELECT])
    first = readers_of(engine)
    engine.add([quad("d", ox.Literal("new"))])
    engine.load(b"<https://example.org/e> <https://example.org/p> 1 .", E + "g")
    answer = engine.query(SELECT)
    assert isinstance(answer, Rows)
    assert len(list(answer.rows)) == 5
    engine.foresee([SELECT])
    answer = engine.query(SELECT)
    assert isinstance(answer, Rows)
    assert len(list(answer.rows)) == 5
    assert not set(first) & set(readers_of(engine))


def test_what_a_query_raises_is_raised_where_it_is_asked(engine: SharedEngine) -> None:
    bad = "SELECT ?s\nWHERE { ?s ?p }"
    engine.foresee([bad, ASK])
    assert engine.query(ASK) is True
    with pytest.raises(QueryError, match="malformed SPARQL at line 2") as caught:
        engine.query(bad)
    assert caught.value.line == 2
    engine.foresee([SELECT])
    with pytest.raises(QueryError, match="only a CONSTRUCT"):
        engine.construct(SELECT, io.BytesIO())


def test_rows_may_be_consumed_in_another_thread(engine: SharedEngine) -> None:
    engine.foresee([SELECT])
    answer = engine.query(SELECT)
    assert isinstance(answer, Rows)
    with ThreadPoolExecutor(1) as pool:
        assert len(pool.submit(list, answer.rows).result()) == 3


def test_a_reader_that_is_killed_is_told_of(engine: SharedEngine) -> None:
    engine.add(quad(f"n{number}", ox.Literal(number)) for number in range(200))
    engine.foresee([ENDLESS])
    os.kill(started(engine, 1)[0], signal.SIGKILL)
    with pytest.raises(EngineError, match="ended with status -9") as caught:
        engine.query(ENDLESS)
    assert "--jobs 1" in (caught.value.hint or "")


def test_closing_ends_readers_in_the_midst_of_work(engine: SharedEngine) -> None:
    engine.add(quad(f"n{number}", ox.Literal(number)) for number in range(200))
    engine.foresee([ENDLESS, ENDLESS + " #", ASK])
    pids = started(engine, 2)
    engine.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_finished_store_is_not_written(engine: SharedEngine, tmp_path: Path) -> None:
    engine.optimize()
    engine.backup(tmp_path / "copy")
    copy = SharedEngine.open_read_only(tmp_path / "copy", jobs=2)
    copy.foresee([ASK])
    assert copy.query(ASK) is True
    with pytest.raises(EngineError, match="cannot write"):
        copy.add(QUADS)
    copy.close()


def test_a_store_that_cannot_be_opened_is_told_of(tmp_path: Path, places: Path) -> None:
    readers = Readers(tmp_path / "nothing", 2)
    given = readers.ask(ASK).result()
    readers.close()
    assert isinstance(given, EngineError)
    assert "cannot open the store" in given.message
    assert given.path == tmp_path / "nothing"


@pytest.mark.parametrize(
    ("processors", "gib", "jobs"), [(1, 9, 1), (2, 9, 2), (64, 99, 4), (8, 2, 2), (8, 0, 1)]
)
def test_the_usual_jobs_depend_on_the_machine(
    monkeypatch: pytest.MonkeyPatch, processors: int, gib: int, jobs: int
) -> None:
    monkeypatch.setattr(machine, "processors", lambda: processors)
    monkeypatch.setattr(machine, "free_memory", lambda: gib * 1024**3)
    assert usual_jobs() == jobs


def test_a_system_that_tells_nothing_has_jobs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "processors", lambda: 3)
    monkeypatch.setattr(machine, "free_memory", lambda: None)
    assert usual_jobs() == 3


# Prints how many MiB of memory came back.
RETURNED = """
import tempfile
from pathlib import Path
import pyoxigraph as ox
from kg.machine import give_memory_back
from kg.shared_engine import SharedEngine

def held():
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) // 1024

"""
# The last block keeps the system from taking back those before it by itself.
FREED = """
blocks = [bytes(5_000) for _ in range(40_000)]
last = bytes(5_000)
del blocks
before = held()
give_memory_back()
print(before - held())
"""
LOADED = """
with tempfile.TemporaryDirectory() as place:
    engine = SharedEngine.make(Path(place) / "store", 1)
    lines = (f'<urn:s{n}> <urn:p> "value {n}" <urn:g> .' for n in range(300_000))
    engine.load(chr(10).join(lines).encode(), None, ox.RdfFormat.N_QUADS, checked=True)
    before = held()
    engine.reopen()
    print(before - held())
"""


# As if there were nothing to give back with.
KEPT = """
from kg import shared_engine
shared_engine.give_memory_back = lambda: None
"""


def returned(work: str) -> int:
    """How many MiB some work gives back, in a process of its own."""
    command = [sys.executable, "-c", RETURNED + work]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library can")
def test_memory_that_is_free_is_given_back() -> None:
    assert returned(FREED) > 100


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library can")
def test_what_loading_took_is_given_back_before_others_read() -> None:
    # To close the store gives back some of it.
    assert returned(LOADED) > returned(KEPT + LOADED) + 15
