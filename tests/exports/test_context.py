"""The JSON-LD context: up to date, and read alike by two parsers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.compare import isomorphic

from kg.exports import context as module
from kg.namespaces import expand

DOCUMENT = {
    "@graph": [
        {
            "id": "https://example.org/a1",
            "type": "Assertion",
            "speaker": "https://example.org/Fact",
            "affirms": {
                "id": "https://example.org/p1",
                "type": "Proposition",
                "label": {"en": "Bo wrote the parser", "de": "Bo schrieb den Parser"},
                "subject": "https://example.org/bo",
                "predicate": "authored",
                "object": {"id": "https://example.org/parser"},
                "eventTime": "2023-03-20~",
            },
            "claimType": "Fact",
            "presupposed": True,
            "hasTarget": {
                "id": "https://example.org/t1",
                "type": "SpecificResource",
                "hasSource": "https://example.org/doc",
                "sha256": "6a1ca2f285ea076ca991bbb9ee3af213f54c90169793402f8cd400133339d3c7",
                "hasSelector": {"type": "TextPositionSelector", "start": 0, "end": 41},
            },
        },
        {
            "id": "https://example.org/w1",
            "type": "Withheld",
            "withheldCategory": "Harassment",
            "reason": {"en": "an insult"},
        },
    ]
}
TURTLE = """
@prefix : <https://example.org/> .
@prefix kg: <https://w3id.org/counterclaim/ns#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix oa: <http://www.w3.org/ns/oa#> .
@prefix edtf: <http://id.loc.gov/datatypes/edtf/> .

:a1 a kg:Assertion ; kg:speaker :Fact ; kg:affirms :p1 ; kg:claimType kg:Fact ;
  kg:presupposed true ;
  oa:hasTarget :t1 .
:t1 a oa:SpecificResource ; oa:hasSource :doc ;
  kg:sha256 "6a1ca2f285ea076ca991bbb9ee3af213f54c90169793402f8cd400133339d3c7" ;
  oa:hasSelector [ a oa:TextPositionSelector ; oa:start 0 ; oa:end 41 ] .
:p1 a kg:Proposition ; rdfs:label "Bo wrote the parser"@en, "Bo schrieb den Parser"@de ;
  rdf:subject :bo ; rdf:predicate kg:authored ; rdf:object :parser ;
  kg:eventTime "2023-03-20~"^^edtf:EDTF .
:w1 a kg:Withheld ; kg:withheldCategory kg:Harassment ; kg:reason "an insult"@en .
"""


@pytest.fixture(scope="module")
def context() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(module.context_file().read_text(encoding="utf-8"))
    return data


def graph(quads: list[ox.Quad]) -> rdflib.Graph:
    """Return quads as an rdflib graph, without its own idea of what a literal means."""
    data = ox.serialize((quad.triple for quad in quads), format=ox.RdfFormat.N_TRIPLES)
    assert data is not None
    return rdflib.Graph().parse(data=data, format="nt")


def test_the_file_is_what_the_vocabulary_gives() -> None:
    assert module.context_file().read_text(encoding="utf-8") == module.generated(), (
        "run: python -m kg.exports.context"
    )


def test_the_command_writes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "context.jsonld"
    monkeypatch.setattr(module, "context_file", lambda: file)
    module.main()
    assert file.read_text(encoding="utf-8") == module.generated()
    assert list(tmp_path.iterdir()) == [file]


def test_pyoxigraph_reads_json_with_the_context_as_the_turtle(context: dict[str, Any]) -> None:
    text = json.dumps(context | DOCUMENT)
    found = graph(list(ox.parse(text, format=ox.RdfFormat.JSON_LD)))
    wanted = graph(list(ox.parse(TURTLE, format=ox.RdfFormat.TURTLE)))
    assert isomorphic(found, wanted), found.serialize(format="turtle")


def test_rdflib_reads_it_as_the_turtle_too(context: dict[str, Any]) -> None:
    found = rdflib.Graph().parse(data=json.dumps(context | DOCUMENT), format="json-ld")
    assert isomorphic(found, rdflib.Graph().parse(data=TURTLE, format="turtle"))


def test_round_trip_through_compact_json(context: dict[str, Any]) -> None:
    wanted = rdflib.Graph().parse(data=TURTLE, format="turtle")
    text = wanted.serialize(format="json-ld", context=context["@context"])
    written = {key for node in json.loads(text)["@graph"] for key in node}
    assert {"speaker", "affirms", "claimType"} <= written
    # rdflib compacts to terms; what it wrote must mean the same to another parser.
    again = graph(list(ox.parse(text, format=ox.RdfFormat.JSON_LD)))
    assert isomorphic(again, wanted)


def test_every_term_stands_for_itself(context: dict[str, Any]) -> None:
    prefixes = context["@context"]
    for name, definition in prefixes.items():
        target = definition["@id"] if isinstance(definition, dict) else definition
        if isinstance(target, str) and target.startswith("kg:"):
            assert target == f"kg:{name}"
    assert prefixes["kg"] == expand("kg:")
