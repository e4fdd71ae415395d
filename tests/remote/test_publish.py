"""Publishing to real servers: what is here is there afterwards, or what was there still is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from kg.dispute import Dispute, read_dispute
from kg.embedded import EmbeddedEngine
from kg.errors import EngineError
from kg.namespaces import ONTOLOGY_GRAPH
from kg.preparing import staged
from kg.publish import PUT, REMOVED, UNCHANGED, clean, leftovers, publish, steps
from kg.remote import RemoteEngine
from kg.remote_swap import WORK
from kg.settings import shipped
from tests.remote.real import Server

pytest.importorskip("SPARQLWrapper")
pytestmark = pytest.mark.server
Run = Callable[..., Any]

OTHER = "https://example.org/other"


def statement(graph: str, value: ox.Literal) -> ox.Quad:
    says = ox.NamedNode("https://example.org/says")
    return ox.Quad(ox.NamedNode("https://example.org/ana"), says, value, ox.NamedNode(graph))


@pytest.fixture(scope="module")
def dispute() -> Dispute:
    return read_dispute(shipped("data") / "tideline")


@pytest.fixture(scope="module")
def whole(dispute: Dispute) -> EmbeddedEngine:
    return staged(dispute)


@pytest.fixture
def source(whole: EmbeddedEngine) -> EmbeddedEngine:
    copy = EmbeddedEngine.memory()
    copy.add(whole.quads())
    return copy


@pytest.fixture(params=["store", "update"])
def target(server: Server, request: pytest.FixtureRequest) -> RemoteEngine:
    engine = server.engine(store=request.param == "store")
    # What is not the dispute's must never be touched.
    engine.add([statement(OTHER, ox.Literal("mine"))])
    return engine


def state(engine: RemoteEngine) -> dict[str, int]:
    graphs = [*engine.graphs("https://"), *engine.graphs(WORK)]
    return {graph: engine.count(graph) for graph in graphs}


def sizes(engine: EmbeddedEngine) -> dict[str, int]:
    return {graph: len(list(engine.quads(graph=graph))) for graph in engine.graphs()}


def test_all_is_there_and_a_second_time_changes_nothing(
    source: EmbeddedEngine, dispute: Dispute, target: RemoteEngine
) -> None:
    said: list[str] = []
    first = publish(source, dispute, target, said.append)
    assert {one.what for one in first} == {PUT}
    assert {one.graph: one.after for one in first} == sizes(source)
    assert state(target) == sizes(source) | {OTHER: 1}
    assert 0 < len(said) <= steps(source)
    second = publish(source, dispute, target)
    assert {one.what for one in second} == {UNCHANGED}
    assert [one.digest for one in second] == [one.digest for one in first]


def test_only_what_changed_is_written_and_what_is_gone_removed(
    source: EmbeddedEngine, dispute: Dispute, target: RemoteEngine
) -> None:
    publish(source, dispute, target)
    agents, gone = (f"{dispute.iri}graph/{name}" for name in ("agents", "artifacts"))
    source.drop_graph(gone)
    source.add([statement(agents, ox.Literal("new"))])
    reports = {one.graph: one for one in publish(source, dispute, target)}
    changed = {graph: one.what for graph, one in reports.items() if one.what != UNCHANGED}
    assert changed == {agents: PUT, gone: REMOVED}
    assert (reports[gone].after, reports[gone].digest) == (0, "")
    assert reports[agents].after == reports[agents].before + 1
    assert state(target) == sizes(source) | {OTHER: 1}


class Failing(RemoteEngine):
    """Breaks when it has written so many times, as a server or a network might."""

    left = 0
    broken: type[BaseException] = EngineError

    @classmethod
    def after(
        cls, engine: RemoteEngine, left: int, broken: type[BaseException] = EngineError
    ) -> Failing:
        copy = object.__new__(cls)
        copy.__dict__ |= engine.__dict__ | {"left": left, "broken": broken}
        return copy

    def _count_down(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise self.broken("the cable was pulled")

    def update(self, text: str) -> None:
        super().update(text)  # done, and the answer is lost
        self._count_down()

    def put_graph(self, graph: str, data: bytes, media_type: str = "text/turtle") -> None:
        super().put_graph(graph, data, media_type)
        self._count_down()

    def delete_graph(self, graph: str) -> None:
        super().delete_graph(graph)
        self._count_down()


@pytest.mark.parametrize(
    ("left", "broken"),
    [(1, EngineError), (2, KeyboardInterrupt), (3, EngineError), (4, EngineError)],
)
def test_whenever_it_breaks_all_is_as_before(
    source: EmbeddedEngine,
    dispute: Dispute,
    target: RemoteEngine,
    left: int,
    broken: type[BaseException],
) -> None:
    publish(source, dispute, target)
    before = sizes(source) | {OTHER: 1}
    digests = {one.graph: one.digest for one in publish(source, dispute, target)}
    for name in ("agents", "dispute", "new"):
        graph = f"{dispute.iri}graph/{name}"
        source.add([statement(graph, ox.Literal(f"value {name}"))])
    # By update: three graphs written, the fourth update moves them.
    last = 3 if target.store_url else 4
    with pytest.raises(broken, match="the cable was pulled"):
        publish(source, dispute, Failing.after(target, min(left, last), broken))
    assert state(target) == before
    older = EmbeddedEngine.memory()
    older.add(q for q in source.quads() if not str(q.object).startswith('"value '))
    assert {one.graph: one.digest for one in publish(older, dispute, target)} == digests


def test_another_dispute_on_the_server_is_left_alone(
    source: EmbeddedEngine, dispute: Dispute, server: Server
) -> None:
    engine = server.engine()
    # Its IRI begins as ours does; only whole names of graphs may count.
    other = f"{dispute.iri.removesuffix('/')}-two/graph/agents"
    inside = f"{dispute.iri}graphic/agents"
    engine.add(statement(graph, ox.Literal("theirs")) for graph in (other, inside))
    publish(source, dispute, engine)
    source.drop_graph(f"{dispute.iri}graph/artifacts")
    reports = publish(source, dispute, engine)
    assert not {other, inside} & {one.graph for one in reports}
    assert state(engine) == sizes(source) | {other: 1, inside: 1}


def test_a_server_that_loses_values_is_found_out(
    source: EmbeddedEngine, dispute: Dispute, target: RemoteEngine, server: Server
) -> None:
    agents = f"{dispute.iri}graph/agents"
    five = [
        ox.NamedNode(f"http://www.w3.org/2001/XMLSchema#{name}") for name in ("integer", "double")
    ]
    source.add(statement(agents, ox.Literal("5", datatype=datatype)) for datatype in five)
    if server.name != "virtuoso":
        publish(source, dispute, target)
        return
    # For Virtuoso, the integer and the double are one value, of which it keeps one.
    with pytest.raises(EngineError, match=r"does not hold what it was sent: .*graph/agents"):
        publish(source, dispute, target)
    assert state(target) == {OTHER: 1}


def test_what_a_killed_publication_left_is_found_and_removed(target: RemoteEngine) -> None:
    target.add([statement(f"{WORK}abc:new:x", ox.Literal("left"))])
    assert leftovers(target) == [f"{WORK}abc:new:x"]
    clean(target)
    assert state(target) == {OTHER: 1}


@pytest.mark.parametrize("way", ["store", "update"])
def test_on_the_command_line(
    server: Server, kg: Run, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KG_DISPUTE", "tideline")
    # Virtuoso's place for updates takes queries too, and wants a password for both.
    ways = {"store": ["--gsp", server.store], "update": ["--update-to", server.update]}
    command = ["publish", "--to", server.query, *ways[way], *server.options()]
    server.engine().add([statement(f"{WORK}abc:new:x", ox.Literal("left"))])
    result = kg(*command)
    assert result.code == 0, result.err
    head, columns, *rows = result.out.splitlines()
    assert (head, columns.split()) == (
        "Who wrote the solver of tideline",
        ["graph", "what", "before", "after"],
    )
    assert [row.split()[1] for row in rows] == [PUT] * len(rows)
    assert "statements, as they are here\n" in result.err
    assert "left 1 graphs there" in result.err
    again = kg(*command, "--clean", "--format", "json")
    reports = json.loads(again.out)
    assert {one["what"] for one in reports} == {UNCHANGED}
    assert ONTOLOGY_GRAPH in {one["graph"] for one in reports}
    assert "left" not in again.err
