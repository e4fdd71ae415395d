"""Fingerprints of what goes in and of what comes out."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pyoxigraph as ox
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.digests import StatedDigest, content_digest, inputs_of
from kg.dispute import open_dispute
from kg.embedded import EmbeddedEngine
from kg.sources import Statements

E = "https://example.org/"


def test_the_inputs_are_what_decides_the_content(example_dispute: Path) -> None:
    dispute = open_dispute(str(example_dispute))
    before = inputs_of(dispute)
    assert {"dispute/statements/doc.ttl", "ontology/kg.ttl"} <= set(before)
    for kind, changes in (("ask", False), ("derive", True), ("check", True)):
        file = dispute.folder / "queries" / kind / "own.rq"
        file.parent.mkdir(parents=True)
        file.write_text("", "utf-8")
        assert (inputs_of(dispute) != before) is changes
        before = inputs_of(dispute)
    assert json.loads(json.dumps(before)) == before


TERMS = st.sampled_from([ox.NamedNode(f"{E}{n}") for n in "abc"])
BLANKS = st.sampled_from([ox.BlankNode(n) for n in "xyz"])
QUADS = st.builds(
    ox.Quad,
    st.one_of(TERMS, BLANKS),
    TERMS,
    st.one_of(TERMS, BLANKS, st.text(max_size=5).map(ox.Literal)),
    TERMS,
)


@settings(deadline=None)
@given(st.lists(QUADS, max_size=12), st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_order_or_names_of_blank_nodes(
    quads: list[ox.Quad], shuffle: random.Random
) -> None:
    names = {name: ox.BlankNode(new) for name, new in zip("xyz", "qpr", strict=True)}

    def renamed(term: object) -> object:
        return names[term.value] if isinstance(term, ox.BlankNode) else term

    other = [
        ox.Quad(renamed(q.subject), q.predicate, renamed(q.object), q.graph_name) for q in quads
    ]
    shuffle.shuffle(other)
    assert digest(quads) == digest(other)


def digest(quads: list[ox.Quad]) -> str:
    engine = EmbeddedEngine.memory()
    engine.add(quads)
    return content_digest(engine)


def test_the_digest_tells_contents_apart() -> None:
    graph, blank = ox.NamedNode(E + "g"), ox.BlankNode()
    one, two = ox.Quad(blank, graph, graph, graph), ox.Quad(ox.BlankNode(), graph, blank, graph)
    assert len({digest([]), digest([one]), digest([two]), digest([one, two])}) == 4
    assert digest([one]) == digest([ox.Quad(ox.BlankNode(), graph, graph, graph)])


@settings(deadline=None)
@given(st.lists(QUADS, max_size=12), st.randoms(use_true_random=False))
def test_what_a_graph_states_is_told_apart_while_it_is_loaded_as_it_would_be_afterwards(
    quads: list[ox.Quad], shuffle: random.Random
) -> None:
    # A source is one graph.
    quads = [ox.Quad(q.subject, q.predicate, q.object, ox.NamedNode(E)) for q in quads]

    def name(term: object, suffix: str) -> object:
        return ox.BlankNode(f"{term.value}{suffix}") if isinstance(term, ox.BlankNode) else term

    def apart(suffix: str) -> list[ox.Quad]:
        return [
            ox.Quad(name(q.subject, suffix), q.predicate, name(q.object, suffix), q.graph_name)
            for q in quads
        ]

    other = apart("q")
    shuffle.shuffle(other)
    assert stated(other) == stated([*quads, *quads[:3]])
    assert (stated(quads) == stated(other[1:])) is (digest(quads) == digest(other[1:]))


def stated(quads: list[ox.Quad]) -> str:
    contents = StatedDigest()
    contents.add(E, lines(quads))
    return contents.graphs[E]


def lines(quads: list[ox.Quad]) -> Statements:
    data = ox.serialize([quad.triple for quad in quads], format=ox.RdfFormat.N_TRIPLES)
    assert data is not None
    return Statements(data)


def test_a_snapshot_is_named_by_its_graphs_its_rules_and_what_they_gave(
    example_dispute: Path,
) -> None:
    dispute = open_dispute(str(example_dispute))
    term = ox.NamedNode(E)
    one = lines([ox.Quad(term, term, term)])
    contents = StatedDigest()
    contents.add(E + "a", one)
    names = [contents.with_rules(dispute, {"denial": 1}), contents.with_rules(dispute, {})]
    contents.add(E + "b", one)
    names.append(contents.with_rules(dispute, {}))
    rule = dispute.folder / "queries" / "derive" / "own.rq"
    rule.parent.mkdir(parents=True)
    rule.write_text("#+ title: A\n#+ question: B?\nCONSTRUCT WHERE { ?s ?p ?o }\n", "utf-8")
    names.append(contents.with_rules(dispute, {}))
    assert len(set(names)) == 4
