"""One assertion: what one must reject to hold it, what falls with it, and what it hangs on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from kg.argumentation.frame import Frame, frame_of
from kg.argumentation.framework import Framework
from kg.argumentation.from_graph import moves_of
from kg.argumentation.grounded import ACCEPTED, Grounded, grounded
from kg.argumentation.moves import APPARENT, Edge, Moves
from kg.argumentation.view import View
from kg.engine import Engine
from kg.errors import QueryError
from kg.rows import select, string

# How many sets of arguments the search for a defence may look at before it gives up.
_PATIENCE = 20_000
_SHOWN = 3

# Gives the engine with one judgement withdrawn and everything derived again.
Withdraw = Callable[[str], Engine]

_SUPPORTS = """
SELECT DISTINCT ?node ?supporter ?target WHERE {
  VALUES ?about { $about }
  ?node a kg:Support ; kg:supporter ?supporter ; kg:target ?target .
  FILTER(?supporter = ?about || ?target = ?about)
} ORDER BY ?node ?supporter ?target
"""
_DISSOLVED = """
SELECT DISTINCT ?node ?how ?scope WHERE {
  VALUES ?node { $about }
  OPTIONAL { ?node kg:dissolution ?how }
  OPTIONAL { ?node kg:dissolvedBy ?scope }
} ORDER BY ?node ?how ?scope
"""
# Judgements that join somebody whom one of these propositions is about to a persona.
_ABOUT = """
SELECT DISTINCT ?judgement WHERE {
  VALUES ?proposition { $about }
  ?proposition rdf:subject|rdf:object ?one .
  { ?persona kg:identifiedWith ?one } UNION { ?one kg:identifiedWith ?agent BIND(?one AS ?persona) }
  ?judgement a kg:IdentityJudgement ; kg:persona ?persona ; kg:verdict kg:Same ;
    kg:judgedBy/rdf:type kg:Encoder .
} ORDER BY ?judgement
"""


@dataclass(frozen=True)
class Change:
    """An argument whose label differs in two cases; ``None`` where it is no argument."""

    iri: str
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Withdrawn:
    """What follows if an identity judgement is withdrawn on which the assertion hangs.

    ``lost`` and ``gained`` are attacks by or on the assertion, ``changes`` the labels that change.
    """

    judgement: str
    label: int | None
    lost: tuple[Edge, ...]
    gained: tuple[Edge, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Dissolved:
    """An apparent contradiction, and what the assertion would be if nothing dissolved it."""

    node: str
    other: str
    scopes: tuple[str, ...]
    how: str
    label: int | None


@dataclass(frozen=True)
class Explanation:
    """What ``explain`` found about ``iri``, an argument of ``frame``.

    ``defences`` are the smallest sets that hold it and answer every attack on themselves, or
    ``None`` if the search was given up; without any, no position can hold it. ``changes`` tell
    what is no longer accepted, or newly so, when it is left out. ``supports`` are triples of
    support, supporter and target.
    """

    iri: str
    frame: Frame
    result: Grounded
    defences: tuple[frozenset[int], ...] | None
    changes: tuple[Change, ...]
    supports: tuple[tuple[str, str, str], ...]
    dissolved: tuple[Dissolved, ...]
    withdrawn: tuple[Withdrawn, ...]


def explain(
    engine: Engine,
    moves: Moves,
    iri: str,
    *,
    view: View | None = None,
    withdraw: Withdraw | None = None,
) -> Explanation:
    """Explain one argument of a dispute under a view.

    ``withdraw`` gives the engine without a judgement; without it, no judgement is looked at.

    Raises ``QueryError`` if ``iri`` is no argument, or the view leaves it out.
    """
    view = view or View()
    frame = frame_of(engine, moves, view)
    if iri not in frame.number:
        raise _no_argument(frame, iri)
    argument = frame.number[iri]
    result = grounded(frame.framework)
    labels = _labels(result, frame)
    without = frame_of(engine, moves, replace(view, exclude=(*view.exclude, iri)))
    return Explanation(
        iri,
        frame,
        result,
        least_defences(frame.framework, argument),
        _changes(labels, _labels(grounded(without.framework), without), leaving_out=iri),
        tuple(_supports(engine, iri)),
        tuple(_dissolved(engine, moves, view, iri)),
        tuple(_withdrawn(engine, frame, labels, iri, withdraw)) if withdraw else (),
    )


def least_defences(
    framework: Framework, argument: int, patience: int = _PATIENCE
) -> tuple[frozenset[int], ...] | None:
    """Return the smallest admissible sets that hold an argument, at most three, in order.

    None at all means that no admissible set holds it; ``None`` that more than ``patience`` sets
    would have to be looked at. An admissible set attacks nothing in it and every attacker of it
    (Dung 1995).
    """

    def fits(one: int, held: frozenset[int]) -> bool:
        near = {*framework.targets(one), *framework.attackers(one)}
        return one not in near and not near & held

    if not fits(argument, frozenset()):
        return ()
    queue = deque([frozenset({argument})])
    seen = set(queue)
    found: list[frozenset[int]] = []
    while queue:
        held = queue.popleft()
        if found and len(held) > len(found[0]):
            break
        attackers = sorted({one for member in held for one in framework.attackers(member)})
        open_ = (one for one in attackers if not held.intersection(framework.attackers(one)))
        unanswered = next(open_, None)
        if unanswered is None:
            found.append(held)
            continue
        # Every admissible set above this one answers that attacker, with one of these.
        for defender in framework.attackers(unanswered):
            larger = held | {defender}
            if larger not in seen and fits(defender, held):
                seen.add(larger)
                queue.append(larger)
        if len(seen) > patience:
            return None
    return tuple(sorted(found, key=sorted)[:_SHOWN])


def _no_argument(frame: Frame, iri: str) -> QueryError:
    moves = frame.moves
    name = moves.name(iri)
    if iri in frame.excluded:
        return QueryError(f"this view leaves out '{name}'", hint="Take that --exclude away.")
    if reason := moves.left_out.get(iri):
        return QueryError(f"'{name}' is no argument: {reason}")
    if iri in moves.said:
        below = ", ".join(map(moves.name, moves.passed_on(iri)[:5]))
        hint = f"Explain what it passes on, such as {below}." if below else None
        return QueryError(f"'{name}' is no argument: it relays what others say", hint=hint)
    return QueryError(
        f"'{name}' is no argument",
        hint="Name an assertion that says something of its own; 'kg positions' tells which.",
    )


def _labels(result: Grounded, frame: Frame) -> dict[str, int]:
    return {iri: result.labels[number] for iri, number in frame.number.items()}


def _changes(
    before: dict[str, int], after: dict[str, int], *, leaving_out: str = ""
) -> tuple[Change, ...]:
    every = dict.fromkeys((*before, *after))
    return tuple(
        Change(iri, before.get(iri), after.get(iri))
        for iri in every
        if iri != leaving_out and before.get(iri) != after.get(iri)
    )


def _supports(engine: Engine, iri: str) -> Iterable[tuple[str, str, str]]:
    for row in select(engine, _SUPPORTS, [iri]):
        yield string(row, "node"), string(row, "supporter"), string(row, "target")


def _dissolved(engine: Engine, moves: Moves, view: View, iri: str) -> Iterable[Dissolved]:
    """Look at each apparent contradiction by itself: what if this one were a real one?"""
    if any(edge.kind == APPARENT for edge in moves.edges):
        return  # they all count already
    conflicts = moves_of(engine, moves.base, ignore_scope=True).edges
    touching = [e for e in conflicts if e.kind == APPARENT and e.target == iri]
    told: dict[str, tuple[str, list[str]]] = {}
    for row in select(engine, _DISSOLVED, sorted({edge.node for edge in touching})):
        how, scopes = told.setdefault(string(row, "node"), (string(row, "how"), []))
        if "scope" in row and string(row, "scope") not in scopes:
            scopes.append(string(row, "scope"))
    for edge in touching:
        pair = [other for other in conflicts if other.node == edge.node]
        frame = frame_of(engine, replace(moves, edges=(*moves.edges, *pair)), view)
        if edge.source in frame.number:
            label = _labels(grounded(frame.framework), frame).get(iri)
            how, scopes = told[edge.node]
            yield Dissolved(edge.node, edge.source, tuple(scopes), how, label)


def _withdrawn(
    engine: Engine, frame: Frame, labels: dict[str, int], iri: str, withdraw: Withdraw
) -> Iterable[Withdrawn]:
    for judgement in candidates(engine, frame, iri):
        other = withdraw(judgement)
        moves = moves_of(other, frame.moves.base)
        again = frame_of(other, moves, frame.view)
        after = _labels(grounded(again.framework), again)
        changes = _changes(labels, after)
        mine, theirs = (
            {
                (edge.source, edge.target, edge.node): edge
                for edge in one.moves.edges
                if iri in (edge.target, edge.source)
            }
            for one in (frame, again)
        )
        lost = tuple(mine[key] for key in sorted(mine.keys() - theirs.keys()))
        gained = tuple(theirs[key] for key in sorted(theirs.keys() - mine.keys()))
        if lost or gained or labels.get(iri) != after.get(iri):
            yield Withdrawn(judgement, after.get(iri), lost, gained, changes)


def candidates(engine: Engine, frame: Frame, iri: str) -> list[str]:
    """Return the judgements that could matter to an argument: all others cannot change its part.

    They are the premises of the attacks in its part of the framework, those on people whom
    propositions there are about, and those on who speaks there where a view chooses by people.
    """
    (part,) = [part for part in frame.framework.components() if frame.number[iri] in part]
    said = [
        frame.moves.said[one] for one in (frame.iris[i] for i in part) if one in frame.moves.said
    ]
    inside = set(part)
    found = {
        one
        for pair, edges in frame.edges.items()
        if pair[0] in inside
        for edge in edges
        for one in edge.premises
    }
    propositions = sorted({one.proposition for one in said})
    found |= {string(row, "judgement") for row in select(engine, _ABOUT, propositions)}
    if frame.view != View():
        found |= {one for several in frame.moves.judgements.values() for one in several}
    return sorted(found)


def falls(changes: Iterable[Change]) -> list[Change]:
    """Return the changes of what was accepted and is no longer."""
    return [change for change in changes if change.before == ACCEPTED]


def rises(changes: Iterable[Change]) -> list[Change]:
    """Return the changes of what is accepted now and was not."""
    return [change for change in changes if change.after == ACCEPTED]
