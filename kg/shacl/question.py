"""A question that the compiled engine asks: a query, and what its rows say of a shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pyoxigraph as ox

from kg.engine import Engine, Term
from kg.errors import QueryError
from kg.shacl.compiler import Compiler, Group, Plan, Source
from kg.shacl.constraints import QueryCheck
from kg.shacl.found import bound_in, is_true, result_of
from kg.shacl.probing import Row, rows_of
from kg.shacl.report import Result
from kg.shacl.shapes import NotCompilableError, Shape
from kg.shacl.targets import Target

# A query within a shape, with the group it stands in.
AskedQuery = tuple[Plan, Group, QueryCheck]
Found = Iterator[tuple[Shape, Result]]


class Question(Protocol):
    """A query, and what is made of its rows. ``text`` is empty if it is not known beforehand."""

    @property
    def text(self) -> str: ...  # noqa: D102

    def results(self) -> Found:
        """Ask, and yield what was found and by which shape. Raises as ``compiled.judge``."""
        ...


@dataclass(frozen=True)
class About:
    """What all questions need to know."""

    engine: Engine
    compiler: Compiler
    left: dict[Shape, str]  # shapes that are beyond the engine, and why; questions add to it

    def source(self, target: Target) -> Source:
        """Return what selects the nodes of a target, whatever the variable."""
        return lambda variable: target.pattern(self.compiler, variable)

    def pattern(self, target: Target) -> str:
        """Return what selects the nodes of a target, as ``?this``."""
        return target.pattern(self.compiler, "?this")

    def rows(self, text: str, shape: Shape) -> Iterator[Row]:
        """Yield the rows of a query that stands in a shape."""
        try:
            for row in rows_of(self.engine, text):
                if is_true(row.get("failure")):
                    raise shape.graph.unusable("a query reported a failure", shape.node)
                yield row
        except QueryError as error:
            what = f"a query of the shapes is malformed: {error}"
            raise shape.graph.unusable(what, shape.node) from error


@dataclass(frozen=True)
class Shared:
    """Queries that share a pattern, at the nodes of a target; a flag says which found a row."""

    about: About
    asked: list[AskedQuery]
    flags: tuple[str, ...]
    text: str

    def results(self) -> Found:  # noqa: D102
        for row in self.about.rows(self.text, self.asked[0][1].shape):
            said = {name: term for name, term in row.items() if f"?{name}" not in self.flags}
            for flag, (plan, group, check) in zip(self.flags, self.asked, strict=True):
                if is_true(row[flag[1:]]):
                    yield plan.shape, result_of(group.shape, check, said)


@dataclass(frozen=True)
class Alone:
    """A query that runs for all nodes of a target at once."""

    about: About
    group: Group
    check: QueryCheck
    shape: Shape  # whose plan it belongs to
    text: str

    def results(self) -> Found:  # noqa: D102
        for row in self.about.rows(self.text, self.group.shape):
            yield self.shape, result_of(self.group.shape, self.check, row)


@dataclass(frozen=True)
class OneByOne:
    """A query that must run for each node of a target by itself."""

    about: About
    group: Group
    check: QueryCheck
    shape: Shape
    where: str
    text: str = ""

    def results(self) -> Found:  # noqa: D102
        try:
            nodes = self._nodes()
        except NotCompilableError as error:
            self.about.left[self.shape] = str(error)
            return
        for node in nodes:
            text = self.check.select.over(f"VALUES ?this {{ {node} }}")
            for row in self.about.rows(text, self.group.shape):
                found = {"this": node, **bound_in(row)}
                yield self.shape, result_of(self.group.shape, self.check, found)

    def _nodes(self) -> list[Term]:
        text = f"SELECT DISTINCT ?this WHERE {{ {self.where} }}"
        nodes = dict.fromkeys(row["this"] for row in rows_of(self.about.engine, text))
        found: list[Term] = [n for n in nodes if n is not None and not isinstance(n, ox.BlankNode)]
        if len(found) < len(nodes):
            raise NotCompilableError("a query must run for each node, and one has no name")
        return found
