"""Cutting a graph into updates without cutting through a blank node."""

from __future__ import annotations

import re

import pyoxigraph as ox
from hypothesis import given
from hypothesis import strategies as st

from kg.remote_texts import inserts

P = ox.NamedNode("http://e/p")
GRAPH = "http://e/g"


def node(number: int) -> ox.NamedNode | ox.BlankNode:
    return ox.BlankNode(f"b{number}") if number < 6 else ox.NamedNode(f"http://e/{number}")


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=30), st.integers(1, 8))
def test_all_is_written_and_no_blank_node_is_split(
    pairs: list[tuple[int, int]], at_once: int
) -> None:
    triples = [ox.Triple(node(one), P, node(other)) for one, other in pairs]
    made = list(inserts(GRAPH, triples, at_once))
    store = ox.Store()
    for text, _ in made:
        store.update(text)
    assert sum(count for _, count in made) == len(triples)
    written = ox.Dataset(store)
    expected = ox.Dataset(
        ox.Quad(t.subject, t.predicate, t.object, ox.NamedNode(GRAPH)) for t in triples
    )
    for dataset in (written, expected):
        dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    assert written == expected
    names = [set(re.findall(r"_:\w+", text)) for text, _ in made]
    assert sum(map(len, names)) == len(set().union(*names))


def test_virtuoso_takes_no_blank_node_as_data() -> None:
    plain, blank = (
        next(inserts(GRAPH, [ox.Triple(node(number), P, ox.Literal("x"))]))[0] for number in (9, 1)
    )
    assert plain.startswith("INSERT DATA {")
    assert blank.startswith("INSERT {")
    assert blank.endswith("WHERE {}")


def test_nothing_takes_no_update() -> None:
    assert list(inserts(GRAPH, [])) == []
