"""Rows as they are found are the rows in order, each as often, in another order."""

from __future__ import annotations

from collections import Counter

import pytest

from kg.as_found import as_found, check_found_by
from kg.dispute import read_dispute, shipped_disputes
from kg.embedded import EmbeddedEngine
from kg.engine import Rows
from kg.errors import QueryError
from kg.preparing import staged
from kg.stored_query import bind, catalogue, parse_query

HEAD = "#+ title: T\n#+ columns: {x: what}\n"


@pytest.fixture(scope="module", params=shipped_disputes())
def engine(request: pytest.FixtureRequest) -> EmbeddedEngine:
    return staged(read_dispute(shipped_disputes()[request.param]))


LISTS = {
    name: query
    for name, query in catalogue(None, "ask").items()
    if not any(parameter.required for parameter in query.params.values())
}


@pytest.mark.parametrize("name", LISTS)
def test_no_row_is_lost_or_comes_twice(engine: EmbeddedEngine, name: str) -> None:
    query = LISTS[name]
    answer = engine.query(bind(query, {}))
    assert isinstance(answer, Rows)
    found = as_found(engine, query, {})
    assert list(found.columns) == list(answer.columns)
    assert Counter(found.rows) == Counter(answer.rows)


def small() -> EmbeddedEngine:
    engine = EmbeddedEngine.memory()
    text = b"<urn:b> <urn:p> 1 . <urn:a> <urn:p> 2, 3 . _:c <urn:p> 4 ."
    engine.load(text, "urn:g")
    return engine


def rows(query: str) -> list[str]:
    found = as_found(small(), parse_query(query, name="q"), {}).rows
    return [" ".join(str(term) for term in row) for row in found]


def test_each_value_is_asked_for_once_and_a_blank_node_never() -> None:
    query = (
        f'{HEAD}#+ found_by: {{s: "?s <urn:p> ?any"}}\n'
        "SELECT ?x WHERE { VALUES ?s { UNDEF } ?s <urn:p> ?x } ORDER BY ?x"
    )
    assert sorted(row[1] for row in rows(query)) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("SELECT ?x WHERE { ?s <urn:p> ?x } ORDER BY ?x", 4),
        ("SELECT ?x WHERE { ?s <urn:p> ?x } ORDER BY ?x VALUES ?x { 1 }", 1),
        ("SELECT ?x WHERE { { SELECT ?x { ?s <urn:p> ?x } ORDER BY ?x LIMIT 2 } }", 2),
    ],
)
def test_without_found_by_there_is_no_order(query: str, count: int) -> None:
    assert len(rows(query)) == count


def test_an_order_that_decides_which_rows_there_are_stays() -> None:
    (row,) = rows("SELECT ?x WHERE { ?s <urn:p> ?x } ORDER BY DESC(?x) LIMIT 1")
    assert row.startswith('"4"')


@pytest.mark.parametrize("form", ["ASK {}", "CONSTRUCT { <urn:a> <urn:b> 1 } WHERE {}"])
def test_only_rows_have_an_order(form: str) -> None:
    with pytest.raises(QueryError, match="only the rows"):
        as_found(small(), parse_query(form, name="q"), {})


@pytest.mark.parametrize(
    ("found_by", "why"),
    [
        ('{s: "?s <urn:p> ?any", x: "?s ?p ?x"}', "one variable"),
        ('{t: "?t ?p ?x"}', r"no line VALUES \?t"),
        ('{s: "?s ?p"}', "no SPARQL"),
    ],
)
def test_a_header_that_cannot_serve_is_refused(found_by: str, why: str) -> None:
    line = "VALUES ?s { UNDEF }" if "s:" in found_by else ""
    text = f"{HEAD}#+ found_by: {found_by}\nSELECT ?x {{ {line} ?s <urn:p> ?x }}"
    with pytest.raises(QueryError, match=why) as caught:
        parse_query(text, name="q")
    assert caught.value.line == 3


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("?s <urn:p> ?any", None),
        ("VALUES ?s { <urn:a> }", "3 rows in order; as they are found 1 of them is missing, and 0"),
        ("VALUES ?s { <urn:none> }", "as they are found 3 of them are missing"),
    ],
)
def test_a_pattern_that_finds_too_little_is_told(pattern: str, why: str | None) -> None:
    text = (
        f'{HEAD}#+ found_by: {{s: "{pattern}"}}\n'
        "SELECT ?x WHERE { VALUES ?s { UNDEF } ?s <urn:p> ?x FILTER(!ISBLANK(?s)) } ORDER BY ?x"
    )
    query = parse_query(text, name="q")
    if why is None:
        check_found_by(small(), query)
        return
    with pytest.raises(QueryError, match=why) as caught:
        check_found_by(small(), query)
    assert caught.value.line == 3


def test_a_row_of_two_values_comes_too_often() -> None:
    query = parse_query(
        f'{HEAD}#+ found_by: {{v: "?s <urn:p> ?v"}}\n'
        "SELECT DISTINCT ?x WHERE { VALUES ?v { UNDEF } ?any <urn:p> ?v BIND(1 AS ?x) } "
        "ORDER BY ?x",
        name="q",
    )
    with pytest.raises(QueryError, match="0 of them are missing, and 1 too many"):
        check_found_by(small(), query)
