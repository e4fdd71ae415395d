"""What attacks what under a reader's view: the framework that positions are computed on.

An attack that fails can let two assertions stand that cannot both hold, as S. Modgil and
H. Prakken, "A general account of argumentation with preferences", Artificial Intelligence 195
(2013), point out. Where the two exclude each other and only one attacked, the failed attack is
therefore turned round (L. Amgoud and S. Vesic, "Rich preference-based argumentation frameworks",
International Journal of Approximate Reasoning 55, 2014). Unlike Modgil and Prakken, undercuts
fail too: here an undercut is somebody's word against a witness, and preferring the witness is
just the choice not to take that word.

An attack on an attack makes the attack an argument of its own: it is attacked by whatever attacks
its attacker and by whatever attacks itself (P. Baroni, F. Cerutti, M. Giacomin and G. Guida,
"AFRA: Argumentation framework with recursive attacks", International Journal of Approximate
Reasoning 52, 2011).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from kg.argumentation.framework import Framework
from kg.argumentation.moves import ATTACK, Edge, Moves
from kg.argumentation.view import View, closure, excluded_by, kinds_of, stands_behind
from kg.engine import Engine


@dataclass(frozen=True)
class Failed:
    """An attack that a view lets fail, and through which choice: ``accept`` or ``prefer``."""

    edge: Edge
    choice: str


@dataclass(frozen=True)
class Frame:
    """A dispute under a view: a framework, what its arguments are, and what its attacks stand on.

    ``iris`` gives the IRI of each argument by number; ``edges`` what each attack of the framework
    stands on. ``attacks`` are the arguments that are themselves attacks, with the assertion that
    makes each and those it is aimed at.
    """

    moves: Moves
    view: View
    framework: Framework
    iris: tuple[str, ...]
    edges: Mapping[tuple[int, int], tuple[Edge, ...]]
    attacks: Mapping[str, tuple[str, tuple[str, ...]]]
    excluded: frozenset[str]
    failed: tuple[Failed, ...]

    @cached_property
    def number(self) -> Mapping[str, int]:
        """The number of each argument, by IRI."""
        return {iri: place for place, iri in enumerate(self.iris)}


def frame_of(engine: Engine, moves: Moves, view: View | None = None) -> Frame:
    """Return the framework of a dispute under a view.

    Raises ``QueryError`` for a choice that is of no kind a view can name.
    """
    view = view or View()
    kinds = kinds_of(engine, moves, view)
    excluded = excluded_by(moves, view, kinds)
    left = [iri for iri in moves.arguments if iri not in excluded]
    present = set(left)
    edges = [
        edge
        for edge in moves.edges
        if edge.source in present and edge.node not in excluded and edge.target not in excluded
    ]
    edges, failed = _chosen(moves, view, kinds, edges)
    return _flattened(moves, view, left, edges, frozenset(excluded), failed)


def _chosen(
    moves: Moves, view: View, kinds: Mapping[str, str], edges: list[Edge]
) -> tuple[list[Edge], tuple[Failed, ...]]:
    """Return the attacks that a view leaves, and those it lets fail."""
    accepted: set[str] = set()
    for thing in view.accept:
        accepted |= stands_behind(moves, thing, kinds[thing])
    ranks = [
        (stands_behind(moves, better, kinds[better]), stands_behind(moves, worse, kinds[worse]))
        for better, worse in sorted(closure(view.prefer, moves.base))
    ]

    def preferred(one: str, other: str) -> bool:
        above = any(one in better and other in worse for better, worse in ranks)
        below = any(other in better and one in worse for better, worse in ranks)
        return above and not below

    # An attack stands and falls with the word of whoever makes it.
    makers: dict[str, list[str]] = {}
    for edge in edges:
        makers.setdefault(edge.node, []).append(edge.source)
    there = {(edge.source, edge.target) for edge in edges}
    left: list[Edge] = []
    failed: list[Failed] = []
    for edge in edges:
        hit = [edge.target] if edge.target in moves.put_forward else makers.get(edge.target, [])
        if edge.target in accepted and edge.source not in accepted:
            failed.append(Failed(edge, "accept"))
            if (edge.target, edge.source) not in there:
                left.append(_turned(edge, "accept"))
        elif edge.source not in accepted and any(preferred(one, edge.source) for one in hit):
            failed.append(Failed(edge, "prefer"))
            if edge.exclusive and (edge.target, edge.source) not in there:
                left.append(_turned(edge, "prefer"))
        else:
            left.append(edge)
    return left, tuple(failed)


def _turned(edge: Edge, choice: str) -> Edge:
    return replace(edge, source=edge.target, target=edge.source, turned=choice)


def _flattened(
    moves: Moves,
    view: View,
    arguments: list[str],
    edges: list[Edge],
    excluded: frozenset[str],
    failed: tuple[Failed, ...],
) -> Frame:
    """Return the framework, with each attack that is attacked as an argument of its own."""
    present = set(arguments)
    aimed_at = {edge.target for edge in edges} - present
    made: dict[tuple[str, str], list[str]] = {}
    for edge in edges:
        if edge.kind == ATTACK and not edge.turned and edge.node in aimed_at:
            made.setdefault((edge.node, edge.source), []).append(edge.target)
    several = {node for node, _ in made if sum(node == other for other, _ in made) > 1}
    names = {
        (node, source): f"{node}--{moves.name(source)}" if node in several else node
        for node, source in made
    }
    iris = (*arguments, *sorted(names.values()))
    number = {iri: place for place, iri in enumerate(iris)}
    attacked_by: dict[str, list[Edge]] = {}
    for edge in edges:
        attacked_by.setdefault(edge.target, []).append(edge)
    joined: dict[tuple[int, int], list[Edge]] = {}

    def join(edge: Edge, target: str) -> None:
        source = edge.source
        if not edge.turned:
            source = names.get((edge.node, source), source)
        found = joined.setdefault((number[source], number[target]), [])
        if edge not in found:
            found.append(edge)

    for edge in edges:
        if edge.target in present:
            join(edge, edge.target)
    for (node, source), name in names.items():
        for edge in (*attacked_by.get(node, ()), *attacked_by.get(source, ())):
            join(edge, name)
    return Frame(
        moves,
        view,
        Framework([moves.name(iri) for iri in iris], sorted(joined)),
        iris,
        {pair: tuple(found) for pair, found in joined.items()},
        {name: (key[1], tuple(made[key])) for key, name in names.items()},
        excluded,
        failed,
    )
