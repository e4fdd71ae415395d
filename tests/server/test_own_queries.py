"""A dispute's own stored queries over HTTP: parameters wherever a query may have them."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Iterator
from urllib.parse import urlencode

import pyoxigraph as ox
import pytest

from .conftest import EXAMPLE, Server, end, start

HEADER = "#+ title: {name}\n#+ question: What is found?\n#+ params:\n#+   {parameter}\n"
FIND = "find: {type: string, description: what the title is, required: true}"
PREFIXES = """\
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
"""
LABELLED = "?thing rdfs:label|dcterms:title ?label"
SELECTS = {
    "in-filter": f"""\
  {LABELLED} .
  VALUES ?find {{ "none" }}
  FILTER(STR(?label) = ?find)""",
    "in-sub-select": f"""\
  {{ SELECT ?thing WHERE {{
    VALUES ?find {{ "none" }}
    {LABELLED} . FILTER(STR(?label) = ?find)
  }} }}""",
    "in-exists": f"""\
  ?thing a ?class .
  FILTER EXISTS {{
    VALUES ?find {{ "none" }}
    {LABELLED} . FILTER(STR(?label) = ?find)
  }}""",
    "in-graph": f"""\
  GRAPH ?graph {{
    VALUES ?find {{ "none" }}
    {LABELLED} . FILTER(STR(?label) = ?find)
  }}""",
}
CONSTRUCT = f"""\
CONSTRUCT {{ ?thing rdfs:comment ?find }}
WHERE {{
  VALUES ?find {{ "none" }}
  {LABELLED} . FILTER(STR(?label) = ?find)
}}
"""
OF_GRAPH = """\
SELECT DISTINCT ?thing
WHERE {
  VALUES ?graph { UNDEF }
  GRAPH ?graph {
    VALUES ?thing { UNDEF }
    ?thing a ?class
  }
}
ORDER BY ?thing
"""
ECHO = """\
SELECT (CONCAT("<", ?find, ">") AS ?thing)
WHERE { VALUES ?find { "none" } }
ORDER BY ?thing
"""
BACKWARDS = """\
SELECT ?thing
WHERE {
  VALUES ?thing { UNDEF }
  { SELECT (?number AS ?thing) WHERE { VALUES ?number { 1 2 3 4 } } }
}
ORDER BY DESC(?thing)
"""
HOSTILE = [
    '"', "'", "\\", "\\\\", "\n", "\r\n", "\t", "{", "}", ">", "<", "#", "\x00", '"""', "'''", "",
    '" } UNION { ?thing ?p ?o } #', "Example\" || true || \"", "\\u0022 }", '"@en', '"^^<urn:x>',
    '" } } } { ?thing ?p ?o } #', "?label", "UNDEF", '") || (1 = 1', "Example\\", "\ud7ff\uffff🙂",
]  # fmt: skip


FORMULAS = ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1", "=cmd|' /C calc'!A0", '="a"&"b"']
HARMLESS = ["a=1", "1+1", "<script>alert(1)</script>", "a|b", ""]
NASTY = "SELECT ?thing\nWHERE {{\n  VALUES ?thing {{ {} }}\n}}\nORDER BY ?thing\n"
TYPED = """\
SELECT (CONCAT(STR(?count), " ", STR(?day)) AS ?thing)
WHERE {
  VALUES ?count { 1 }
  VALUES ?day { "2023-01-01T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> }
}
ORDER BY ?thing
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The example dispute with queries of its own."""
    folder = tmp_path_factory.mktemp("own")
    dispute = folder / "dispute"
    shutil.copytree(EXAMPLE, dispute, ignore=shutil.ignore_patterns(".kg"))
    queries = dispute / "queries" / "ask"
    queries.mkdir(parents=True)

    def write(name: str, parameter: str, text: str, columns: str = "") -> None:
        header = HEADER.format(name=name, parameter=parameter) + columns
        (queries / f"{name}.rq").write_text(header + PREFIXES + text)

    column = "#+ columns:\n#+   thing: what has it\n"
    for name, pattern in SELECTS.items():
        text = f"SELECT DISTINCT ?thing\nWHERE {{\n{pattern}\n}}\nORDER BY ?thing\n"
        write(name, FIND, text, column)
    write("in-construct", FIND, CONSTRUCT)
    thing = "{type: resource, description: what}"
    two = f"thing: {thing}\n#+   graph: {thing}"
    write("of-graph", two, OF_GRAPH, column)
    cells = " ".join(str(ox.Literal(text)) for text in [*FORMULAS, *HARMLESS])
    (queries / "cells.rq").write_text(
        "#+ title: cells\n#+ question: Which?\n" + column + NASTY.format(cells)
    )
    typed = "count: {type: integer, description: how many}\n"
    write("typed", f"{typed}#+   day: {{type: date, description: when}}", TYPED, column)
    arguments = ["-m", "kg.cli.main", "--dispute", str(dispute), "serve", "--port", "0"]
    write("echo", FIND, ECHO, column)
    asked = "#+ title: {0}\n#+ question: Is there any?\n"
    (queries / "any.rq").write_text(asked.format("any") + "ASK { ?s ?p ?o }\n")
    changing = "SELECT (STRUUID() AS ?thing)\nWHERE {}\nORDER BY ?thing\n"
    (queries / "changing.rq").write_text(asked.format("changing") + column + changing)
    found_by = "#+ found_by: {thing: 'VALUES ?thing { 1 2 3 4 }'}\n"
    (queries / "backwards.rq").write_text(asked.format("back") + column + found_by + BACKWARDS)
    server = start([*arguments, "--workers", "2"], folder / "log", folder / "cache")
    yield server
    end(server)


