"""Fingerprints of what goes in and of what comes out."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pyoxigraph as ox
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.digests import content_digest, inputs_of
from kg.dispute import open_dispute
from kg.embedded import EmbeddedEngine

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
