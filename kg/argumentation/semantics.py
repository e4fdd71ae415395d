"""Preferred, stable and complete positions, by answer-set programming.

The idea of stating each semantics as a guess and constraints is that of ASPARTIX (U. Egly,
S. A. Gaggl and S. Woltran, Argument & Computation 1, 2010); that of taking the preferred ones as
the guesses that a domain heuristic makes maximal is described for its later version (W. Dvořák,
S. A. Gaggl, A. Rapberger, J. P. Wallner and S. Woltran, "The ASPARTIX system suite", 2020).

What the grounded labelling decides, every complete position has; only what it leaves undecided is
searched, and each part that no attack joins to another by itself. A position of the whole is one
choice from every such *knot*.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from kg.argumentation.framework import Framework
from kg.argumentation.grounded import ACCEPTED, UNDECIDED, Grounded, grounded
from kg.errors import EngineError

SEMANTICS = ("grounded", "preferred", "stable", "complete")

# Guess a set; it is free of conflict, and it defends each of its members.
_ADMISSIBLE = """
{ in(X) } :- arg(X).
out(X) :- in(Y), att(Y,X).
:- in(X), out(X).
:- in(X), att(Y,X), not out(Y).
#show in/1.
"""
_PROGRAMS = {
    # ... and whatever it defends is a member.
    "complete": _ADMISSIBLE + ":- arg(X), not in(X), out(Y) : att(Y,X).\n",
    # ... and attacks everything else.
    "stable": _ADMISSIBLE + ":- arg(X), not in(X), not out(X).\n",
    # ... and is as large as can be: 'in' is tried first, and no subset of an answer follows it.
    "preferred": _ADMISSIBLE + "#heuristic in(X) : arg(X). [1,true]\n",
}
_OPTIONS = {"preferred": ["--heuristic=Domain", "--enum-mode=domRec"]}


@dataclass(frozen=True)
class Knot:
    """A part of the undecided arguments, and each way to decide it.

    Each extension lists those of ``arguments`` that are accepted. ``more`` is true if the search
    stopped at its limit.
    """

    arguments: tuple[int, ...]
    extensions: tuple[tuple[int, ...], ...]
    more: bool


@dataclass(frozen=True)
class Positions:
    """What can be held under one semantics: what every position shares, and the knots."""

    semantics: str
    grounded: Grounded
    knots: tuple[Knot, ...]

    @property
    def count(self) -> int:
        """How many extensions there are; if ``more``, how many can be put together of the found."""
        return math.prod(len(knot.extensions) for knot in self.knots)

    @property
    def more(self) -> bool:
        """Whether the search of some knot stopped at its limit."""
        return any(knot.more for knot in self.knots)

    def extensions(self, limit: int | None = None) -> Iterator[list[int]]:
        """Yield the extensions, each ascending, in an order that does not change between runs."""
        shared = self.grounded.having(ACCEPTED)
        choices = itertools.product(*(knot.extensions for knot in self.knots))
        for choice in itertools.islice(choices, limit):
            yield sorted(itertools.chain(shared, *choice))

    def shared(self) -> tuple[list[int], list[int]]:
        """Return what every extension accepts, and what at least one does; both ascending.

        Where there is no extension at all, both are empty.
        """
        if not self.count:
            return [], []
        every, some = set(self.grounded.having(ACCEPTED)), set(self.grounded.having(ACCEPTED))
        for knot in self.knots:
            every |= set(knot.extensions[0]).intersection(*map(set, knot.extensions[1:]))
            some |= set(itertools.chain(*knot.extensions))
        return sorted(every), sorted(some)


def positions(framework: Framework, semantics: str, limit: int | None = None) -> Positions:
    """Return the positions of a framework under one of ``SEMANTICS``.

    ``limit`` bounds how many extensions of each knot are searched (``None``: all of them).

    Raises ``EngineError`` if clingo is needed and not installed, and ``ValueError`` for an
    unknown semantics.
    """
    if semantics not in SEMANTICS:
        raise ValueError(f"no semantics '{semantics}'")
    base = grounded(framework)
    if semantics == "grounded":
        return Positions(semantics, base, ())
    require_clingo()  # also where there happens to be nothing to search
    knots = []
    for part in framework.components(base.having(UNDECIDED)):
        found, more = _search(framework.restricted(part), semantics, limit)
        extensions = sorted(tuple(part[place] for place in one) for one in found)
        knots.append(Knot(tuple(part), tuple(extensions), more))
    return Positions(semantics, base, tuple(knots))


def require_clingo() -> None:
    """Raise ``EngineError`` if clingo is not installed."""
    try:
        import clingo  # noqa: F401  # asks only whether it can be had
    except ImportError:
        raise EngineError(
            "this semantics needs the solver clingo, which is not installed",
            hint="Install it with: pip install 'counterclaim[positions]'. "
            "'--semantics grounded' needs no solver.",
        ) from None


def _search(
    framework: Framework, semantics: str, limit: int | None
) -> tuple[list[tuple[int, ...]], bool]:
    """Return the extensions of a framework, in no order, and whether there are more."""
    import clingo

    wanted = 0 if limit is None else limit + 1
    control = clingo.Control(
        [f"--models={wanted}", *_OPTIONS.get(semantics, [])],
        # A knot of self-attackers alone leaves the heuristic nothing to prefer, which is no news.
        logger=lambda code, message: None,
    )
    facts = [f"arg({argument})." for argument in range(len(framework))]
    facts += [f"att({source},{target})." for source, target in framework.attacks()]
    # Declared, so that a framework without attacks is no use of an unknown predicate.
    control.add("base", [], "\n".join([*facts, "#defined att/2.", _PROGRAMS[semantics]]))
    control.ground([("base", [])])
    found: list[tuple[int, ...]] = []
    with control.solve(yield_=True) as models:
        for model in models:
            shown = model.symbols(shown=True)
            found.append(tuple(sorted(symbol.arguments[0].number for symbol in shown)))
    more = limit is not None and len(found) > limit
    return (found[:limit] if more else found), more