def ask(query: str, **given: str) -> str:
    return f"/api/queries/{query}?{urlencode(given)}"


@pytest.mark.parametrize("name", SELECTS)
def test_a_parameter_counts_wherever_it_stands(own: Server, name: str) -> None:
    reply = own.request(ask(name, find="Example"))
    assert reply.status == 200, reply.text
    # Without the parameter's value each would find nothing, or everything.
    assert [row["thing"].rpartition("/")[2] for row in reply.rows] == ["doc"]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", SELECTS)
def test_what_it_says_stays_a_value(own: Server, name: str, text: str) -> None:
    reply = own.request(ask(name, find=text))
    if reply.status == 200:
        assert reply.rows == []
    else:
        assert reply.status == 400
        assert [error["parameter"] for error in reply.json()["errors"]] == ["find"]


def test_a_parameter_of_a_construct(own: Server) -> None:
    reply = own.request(ask("in-construct", find="Example", format="nt"))
    assert reply.status == 200, reply.text
    (triple,) = ox.parse(reply.body, format=ox.RdfFormat.N_TRIPLES)
    assert triple.object == ox.Literal("Example")


@pytest.mark.parametrize("text", HOSTILE)
def test_what_it_says_stays_a_value_in_a_construct(own: Server, text: str) -> None:
    reply = own.request(ask("in-construct", find=text, format="nt"))
    assert reply.status in (200, 400)
    if reply.status == 200:
        assert list(ox.parse(reply.body, format=ox.RdfFormat.N_TRIPLES)) == []


def test_parameters_of_a_graph_and_in_it(own: Server) -> None:
    base = "https://w3id.org/counterclaim/example/"
    agents = own.request(ask("of-graph", graph=f"{base}graph/agents"))
    assert agents.status == 200, agents.text
    assert len(agents.rows) > 1
    one = own.request(ask("of-graph", graph="graph/agents", thing="bo"))
    assert [row["thing"] for row in one.rows] == [f"{base}bo"]
    assert own.request(ask("of-graph", graph="graph/artifacts", thing="bo")).rows == []
    assert own.request(ask("of-graph", graph="graph/nothing")).status == 400
    for text in HOSTILE:
        for name in ("thing", "graph"):
            reply = own.request(ask("of-graph", **{name: text}))
            assert reply.status == 400
            assert [error["parameter"] for error in reply.json()["errors"]] == [name]


def test_a_spreadsheet_runs_no_formula_and_csv_is_exact(own: Server) -> None:
    def cells(format: str) -> list[str]:
        text = own.request(ask("cells", format=format)).body.decode()
        return [row[0] if row else "" for row in csv.reader(io.StringIO(text, newline=""))][1:]

    assert sorted(cells("csv")) == sorted([*FORMULAS, *HARMLESS])
    assert sorted(cells("spreadsheet")) == sorted([*(f"'{text}" for text in FORMULAS), *HARMLESS])
    by_protocol = own.request(ask("cells"), headers={"Accept": "text/csv"})
    assert by_protocol.body == own.request(ask("cells", format="csv")).body
    for format in ("md", "table", "xml", "tsv", "json", "spreadsheet"):
        reply = own.request(ask("cells", format=format))
        assert not reply.headers["content-type"].startswith("text/html")
        assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"count": "7", "day": "2023-03-27"}, "7 2023-03-27T00:00:00Z"),
        ({"count": " -7 "}, "-7 2023-01-01T00:00:00Z"),
        ({"day": "2023"}, "1 2023-01-01T00:00:00Z"),
        ({"count": "9223372036854775807"}, "9223372036854775807 2023-01-01T00:00:00Z"),
    ],
)
def test_typed_parameters(own: Server, given: dict[str, str], answer: str) -> None:
    assert own.request(ask("typed", **given)).rows == [{"thing": answer}]


