"""Judging a dispute and files: what is found, where, and what cannot be judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.dispute import Dispute, read_dispute
from kg.embedded import EmbeddedEngine
from kg.engine import Answer
from kg.errors import SourceError
from kg.namespaces import expand
from kg.preparing import staged
from kg.shacl import validate_dispute, validate_files
from kg.shacl.engines import EngineName
from kg.shacl.explain import explain

PREFIXES = """\
@prefix : <https://example.org/> .
@prefix kg: <https://w3id.org/counterclaim/ns#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a Turtle file with the usual prefixes on its first four lines."""

    def write(body: str, name: str = "file.ttl") -> Path:
        path = tmp_path / name
        path.write_text(PREFIXES + body, encoding="utf-8")
        return path

    return write


@pytest.fixture
def broken(example_dispute: Path) -> Dispute:
    """The example without the speaker of :a1."""
    file = example_dispute / "statements" / "doc.ttl"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("    kg:speaker :ana ;\n", ""), encoding="utf-8")
    return read_dispute(example_dispute)


class OnlySparql:
    """An engine that answers queries and can do no more."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self.engine = engine

    def query(self, text: str) -> Answer:
        return self.engine.query(text)


def test_a_result_names_shape_place_and_remedy(broken: Dispute) -> None:
    report = validate_dispute(staged(broken), broken)
    (result,) = report.results
    assert not report.conforms
    assert result.focus == ox.NamedNode(broken.iri + "a1")
    assert result.source == expand("kg:AssertionShape-speaker")
    assert result.component == expand("sh:MinCountConstraintComponent")
    assert result.severity == expand("sh:Violation")
    assert result.path == "kg:speaker"
    assert "Name who speaks here" in result.message
    assert result.place is not None
    path, line = result.place
    assert path == broken.folder / "statements" / "doc.ttl"
    assert path.read_text(encoding="utf-8").splitlines()[line - 1].startswith(":a1 a kg:Assertion")
    assert str(result).startswith(f"{path}:{line}: violation: ")


def test_engine_quads_and_any_engine_are_judged_alike(broken: Dispute) -> None:
    engine = staged(broken)
    wanted = [str(result) for result in validate_dispute(engine, broken).results]
    assert len(wanted) == 1
    assert [str(r) for r in validate_dispute(list(engine.quads()), broken).results] == wanted
    assert [str(r) for r in validate_dispute(OnlySparql(engine), broken).results] == wanted


def test_derived_statements_are_judged_too(example_dispute: Path) -> None:
    dispute = read_dispute(example_dispute)
    engine = staged(dispute)
    graph = ox.NamedNode(dispute.derived_graph)
    node = ox.NamedNode(dispute.iri + "derived")
    kind = ox.NamedNode(expand("rdf:type"))
    engine.add([ox.Quad(node, kind, ox.NamedNode(expand("kg:RecordFact")), graph)])
    found = {result.source for result in validate_dispute(engine, dispute).results}
    assert expand("kg:RecordFactShape-rule") in found


def test_an_unknown_term_is_placed_where_it_stands(write: Callable[..., Path]) -> None:
    file = write(':x a kg:Event ;\n  rdfs:label "x"@en ;\n  kg:sene "once"@en .\n')
    (result,) = validate_files([file]).results
    assert result.source == expand("kg:GraphShape-known-term")
    assert result.value == ox.NamedNode(expand("kg:sene"))
    assert result.place == (file, 7)


def test_a_blank_node_is_placed_at_what_points_to_it(write: Callable[..., Path]) -> None:
    shapes = write(
        ":s a sh:NodeShape ; sh:targetClass :Part ; "
        "sh:property [ sh:path :size ; sh:minCount 1 ; sh:message 'no size'@en ] .",
        "shapes.ttl",
    )
    data = write(":x a :Thing ; :has :y .\n:y a :Thing ; :has [ a :Part ] .\n", "data.ttl")
    (result,) = validate_files([data], [shapes]).results
    assert result.message == "no size"
    assert result.place == (data, 6)
    # The property shape has no name; the shape that holds it has.
    assert result.shape.startswith("_:")
    assert result.source == "https://example.org/s"


@pytest.mark.parametrize("severity", ["Info", "Warning", "Violation"])
def test_information_conforms_and_a_warning_does_not(
    write: Callable[..., Path], severity: str
) -> None:
    shapes = write(
        f":s a sh:NodeShape ; sh:targetNode :x ; sh:class :C ; sh:severity sh:{severity} .", "s.ttl"
    )
    report = validate_files([write(":x a :D .")], [shapes])
    assert len(report.results) == 1
    assert report.conforms is (severity == "Info")


def test_files_are_judged_as_one_graph_with_the_vocabulary(write: Callable[..., Path]) -> None:
    shapes = write(":s a sh:NodeShape ; sh:targetClass kg:Artifact ; sh:class :Old .", "s.ttl")
    commit = write(":x a kg:Commit .", "one.ttl")  # an artifact, says the vocabulary
    other = write(":x a :Old .", "two.ttl")
    assert [r.focus for r in validate_files([commit], [shapes]).results] == [
        ox.NamedNode("https://example.org/x")
    ]
    assert validate_files([commit, other], [shapes]).results == ()


def test_an_ill_typed_literal_is_a_result_not_a_warning(
    write: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    shapes = write(
        ":s a sh:NodeShape ; sh:targetClass :T ; sh:property :n .\n"
        ":n a sh:PropertyShape ; sh:path :n ; "
        "sh:datatype <http://www.w3.org/2001/XMLSchema#integer> .",
        "s.ttl",
    )
    data = write(':x a :T ; :n "ten"^^<http://www.w3.org/2001/XMLSchema#integer> .')
    (result,) = validate_files([data], [shapes]).results
    assert result.value == ox.Literal("ten", datatype=ox.NamedNode(expand("xsd:integer")))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("body", "words", "line"),
    [
        (":s a kg:Event .", "no shape", None),
        (":s a sh:NodeShape ; sh:targetClass :T ; sh:property [ sh:minCount 1 ] .", "sh:path", 5),
        (":s a sh:NodeShape ;\n sh:targetClass :T ; sh:nodeKind :Wood .", "malformed", 5),
        (":s a sh:NodeShape ; sh:targetNode :x ; sh:node :s .", "contains itself", 5),
        (
            ":s a sh:NodeShape ; sh:targetNode :x ; "
            "sh:sparql [ sh:select 'SELECT $this WHER {}' ] .",
            "cannot be used",
            5,
        ),
        (
            ":s a sh:NodeShape ; sh:targetNode :x ; sh:sparql "
            "[ sh:select 'SELECT $this FROM <file:///etc/hosts> WHERE { $this ?p ?o }' ] .",
            "may not read files",
            5,
        ),
        (
            ":s a sh:NodeShape ; sh:targetNode :x ; sh:sparql "
            "[ sh:select 'SELECT $this WHERE { SERVICE <http://x.test/> { $this ?p ?o } }' ] .",
            "SERVICE",
            5,
        ),
        (":s sh:targetNode :x ; sh:sparql [ sh:select 'ASK { $this ?p ?o }' ] .", "SELECT", 5),
        (":s sh:targetNode :x ; sh:sparql [ sh:select 'SELECT $this' ] .", "braces", 5),
        (":s sh:targetNode :x ; sh:sparql [ sh:select 'SELECT $this { } }' ] .", "braces", 5),
        (":s sh:targetNode :x ; sh:sparql [ sh:select '} SELECT $this {' ] .", "braces", 5),
        (":s sh:targetNode :x ; sh:sparql [ sh:select 'PREFIX' ] .", "SELECT", 5),
        (":s sh:targetNode :x ;\n sh:property [ sh:path :p ; sh:minCount -1 ] .", "from 0", 5),
        (":s sh:targetNode :x ; sh:property [ sh:path :p ; sh:pattern '[' ] .", "<.*s>", 5),
        (":s sh:targetNode :x ; sh:pattern 'a' ; sh:flags 'Z' .", "smixq", 5),
        (
            ":s sh:targetNode :x ; sh:in _:l . _:l <http://www.w3.org/1999/02/22-rdf-syntax-ns"
            "#first> :x ; <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> _:l .",
            "ListShape",
            5,
        ),
        (":s sh:targetNode :x ; sh:in () ; :p <<( :x :p :x )>> .", "triple term", 5),
    ],
)
def test_unusable_shapes_are_an_error_with_their_file(
    write: Callable[..., Path], body: str, words: str, line: int | None
) -> None:
    shapes = write(body, "shapes.ttl")
    with pytest.raises(SourceError, match=words) as caught:
        validate_files([write(":x a :T .")], [shapes])
    assert str(caught.value.path) == str(shapes)
    assert caught.value.line == line


@pytest.mark.parametrize("engine", ["pyshacl", "both"])
def test_pyshacl_is_asked_of_no_triple_terms(
    write: Callable[..., Path], engine: EngineName
) -> None:
    shapes = write(":s a sh:NodeShape ; sh:targetNode :x ; sh:nodeKind sh:IRI .", "s.ttl")
    data = write(":x :p <<( :x :p :x )>> .")
    assert validate_files([data], [shapes]).conforms
    with pytest.raises(SourceError, match="triple term"):
        validate_files([data], [shapes], engine)


def test_explaining_unusable_shapes_is_an_error_with_their_file(
    write: Callable[..., Path],
) -> None:
    shapes = write(":s sh:targetNode :x ; sh:sparql [ sh:select 'ASK { $this ?p ?o }' ] .", "s.ttl")
    with pytest.raises(SourceError, match="SELECT") as caught:
        list(explain("s", [shapes]))
    assert (str(caught.value.path), caught.value.line) == (str(shapes), 5)
