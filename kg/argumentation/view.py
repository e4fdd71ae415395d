"""A reader's view: whom to believe, whom to leave out, whom to prefer.

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
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kg.argumentation.moves import Moves
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


def view_of(
    engine: Engine,
    base: str,
    *,
    accept: Sequence[str] = (),
    exclude: Sequence[str] = (),
    prefer: Sequence[str] = (),
) -> View:
    """Return the view a reader has typed: names, and ``A>B`` for preferences.

    Raises ``QueryError`` for a name that nothing has, for one that is both accepted and excluded,
    and for a preference that is malformed or goes round in a circle.
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
    for both in sorted({*view.accept} & {*view.exclude}):
        raise QueryError(
            f"'{shorten(both, base)}' cannot be both accepted and left out",
            hint="Give it to --accept or to --exclude.",
        )
    closure(view.prefer, base)
    return view


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


def kinds_of(engine: Engine, moves: Moves, view: View) -> dict[str, str]:
    """Return what each thing a view names is: assertion, fact, move, record, document or agent.

    Raises ``QueryError`` for a thing that is of no kind a view can name.
    """
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


def excluded_by(moves: Moves, view: View, kinds: Mapping[str, str]) -> set[str]:
    """Return the arguments, facts and moves that a view leaves out."""
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


def closure(prefer: Iterable[tuple[str, str]], base: str) -> set[tuple[str, str]]:
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
