"""The semantics as Dung (1995) defines them, by looking at every set: an oracle for the tests."""

from __future__ import annotations

from itertools import chain, combinations

from kg.argumentation.framework import Framework

Set = frozenset[int]


class Brute:
    def __init__(self, framework: Framework) -> None:
        self.arguments = range(len(framework))
        self.attacks = set(framework.attacks())
        sizes = (combinations(self.arguments, size) for size in range(len(framework) + 1))
        self.sets: list[Set] = [frozenset(one) for one in chain.from_iterable(sizes)]

    def hits(self, attackers: Set, target: int) -> bool:
        return any((one, target) in self.attacks for one in attackers)

    def conflict_free(self, held: Set) -> bool:
        return not any(self.hits(held, one) for one in held)

    def defended(self, held: Set) -> Set:
        """The characteristic function: what has every attacker attacked by ``held``."""
        return frozenset(
            one
            for one in self.arguments
            if all(
                self.hits(held, attacker)
                for attacker in self.arguments
                if (attacker, one) in self.attacks
            )
        )

    def admissible(self, held: Set) -> bool:
        return self.conflict_free(held) and held <= self.defended(held)

    def complete(self) -> set[Set]:
        return {one for one in self.sets if self.conflict_free(one) and self.defended(one) == one}

    def preferred(self) -> set[Set]:
        admissible = [one for one in self.sets if self.admissible(one)]
        return {one for one in admissible if not any(one < other for other in admissible)}

    def stable(self) -> set[Set]:
        return {
            one
            for one in self.sets
            if self.conflict_free(one)
            and all(self.hits(one, other) for other in self.arguments if other not in one)
        }

    def grounded(self) -> Set:
        """The least fixpoint of the characteristic function, from below."""
        held: Set = frozenset()
        while (more := self.defended(held)) != held:
            held = more
        return held
