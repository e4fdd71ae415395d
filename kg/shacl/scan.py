"""The question whether the nodes of a target meet their constraints, all of them at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import pyoxigraph as ox

from kg.engine import Term
from kg.errors import QueryError
from kg.shacl.compiler import Group, Plan, Source, flagged, screened
from kg.shacl.found import is_true, result_of
from kg.shacl.probing import Row, rows_of
from kg.shacl.question import About, Found
from kg.shacl.report import Result
from kg.shacl.targets import Target

# Up to so many nodes are named in the query that explains what was found at them.
_MOST_NODES = 1_000

# A group of constraints, with the expression that is true where it finds something.
Asked = tuple[Plan, Group, str]


@dataclass(frozen=True)
class Scan:
    """What the tested constraints ask of the nodes of a target.

    Of ``many`` nodes everything is asked together, and some may come that are innocent; few are
    asked one by one, which is quick then.
    """

    about: About
    target: Target
    asked: list[Asked]
    many: bool
    text: str

    @classmethod
    def of(cls, about: About, target: Target, asked: list[Asked], many: bool) -> Scan:
        """Return the question whether anything that is ``asked`` finds something."""
        names, source = about.compiler.names, about.pattern(target)
        conditions = [expression for _, _, expression in asked]
        if many:
            text = screened(names, source, target.holds(about.compiler, "?this"), conditions)
        else:
            text = flagged(names, source, ["?this"], conditions)
        return cls(about, target, asked, many, text)

    def results(self) -> Found:
        """Ask which nodes are at fault, then what is wrong with them."""
        source = self.about.source(self.target)
        for (plan, group, _), nodes in self._search():
            try:
                for result in self._details(group, source, nodes):
                    yield plan.shape, result
            except QueryError as error:
                self.about.left[plan.shape] = _beyond(error)

    def _search(self) -> Iterator[tuple[Asked, set[Term]]]:
        """Yield what found something, and at which nodes."""
        at: dict[int, set[Term]] = defaultdict(set)
        try:
            for row in rows_of(self.about.engine, self.text):
                for number in self._found(row):
                    if (node := row["this"]) is not None:
                        at[number].add(node)
        except QueryError as error:
            if len(self.asked) == 1:
                self.about.left[self.asked[0][0].shape] = _beyond(error)
                return
            half = len(self.asked) // 2
            for part in (self.asked[:half], self.asked[half:]):
                yield from Scan.of(self.about, self.target, part, self.many)._search()
            return
        for number, nodes in at.items():
            yield self.asked[number], nodes

    def _found(self, row: Row) -> Iterator[int]:
        if self.many:
            number = row["flag"]
            if isinstance(number, ox.Literal):
                yield int(number.value)
        else:
            yield from (n for n in range(len(self.asked)) if is_true(row[f"flag_{n}"]))

    def _details(self, group: Group, source: Source, nodes: set[Term]) -> Iterator[Result]:
        for few in _nameable(source, nodes):
            for checks, text in group.details(few):
                for row in rows_of(self.about.engine, text):
                    for number, check in enumerate(checks):
                        if f"flag_{number}" not in row or is_true(row[f"flag_{number}"]):
                            yield result_of(group.shape, check, row)


def _beyond(error: QueryError) -> str:
    return f"the engine does not take its query: {error.message}"


def _nameable(source: Source, nodes: set[Term]) -> Iterator[Source]:
    """Narrow a source to some nodes, if they can be named and are few; else leave it."""
    if len(nodes) > _MOST_NODES or any(isinstance(node, ox.BlankNode) for node in nodes):
        yield source
    else:
        listed = " ".join(sorted(map(str, nodes)))
        yield lambda variable: f"VALUES {variable} {{ {listed} }}"
