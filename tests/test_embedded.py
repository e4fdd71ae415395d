"""The embedded engine: the union as default graph, and failures that say what failed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.embedded import EmbeddedEngine
from kg.engine import Rows, Triples
from kg.errors import EngineError, QueryError, SourceError

E = "https://example.org/"


def quad(subject: str, graph: str = "g") -> ox.Quad:
    return ox.Quad(
        ox.NamedNode(E + subject), ox.NamedNode(E + "p"), ox.Literal("v"), ox.NamedNode(E + graph)
    )


@pytest.fixture
def engine() -> EmbeddedEngine:
    engine = EmbeddedEngine.memory()
    engine.add([quad("a", "one"), quad("b", "two")])
    return engine


def test_select_sees_the_union_of_all_graphs(engine: EmbeddedEngine) -> None:
    answer = engine.query("SELECT ?s ?none WHERE { ?s ?p ?o } ORDER BY ?s")
    assert isinstance(answer, Rows)
    assert answer.columns == ["s", "none"]
    assert list(answer.rows) == [(ox.NamedNode(E + "a"), None), (ox.NamedNode(E + "b"), None)]


def test_ask_and_construct(engine: EmbeddedEngine) -> None:
    assert engine.query("ASK { ?s ?p 'v' }") is True
    assert engine.query("ASK { ?s ?p 'w' }") is False
    answer = engine.query("CONSTRUCT WHERE { ?s ?p ?o }")
    assert isinstance(answer, Triples)
    assert {t.subject.value for t in answer.triples} == {E + "a", E + "b"}


def test_graphs_are_listed_and_dropped(engine: EmbeddedEngine) -> None:
    assert engine.graphs() == [E + "one", E + "two"]
    engine.drop_graph(E + "one")
    engine.drop_graph(E + "one")
    assert engine.graphs() == [E + "two"]
    assert [q.subject.value for q in engine.quads()] == [E + "b"]


def test_quads_by_pattern(engine: EmbeddedEngine) -> None:
    assert list(engine.quads(subject=ox.NamedNode(E + "a"))) == [quad("a", "one")]
    assert list(engine.quads(graph=E + "two")) == [quad("b", "two")]


def test_malformed_sparql_names_the_line(engine: EmbeddedEngine) -> None:
    with pytest.raises(QueryError) as caught:
        engine.query("SELECT * WHERE {\n ?s ?p \n}")
    assert caught.value.line == 3
    assert "line 3, column" in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * FROM <file:///etc/passwd> { ?s ?p ?o }",
        "SELECT * { " + "{" * 5000 + "}" * 5000 + " }",
        "SELECT * { FILTER(" + "(" * 5000 + "1" + ")" * 5000 + ") }",
        "SELECT * { FILTER(" + "!" * 50_000 + "true) }",
        "LOAD <http://127.0.0.1:9/>",
        "ASK { ?s ?p '\ud800' }",
    ],
)
def test_what_would_crash_or_reach_out_is_refused(engine: EmbeddedEngine, text: str) -> None:
    with pytest.raises(QueryError):
        engine.query(text)


def test_a_file_loads_into_its_graph(tmp_path: Path) -> None:
    engine = EmbeddedEngine.memory()
    file = tmp_path / "data.ttl"
    file.write_text(f"<{E}a> <{E}b> 1 .", "utf-8")
    engine.load(file, E + "g")
    engine.load(f'<{E}a> <{E}b> "2" .'.encode(), E + "h", ox.RdfFormat.N_TRIPLES)
    assert engine.graphs() == [E + "g", E + "h"]
    file.write_text("\n\n<oops", "utf-8")
    with pytest.raises(SourceError) as caught:
        engine.load(file, E + "g")
    assert (caught.value.path, caught.value.line) == (file, 3)
    with pytest.raises(EngineError):
        engine.load(tmp_path / "absent.ttl", E + "g")


def test_a_backup_opens_read_only_and_alone(tmp_path: Path) -> None:
    engine = EmbeddedEngine.create(tmp_path / "store")
    engine.add([quad("a")])
    engine.optimize()
    engine.backup(tmp_path / "copy")
    engine.add([quad("b")])
    copy = EmbeddedEngine.open_read_only(tmp_path / "copy")
    assert len(copy) == 1
    assert len(engine) == 2
    with pytest.raises(EngineError, match="cannot write"):
        copy.add([quad("c")])
    with pytest.raises(EngineError, match="copy of the store"):
        engine.backup(tmp_path / "copy")


def test_a_closed_engine_gives_its_folder_back(tmp_path: Path) -> None:
    engine = EmbeddedEngine.create(tmp_path / "store")
    with pytest.raises(EngineError, match="cannot create"):
        EmbeddedEngine.create(tmp_path / "store")
    engine.close()
    EmbeddedEngine.create(tmp_path / "store").close()


def test_what_is_no_store_does_not_open(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot open"):
        EmbeddedEngine.open_read_only(tmp_path / "absent")
    (tmp_path / "file").write_text("x", "utf-8")
    with pytest.raises(EngineError):
        EmbeddedEngine.create(tmp_path / "file")


def test_a_dump_reads_back(engine: EmbeddedEngine) -> None:
    stream = io.BytesIO()
    engine.dump(stream)
    assert set(ox.parse(stream.getvalue(), format=ox.RdfFormat.N_QUADS)) == set(engine.quads())


def test_filling_takes_quads_as_they_come_and_lets_their_error_through() -> None:
    engine = EmbeddedEngine.memory()
    term = ox.NamedNode("https://example.org/a")
    engine.fill(ox.Quad(term, term, ox.Literal(n), term) for n in range(1000))
    assert len(engine) == 1000

    def failing() -> Iterator[ox.Quad]:
        yield ox.Quad(term, term, term, term)
        raise SourceError("no more")

    with pytest.raises(SourceError, match="no more"):
        engine.fill(failing())
