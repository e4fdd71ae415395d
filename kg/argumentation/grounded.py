"""The grounded position: what stands when one accepts only what one must.

The labelling is that of S. Modgil and M. Caminada, "Proof theories and algorithms for abstract
argumentation frameworks", in Argumentation in Artificial Intelligence (2009): accept what has no
attacker left, reject what that attacks, and again. Counting for each argument the attackers that
are not yet rejected makes one pass over the attacks enough, as in S. Nofal, K. Atkinson and
P. E. Dunne, "Computing grounded extensions of abstract argumentation frameworks", The Computer
Journal 64 (2021). Time and memory grow with the number of arguments and attacks together.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from kg.argumentation.framework import Framework

UNDECIDED, ACCEPTED, REJECTED = 0, 1, 2
WORDS = ("undecided", "accepted", "rejected")


@dataclass(frozen=True)
class Step:
    """How one argument got its label: in which round (from 1), and by whom.

    An accepted argument has ``by`` all its attackers, each rejected in an earlier round; a
    rejected one the accepted attackers of that round or earlier. ``round`` 0 is undecided, and
    ``by`` then holds the attackers that are undecided too.
    """

    argument: int
    label: int
    round: int
    by: tuple[int, ...]


@dataclass(frozen=True)
class Grounded:
    """The grounded labelling of a framework, with the round in which each label was given."""

    framework: Framework
    labels: bytearray
    rounds: array[int]

    def having(self, label: int) -> list[int]:
        """Return the arguments with a label, ascending."""
        return [argument for argument, found in enumerate(self.labels) if found == label]

    def step(self, argument: int) -> Step:
        """Return why an argument has its label."""
        label, round_ = self.labels[argument], self.rounds[argument]
        attackers = self.framework.attackers(argument)
        if label == REJECTED:
            by = [
                one
                for one in attackers
                if self.labels[one] == ACCEPTED and self.rounds[one] <= round_
            ]
        elif label == UNDECIDED:
            by = [one for one in attackers if self.labels[one] == UNDECIDED]
        else:
            by = list(attackers)
        return Step(argument, label, round_, tuple(by))

    def log(self) -> list[Step]:
        """Return the steps in which labels were given, in order; undecided ones have none."""
        labelled = (a for a, label in enumerate(self.labels) if label != UNDECIDED)
        order = sorted(labelled, key=lambda a: (self.rounds[a], self.labels[a], a))
        return [self.step(argument) for argument in order]


def grounded(framework: Framework) -> Grounded:
    """Return the grounded labelling of a framework."""
    count = len(framework)
    labels, rounds = bytearray(count), array("i", bytes(4 * count))
    # How many attackers of each argument are not rejected yet.
    standing = array("i", (framework.attacker_count(argument) for argument in range(count)))
    accepted = [argument for argument in range(count) if not standing[argument]]
    round_ = 0
    while accepted:
        round_ += 1
        following = []
        for argument in accepted:
            labels[argument], rounds[argument] = ACCEPTED, round_
        for argument in accepted:
            for target in framework.targets(argument):
                if labels[target] != UNDECIDED:
                    continue
                labels[target], rounds[target] = REJECTED, round_
                for defended in framework.targets(target):
                    standing[defended] -= 1
                    if not standing[defended]:
                        following.append(defended)
        # One that lost its last attacker while it was itself rejected stays so: it cannot be,
        # since whoever rejected it stands.
        accepted = following
    return Grounded(framework, labels, rounds)
