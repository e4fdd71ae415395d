"""A reader's view: whom to believe, whom to leave out, whom to prefer; and what then attacks what.

Nothing of a view is stored. Its three choices name an agent, a persona, a document, a record, an
assertion or a record fact; ``exclude`` also a single attack, contradiction or finding:

- *exclude*: what rests on the word of X alone is taken out: all X says, and all that is heard
  through X only. Of a document, all that lies in it; of a record, its facts.
- *accept*: what X stands behind withstands every attack from outside it, and whoever attacks it
  is attacked in return. Of a document, what its outermost speaker says or endorses. If X
  contradicts X, that conflict remains. No preference weakens what is accepted.
- *prefer A to B*: an attack by what B stands behind on what A stands behind fails. So L. Amgoud
  and C. Cayrol, "A reasoning model based on the production of acceptable arguments", Annals of
  Mathematics and Artificial Intelligence 34 (2002). Preferences are transitive.

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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from kg.argumentation.framework import Framework
from kg.argumentation.moves import ATTACK, Edge, Moves
from kg.engine import Engine
from kg.errors import QueryError
from kg.namespaces import shorten
from kg.rows import select, string

_TYPES = """
SELECT DISTINCT ?thing ?type WHERE {
  VALUES ?thing { $about }
  VALUES ?type { kg:Document kg:Record prov:Agent foaf:Agent foaf:Person foaf:Organization
    foaf:Group kg:UnnamedAgent kg:Persona kg:GitIdentity }
  ?thing a ?type .
} ORDER BY ?thing ?type
"""


@dataclass(frozen=True)
class View:
    """A reader's choices, as IRIs; ``prefer`` holds pairs, the preferred one first."""

    accept: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    prefer: tuple[tuple[str, str], ...] = ()


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


def view_of(
    engine: Engine,
    base: str,
    *,
    accept: Sequence[str] = (),
    exclude: Sequence[str] = (),
    prefer: Sequence[str] = (),
) -> View:
    """Return the view a reader has typed: names, and ``A>B`` for preferences.

    Raises ``QueryError`` for a name that nothing has, and for a preference that is malformed or
    goes round in a circle.
    """
    from kg.names import resolve

    def named(text: str) -> str:
        return resolve(engine, base, text).value

    pairs = []
    for text in prefer:
        better, sign, worse = text.partition(">")
        if not (sign and better.strip() and worse.strip()) or ">" in worse.strip("<> "):
            raise QueryError(
                f"'{text}' is no preference", hint="Write A>B, in quotes: --prefer 'ana>bo'."
            )
        pairs.append((named(better), named(worse)))
    view = View(tuple(map(named, accept)), tuple(map(named, exclude)), tuple(pairs))
    _closure(view.prefer, base)
    return view


def frame_of(engine: Engine, moves: Moves, view: View | None = None) -> Frame:
    """Return the framework of a dispute under a view.

    Raises ``QueryError`` for a choice that is of no kind a view can name.
    """
    view = view or View()
    kinds = _kinds(engine, moves, view)
    excluded = _excluded(moves, view, kinds)
    left = [iri for iri in moves.arguments if iri not in excluded]
    present = set(left)
    edges = [
        edge
        for edge in moves.edges
        if edge.source in present and edge.node not in excluded and edge.target not in excluded
    ]
    edges, failed = _chosen(moves, view, kinds, edges)
    return _flattened(moves, view, left, edges, frozenset(excluded), failed)


def stands_behind(moves: Moves, thing: str, kind: str) -> set[str]:
    """Return the arguments that accepting or preferring a thing is about."""
    if kind == "assertion":
        return set(moves.passed_on(thing))
    if kind == "fact":
        return {thing}
    if kind == "record":
        return {fact for fact, records in moves.facts.items() if thing in records}
    if kind == "document":
        return moves.held_in(thing)
    return moves.held_by(thing) if kind == "agent" else set()


def _kinds(engine: Engine, moves: Moves, view: View) -> dict[str, str]:
    things = {*view.accept, *view.exclude, *(one for pair in view.prefer for one in pair)}
    types: dict[str, set[str]] = {}
    for row in select(engine, _TYPES, sorted(things)):
        types.setdefault(string(row, "thing"), set()).add(shorten(string(row, "type")))
    nodes = {edge.node for edge in moves.edges}
    speakers = {one.speaker for one in moves.said.values()}
    holders = {agent for one in moves.said.values() for agent in one.holders}
    kinds = {}
    for thing in sorted(things):
        of = types.get(thing, set())
        if thing in moves.said:
            kind = "assertion"
        elif thing in moves.facts:
            kind = "fact"
        elif thing in nodes and thing in view.exclude:
            kind = "move"
        elif "kg:Record" in of:
            kind = "record"
        elif "kg:Document" in of:
            kind = "document"
        elif of or thing in speakers or thing in holders:
            kind = "agent"
        else:
            raise QueryError(
                f"'{moves.name(thing)}' is nothing a view can choose",
                hint="Name an agent, a persona, a document, a record, an assertion or a record "
                "fact that speaks against one; to exclude, also an attack or a contradiction.",
            )
        kinds[thing] = kind
    return kinds


def _excluded(moves: Moves, view: View, kinds: Mapping[str, str]) -> set[str]:
    out: set[str] = set()
    closed: set[str] = set()
    for thing in view.exclude:
        kind = kinds[thing]
        if kind in ("move", "fact"):
            out.add(thing)
        elif kind == "record":
            out |= stands_behind(moves, thing, kind)
        elif kind == "assertion":
            closed.add(thing)
        elif kind == "document":
            closed |= moves.lying_in(thing)
        else:
            closed |= {iri for iri, one in moves.said.items() if thing in moves.who(one.speaker)}
    # Together: what two people report is gone only if both are left out.
    return out | (moves.only_through(closed) if closed else set())


def _closure(prefer: Iterable[tuple[str, str]], base: str) -> set[tuple[str, str]]:
    """Return what follows from preferences. Raises ``QueryError`` if they go round in a circle."""
    pairs = set(prefer)
    while more := {(a, d) for a, b in pairs for c, d in pairs if b == c} - pairs:
        pairs |= more
    for one, other in sorted(pairs):
        if one == other:
            raise QueryError(
                f"the preferences put '{shorten(one, base)}' above itself",
                hint="Leave one of them out.",
            )
    return pairs


def _chosen(
    moves: Moves, view: View, kinds: Mapping[str, str], edges: list[Edge]
) -> tuple[list[Edge], tuple[Failed, ...]]:
    """Return the attacks that a view leaves, and those it lets fail."""
    accepted: set[str] = set()
    for thing in view.accept:
        accepted |= stands_behind(moves, thing, kinds[thing])
    ranks = [
        (stands_behind(moves, better, kinds[better]), stands_behind(moves, worse, kinds[worse]))
        for better, worse in sorted(_closure(view.prefer, moves.base))
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
