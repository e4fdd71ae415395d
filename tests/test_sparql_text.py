"""The tokenizer and what is read from its tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.sparql_text import (
    declare_prefixes,
    has_order,
    projection,
    query_form,
    significant,
    tokenize,
    values_blocks,
)

SNIPPETS = st.sampled_from(
    [
        "SELECT",
        "?x",
        "$y",
        "{",
        "}",
        "(",
        ")",
        "<http://example.org/a#b>",
        "<",
        "<<",
        '"a \\" } #"',
        "'''it's\n'fine'''",
        '"""""q"" """',
        "# SERVICE <x> {\n",
        "ex:local.name",
        "ex:a\\#b",
        "_:b.1",
        "@en-GB",
        "^^",
        "1.5e-3",
        "\n",
        " ",
        "||",
        "'",
        "\\",
        "é",
    ]
)


@given(st.one_of(st.text(), st.lists(SNIPPETS).map("".join)))
def test_tokens_join_back_to_the_text(text: str) -> None:
    tokens = list(tokenize(text))
    assert "".join(token.text for token in tokens) == text
    position = 0
    for token in tokens:
        assert token.start == position
        position = token.end
    assert position == len(text)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("?a<?b", ["var", "punct", "var"]),
        ("?a <b#c> ?d", ["var", "iri", "var"]),
        ("?a<<b>", ["var", "punct", "iri"]),
        ("<<?s ?p ?o>>", ["punct", "var", "var", "var", "punct"]),
        ("ex:a.b. ex:c", ["pname", "punct", "pname"]),
        (":a\\,b%20,:c", ["pname", "punct", "pname"]),
        ("'a'@en-GB,'b'^^xsd:int", ["string", "lang", "punct", "string", "punct", "pname"]),
        ("'a\\'b' \"c'd\"", ["string", "string"]),
        ("'''a'b''c''' \"\"\"\n\"\"\"", ["string", "string"]),
        ("1 .5 1.5 2e3 2.e3 1.", ["number"] * 5 + ["number", "punct"]),
        ("_:b.c.", ["bnode", "punct"]),
        ("?x#c\n?y", ["var", "var"]),
    ],
)
def test_terminals(text: str, kinds: list[str]) -> None:
    assert [token.kind for token in significant(text)] == kinds


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("# SELECT\nPREFIX a: <b> BASE <c> select ?x {}", "SELECT"),
        ("CONSTRUCT WHERE {}", "CONSTRUCT"),
        ("ask {}", "ASK"),
        ("DESCRIBE <x>", "DESCRIBE"),
        ("LOAD <x>", None),
        ("", None),
    ],
)
def test_query_form(text: str, form: str | None) -> None:
    assert query_form(significant(text)) == form


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SELECT ?a $b WHERE {}", ["a", "b"]),
        ("SELECT DISTINCT ?a { SELECT ?c {} }", ["a"]),
        ("SELECT (COUNT(DISTINCT ?x) AS ?n) ?y (IF(?a, (?b), ?c) AS ?z) FROM <g> {}", list("nyz")),
        ("SELECT REDUCED * {}", None),
        ("SELECT ('AS ?no' AS ?yes) # ?no\n {}", ["yes"]),
    ],
)
def test_projection(text: str, names: list[str] | None) -> None:
    assert projection(significant(text)) == names


def test_projection_needs_a_select() -> None:
    with pytest.raises(ValueError, match="not a SELECT"):
        projection(significant("ASK {}"))


def test_order_by_counts_only_outside() -> None:
    assert has_order(significant("SELECT ?a {} ORDER BY ?a LIMIT 1"))
    assert not has_order(significant("SELECT ?a { SELECT ?a {} ORDER BY ?a } # ORDER BY ?a"))


def test_values_blocks_are_found_by_token() -> None:
    text = "# VALUES ?a { 1 }\nSELECT ?a { VALUES ?a { '}'@en } 'VALUES ?b { 1 }' VALUES (?c) { } }"
    (block,) = values_blocks(significant(text))
    assert (block.name, block.terms) == ("a", 1)
    assert text[block.inside_start : block.inside_end] == " '}'@en "
    assert block.on_one_line(text)


def test_only_missing_prefixes_are_declared() -> None:
    known = {"kg": "http://k/", "": "http://base/", "rdf": "http://r/"}
    text = "# note\nPREFIX rdf: <x>\nASK { :a a kg:B, rdf:C, other:D, 'oa:E' }"
    assert declare_prefixes(text, known) == text.replace(
        "ASK", "PREFIX : <http://base/> PREFIX kg: <http://k/> ASK"
    )
    assert declare_prefixes("ASK {}", known) == "ASK {}"
