"""Where an argument stands among the positions of a semantics that has several."""

from __future__ import annotations

from dataclasses import dataclass

from kg.argumentation.framework import Framework
from kg.argumentation.semantics import Positions

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
    every, some = map(set, found.shared())
    told = [
        Standing(IN_EVERY if one in every else IN_SOME if one in some else IN_NONE)
        for one in range(len(framework))
    ]
    for number, knot in enumerate(found.knots, 1):
        inside = set(knot.arguments)
        choices = [set(choice) for choice in knot.extensions]
        for one in knot.arguments:
            attackers = inside.intersection(framework.attackers(one))
            held = sum(one in choice for choice in choices)
            open_ = sum(one not in choice and choice.isdisjoint(attackers) for choice in choices)
            attacked = len(choices) - held - open_
            by = tuple(sorted(attackers))
            told[one] = Standing(told[one].label, number, held, attacked, open_, by)
    return told