@pytest.mark.parametrize("text", ["", "x", "1.5", "1e3", "0x7", "9" * 30, "2023-13-01", *HOSTILE])
def test_what_is_not_of_the_type_is_refused(own: Server, text: str) -> None:
    for name in ("count", "day"):
        reply = own.request(ask("typed", **{name: text}))
        assert reply.status == 400
        assert [error["parameter"] for error in reply.json()["errors"]] == [name]
    both = own.request(ask("typed", count=text, day=text))
    assert len(both.json()["errors"]) == 2


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        *(("json", '{"head":{},"boolean":true}'), ("csv", "true"), ("tsv", "true")),
        *(("md", "true"), ("table", "true"), ("spreadsheet", "true")),
    ],
)
def test_yes_or_no_in_every_format(own: Server, format: str, expected: str) -> None:
    reply = own.request(ask("any", format=format))
    assert (reply.status, reply.text.strip()) == (200, expected)


def test_only_rows_come_in_pages_and_as_they_are_found(own: Server) -> None:
    for_rows = dict.fromkeys(("page", "per_page", "as_found"))
    operations = own.request("/openapi.json").json()["paths"]
    for name, given in (("any", {}), ("in-construct", {"find": "Example"})):
        reply = own.request(ask(name, page="1", per_page="2", as_found="true", **given))
        assert reply.status == 400
        assert [one["parameter"] for one in reply.json()["errors"]] == list(for_rows)
        told = operations[f"/api/queries/{name}"]["get"]["parameters"]
        assert not for_rows.keys() & {one.get("name") for one in told}
    told = operations["/api/queries/in-filter"]["get"]["parameters"]
    assert for_rows.keys() <= {one.get("name") for one in told}


@pytest.mark.parametrize("format", ["json", "csv", "tsv", "xml", "md"])
def test_rows_come_as_they_are_found_if_asked_for(own: Server, format: str) -> None:
    def numbers(**given: str) -> list[str]:
        return re.findall(r"\b[1-4]\b(?!/|\.)", own.request(ask("backwards", **given)).text)

    in_order = numbers(format=format)
    found = numbers(format=format, as_found="true")
    assert in_order[-4:] == ["4", "3", "2", "1"]
    # The first by itself, and then several at a time, in the order of the query.
    assert found[-4:] == ["1", "4", "3", "2"]
    assert numbers(format=format, as_found="false") == in_order


def test_pages_of_rows_as_they_are_found(own: Server) -> None:
    pages = [
        own.request(ask("backwards", as_found="true", page=str(page), per_page="3"))
        for page in (1, 2)
    ]
    assert [row["thing"] for page in pages for row in page.rows] == ["1", "4", "3", "2"]
    assert "as_found=true" in pages[0].headers["link"]
    refused = own.request(ask("backwards", as_found="maybe"))
    assert refused.status == 400
    assert [one["parameter"] for one in refused.json()["errors"]] == ["as_found"]


@pytest.mark.parametrize("more", [{}, {"page": "1"}, {"format": "md"}])
def test_what_changes_by_itself_is_kept_in_no_form(own: Server, more: dict[str, str]) -> None:
    first, second = (own.request(ask("changing", **more)) for _ in range(2))
    assert first.body != second.body
    assert first.headers["cache-control"] == "no-store"
    assert "etag" not in first.headers


@pytest.mark.parametrize("more", [{}, {"page": "1"}, {"as_found": "true"}])
def test_what_xml_cannot_hold_is_told(own: Server, more: dict[str, str]) -> None:
    reply = own.request(ask("echo", find="a\x01", format="xml", **more))
    assert reply.status == 406
    assert "U+0001" in reply.json()["detail"]
    assert "application/sparql-results+json" in reply.json()["detail"]
    assert own.request(ask("echo", find="a", format="xml", **more)).status == 200
    assert own.request(ask("echo", find="a\x01", format="json", **more)).rows == [
        {"thing": "<a\x01>"}
    ]
