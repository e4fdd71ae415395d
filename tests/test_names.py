"""What people type, and what it names."""

from __future__ import annotations

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.embedded import EmbeddedEngine
from kg.errors import QueryError
from kg.names import candidate, nearest, resolve, short_names
from kg.namespaces import expand

BASE = "https://example.org/d/"
HASHES = ["a1b2c3" + "0" * 34, "a1b2c3" + "1" * 34, "feedfeed" + "2" * 32]


@pytest.fixture(scope="module")
def engine() -> EmbeddedEngine:
    engine = EmbeddedEngine.memory()
    graph, kind = ox.NamedNode(BASE + "graph/x"), ox.NamedNode(expand("rdf:type"))
    things = {"slaren": "foaf:Person", "jarted-017": "kg:Assertion", "decade": "kg:Artifact"}
    things |= {f"commit-{digits}": "kg:Commit" for digits in HASHES}
    engine.add(
        ox.Quad(ox.NamedNode(BASE + name), kind, ox.NamedNode(expand(of)), graph)
        for name, of in things.items()
    )
    return engine


@pytest.mark.parametrize(
    ("text", "iri"),
    [
        ("slaren", BASE + "slaren"),
        (" slaren ", BASE + "slaren"),
        (":slaren", BASE + "slaren"),
        (f"<{BASE}slaren>", BASE + "slaren"),
        (BASE + "jarted-017", BASE + "jarted-017"),
        ("kg:Assertion", expand("kg:Assertion")),
        ("rdf:type", expand("rdf:type")),
        ("decade", BASE + "decade"),
        ("feedfe", f"{BASE}commit-{HASHES[2]}"),
        ("FEEDFEED", f"{BASE}commit-{HASHES[2]}"),
        ("commit-feedfeed", f"{BASE}commit-{HASHES[2]}"),
        (HASHES[0], f"{BASE}commit-{HASHES[0]}"),
    ],
)
def test_names_resolve(engine: EmbeddedEngine, text: str, iri: str) -> None:
    assert resolve(engine, BASE, text).value == iri


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("slarren", "nothing here is called 'slarren'", "Did you mean 'slaren'?"),
        ("Jarted-17", "nothing here", "'jarted-017'"),
        ("zzz", "nothing here", "Give a short name"),
        ("a1b2c3", "begins 2 commits", "commit-a1b2c3"),
        ("feedf", "nothing here", None),
        ("two words", "is no name", None),
        ("<no iri>", "is no name", None),
        ("<relative>", "is no name", None),
        ("", "is no name", None),
        ("x> ?p ?o } #", "is no name", None),
        ("kg:Asertion", "nothing here", None),
    ],
)
def test_what_names_nothing(
    engine: EmbeddedEngine, text: str, message: str, hint: str | None
) -> None:
    with pytest.raises(QueryError, match=message) as caught:
        resolve(engine, BASE, text)
    assert (hint or "") in (caught.value.hint or "")


def test_short_names_are_those_below_the_base(engine: EmbeddedEngine) -> None:
    assert short_names(engine, BASE)[-3:] == ["decade", "jarted-017", "slaren"]
    assert nearest("SLAREN", short_names(engine, BASE), 1) == ["slaren"]
    some = short_names(engine, BASE, 2)
    assert len(some) == 2
    assert set(some) < set(short_names(engine, BASE))


@given(st.text(max_size=30))
def test_any_text_is_one_iri_or_a_query_error(text: str) -> None:
    try:
        node = candidate(BASE, text)
    except QueryError:
        return
    # What becomes part of a query must not end the IRI it stands in.
    assert not set(node.value) & set('<> "{}|\\^`\n')
