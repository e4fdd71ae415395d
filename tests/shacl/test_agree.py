"""Two engines found the same, or what differs."""

from __future__ import annotations

from dataclasses import replace

import pyoxigraph as ox

from kg.shacl.agree import differences
from kg.shacl.conditions import not_
from kg.shacl.expressions import Names
from kg.shacl.report import Result
from kg.shacl.shapes import ShapesGraph

SH = "http://www.w3.org/ns/shacl#"
SHAPE = ox.NamedNode("urn:shape")
SILENT = ShapesGraph([])
SPEAKING = ShapesGraph([ox.Triple(SHAPE, ox.NamedNode(f"{SH}message"), ox.Literal("no"))])
RESULT = Result(
    focus=ox.NamedNode("urn:a"),
    shape=SHAPE.value,
    component=f"{SH}ClassConstraintComponent",
    severity=f"{SH}Violation",
    message="no",
    value=ox.BlankNode("one"),
)


def differing(one: list[Result], other: list[Result], graph: ShapesGraph = SILENT) -> list[str]:
    return [d.engine for d in differences(("one", one), ("other", other), graph)]


def test_how_often_something_was_found_does_not_count() -> None:
    assert differing([RESULT, RESULT], [RESULT]) == []


def test_each_side_may_have_what_the_other_has_not() -> None:
    other = replace(RESULT, focus=ox.NamedNode("urn:b"))
    assert differing([RESULT], []) == ["one"]
    assert differing([], [RESULT, other]) == ["other", "other"]
    for changed in (
        replace(RESULT, severity=f"{SH}Info"),
        replace(RESULT, path="kg:relays"),
        replace(RESULT, value=ox.Literal("x")),
        replace(RESULT, constraint="urn:c"),
    ):
        assert differing([RESULT], [changed]) == ["one", "other"]


def test_a_message_counts_where_the_shapes_state_one() -> None:
    changed = replace(RESULT, message="other words")
    assert differing([RESULT], [changed], SILENT) == []
    assert differing([RESULT], [changed], SPEAKING) == ["one", "other"]


def test_blank_nodes_may_have_other_names_but_not_other_roles() -> None:
    blank = [ox.BlankNode(name) for name in ("x", "y", "z")]
    chain = [replace(RESULT, focus=blank[0], value=blank[1])]
    assert differing(chain, [replace(RESULT, focus=blank[2], value=blank[0])]) == []
    assert differing(chain, [replace(RESULT, focus=blank[2], value=blank[2])]) == ["one", "other"]


def test_variables_of_one_exists_are_used_again_in_the_next() -> None:
    names = Names()
    a, b, c, d = (names.fresh() for _ in range(4))
    query = (
        f"SELECT ?this {{ ?this <p> {d} FILTER (EXISTS {{ ?this <p> {a} "
        f'FILTER EXISTS {{ {a} <p> "}}", {b} }} }} || EXISTS {{ ?this <p> {c} }}) }}'
    )
    assert names.few(query) == (
        "SELECT ?this { ?this <p> ?v_1 FILTER (EXISTS { ?this <p> ?v_2 "
        'FILTER EXISTS { ?v_2 <p> "}", ?v_3 } } || EXISTS { ?this <p> ?v_2 }) }'
    )


def test_what_a_group_binds_keeps_its_variable_after_it() -> None:
    names = Names()
    a, b, c = (names.fresh() for _ in range(3))
    query = f"{{ {{ ?this <p> {a} }} UNION {{ ?this <q> {a} }} {{ {b} <p> {c} }} {a} <r> {b} }}"
    assert names.few(query) == query


def test_names_keep_clear_of_the_queries_of_the_shapes() -> None:
    assert Names(["SELECT ?v_1 { }", "?vv_2"]).fresh() == "?vvv_1"


def test_negation_goes_inside_only_where_nothing_follows() -> None:
    assert not_("EXISTS { ?a ?b ?c }") == "NOT EXISTS { ?a ?b ?c }"
    assert not_('EXISTS { ?a ?b "}" }') == 'NOT EXISTS { ?a ?b "}" }'
    both = "EXISTS { ?a ?b ?c } || EXISTS { ?d ?e ?f }"
    assert not_(both) == f"!({both})"
    assert not_(not_(both)) == both
    assert not_("!(?a) || (?b)") == "!(!(?a) || (?b))"
