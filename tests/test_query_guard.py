"""What a query may hold: refused is what would crash the engine, reach out of it or change it."""

from __future__ import annotations

import subprocess
import sys
from unittest.mock import patch

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg import query_guard
from kg.errors import QueryError
from kg.query_guard import MAX_CHAINED, MAX_NESTING, MAX_OPERATORS, guard
from kg.sparql_text import may_use_prefixes, significant
from tests.test_sparql_text import SNIPPETS

HIDING = [
    '"%s"',
    "'%s'",
    '"""%s"""',
    "'''\n%s'''",
    "<http://example.org/%s>",
    "ex:%s",
    "_:%s",
    "?%s",
    "$%s",
    "# %s\n?x",
]
WORDS = ["SERVICE", "service", "Service", "LOAD", "INSERT", "DROP", "UNION", "FROM"]


@given(st.lists(st.one_of(SNIPPETS, st.sampled_from([*WORDS, "FROM <file:x>"]))))
def test_the_short_cuts_agree_with_the_tokens(parts: list[str]) -> None:
    for text in ("".join(parts), " ".join(parts)):
        if query_guard._is_harmless(text):
            with patch.object(query_guard, "_is_harmless", lambda _: False):
                guard(text)
        if any(token.kind == "pname" for token in significant(text)):
            assert may_use_prefixes(text)


def test_a_prefixed_name_between_strings_needs_its_prefix() -> None:
    assert may_use_prefixes("ASK { FILTER(CONCAT('<',ex:a,'>') = ?x) }")
    assert not may_use_prefixes("SELECT ?p { <http://example.org/a> ?p ?o }")


@given(st.sampled_from(HIDING), st.sampled_from(WORDS), st.integers(1, 3))
def test_words_inside_names_texts_and_comments_are_no_keywords(
    hiding: str, word: str, times: int
) -> None:
    hidden = " , ".join([hiding % word] * times)
    guard("PREFIX ex: <http://example.org/>\nSELECT ?x WHERE { ?x ?p " + hidden + " }")


@given(st.text(alphabet="({[!<|&\"'#\\ \n", max_size=40))
def test_brackets_in_a_text_do_not_nest(inner: str) -> None:
    guard(f"ASK {{ ?s ?p {ox.Literal(inner * 20)!s} }}")


@pytest.mark.parametrize(
    "query",
    [
        "ASK {\n SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "ASK {\n service silent ?where { ?s ?p ?o } }",
        # The engine's grammar needs no space around a keyword.
        "PREFIX : <http://127.0.0.1:1/>\nASK { SERVICE:x { } }",
        "PREFIX : <http://127.0.0.1:1/>\nASK { SERVICESILENT:x { } }",
        "ASK {\n ?s ?p trueSERVICE SILENT <http://127.0.0.1:1/> { } }",
        "ASK {\n ?s ?p 1SERVICE<http://127.0.0.1:1/>{ } }",
    ],
)
def test_service_is_refused_however_it_is_written(query: str) -> None:
    with pytest.raises(QueryError, match="SERVICE is refused") as caught:
        guard(query, "some.rq")
    assert (caught.value.path, caught.value.line) == ("some.rq", 2)
    assert caught.value.hint


def test_a_prefix_called_service_is_no_call() -> None:
    guard("PREFIX service: <urn:x:> ASK { service:a ?p service:b GRAPH service:c { ?s ?p ?o } }")


@pytest.mark.parametrize("clause", ["FROM <file:///etc/x>", "FROM NAMED <FILE:x>"])
def test_a_dataset_that_is_a_file_is_refused(clause: str) -> None:
    with pytest.raises(QueryError, match="may not read files"):
        guard(f"SELECT ?s {clause} WHERE {{ ?s ?p ?o }}")
    guard("SELECT ?s FROM <http://example.org/g> WHERE { ?s ?p <file:///etc/x> }")


@pytest.mark.parametrize(
    "word", ["LOAD", "insert", "Delete", "CLEAR", "DROP", "CREATE", "COPY", "MOVE", "ADD", "WITH"]
)
def test_an_update_is_refused_with_its_line(word: str) -> None:
    with pytest.raises(QueryError, match=rf"an update \({word.upper()}\)") as caught:
        guard(f"BASE <http://example.org/>\nPREFIX a: <b>\n{word} <x>")
    assert caught.value.line == 3


NESTED = {
    "group": "ASK {" + "{" * 250 + "}" * 250 + "}",
    "filter": "ASK { FILTER(" + "(" * 250 + "1" + ")" * 250 + ") }",
    "blank nodes": "ASK { ?s ?p " + "[ ?p " * 250 + "1" + "]" * 250 + " }",
    "triple terms": "ASK { ?s ?p " + "<<?s ?p " * 250 + "1" + ">>" * 250 + " }",
    # Mixed up closers must not bring the count down.
    "mismatched": "ASK {" + "(]" * 250,
}


@pytest.mark.parametrize("query", NESTED.values(), ids=NESTED.keys())
def test_deep_nesting_is_refused(query: str) -> None:
    with pytest.raises(QueryError, match=f"deeper than {MAX_NESTING}"):
        guard(query)


