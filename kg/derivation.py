"""From what is stated to what follows: every ``queries/derive/*.rq``, in order, into one graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

import pyoxigraph as ox

from kg.derived_properties import refuse_derived_properties
from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.engine import Engine, Triples
from kg.errors import QueryError
from kg.stored_query import StoredQuery, catalogue
from kg.times import time_bounds

Step = Callable[[str], None]


def derive(engine: Engine, dispute: Dispute, step: Step | None = None) -> dict[str, int]:
    """Rebuild the derived graph and return how many triples each rule gave, in the order run.

    The bounds of dates come first (as ``time-bounds``), then the rules of the project and of the
    dispute, each after the ones that its header names under ``after``. ``step`` is called with
    each rule's name before it runs. A triple that two rules give counts for both.

    Raises ``QueryError`` for a rule that cannot be loaded or run, and ``SourceError`` for a
    malformed date and for a source that states what only a rule may.
    """
    rules = in_order(catalogue(dispute, "derive"))
    engine.drop_graph(dispute.derived_graph)
    refuse_derived_properties(engine, dispute, rules)
    graph = ox.NamedNode(dispute.derived_graph)
    if step:
        step("time-bounds")
    counts = {"time-bounds": _put(engine, time_bounds(engine, dispute), graph)}
    for rule in rules:
        if step:
            step(rule.name)
        counts[rule.name] = _put(engine, _construct(engine, rule), graph)
    return counts


def _put(engine: Engine, triples: Iterable[ox.Triple], graph: ox.NamedNode) -> int:
    """Add triples to the derived graph and return how many different ones there are."""
    if not isinstance(engine, EmbeddedEngine):
        triples = set(triples)
        engine.add(ox.Quad(t.subject, t.predicate, t.object, graph) for t in triples)
        return len(triples)
    count = 0

    def quads() -> Iterator[ox.Quad]:
        # The store constructs no triple twice, so none need be held here.
        nonlocal count
        for count, t in enumerate(triples, 1):  # noqa: B007
            yield ox.Quad(t.subject, t.predicate, t.object, graph)

    engine.fill(quads())
    return count


def in_order(rules: Mapping[str, StoredQuery]) -> list[StoredQuery]:
    """Return rules so that each stands after those it names, and else by name.

    Raises ``QueryError``, with the rule's file, for a name that no rule has and for a cycle.
    """
    for rule in rules.values():
        for name in rule.after:
            if name not in rules:
                raise QueryError(
                    f"must run after '{name}', but there is no such derivation",
                    path=rule.path,
                    hint=f"Derivations: {', '.join(sorted(rules))}.",
                )
    sorter = TopologicalSorter({name: rule.after for name, rule in rules.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        # The cycle lists each rule after one that must wait for it.
        cycle: list[str] = error.args[1]
        raise QueryError(
            f"waits for itself: {' → '.join(reversed(cycle))}",
            path=rules[cycle[0]].path,
            hint="Take one of these names out of an 'after'.",
        ) from None
    order: list[StoredQuery] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += (rules[name] for name in ready)
        sorter.done(*ready)
    return order


def _construct(engine: Engine, rule: StoredQuery) -> Iterable[ox.Triple]:
    try:
        answer = engine.query(rule.text)
    except QueryError as error:
        # Say which file it was; the engine saw only text.
        raise QueryError(error.message, path=rule.path, line=error.line, hint=error.hint) from error
    if not isinstance(answer, Triples):
        raise QueryError("a derivation must be a CONSTRUCT", path=rule.path)
    for triple in answer.triples:
        if isinstance(triple.subject, ox.BlankNode) or isinstance(triple.object, ox.BlankNode):
            raise QueryError(
                "a derivation may not make or repeat a blank node",
                path=rule.path,
                hint="Build an IRI from the premises' names, so that two builds agree.",
            )
        yield triple
