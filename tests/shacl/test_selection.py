"""Asking all nodes at once finds what asking them one by one finds; which it is, size decides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings

from kg.embedded import EmbeddedEngine
from kg.shacl import compiled, questions
from kg.shacl.compiled import Judgement
from kg.shacl.conditions import all_of, any_of, exists, free, not_
from kg.shacl.expressions import Names
from kg.shacl.files import read_rdf
from kg.shacl.prebinding import Select, together
from kg.shacl.probing import rows_of
from kg.shacl.query_text import read_query
from kg.shacl.selection import chosen
from kg.shacl.shapes import ShapesGraph, UnusableShapesError
from kg.shacl.triples import triples_apart
from kg.shacl.validation import shape_files
from kg.sources import ontology_source, read_source
from tests.shacl.random_shapes import EVERYTHING, QUANTITIES, data, shapes
from tests.shacl.test_engines_agree import parsed
from tests.shacl.test_w3c import case, cases
from tests.test_shapes import COMMON, INVALID

RANDOM = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@contextmanager
def asked_at_once() -> Iterator[None]:
    with (
        mock.patch.object(questions, "_FEW_NODES", 0),
        mock.patch.object(questions, "_RARE", 10**9),
    ):
        yield


def judged_both_ways(
    quads: list[ox.Quad], graph: ShapesGraph, places: tuple[str, ...] = ("urn:one", "urn:other")
) -> tuple[Judgement, Judgement]:
    engine = EmbeddedEngine.memory()
    # Every statement is there twice, which only a rough count takes for two.
    for place in places:
        to = ox.NamedNode(place)
        engine.add(ox.Quad(q.subject, q.predicate, q.object, to) for q in quads)
    with asked_at_once():
        at_once = compiled.judge(engine, graph)
    return at_once, compiled.judge(engine, graph)


def assert_the_same(quads: list[ox.Quad], graph: ShapesGraph) -> None:
    at_once, one_by_one = judged_both_ways(quads, graph)
    assert set(at_once.results) == set(one_by_one.results)
    assert at_once.judged == one_by_one.judged


@RANDOM
@given(data(EVERYTHING), shapes(EVERYTHING))
def test_on_random_shapes_over_all_kinds_of_terms(graph: str, shapes_graph: str) -> None:
    assert_the_same(parsed(graph), ShapesGraph(parsed(shapes_graph)))


@RANDOM
@given(data(QUANTITIES), shapes(QUANTITIES))
def test_on_random_shapes_that_compare_numbers(graph: str, shapes_graph: str) -> None:
    assert_the_same(parsed(graph), ShapesGraph(parsed(shapes_graph)))


@pytest.mark.shared
@pytest.mark.parametrize("name", list(cases()) or [pytest.param("", marks=pytest.mark.skip)])
def test_on_the_suite(name: str) -> None:
    loaded = case(name)
    try:
        assert_the_same(loaded.data, ShapesGraph(loaded.shapes))
    except UnusableShapesError as error:
        with pytest.raises(UnusableShapesError, match=str(error)[:20]):
            compiled.judge(EmbeddedEngine.memory(), ShapesGraph(loaded.shapes))


def test_on_what_the_project_forbids() -> None:
    graph = ShapesGraph(quad for path in shape_files() for quad in read_rdf(path))
    ground = [*read_source(ontology_source()), *read_rdf(COMMON)]
    faults = [quad for path in INVALID for quad in read_rdf(path)]
    at_once, one_by_one = judged_both_ways([*ground, *faults], graph, ("urn:one",))
    assert len(at_once.results) > 100  # the graphs share nodes, and mend some of each other
    assert set(at_once.results) == set(one_by_one.results)


def test_what_must_not_exist_is_taken_away_and_what_must_is_joined() -> None:
    given_ = "?a <p> ?b ."
    one = exists("?b <q> ?c .", about=("?b",))
    assert chosen(given_, not_(one)) == "?a <p> ?b . MINUS { ?b <q> ?c . }"
    assert "{ SELECT DISTINCT ?b WHERE { ?b <q> ?c . } }" in chosen(given_, one)
    rare = exists("?b <q> ?c .", "isLiteral(?c)", about=("?b",))
    # What is rare comes first, so that nothing else need be looked at where it is not found.
    assert chosen(given_, all_of([one, rare])).startswith(
        "{ SELECT DISTINCT ?b WHERE { ?b <q> ?c . FILTER (isLiteral(?c)) } }"
    )
    assert chosen(given_, any_of([not_(one), "isIRI(?b)"])).count("UNION") == 1
    assert chosen(given_, not_(any_of([one, "isIRI(?b)"]))).endswith("MINUS { ?b <q> ?c . }")


def test_a_condition_that_speaks_of_what_is_outside_is_not_taken_away() -> None:
    less = exists("?a <q> ?c .", "?b < ?c", about=("?a",))
    assert free(less) == {"?a", "?b"}
    assert chosen("?a <p> ?b .", not_(less)).endswith(
        "FILTER (NOT EXISTS { ?a <q> ?c . FILTER (?b < ?c) })"
    )
    assert chosen("?a <p> ?b .", less).endswith(
        "{ SELECT ?a ?c WHERE { ?a <q> ?c . } } FILTER (?b < ?c)"
    )


def test_a_variable_is_used_again_once_nobody_sees_it() -> None:
    names = Names()
    a, b, c, d = (names.fresh() for _ in range(4))
    # What HAVING counts is the same variable; what the next sub-select finds is another.
    query = (
        f"SELECT ?this {{ {{ SELECT ?this WHERE {{ ?this <p> {b} }} GROUP BY ?this "
        f"HAVING (COUNT({b}) > 1) }} UNION {{ SELECT ?this WHERE {{ VALUES {a} {{ 1 }} "
        f"MINUS {{ ?this <q> {c} }} }} }} UNION {{ SELECT ?this {a} WHERE {{ ?this {a} {d} }} }} }}"
    )
    assert names.few(query) == (
        "SELECT ?this { { SELECT ?this WHERE { ?this <p> ?v_1 } GROUP BY ?this "
        "HAVING (COUNT(?v_1) > 1) } UNION { SELECT ?this WHERE { VALUES ?v_1 { 1 } "
        "MINUS { ?this <q> ?v_2 } } } UNION { SELECT ?this ?v_1 WHERE { ?this ?v_1 ?v_2 } } }"
    )


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (
            "{ $this :p ?a ; :q ?b , :c . FILTER (?a > ?b) }",
            "{ $this :p ?a . } { $this :q ?b . } { $this :q :c . } FILTER (?a > ?b)",
        ),
        ("{ $this :p+ ?a . ?a :q ?b . }", None),
        ("{ $this :p ?a . }", None),
        ("{ $this :p 1 ; :q ?b . }", None),
        ("{ $this :p ?a ; . }", None),
        ("{ $this :p ?a . FILTER NOT EXISTS { ?a :q ?b ; :r ?c } }", None),
    ],
)
def test_triples_of_the_outermost_group_are_put_apart(where: str, expected: str | None) -> None:
    tokens = read_query(f"SELECT $this WHERE {where}", {"": "urn:"}, {}, None).tokens
    changed = triples_apart(tokens)
    text = "".join(changed.get(place, token.text) for place, token in enumerate(tokens))
    if expected is None:
        assert changed == {}
        return
    inside = re.sub(r"\{ SELECT [^{]*WHERE (\{[^{}]*\}) \}", r"\1", text[text.index("{") + 1 :])
    wanted = expected.replace("$", "?").replace(":", "urn:")
    assert re.sub(r"[<>]|\s+", "", inside.rstrip("} ")) == re.sub(r"[<>]|\s+", "", wanted)


def test_different_answers_of_a_sub_select_are_grouped() -> None:
    inner = "{ SELECT DISTINCT $this ?a WHERE { ?a ?b ?c } }"
    select = read_query(f"SELECT $this ?a WHERE {{ {inner} FILTER (isIRI(?a)) }}", {}, {}, None)
    text = " ".join(select.over("VALUES ?this { <urn:x> }").split())
    assert "{ SELECT ?this ?a WHERE { ?a ?b ?c } GROUP BY ?this ?a } FILTER" in text
    limited = read_query(
        f"SELECT $this WHERE {{ {inner.replace('} }', '} LIMIT 1 }')} }}", {}, {}, None
    )
    assert "DISTINCT" in limited.over("")


def select_of(where: str) -> Select:
    return read_query(f"SELECT $this ?a WHERE {{ {where} }}", {"": "urn:"}, {}, None)


EVERY = "{ SELECT DISTINCT $this ?a WHERE { ?a ?b ?c } }"
LOOSE = EVERY.replace("?c }", "?c OPTIONAL { ?c ?d ?a } }")


def test_queries_that_differ_in_filters_alone_are_asked_together() -> None:
    engine = EmbeddedEngine.memory()
    for subject, value in (("urn:one", "urn:x"), ("urn:two", "urn:y"), ("mailto:three", "urn:x")):
        names = [ox.NamedNode(iri) for iri in (subject, "urn:p", value)]
        engine.add([ox.Quad(*names, ox.NamedNode("urn:graph"))])
    one = select_of(f"{EVERY} FILTER (isIRI(?a)) FILTER EXISTS {{ ?a :p :x }}")
    other = select_of(f'FILTER (isIRI(?a)) {EVERY} FILTER (!STRSTARTS(STR(?a), "urn:"))')
    assert one.stem is not None
    assert one.stem == other.stem
    text = together([one, other], "VALUES ?this { <urn:this> }", ["?one", "?other"])
    found = {(row["a"], row["one"], row["other"]) for row in rows_of(engine, text)}
    yes, no = ox.Literal(True), ox.Literal(False)
    assert found == {
        (ox.NamedNode("urn:one"), yes, no),
        (ox.NamedNode("mailto:three"), yes, yes),
    }


@pytest.mark.parametrize(
    "where",
    [
        "?a :p $this . FILTER (isIRI(?a))",
        f"{EVERY} ?a :p ?b . FILTER (isIRI(?a))",
        f"{EVERY} UNION {{ ?a :p ?b }} FILTER (isIRI(?a))",
        "{ SELECT $this (COUNT(?b) AS ?a) WHERE { ?b ?c ?d } GROUP BY $this } FILTER (?a > 1)",
    ],
)
def test_only_a_sub_select_is_shared(where: str) -> None:
    assert select_of(where).stem is None


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (f"{EVERY} FILTER NOT EXISTS {{ ?a :p ?e }} FILTER (isIRI(?a))", True),
        (f"{EVERY} FILTER EXISTS {{ ?a :p ?e }}", False),
        # Nothing is shared, so MINUS would take nothing away.
        (f"{EVERY} FILTER NOT EXISTS {{ ?e :p ?f }}", False),
        (f"{EVERY} FILTER NOT EXISTS {{ ?a :p ?e FILTER (?e > 1) }}", False),
        (f"{LOOSE} FILTER NOT EXISTS {{ ?a :p ?e }}", False),
    ],
)
def test_minus_takes_the_place_of_what_must_not_exist(where: str, expected: bool) -> None:
    text = together([select_of(where)], "VALUES ?this { <urn:x> }", ["?flag"])
    assert ("MINUS" in text) == expected


def test_what_must_not_exist_is_asked_once_for_equal_values() -> None:
    where = "$this :p ?a ; :q ?b . ?a :r ?c . FILTER NOT EXISTS { ?b :s+ ?c } FILTER (?a != ?b)"
    text = select_of(where).over("?this :is :x .", many=True)
    assert "GROUP BY ?b ?c } FILTER (NOT EXISTS" in text
    assert "GROUP BY" not in select_of(where).over("?this :is :x .")
    own = where.replace("?b :s+", "$this :s+")
    assert "GROUP BY" not in select_of(own).over("?this :is :x .", many=True)
