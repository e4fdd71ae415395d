"""Where an argument stands among several positions, against a look at every position."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given, settings

from kg.argumentation.framework import Framework
from kg.argumentation.grounded import UNDECIDED
from kg.argumentation.semantics import positions
from kg.argumentation.standing import IN_EVERY, IN_NONE, IN_SOME, standings
from tests.argumentation.test_semantics import EMPTY, EVEN, FLOATING, ODD, SELF, frameworks


@pytest.mark.parametrize("semantics", ["preferred", "stable", "complete"])
@settings(max_examples=80, deadline=None)
@given(framework=frameworks())
@example(framework=EMPTY)
@example(framework=SELF)
@example(framework=ODD)
@example(framework=EVEN)
@example(framework=FLOATING)
def test_standings_count_what_every_position_holds(semantics: str, framework: Framework) -> None:
    found = positions(framework, semantics)
    every = [set(one) for one in found.extensions()]
    for argument, standing in enumerate(standings(framework, found)):
        attackers = set(framework.attackers(argument))
        held = [one for one in every if argument in one]
        attacked = [one for one in every if argument not in one and one & attackers]
        label = IN_NONE if not held else IN_EVERY if len(held) == len(every) else IN_SOME
        assert standing.label == label
        undecided = found.grounded.labels[argument] == UNDECIDED
        assert (standing.knot > 0) is undecided
        if undecided and every:
            ways = len(found.knots[standing.knot - 1].extensions)
            assert standing.held + standing.attacked + standing.open == ways
            assert Fraction(standing.held, ways) == Fraction(len(held), len(every))
            assert Fraction(standing.attacked, ways) == Fraction(len(attacked), len(every))


def test_without_a_position_nothing_is_held() -> None:
    found = positions(ODD, "stable")
    assert found.count == 0
    assert {one.label for one in standings(ODD, found)} == {IN_NONE}
    assert all(one.by for one in standings(ODD, found))
