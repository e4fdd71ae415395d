"""Abstract argumentation frameworks: arguments, and who attacks whom.

The notion is that of P. M. Dung, "On the acceptability of arguments and its fundamental role in
nonmonotonic reasoning, logic programming and n-person games", Artificial Intelligence 77 (1995).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate


class Numbered(Sequence[str]):
    """The names ``1``, ``2``, ... without a string kept for each, as ICCMA files have them."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # both overloads, in one
        if isinstance(index, slice):
            return [str(i + 1) for i in range(self._count)[index]]
        return str(range(self._count)[index] + 1)


class Framework:
    """Arguments, known by their number from 0, and attacks between them.

    Rows of neighbours lie one after another in flat arrays of 32-bit numbers: an attack costs 8
    bytes and an argument 16, besides its name. A repeated attack counts once.
    """

    __slots__ = ("_attackers", "_attackers_at", "_targets", "_targets_at", "names")

    def __init__(self, names: Sequence[str], attacks: Iterable[tuple[int, int]]) -> None:
        """Build from names and ``(attacker, target)`` pairs of argument numbers.

        Raises ``ValueError`` for a pair that names no argument.
        """
        self.names = names
        sources, targets = array("i"), array("i")
        for source, target in attacks:
            sources.append(source)
            targets.append(target)
        count = len(names)
        if sources and not (
            min(min(sources), min(targets)) >= 0 and max(max(sources), max(targets)) < count
        ):
            raise ValueError("an attack names an argument that is not there")
        # Grouped by target and then by source, each row is sorted, so that repeats are neighbours.
        at, values = _grouped(count, targets, sources)
        del sources, targets
        at, values = _grouped(count, values, _keys(at))
        self._targets_at, self._targets = _without_repeats(count, at, values)
        self._attackers_at, self._attackers = _grouped(
            count, self._targets, _keys(self._targets_at)
        )

    def __len__(self) -> int:
        """The number of arguments."""
        return len(self.names)

    @property
    def attack_count(self) -> int:
        """The number of attacks."""
        return len(self._targets)

    def targets(self, argument: int) -> array[int]:
        """Return whom an argument attacks, ascending."""
        return self._targets[self._targets_at[argument] : self._targets_at[argument + 1]]

    def attackers(self, argument: int) -> array[int]:
        """Return who attacks an argument, ascending."""
        return self._attackers[self._attackers_at[argument] : self._attackers_at[argument + 1]]

    def attacker_count(self, argument: int) -> int:
        """Return by how many arguments one is attacked."""
        return self._attackers_at[argument + 1] - self._attackers_at[argument]

    def attacks(self) -> Iterator[tuple[int, int]]:
        """Yield ``(attacker, target)``, ascending."""
        for argument in range(len(self)):
            for target in self.targets(argument):
                yield argument, target

    def restricted(self, arguments: Sequence[int]) -> Framework:
        """Return the framework of some arguments and the attacks among them, in that order."""
        place = {argument: index for index, argument in enumerate(arguments)}
        return Framework(
            [self.names[argument] for argument in arguments],
            (
                (place[argument], place[target])
                for argument in arguments
                for target in self.targets(argument)
                if target in place
            ),
        )

    def components(self, arguments: Iterable[int] | None = None) -> list[list[int]]:
        """Return the parts that no attack joins, each ascending, in order of their first argument.

        With ``arguments``, only these and the attacks among them count.
        """
        wanted = range(len(self)) if arguments is None else sorted(set(arguments))
        unseen = bytearray(len(self))
        for argument in wanted:
            unseen[argument] = 1
        parts = []
        for start in wanted:
            if not unseen[start]:
                continue
            unseen[start] = 0
            part = [start]
            for argument in part:  # grows while it is read
                for near in (*self.targets(argument), *self.attackers(argument)):
                    if unseen[near]:
                        unseen[near] = 0
                        part.append(near)
            parts.append(sorted(part))
        return parts


def _keys(at: array[int]) -> Iterator[int]:
    """Yield each row's number as often as the row has entries."""
    for key in range(len(at) - 1):
        for _ in range(at[key], at[key + 1]):
            yield key


def _grouped(count: int, keys: array[int], values: Iterable[int]) -> tuple[array[int], array[int]]:
    """Sort ``values`` by their ``keys``, stably, by counting: where each row starts, and rows."""
    sizes = array("q", bytes(8 * (count + 1)))
    for key in keys:
        sizes[key + 1] += 1
    at = array("q", accumulate(sizes))
    place = at[:]
    rows = array("i", bytes(4 * len(keys)))
    for key, value in zip(keys, values, strict=True):
        rows[place[key]] = value
        place[key] += 1
    return at, rows


def _without_repeats(count: int, at: array[int], rows: array[int]) -> tuple[array[int], array[int]]:
    """Drop neighbours that are equal within a row."""
    new_at, new_rows = array("q", [0]), array("i")
    for key in range(count):
        last = -1
        for value in rows[at[key] : at[key + 1]]:
            if value != last:
                new_rows.append(value)
                last = value
        new_at.append(len(new_rows))
    return new_at, new_rows
