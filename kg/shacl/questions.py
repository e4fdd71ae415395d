"""What the compiled engine asks of the data: as few queries as possible, each about many nodes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import pyoxigraph as ox

from kg.engine import Engine, Term
from kg.errors import QueryError
from kg.shacl.compiler import Compiler, Group, Plan, Source, flagged, screened
from kg.shacl.conditions import FALSE
from kg.shacl.constraints import QueryCheck
from kg.shacl.found import bound_in, is_true, result_of
from kg.shacl.prebinding import Select, together
from kg.shacl.probing import Row, rows_of
from kg.shacl.report import Result
from kg.shacl.shapes import NotCompilableError, Shape
from kg.shacl.targets import Target

# One scan asks no more than this much text, far below where an engine's parser gives up.
_MOST_TEXT = 20_000
# Up to so many nodes of a target are asked one by one, or up to this part of the largest target.
_FEW_NODES = 50
_RARE = 20
# So many targets are counted in one query; an engine takes so many operators only.
_MOST_COUNTED = 100
# Up to so many nodes are named in the query that explains what was found at them.
_MOST_NODES = 1_000

# A group of constraints, with the expression that is true where it finds something.
Asked = tuple[Plan, Group, str]
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
class _About:
    """What all questions need to know."""

    engine: Engine
    compiler: Compiler
    left: dict[Shape, str]  # shapes that are beyond the engine, and why; questions add to it

    def source(self, target: Target) -> Source:
        return lambda variable: target.pattern(self.compiler, variable)

    def pattern(self, target: Target) -> str:
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


class Questions:
    """All that is to be asked by some plans. Shapes that are beyond the engine join ``left``."""

    def __init__(
        self, engine: Engine, compiler: Compiler, plans: list[Plan], left: dict[Shape, str]
    ) -> None:
        self._about = _About(engine, compiler, left)
        self._plans = plans
        self._sizes: dict[Target, int] = {}

    def asked(self) -> list[Question]:
        """Count the nodes of all targets, and return what is to be asked of those that have any."""
        self._measure(dict.fromkeys(target for plan in self._plans for target in plan.targets))
        return [*self._scans(), *self._shared(), *self._alone()]

    def _measure(self, targets: Iterable[Target]) -> None:
        """Count the nodes of targets, in few queries."""
        counted = [target for target in targets if target.kind != "node"]
        for first in range(0, len(counted), _MOST_COUNTED):
            counts = " UNION ".join(
                f"{{ SELECT ({number} AS ?target) (COUNT(*) AS ?size) "
                f"WHERE {{ {self._about.pattern(target)} }} }}"
                for number, target in enumerate(counted[first : first + _MOST_COUNTED], first)
            )
            text = f"SELECT ?target ?size WHERE {{ {counts} }}"
            for row in rows_of(self._about.engine, text):
                target, size = row["target"], row["size"]
                if isinstance(target, ox.Literal) and isinstance(size, ox.Literal):
                    self._sizes[counted[int(target.value)]] = int(size.value)

    def _many(self, target: Target) -> bool | None:
        """Say whether a target has many nodes; ``None`` if it has none."""
        size = self._sizes.get(target, 1)
        many = max(_FEW_NODES, max(self._sizes.values(), default=0) // _RARE)
        return size > many if size else None

    def _scans(self) -> Iterator[Question]:
        """Yield what the tested constraints ask, all those of a target together."""
        by_target: dict[Target, list[tuple[Plan, Group]]] = defaultdict(list)
        for plan in self._plans:
            for target in plan.targets:
                by_target[target] += [(plan, group) for group in plan.groups if group.tested]
        for target, chosen in by_target.items():
            many = self._many(target)
            if many is None:
                continue
            asked = [(plan, group, group.found_something("?this")) for plan, group in chosen]
            for part in _parts([entry for entry in asked if entry[2] != FALSE]):
                yield _Scan.of(self._about, target, part, many)

    def _shared(self) -> Iterator[Question]:
        """Yield the queries within shapes that share a pattern, together."""
        by_stem: dict[tuple[Target, str], list[AskedQuery]] = defaultdict(list)
        for plan, group, check in self._queries():
            if (stem := _stem(group, check)) is not None:
                for target in plan.targets:
                    by_stem[target, stem].append((plan, group, check))
        for (target, _), asked in by_stem.items():
            if self._many(target) is not None:
                flags = tuple(self._about.compiler.names.fresh() for _ in asked)
                where = self._about.pattern(target)
                text = together([check.select for _, _, check in asked], where, flags)
                yield _Shared(self._about, asked, flags, text)

    def _alone(self) -> Iterator[Question]:
        """Yield the other queries within shapes."""
        for plan, group, check in self._queries():
            if _stem(group, check) is None:
                for target in plan.targets:
                    many = self._many(target)
                    if many is None:
                        continue
                    where = group.focus_nodes(self._about.source(target))
                    if check.select.one_by_one:
                        yield _OneByOne(self._about, group, check, plan.shape, where)
                    else:
                        text = check.select.over(where, many)
                        yield _Alone(self._about, group, check, plan.shape, text)

    def _queries(self) -> Iterator[AskedQuery]:
        for plan in self._plans:
            for group in plan.groups:
                for check in group.checks:
                    if isinstance(check, QueryCheck):
                        yield plan, group, check


def _stem(group: Group, check: QueryCheck) -> str | None:
    # A query that is narrowed in some way must run as it is.
    return None if group.chain or type(check.select) is not Select else check.select.stem


@dataclass(frozen=True)
class _Scan:
    """What the tested constraints ask of the nodes of a target.

    Of ``many`` nodes everything is asked together, and some may come that are innocent; few are
    asked one by one, which is quick then.
    """

    about: _About
    target: Target
    asked: list[Asked]
    many: bool
    text: str

    @classmethod
    def of(cls, about: _About, target: Target, asked: list[Asked], many: bool) -> _Scan:
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
                yield from _Scan.of(self.about, self.target, part, self.many)._search()
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


@dataclass(frozen=True)
class _Shared:
    """Queries that share a pattern, at the nodes of a target; a flag says which found a row."""

    about: _About
    asked: list[AskedQuery]
    flags: tuple[str, ...]
    text: str

    def results(self) -> Found:
        for row in self.about.rows(self.text, self.asked[0][1].shape):
            said = {name: term for name, term in row.items() if f"?{name}" not in self.flags}
            for flag, (plan, group, check) in zip(self.flags, self.asked, strict=True):
                if is_true(row[flag[1:]]):
                    yield plan.shape, result_of(group.shape, check, said)


@dataclass(frozen=True)
class _Alone:
    """A query that runs for all nodes of a target at once."""

    about: _About
    group: Group
    check: QueryCheck
    shape: Shape  # whose plan it belongs to
    text: str

    def results(self) -> Found:
        for row in self.about.rows(self.text, self.group.shape):
            yield self.shape, result_of(self.group.shape, self.check, row)


@dataclass(frozen=True)
class _OneByOne:
    """A query that must run for each node of a target by itself."""

    about: _About
    group: Group
    check: QueryCheck
    shape: Shape
    where: str
    text: str = ""

    def results(self) -> Found:
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


def _beyond(error: QueryError) -> str:
    return f"the engine does not take its query: {error.message}"


def _parts(asked: list[Asked]) -> Iterator[list[Asked]]:
    part: list[Asked] = []
    for entry in asked:
        if part and sum(len(e[2]) for e in part) + len(entry[2]) > _MOST_TEXT:
            yield part
            part = []
        part.append(entry)
    if part:
        yield part


def _nameable(source: Source, nodes: set[Term]) -> Iterator[Source]:
    """Narrow a source to some nodes, if they can be named and are few; else leave it."""
    if len(nodes) > _MOST_NODES or any(isinstance(node, ox.BlankNode) for node in nodes):
        yield source
    else:
        listed = " ".join(sorted(map(str, nodes)))
        yield lambda variable: f"VALUES {variable} {{ {listed} }}"
