"""Shapes judge on a server as they do here: the shipped disputes, and the suite of the standard.

Virtuoso is left out: docs/remote.md says what it does not do.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyoxigraph as ox
import pytest

from kg.dispute import read_dispute, shipped_disputes
from kg.engine import Triples
from kg.errors import CounterclaimError
from kg.preparing import staged
from kg.publish import publish
from kg.remote_dispute import see_dispute
from kg.shacl import Report, validate_dispute
from kg.shacl.engines import Data, judge
from kg.shacl.shapes import UnusableShapesError
from tests.remote.real import Server, missing, started
from tests.shacl.test_w3c import FAIL, Expected, case, cases, expected_results, reported

pytestmark = pytest.mark.server

GRAPH = "https://example.org/data"

# Cases that do not pass on a server, and why: its store has another literal than was sent there.
FAIL_ON = {
    "oxigraph": {"core/property/datatype-ill-formed": '"300"^^xsd:byte becomes an xsd:integer'},
    "fuseki": {},
}


@pytest.fixture(scope="module", params=["oxigraph", "fuseki"])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of this module's own, since it is filled again for every case."""
    name: str = request.param
    if reason := missing(name):
        pytest.skip(reason)
    server = started(name, tmp_path_factory.mktemp(name))
    yield server
    server.stop()


def findings(report: Report) -> set[tuple[object, ...]]:
    def name(term: object) -> str:
        return "_:" if isinstance(term, ox.BlankNode) else str(term)

    return {
        (name(r.focus), name(r.value), r.path, r.source, r.component, r.message, r.place)
        for r in report.results
    }


@pytest.mark.parametrize("name", list(shipped_disputes()))
def test_a_dispute_is_judged_there_as_here(store: Server, name: str) -> None:
    dispute = read_dispute(shipped_disputes()[name])
    here = staged(dispute)
    # Something must be wrong with it, or there would be nothing to compare.
    speaker = ox.NamedNode("https://w3id.org/counterclaim/ns#speaker")
    here.remove(sorted(here.quads(predicate=speaker), key=str)[:3])
    store.empty()
    publish(here, dispute, store.engine())
    there = store.engine()
    see_dispute(there, dispute)
    wanted, found = validate_dispute(here, dispute), validate_dispute(there, dispute)
    assert len(wanted.results) >= 3
    assert findings(found) == findings(wanted)
    assert {one.engine for one in found.judged} == {"compiled"}


def failure(store: Server, name: str) -> str | None:
    """Judge one case of the suite on a server; return what is wrong, if anything is."""
    loaded = case(name)
    engine = store.engine()
    try:
        data = ox.serialize((q.triple for q in loaded.data), format=ox.RdfFormat.N_TRIPLES)
        assert data is not None
        engine.put_graph(GRAPH, data, "application/n-triples")
    except CounterclaimError as error:
        return f"cannot be stored: {error.message}"
    engine.seen = [GRAPH]

    def statements() -> list[ox.Triple]:
        answer = engine.query("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }")
        assert isinstance(answer, Triples)
        return list(answer.triples)

    try:
        found = judge(Data(statements, engine), loaded.shapes, "compiled").results
    except UnusableShapesError as error:
        return f"cannot be used: {error}"
    got = {_nameless(reported(result)) for result in found}
    wanted = {_nameless(result) for result, *_ in expected_results(loaded)}
    if got == wanted:
        return None
    return f"missing {sorted(map(str, wanted - got))}, too many {sorted(map(str, got - wanted))}"


def _nameless(result: Expected) -> Expected:
    # A server gives blank nodes names of its own.
    def name(term: str | None) -> str | None:
        return "_:" if term and term.startswith("_:") else term

    return result._replace(focus=name(result.focus) or "", value=name(result.value))


@pytest.mark.shared
def test_the_suite_is_judged_there_as_here(store: Server) -> None:
    names = [name for name in cases() if name.startswith("core/") and name not in FAIL]
    if not names:
        pytest.skip("no suite")
    failures = {name: found for name in names if (found := failure(store, name))}
    assert {name: failures[name] for name in failures.keys() - FAIL_ON[store.name].keys()} == {}
    # Whoever makes one pass must take it out.
    assert FAIL_ON[store.name].keys() <= failures.keys()
