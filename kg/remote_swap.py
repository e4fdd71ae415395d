"""Two ways to replace graphs on a server so that what was there can be put back.

By update, every new graph is first written under a name of its own, and one update then moves
the old graphs aside and the new ones into their places. A server that runs an update as one
transaction shows nothing between. By the Graph Store Protocol, each graph is replaced by one
PUT, and what was there is kept in memory.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol
from urllib.parse import quote

import pyoxigraph as ox

from kg.remote import RemoteEngine
from kg.remote_texts import n_triples

# Graphs that begin so are our own, and there only while something is being published.
WORK = "urn:x-counterclaim:publish:"

Graphs = Mapping[str, Sequence[ox.Triple]]
# Called with where a graph has been written and which graph it is to be; raises if it is not.
Check = Callable[[str, str], None]
# Called with the graph that is being written.
Step = Callable[[str], None]


class Swap(Protocol):
    """A replacement of some graphs, in progress.

    ``touched``: what was there may have been changed.
    """

    @property
    def touched(self) -> bool: ...  # noqa: D102

    def run(
        self, changed: Graphs, gone: Iterable[str], old: frozenset[str], check: Check, step: Step
    ) -> None:
        """Replace ``changed`` and remove ``gone``; ``old`` are the graphs there now."""
        ...

    def roll_back(self) -> None:
        """Put back what was there, as far as ``run`` got."""
        ...

    def finish(self) -> None:
        """Remove what only rolling back would have needed."""
        ...


class SwapByUpdate:
    """Writes aside and moves into place by SPARQL Update."""

    def __init__(self, target: RemoteEngine) -> None:
        self._target = target
        self._run = f"{WORK}{secrets.token_hex(6)}:"
        self._changed: list[str] = []
        self._old: frozenset[str] = frozenset()
        self._moving = False

    @property
    def touched(self) -> bool:
        """See ``Swap``."""
        return self._moving

    def run(
        self, changed: Graphs, gone: Iterable[str], old: frozenset[str], check: Check, step: Step
    ) -> None:
        """See ``Swap``."""
        self._old = old
        for graph, triples in changed.items():
            step(graph)
            self._changed.append(graph)
            self._target.insert(self._aside("new", graph), triples)
            check(self._aside("new", graph), graph)
        moves = [(graph, self._aside("old", graph)) for graph in (*changed, *gone) if graph in old]
        moves += [(self._aside("new", graph), graph) for graph in changed]
        self._moving = True
        self._target.update(" ;\n".join(_move(*move) for move in moves))
        for graph in changed:
            check(graph, graph)

    def roll_back(self) -> None:
        """See ``Swap``. What a server got done of the moves is seen from the names it has."""
        left = set(self._target.graphs(self._run))
        work = [f"DROP SILENT GRAPH {_iri(self._aside('new', graph))}" for graph in self._changed]
        if self._moving:
            aside = {graph: self._aside("old", graph) for graph in self._old}
            work += [_move(place, graph) for graph, place in aside.items() if place in left]
            work += [
                f"DROP SILENT GRAPH {_iri(graph)}"
                for graph in self._changed
                if graph not in self._old and self._aside("new", graph) not in left
            ]
        if work:
            self._target.update(" ;\n".join(work))

    def finish(self) -> None:
        """See ``Swap``."""
        for place in self._target.graphs(self._run):
            self._target.drop_graph(place)

    def _aside(self, state: str, graph: str) -> str:
        # With the graph's own name, so that a person can make sense of what a crash left.
        return f"{self._run}{state}:{quote(graph, safe='')}"


class SwapByStore:
    """Replaces graph by graph by the Graph Store Protocol."""

    def __init__(self, target: RemoteEngine) -> None:
        self._target = target
        self._before: dict[str, Sequence[ox.Triple]] = {}

    @property
    def touched(self) -> bool:
        """See ``Swap``."""
        return bool(self._before)

    def run(
        self, changed: Graphs, gone: Iterable[str], old: frozenset[str], check: Check, step: Step
    ) -> None:
        """See ``Swap``."""
        # All of them before the first is touched: reading may fail as well.
        before = {g: self._target.triples(g) if g in old else [] for g in (*changed, *gone)}
        for graph, triples in changed.items():
            step(graph)
            self._before[graph] = before[graph]
            self._target.put_graph(graph, n_triples(triples))
            check(graph, graph)
        for graph in gone:
            step(graph)
            self._before[graph] = before[graph]
            self._target.delete_graph(graph)

    def roll_back(self) -> None:
        """See ``Swap``."""
        for graph, triples in self._before.items():
            if triples:
                self._target.put_graph(graph, n_triples(triples))
            else:
                self._target.delete_graph(graph)

    def finish(self) -> None:
        """See ``Swap``; there is nothing to remove."""


def _move(source: str, destination: str) -> str:
    return f"MOVE GRAPH {_iri(source)} TO GRAPH {_iri(destination)}"


def _iri(graph: str) -> str:
    return str(ox.NamedNode(graph))
