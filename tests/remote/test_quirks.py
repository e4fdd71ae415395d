"""Conversions that servers are known for, evened out; everything else left alone."""

from __future__ import annotations

import json

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.remote_quirks import normal, results, server_text

XSD = "http://www.w3.org/2001/XMLSchema#"


def typed(value: str, datatype: str) -> ox.Literal:
    return ox.Literal(value, datatype=ox.NamedNode(XSD + datatype))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ox.Literal("colour", language="en-GB"), ox.Literal("colour", language="en-gb")),
        (typed("true", "boolean"), typed("1", "boolean")),
        (typed("false", "boolean"), typed("0", "boolean")),
        (typed("007", "integer"), typed("7", "integer")),
        (typed("-0", "integer"), typed("0", "integer")),
        (typed("+5", "unsignedByte"), typed("5", "unsignedByte")),
        (typed("10.0", "decimal"), typed("10", "decimal")),
        (typed("10.0", "decimal"), typed("10", "integer")),
        (typed("1.50", "decimal"), typed("1.5", "decimal")),
        (typed("-.50", "decimal"), typed("-0.5", "decimal")),
        (typed("1e0", "double"), typed("1.0", "double")),
        (typed("2023-03-27T10:00:00.000Z", "dateTime"), typed("2023-03-27T10:00:00Z", "dateTime")),
        (
            typed("2023-03-27T10:00:00.50+00:00", "dateTime"),
            typed("2023-03-27T10:00:00.5Z", "dateTime"),
        ),
    ],
)
def test_what_is_written_in_two_ways_is_one(one: ox.Literal, other: ox.Literal) -> None:
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ox.Literal("a", language="en"), ox.Literal("a", language="fr")),
        (ox.Literal("a", language="en"), ox.Literal("a")),
        (typed("1", "boolean"), typed("1", "integer")),
        (typed("1", "integer"), typed("1.1", "decimal")),
        (typed("1", "integer"), typed("1", "double")),
        (typed("5", "int"), typed("5", "integer")),
        (typed("true", "boolean"), typed("false", "boolean")),
        (typed("10", "integer"), typed("100", "integer")),
        (typed("100", "decimal"), typed("1", "decimal")),
        (typed("2023-03-27T10:00:00Z", "dateTime"), typed("2023-03-27T10:00:00", "dateTime")),
        (typed("2023-03-27T10:00:00Z", "dateTime"), typed("2023-03-27T10:00:00+02:00", "dateTime")),
        (typed("2023-03-27T10:00:10Z", "dateTime"), typed("2023-03-27T10:00:1Z", "dateTime")),
        (ox.Literal("007"), ox.Literal("7")),
        (ox.Literal("Z"), ox.Literal("z")),
    ],
)
def test_what_differs_stays_apart(one: ox.Literal, other: ox.Literal) -> None:
    assert normal(one) != normal(other)


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(["integer", "decimal", "double", "boolean", "dateTime", "string", "int"]),
)
def test_anything_has_one_normal_form(value: str, datatype: str) -> None:
    once = normal(typed(value, datatype))
    assert normal(once) == once


@pytest.mark.parametrize("node", [ox.NamedNode("http://E/Z"), ox.BlankNode("Z")])
def test_names_are_left_alone(node: ox.NamedNode | ox.BlankNode) -> None:
    assert normal(node) == node


def test_tables_of_virtuoso_are_read_as_meant() -> None:
    row = {
        "b": {"type": "bnode", "value": "nodeID://b10001"},
        "t": {"type": "typed-literal", "datatype": XSD + "boolean", "value": "1"},
        "n": {"type": "typed-literal", "datatype": XSD + "integer", "value": "1"},
        "s": {"type": "literal", "value": "nodeID://b10001"},
    }
    data = json.dumps({"head": {"vars": [*row]}, "results": {"bindings": [row]}}).encode()
    answer = ox.parse_query_results(results(data), format=ox.QueryResultsFormat.JSON)
    assert isinstance(answer, ox.QuerySolutions)
    assert [str(term) for term in next(iter(answer))] == [
        "_:b10001",
        f'"true"^^<{XSD}boolean>',
        f'"1"^^<{XSD}integer>',
        '"nodeID://b10001"',
    ]


@pytest.mark.parametrize("data", [b"", b"nodeID://", b'{"results": "nodeID://"}', b'["nodeID://"]'])
def test_what_is_no_table_is_left_to_the_parser(data: bytes) -> None:
    assert results(data) == data


def test_the_query_is_not_repeated() -> None:
    said = "Virtuoso 37000 Error SP030: syntax error\n\nSPARQL query:\nSELECT ..."
    assert server_text(said) == "Virtuoso 37000 Error SP030: syntax error"