@pytest.mark.parametrize(
    "query",
    [
        "ASK { FILTER(" + "!" * 1200 + "true) }",
        "ASK { FILTER(" + "||".join(["true"] * 1200) + ") }",
        "ASK { FILTER(0 < " + "1-" * 1200 + "1) }",
        "ASK { " + " UNION ".join(["{ ?s ?p ?o }"] * 1200) + " }",
        "ASK { " + "BIND(1 AS ?x)" * 1200 + " }",
        # Chains without a sign between their links, or with one that has other uses, too.
        "ASK {" + "?s ?p ?o ." * 4100 + "}",
        "ASK { ?s ?p ?o " + "; ?p ?o" * 4100 + " }",
        "ASK { ?s ?p ?o " + ", ?o" * 4100 + " }",
        "ASK { ?s ?p ( " + "1 " * 2100 + ") }",
        "ASK { ?s ?p* (" + "true " * 2100 + ") }",
        "ASK { ?s a (" + "<x>''_:b?x" * 525 + ") }",
        "ASK { ?s ?p ( " + "() " * 2100 + ") }",
        "ASK { " + "?s ?p ((((1)))) . " * 390 + "}",
        "ASK { " + "?s ?p [ ?p [ ?p [ ?p 1 ]]] . " * 1100 + "}",
        "ASK { (" + "1 " * 2100 + ") ?p ?o }",
        "ASK { [ ?p ?o" + "; ?p ?o" * 4100 + " ] }",
        "ASK { " + "{ ?s ?p ?o }" * 1400 + " }",
        "ASK { " + "{ SELECT * {} }" * 1200 + " }",
        "ASK { " + "GRAPH ?g { ?s ?p ?o }" * 1400 + " }",
        "ASK { " + "VALUES ?x { 1 }" * 1200 + " }",
        "ASK { ?s ?p ?o VALUES ?x { 1 } " + "?s ?p ?o ." * 4100 + "}",
        "CONSTRUCT WHERE {" + "?s ?p ?o ." * 4100 + "}",
        "DESCRIBE" + " <urn:x:y>" * 2100,
        "SELECT (1 AS ?x) { ?s ?p ?o } GROUP BY ?s HAVING" + " (?s)" * 1200,
    ],
)
def test_endless_operators_are_refused(query: str) -> None:
    with pytest.raises(QueryError, match=f"more than {MAX_OPERATORS} operators"):
        guard(query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { VALUES ?x { " + "<urn:x:y> " * 5000 + "} ?x ?p ?o }",
        "SELECT * { VALUES (?x ?y) { " + "(<urn:x:y> 'a,b;c.') " * 5000 + "} ?x ?p ?y }",
        "SELECT * { ?s ?p ?o } VALUES ?o { " + "true 1.5 'x'@en " * 2000 + "}",
        "SELECT * { ?s ?p ?o FILTER(?o IN (" + "1, " * 5000 + "2)) }",
        "SELECT * { ?s ?p ?o FILTER(?o NOT IN (" + "?s, " * 5000 + "2)) }",
        "SELECT * { ?s ?p ?o FILTER(COALESCE(" + "?p, " * 5000 + "2)) }",
        "SELECT *" + " FROM <urn:x:y>" * 5000 + " { ?s ?p ?o }",
    ],
)
def test_long_lists_that_are_no_chains_are_let_through_and_do_no_harm(query: str) -> None:
    guard(query)
    survives(query)


def test_a_long_data_block_is_no_chain() -> None:
    guard("ASK { VALUES (?x ?y) { " + "(-1 -2) " * 1500 + " } }")
    with pytest.raises(QueryError, match="operators"):
        guard("ASK { VALUES ?x { -1 } FILTER(0 < " + "1-" * 1200 + "1) }")


SURVIVED = """
import sys, pyoxigraph as ox
ox.Store().query(sys.stdin.read())
"""


def survives(query: str) -> None:
    # In a process of its own: the failure to look for is a segmentation fault.
    done = subprocess.run(
        [sys.executable, "-c", SURVIVED], input=query, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


DEEPEST = MAX_NESTING - 3
WORST = {
    # The deepest stacks known, at the limits that guard lets through.
    "exists": "ASK{" + "FILTER EXISTS{" * DEEPEST + "}" * DEEPEST + "}",
    "functions": "ASK{FILTER(" + "COALESCE(" * DEEPEST + "1" + ")" * DEEPEST + "=1)}",
    "minus": "ASK{?s ?p ?o " + "MINUS{?s ?p ?o}" * (MAX_OPERATORS - 1) + "}",
    "bind": "ASK" + "{" + "".join(f"BIND(1 AS ?a{n})" for n in range(MAX_OPERATORS // 2 - 1)) + "}",
    # Data that is not chained: a plan for a thousand joins would take hours.
    "collection": "CONSTRUCT{?s ?p(" + "1 " * (MAX_CHAINED // 2 - 5) + ")}{}",
    "triples": "CONSTRUCT{" + "?s ?p ?o ." * (MAX_CHAINED - 8) + "}{}",
    "both": "ASK{FILTER("
    + "COALESCE(" * DEEPEST
    + "||".join(["true"] * (MAX_OPERATORS - 1))
    + ")" * DEEPEST
    + ")}",
}


@pytest.mark.parametrize("query", WORST.values(), ids=WORST.keys())
def test_the_engine_survives_what_the_guard_lets_through(query: str) -> None:
    guard(query)
    survives(query)


@pytest.mark.parametrize(
    "text",
    [
        "INSERT DATA { <a> <b> <c> }",
        "# SELECT\nINSERT DATA { <a> <b> <c> }",
        "BASE <http://SELECT/> LOAD <a>",
        " \n\t clear all # SELECT",
    ],
)
def test_an_update_is_refused_whatever_else_it_says(text: str) -> None:
    with pytest.raises(QueryError, match="update"):
        guard(text)


def test_words_of_an_update_do_no_harm_in_a_query() -> None:
    guard("select * { <https://example.org/add/with/load> ?insert 'DELETE WHERE' }")
