"""Bringing a dispute to a SPARQL server: all of its graphs, and seen to be there, or none.

Whatever fails, also by Ctrl-C, what was there before is put back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from kg.digests import quads_digest
from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.errors import CounterclaimError, EngineError
from kg.namespaces import ONTOLOGY_GRAPH
from kg.progress import Progress, silent
from kg.remote import RemoteEngine
from kg.remote_dispute import graphs_of
from kg.remote_http import is_refusal
from kg.remote_quirks import normal_triple
from kg.remote_swap import WORK, Graphs, Swap, SwapByStore, SwapByUpdate

PUT, UNCHANGED, REMOVED = "put", "unchanged", "removed"


@dataclass(frozen=True)
class GraphReport:
    """What became of one graph.

    ``what`` is ``put``, ``unchanged`` (the server had it already) or ``removed`` (the dispute has
    no such graph any more). ``before`` and ``after`` count its statements on the server; ``digest``
    is the SHA-256 of what was read back, in canonical form (empty for a graph that was removed).
    """

    graph: str
    what: str
    before: int
    after: int
    digest: str


@dataclass(frozen=True)
class _Content:
    """A graph in the form that survives every server's conversions: its size and its digest."""

    count: int
    digest: str

    @classmethod
    def of(cls, triples: Iterable[ox.Triple]) -> _Content:
        normal = {normal_triple(triple) for triple in triples}
        digest = quads_digest(ox.Quad(t.subject, t.predicate, t.object) for t in normal)
        return cls(len(normal), digest)


def steps(source: EmbeddedEngine) -> int:
    """Return how many times publishing says what it does at most, for a bar that fills."""
    return 2 * len(source.graphs()) + 1


def leftovers(target: RemoteEngine) -> list[str]:
    """Return the graphs that killed publications left on a server. Raises ``EngineError``."""
    return target.graphs(WORK)


def clean(target: RemoteEngine) -> None:
    """Remove what killed publications left; one that is at work will fail.

    Raises ``EngineError``.
    """
    for graph in leftovers(target):
        if target.store_url:
            target.delete_graph(graph)
        else:
            target.drop_graph(graph)


def publish(
    source: EmbeddedEngine,
    dispute: Dispute,
    target: RemoteEngine,
    progress: Progress | None = None,
) -> list[GraphReport]:
    """Make a server hold the graphs of ``source``: a dispute's, and the vocabulary.

    Graphs of the dispute that ``source`` does not have are removed; all other graphs of the
    server stay as they are. If ``target`` has an address for whole graphs, they are put there one
    by one, else written aside and moved into place by update.

    Returns a report for each graph, sorted. Raises ``EngineError`` if the server cannot be
    reached, fails, or does not hold afterwards what it was sent; then it holds what it held
    before, or the message says that this failed as well.
    """
    say = progress or silent
    here = {graph: _triples(source, graph) for graph in source.graphs()}
    here = {graph: triples for graph, triples in here.items() if triples}
    wanted = {graph: _Content.of(triples) for graph, triples in here.items()}
    there = {g: target.count(g) for g in [*graphs_of(target, dispute), ONTOLOGY_GRAPH]}
    there = {graph: count for graph, count in there.items() if count}
    changed: dict[str, Sequence[ox.Triple]] = {}
    for graph, triples in here.items():
        say(f"comparing {graph}")
        same_size = there.get(graph) == wanted[graph].count
        if not same_size or _Content.of(target.triples(graph)) != wanted[graph]:
            changed[graph] = triples
    gone = sorted(there.keys() - here.keys())
    if changed or gone:
        swap = SwapByStore(target) if target.store_url else SwapByUpdate(target)
        _run(swap, target, changed, gone, there, wanted, say)
    reports = [
        GraphReport(graph, PUT if graph in changed else UNCHANGED, there.get(graph, 0), *seen)
        for graph, seen in ((graph, (one.count, one.digest)) for graph, one in wanted.items())
    ]
    reports += [GraphReport(graph, REMOVED, there[graph], 0, "") for graph in gone]
    return sorted(reports, key=lambda report: report.graph)


def _run(
    swap: Swap,
    target: RemoteEngine,
    changed: Graphs,
    gone: Sequence[str],
    there: Mapping[str, int],
    wanted: Mapping[str, _Content],
    say: Progress,
) -> None:
    def check(place: str, graph: str) -> None:
        count, seen = target.count(place), _Content.of(target.triples(place))
        if (count, seen.digest) != (wanted[graph].count, wanted[graph].digest):
            raise EngineError(
                f"{target.query_url} does not hold what it was sent: of {graph} there are "
                f"{count:,} statements, not {wanted[graph].count:,}"
                if count != wanted[graph].count
                else f"{target.query_url} does not hold what it was sent: {graph} differs",
                hint="Nothing was changed. The server may treat different values as one; see "
                "docs/remote.md.",
            )

    try:
        swap.run(changed, gone, frozenset(there), check, lambda graph: say(f"writing {graph}"))
    except BaseException as error:
        if is_refusal(error) and not target.wrote:
            raise  # the first write was refused: there is nothing to put back
        say("putting back what was there")
        try:
            swap.roll_back()
        except CounterclaimError as second:
            if swap.touched:
                left = "what was there could not be put back"
                hint = f"Graphs that begin with {WORK} may hold it; publishing again may mend it."
            else:
                left = "what had been written beside it could not be removed"
                hint = "What was there is untouched; --clean removes the rest, at the next try."
            raise EngineError(f"{error}\n  and {left}: {second.message}", hint=hint) from error
        raise
    swap.finish()


def _triples(source: EmbeddedEngine, graph: str) -> list[ox.Triple]:
    return [quad.triple for quad in source.quads(graph=graph)]
