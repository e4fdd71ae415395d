"""What is read off a query without running it."""

from __future__ import annotations

import pytest

from kg.settings import shipped
from kg.shacl.keys import Key, deciding, keys
from kg.shacl.pattern_reader import read_patterns
from kg.shacl.patterns import TooRichError

EX = "https://example.org/"
PREFIX = f"PREFIX : <{EX}>\n"


def keys_of(body: str) -> set[Key]:
    return keys(read_patterns(f"{PREFIX}SELECT ?x WHERE {{ {body} }}").where)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("?x :p ?y ; :q :c .", {Key(EX + "p", None), Key(EX + "q", f"<{EX}c>")}),
        ("?x :p/^:q* ?y", {Key(EX + "p", None), Key(EX + "q", None)}),
        ("?x :p 'literal'", {Key(EX + "p", None)}),
        ("?x ?p :c", {Key(None, f"<{EX}c>")}),
        ("VALUES ?p { :p :q } ?x ?p ?y", {Key(EX + "p", None), Key(EX + "q", None)}),
        ("VALUES ?c { :a :b } ?x :p ?c", {Key(EX + "p", f"<{EX}a>"), Key(EX + "p", f"<{EX}b>")}),
        ("?x :p [ :q ?y ] . FILTER (!EXISTS { ?y :r ?z })", {Key(EX + n, None) for n in "pqr"}),
        ("{ ?x :p ?y } UNION { ?x :q ?y } MINUS { ?x :r ?z }", {Key(EX + n, None) for n in "pqr"}),
        ("{ SELECT ?x (COUNT(?y) AS ?n) { ?x :p ?y } GROUP BY ?x }", {Key(EX + "p", None)}),
    ],
)
def test_what_a_query_can_match(body: str, expected: set[Key]) -> None:
    assert keys_of(body) == expected


def test_values_of_an_outer_group_do_not_reach_into_a_select() -> None:
    body = "VALUES ?p { :p } { SELECT ?x { ?x ?p ?y } }"
    assert keys_of(body) == {Key(None, None)}


def test_a_predicate_that_the_data_names() -> None:
    where = read_patterns(f"{PREFIX}SELECT ?x {{ ?r :as ?p . ?x ?p ?y }}").where
    assert Key(None, None) in keys(where)
    found = keys(where, lambda predicate: {f"<{EX}p>"} if predicate == EX + "as" else set())
    assert found == {Key(EX + "as", None), Key(EX + "p", None)}


@pytest.mark.parametrize("body", ["GRAPH ?g { ?x :p ?y }", "?x !:p ?y", "?x :p (1 2)", "?x a:b ?y"])
def test_what_is_not_followed_is_said(body: str) -> None:
    with pytest.raises(TooRichError):
        keys_of(body)


def test_an_optional_that_only_adorns_decides_nothing() -> None:
    text = (
        f"{PREFIX}SELECT ?x ?label {{ ?x :p ?y OPTIONAL {{ ?x :label ?label }} }} ORDER BY ?label"
    )
    assert keys(deciding(text)) == {Key(EX + "p", None)}
    text = f"{PREFIX}SELECT ?x {{ ?x :p ?y OPTIONAL {{ ?x :q ?z }} FILTER (!BOUND(?z)) }}"
    assert keys(deciding(text)) == {Key(EX + "p", None), Key(EX + "q", None)}


@pytest.mark.parametrize("kind", ["check", "derive"])
def test_all_checks_and_derivations_can_be_read(kind: str) -> None:
    paths = sorted((shipped("queries") / kind).glob("*.rq"))
    assert paths
    for path in paths:
        read_patterns(path.read_text(encoding="utf-8"))
