"""Every stored query has a folder of its own here, with data and the answer it must give.

``tests/queries/<kind>/<name>/`` holds ``data.trig``; one ``expected.csv`` (or ``.tsv``, ``.srj``,
``.srx`` for rows and ASK, ``.ttl`` or ``.nt`` for a graph); and, for a query with parameters,
``params.yaml``: a mapping of names to what a person would type. The vocabulary is loaded beside
the data, as in a build. Short names are local to the ``kg:Dispute`` of the data, if it has one.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyoxigraph as ox
import pytest
import yaml

from kg.embedded import EmbeddedEngine
from kg.engine import Answer, Rows, Triples
from kg.namespaces import ONTOLOGY_GRAPH, expand
from kg.parameters import split_pairs, to_terms
from kg.results import write_rows
from kg.settings import shipped
from kg.stored_query import KINDS, SUFFIX, bind, load_query

HERE = Path(__file__).resolve().parent
QUERIES = [
    path for kind in KINDS for path in sorted((shipped("queries") / kind).glob(f"*{SUFFIX}"))
]
NO_DISPUTE = "https://w3id.org/counterclaim/example/"

ROWS = {
    ".tsv": ox.QueryResultsFormat.TSV,
    ".srj": ox.QueryResultsFormat.JSON,
    ".srx": ox.QueryResultsFormat.XML,
}
GRAPHS = {".ttl": ox.RdfFormat.TURTLE, ".nt": ox.RdfFormat.N_TRIPLES}


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def folder_of(query: Path) -> Path:
    return HERE / query.parent.name / query.stem


@pytest.mark.parametrize("query", QUERIES, ids=name_of)
def test_a_stored_query_answers_as_expected(query: Path) -> None:
    folder = folder_of(query)
    data = folder / "data.trig"
    assert data.is_file(), f"{query.name} has no test: {data} is missing"
    expected = sorted(folder.glob("expected.*"))
    assert len(expected) == 1, f"{folder} must have one file 'expected.*', it has {len(expected)}"
    check(answer(query, folder), expected[0])


def test_no_folder_without_its_query() -> None:
    names = {name_of(query) for query in QUERIES}
    folders = {
        f"{data.parent.parent.name}/{data.parent.name}" for data in HERE.glob("*/*/data.trig")
    }
    assert folders <= names, f"no query has these folders: {sorted(folders - names)}"


def answer(path: Path, folder: Path) -> Answer:
    query = load_query(path)
    engine = EmbeddedEngine.memory()
    vocabulary = shipped("ontology") / "kg.ttl"
    engine.load(vocabulary, ONTOLOGY_GRAPH)
    quads = list(ox.parse(path=folder / "data.trig", format=ox.RdfFormat.TRIG))
    engine.add(quads)
    params = folder / "params.yaml"
    given = yaml.safe_load(params.read_text(encoding="utf-8")) if params.is_file() else {}
    pairs = [f"{name}={value}" for name, value in given.items()]
    terms = to_terms(query, split_pairs(query, pairs), engine, base_of(quads))
    return engine.query(bind(query, terms))


def base_of(quads: list[ox.Quad]) -> str:
    dispute = ox.NamedNode(expand("kg:Dispute"))
    return next((q.subject.value for q in quads if q.object == dispute), NO_DISPUTE)


def check(answer: Answer, expected: Path) -> None:
    if isinstance(answer, Triples):
        assert expected.suffix in GRAPHS, f"{expected} must be a graph: {', '.join(GRAPHS)}"
        wanted = [q.triple for q in ox.parse(path=expected, format=GRAPHS[expected.suffix])]
        assert wanted, f"{expected} expects nothing"
        assert canonical(answer.triples) == canonical(wanted)
    elif isinstance(answer, Rows) and expected.suffix == ".csv":
        written = io.StringIO(newline="")
        write_rows(answer, "csv", written)
        rows = list(csv.reader(expected.open(encoding="utf-8", newline="")))
        assert len(rows) > 1, f"{expected} expects nothing"
        assert list(csv.reader(io.StringIO(written.getvalue(), newline=""))) == rows
    else:
        assert expected.suffix in ROWS, f"{expected} must be rows: .csv, {', '.join(ROWS)}"
        read = ox.parse_query_results(path=expected, format=ROWS[expected.suffix])
        if isinstance(read, ox.QueryBoolean):
            assert answer == bool(read)
            return
        assert isinstance(read, ox.QuerySolutions)
        assert isinstance(answer, Rows)
        assert [variable.value for variable in read.variables] == list(answer.columns)
        wanted_rows = [tuple(row) for row in read]
        assert wanted_rows, f"{expected} expects nothing"
        assert list(answer.rows) == wanted_rows


def canonical(triples: object) -> list[str]:
    """Return N-Triples in which blank nodes are named by what is said of them."""
    dataset = ox.Dataset(ox.Quad(*triple) for triple in triples)  # type: ignore[attr-defined]
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(str(quad) for quad in dataset)


def rows(*values: str) -> Rows:
    return Rows(["x"], iter([(ox.Literal(value),) for value in values]))


def test_the_comparison_minds_order_and_missing_rows(tmp_path: Path) -> None:
    expected = tmp_path / "expected.csv"
    expected.write_bytes(b"x\r\na\r\nb\r\n")
    check(rows("a", "b"), expected)
    for other in (rows("b", "a"), rows("a"), rows("a", "b", "b")):
        with pytest.raises(AssertionError):
            check(other, expected)
    expected.write_bytes(b"x\r\n")
    with pytest.raises(AssertionError, match="expects nothing"):
        check(rows(), expected)


def test_the_comparison_of_graphs_minds_all_but_names_of_blank_nodes(tmp_path: Path) -> None:
    expected = tmp_path / "expected.ttl"
    expected.write_text("<urn:a> <urn:b> [ <urn:c> 1 ] .")
    node, one = ox.BlankNode("other"), ox.Literal(1)
    first = ox.Triple(ox.NamedNode("urn:a"), ox.NamedNode("urn:b"), node)
    check(Triples(iter([ox.Triple(node, ox.NamedNode("urn:c"), one), first])), expected)
    with pytest.raises(AssertionError):
        check(Triples(iter([first])), expected)
    with pytest.raises(AssertionError, match="must be a graph"):
        check(Triples(iter([first])), tmp_path / "expected.csv")
