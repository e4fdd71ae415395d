"""From what is stated to what follows: every ``queries/derive/*.rq``, in order, into one graph."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from io import RawIOBase
from pathlib import Path
from typing import IO

import pyoxigraph as ox

from kg.derived_properties import refuse_derived_properties
from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.engine import Engine, Triples
from kg.errors import QueryError
from kg.namespaces import shorten
from kg.settings import shipped
from kg.stored_query import StoredQuery, catalogue
from kg.times import MADE, time_bounds

Step = Callable[[str], None]

# A line of N-Triples with a blank node outside of a literal.
_BLANK = re.compile(rb"^(?:<[^>\n]*> <[^>\n]*> )?_:", re.MULTILINE)

# What the project's rules call that which dates give.
_OF_DATES = re.compile("|".join(re.escape(shorten(name)) for name in sorted(MADE)))


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
            if not made.waiting.isdisjoint(_before(rule)):
                made.load()
            counts[rule.name] = made.follow(rule)
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

    def follow(self, rule: StoredQuery) -> int:
        """Put aside what a rule gives, and return how many triples that is.

        Raises ``QueryError``, with the rule's file.
        """
        lines = _Lines(self._file)
        try:
            if isinstance(self._engine, EmbeddedEngine):
                # The store writes by itself; an object of Python for each term takes longer.
                self._engine.construct(rule.text, lines)
            else:
                answer = self._engine.query(rule.text)
                if not isinstance(answer, Triples):
                    raise QueryError("a derivation must be a CONSTRUCT")
                ox.serialize(answer.triples, lines, ox.RdfFormat.N_TRIPLES)  # type: ignore[arg-type]
            if lines.blank:
                raise QueryError(
                    "a derivation may not make or repeat a blank node",
                    hint="Build an IRI from the premises' names, so that two builds agree.",
                )
        except QueryError as error:
            # Say which file it was; the engine saw only text.
            raise QueryError(
                error.message, path=rule.path, line=error.line, hint=error.hint
            ) from error
        return self._noted(rule.name, lines)

    def write(self, rule: str, triples: Iterator[ox.Triple]) -> int:
        """Put triples aside and return how many there are."""
        lines = _Lines(self._file)
        ox.serialize(triples, lines, ox.RdfFormat.N_TRIPLES)  # type: ignore[arg-type]
        return self._noted(rule, lines)

    def _noted(self, rule: str, lines: _Lines) -> int:
        if lines.count:
            self.waiting.add(rule)
        return lines.count

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


def _before(rule: StoredQuery) -> tuple[str, ...]:
    """Return what must be in the engine before a rule runs.

    Every rule may ask for the bounds of dates; what the project's own ask is known.
    """
    own = rule.path is None or shipped("queries") not in rule.path.parents
    return ("time-bounds", *rule.after) if own or _OF_DATES.search(rule.text) else rule.after


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


class _Lines(RawIOBase):
    """A stream of N-Triples into another one, whose lines are counted on the way.

    ``blank`` says whether there was a blank node.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._rest = b""
        self.count = 0
        self.blank = False

    def write(self, part: bytes) -> int:  # type: ignore[override]  # what the store hands over
        text = self._rest + part
        end = text.rfind(b"\n") + 1
        whole, self._rest = text[:end], text[end:]
        self.count += whole.count(b"\n")
        # Most names have no such characters, and those that do are looked at closely.
        if b"_:" in whole and _BLANK.search(whole):
            self.blank = True
        self._stream.write(whole)
        return len(part)
