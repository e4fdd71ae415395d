"""From what is stated to what follows: every ``queries/derive/*.rq``, in order, into one graph."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from kg.derived_properties import refuse_derived_properties
from kg.dispute import Dispute
from kg.engine import Engine, foresee
from kg.errors import QueryError
from kg.namespaces import shorten
from kg.put_aside import PutAside
from kg.settings import shipped
from kg.stored_query import StoredQuery, catalogue
from kg.times import MADE, time_bounds

Step = Callable[[str], None]

# What dates give, among the names of rules.
_DATES = "time-bounds"

# After all rounds.
_LAST = sys.maxsize

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
    rounds = rounds_of(rules)
    counts: dict[str, int] = {}
    due = _due(rules, rounds)

    def begin(round: int) -> None:
        foresee(engine, (rule.text for rule in rules if rounds[rule.name] == round))

    with PutAside(engine, dispute.derived_graph, due) as made:
        if step:
            step(_DATES)
        begun = -1
        if due[_DATES] > 0:  # else they must be loaded before any rule runs
            begin(begun := 0)
        counts[_DATES] = made.write(_DATES, time_bounds(engine, dispute))
        for rule in rules:
            if step:
                step(rule.name)
            if rounds[rule.name] > begun:
                made.load(begun := rounds[rule.name])
                begin(begun)
            counts[rule.name] = made.follow(rule)
        made.load(_LAST)
    return counts


def rounds_of(rules: Iterable[StoredQuery]) -> dict[str, int]:
    """Return in which round each rule runs, from 0 on: the one after all those that it names.

    ``rules`` are in order.
    """
    rounds: dict[str, int] = {}
    for rule in rules:
        rounds[rule.name] = max((rounds[name] + 1 for name in rule.after), default=0)
    return rounds


def _due(rules: Sequence[StoredQuery], rounds: Mapping[str, int]) -> dict[str, int]:
    """Return before which round what each rule gives, and what dates give, must be loaded."""
    due = dict.fromkeys((_DATES, *rounds), _LAST)
    for rule in rules:
        for name in _before(rule):
            due[name] = min(due[name], rounds[rule.name])
    return due


def _before(rule: StoredQuery) -> tuple[str, ...]:
    """Return what must be in the engine before a rule runs.

    Every rule may ask for the bounds of dates; what the project's own ask is known.
    """
    own = rule.path is None or shipped("queries") not in rule.path.parents
    return (_DATES, *rule.after) if own or _OF_DATES.search(rule.text) else rule.after


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
