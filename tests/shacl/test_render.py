"""A report as text, as JSON and as Turtle."""

from __future__ import annotations

import json
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib

from kg.namespaces import PREFIXES, expand
from kg.shacl import Report, Result, validate_files
from kg.shacl.engines import EngineName
from kg.shacl.render import as_json, as_lines, as_turtle
from kg.shacl.report import short

SH = rdflib.Namespace(PREFIXES["sh"])
SHAPES = Path(__file__).parent.parent / "shapes"
CASES = [
    "AssertionShape/invalid-no-stance.ttl",  # an alternative path
    "AssertionShape/invalid-no-encoder.ttl",  # a sequence
    "EncoderShape/invalid-is-a-party.ttl",  # an inverse path
    "PassageShape/invalid-past-the-end.ttl",  # no path, a literal as value
]


@pytest.fixture(scope="module")
def report() -> Report:
    return judged()


def judged() -> Report:
    # One at a time, because the graphs use the same names.
    report = Report()
    for case in CASES[:3]:
        report = report.joined(validate_files([SHAPES / "common.ttl", SHAPES / case]).results)
    return report


def test_turtle_is_a_standard_report(report: Report) -> None:
    graph = rdflib.Graph().parse(data=as_turtle(report), format="turtle")
    (root,) = graph.subjects(rdflib.RDF.type, SH.ValidationReport)
    assert graph.value(root, SH.conforms).toPython() is False  # type: ignore[union-attr]
    results = list(graph.objects(root, SH.result))
    assert len(results) == len(report.results) > 0
    for node in results:
        for name in ("focusNode", "resultSeverity", "sourceConstraintComponent", "sourceShape"):
            assert len(list(graph.objects(node, SH[name]))) == 1, name
        (message,) = graph.objects(node, SH.resultMessage)
        assert isinstance(message, rdflib.Literal)
    lists = {tuple(graph.items(path)) for path in graph.objects(None, SH.alternativePath)}
    assert any(rdflib.URIRef(expand("kg:relays")) in items for items in lists)


@pytest.mark.parametrize("engine", ["compiled", "pyshacl"])
def test_messages_keep_their_languages_in_turtle(tmp_path: Path, engine: EngineName) -> None:
    shapes, data = tmp_path / "shapes.ttl", tmp_path / "data.ttl"
    shapes.write_text(
        "PREFIX sh: <http://www.w3.org/ns/shacl#>\n<urn:s> sh:targetNode <urn:a> ; sh:in () ; "
        'sh:message "Nein"@de, "No"@en, "0" .'
    )
    data.write_text("<urn:a> <urn:p> 1 .")
    report = validate_files([data], [shapes], engine)
    graph = rdflib.Graph().parse(data=as_turtle(report), format="turtle")
    told = graph.objects(None, rdflib.SH.resultMessage)
    assert {term.n3() for term in told} == {'"Nein"@de', '"No"@en', '"0"'}


def test_turtle_is_the_same_each_time(report: Report) -> None:
    assert as_turtle(judged()) == as_turtle(report)


def test_turtle_of_nothing_conforms() -> None:
    graph = rdflib.Graph().parse(data=as_turtle(Report()), format="turtle")
    assert [bool(value) for value in graph.objects(None, SH.conforms)] == [True]


def test_json_has_the_same_keys_for_every_result(report: Report) -> None:
    data = json.loads(as_json(report))
    assert data["conforms"] is False
    assert len(data["results"]) == len(report.results)
    keys = "focus path value shape constraint component severity message file line"
    assert all(list(result) == keys.split() for result in data["results"])
    paths = {result["path"] for result in data["results"]}
    assert {
        "kg:affirms|kg:denies|kg:doubts|kg:asks|kg:concedes|kg:relays",
        "prov:wasGeneratedBy/prov:wasAssociatedWith",
        "^kg:party",
    } <= paths


def test_lines_say_where_which_rule_and_what_to_do() -> None:
    report = validate_files([SHAPES / "common.ttl", SHAPES / CASES[3]])
    where, what, message = list(as_lines(report))
    assert where.endswith("invalid-past-the-end.ttl:7: violation: kg:PassageShape-within")
    assert what == "  <https://w3id.org/counterclaim/shapes-test/t1> 69"
    assert "ends at 69" in message
    assert "which has 68 code points" in message
    assert list(as_lines(Report())) == ["conforms"]


def test_results_stand_in_the_order_of_files_and_lines() -> None:
    def result(name: str, place: tuple[Path, int] | None) -> Result:
        focus = ox.NamedNode(f"https://example.org/{name}")
        shape, component = expand("kg:S"), expand("sh:ClassConstraintComponent")
        return Result(focus, shape, component, expand("sh:Violation"), "m", place=place)

    path = Path("a.ttl")
    first, second, last = result("z", (path, 2)), result("y", (path, 10)), result("x", None)
    assert Report((first,)).joined((last, second, first)).results == (first, second, last)


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (ox.NamedNode(expand("kg:Fact")), "kg:Fact"),
        (ox.NamedNode("https://example.org/x"), "<https://example.org/x>"),
        (ox.Literal(3), "3"),
        (ox.Literal(True), "true"),
        (ox.Literal("a"), '"a"'),
        (ox.Literal("a", language="en"), '"a"@en'),
        (ox.Literal("2023", datatype=ox.NamedNode(expand("edtf:EDTF"))), '"2023"^^edtf:EDTF'),
    ],
)
def test_terms_are_written_as_a_person_would(term: ox.NamedNode | ox.Literal, text: str) -> None:
    assert short(term) == text
