"""Where an argument stands among the positions of a semantics that has several."""

from __future__ import annotations

from dataclasses import dataclass

from kg.argumentation.framework import Framework
from kg.argumentation.grounded import ACCEPTED
from kg.argumentation.semantics import Knot, Positions

IN_EVERY, IN_SOME, IN_NONE = "in_every", "in_some", "in_none"


@dataclass(frozen=True)
class Standing:
    """In how many ways to decide its knot an argument is held, attacked or neither.

    If the search of the knot stopped at its limit, of the ways that were found.
    ``knot`` counts from 1; 0 is an argument that the grounded position decides, for which every
    position agrees. ``attacked`` counts the ways that hold one of its attackers, ``open`` those
    that hold neither it nor an attacker; ``by`` are the attackers that are in the knot too.
    """

    label: str
    knot: int = 0
    held: int = 0
    attacked: int = 0
    open: int = 0
    by: tuple[int, ...] = ()


def standings(framework: Framework, found: Positions) -> list[Standing]:
    """Return the standing of each argument, by its number."""
    accepted = set(found.grounded.having(ACCEPTED) if found.count else ())
    every = [Standing(IN_EVERY if one in accepted else IN_NONE) for one in range(len(framework))]
    for number, knot in enumerate(found.knots, 1):
        for argument, standing in _in_knot(framework, number, knot, bool(found.count)).items():
            every[argument] = standing
    return every


def _in_knot(
    framework: Framework, number: int, knot: Knot, any_at_all: bool
) -> dict[int, Standing]:
    inside = set(knot.arguments)
    attackers = {one: inside.intersection(framework.attackers(one)) for one in knot.arguments}
    held = dict.fromkeys(knot.arguments, 0)
    attacked = dict.fromkeys(knot.arguments, 0)
    for choice in map(set, knot.extensions):
        for one in knot.arguments:
            if one in choice:
                held[one] += 1
            elif not choice.isdisjoint(attackers[one]):
                attacked[one] += 1
    ways = len(knot.extensions)
    found = {}
    for one in knot.arguments:
        label = IN_SOME if held[one] and any_at_all else IN_NONE
        if any_at_all and held[one] == ways:
            label = IN_EVERY
        rest = ways - held[one] - attacked[one]
        by = tuple(sorted(attackers[one]))
        found[one] = Standing(label, number, held[one], attacked[one], rest, by)
    return found
