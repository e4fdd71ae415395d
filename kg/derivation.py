"""From what is stated to what follows: every ``queries/derive/*.rq``, in order, into one graph."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

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
    dispute, each after the ones that its header names under ``after``; what other rules gave it
    may see or not. ``step`` is called with each rule's name before it runs. A triple that two
    rules give counts for both.

    Raises ``QueryError`` for a rule that cannot be loaded or run, and ``SourceError`` for a
    malformed date and for a source that states what only a rule may.
    """
    rules = in_order(catalogue(dispute, "derive"))
    engine.drop_graph(dispute.derived_graph)
    refuse_derived_properties(engine, dispute, rules)
    counts: dict[str, int] = {}
    with _Made(engine, dispute.derived_graph) as made:
        if step:
            step("time-bounds")
        counts["time-bounds"] = made.write("time-bounds", time_bounds(engine, dispute))
        for rule in rules:
            if step:
                step(rule.name)
            # Every rule may ask for the bounds of dates.
            if not made.waiting.isdisjoint(("time-bounds", *rule.after)):
                made.load()
            counts[rule.name] = made.write(rule.name, _construct(engine, rule))
        made.load()
    return counts


class _Made:
    """What rules made and the engine does not hold yet, as N-Triples in a file.

    To load a handful of triples in bulk takes as long as to load thousands, so rules that do not
    build on each other share a load. ``waiting`` names them.
    """

    def __init__(self, engine: Engine, graph: str) -> None:
        self._engine = engine
        self._graph = graph
        self.waiting: set[str] = set()

    def __enter__(self) -> _Made:
        self._file = tempfile.NamedTemporaryFile(prefix="kg-derived-", suffix=".nt")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, rule: str, triples: Iterable[ox.Triple]) -> int:
        """Put triples aside and return how many there are."""
        count = 0

        def counted() -> Iterator[ox.Triple]:
            nonlocal count
            for count, triple in enumerate(triples, 1):  # noqa: B007
                yield triple

        ox.serialize(counted(), self._file, ox.RdfFormat.N_TRIPLES)
        if count:
            self.waiting.add(rule)
        return count

    def load(self) -> None:
        """Give the engine all that was put aside."""
        if not self.waiting:
            return
        self._file.flush()
        path = Path(self._file.name)
        if isinstance(self._engine, EmbeddedEngine):
            self._engine.load(path, self._graph, ox.RdfFormat.N_TRIPLES, checked=True)
        else:
            name = ox.NamedNode(self._graph)
            triples = ox.parse(path=path, format=ox.RdfFormat.N_TRIPLES)
            self._engine.add(ox.Quad(t.subject, t.predicate, t.object, name) for t in triples)
        self._file.seek(0)
        self._file.truncate()
        self.waiting.clear()


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
