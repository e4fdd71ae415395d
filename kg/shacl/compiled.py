"""The compiled engine: judges where the data lives, by queries alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyoxigraph as ox

from kg.engine import Engine, Term
from kg.errors import QueryError
from kg.shacl.compiler import Compiler, Group, Plan, Source, flagged, screened
from kg.shacl.conditions import FALSE
from kg.shacl.constraints import Check, QueryCheck, ValueCheck, filled
from kg.shacl.kept import written
from kg.shacl.paths import Predicate, described, to_text
from kg.shacl.prebinding import Select, together
from kg.shacl.probing import Row, rows_of, surroundings
from kg.shacl.report import Result
from kg.shacl.shapes import NotCompilableError, Shape, ShapesGraph
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

# Why a shape is left to another engine that Python itself gives up on.
TOO_DEEP = "shapes are nested too deeply"

# A group of constraints, with the expression that is true where it finds something.
Asked = tuple[Plan, Group, str]
# A query within a shape, with the group it stands in.
AskedQuery = tuple[Plan, Group, QueryCheck]


@dataclass(frozen=True)
class Judgement:
    """Results in no order and without places, and the shapes that were left, with the reason."""

    results: tuple[Result, ...]
    judged: tuple[Shape, ...]
    left: tuple[tuple[Shape, str], ...]


def judge(
    engine: Engine, graph: ShapesGraph, kept: bool = False, one_graph: bool = False
) -> Judgement:
    """Judge what an engine holds by the shapes of a graph.

    ``kept`` says that the data was loaded through ``kg.shacl.kept``, ``one_graph`` that it is all
    in one graph. Raises ``UnusableShapesError`` for shapes that are not SHACL, and whatever the
    engine raises.
    """
    compiler = Compiler(graph, surroundings(engine, kept, one_graph))
    return run(engine, compiler, *plans_of(compiler))


def plans_of(compiler: Compiler) -> tuple[list[Plan], dict[Shape, str]]:
    """Compile every shape that has targets; return the plans, and why others have none."""
    plans: list[Plan] = []
    left: dict[Shape, str] = {}
    for shape in compiler.graph.roots:
        try:
            plans.append(compiler.plan(shape))
        except NotCompilableError as error:
            left[shape] = str(error)
        except RecursionError:
            left[shape] = TOO_DEEP
    return plans, left


def run(engine: Engine, compiler: Compiler, plans: list[Plan], left: dict[Shape, str]) -> Judgement:
    """Judge by plans; shapes that turn out to be beyond the engine join those ``left``.

    Raises as ``judge``.
    """
    run = _Run(engine, compiler, left)
    found: dict[Shape, list[Result]] = {plan.shape: [] for plan in plans}
    by_target = _by_target(plans)
    run.measure(dict.fromkeys(target for plan in plans for target in plan.targets))
    for target, chosen in by_target.items():
        for shape, result in run.scan(target, chosen):
            found[shape].append(result)
    for (target, _), asked in _by_stem(plans).items():
        for shape, result in run.ask_together(target, asked):
            found[shape].append(result)
    for plan in plans:
        try:
            found[plan.shape] += run.ask(plan)
        except NotCompilableError as error:
            left[plan.shape] = str(error)
    judged = tuple(shape for shape in found if shape not in left)
    # What was found before a shape turned out to be beyond the engine will be found again.
    results = {result: None for shape in judged for result in found[shape]}
    return Judgement(tuple(results), judged, tuple(left.items()))


def _by_target(plans: list[Plan]) -> dict[Target, list[tuple[Plan, Group]]]:
    chosen: dict[Target, list[tuple[Plan, Group]]] = defaultdict(list)
    for plan in plans:
        for target in plan.targets:
            chosen[target] += [(plan, group) for group in plan.groups if group.tested]
    return chosen


def _by_stem(plans: list[Plan]) -> dict[tuple[Target, str], list[AskedQuery]]:
    """Return the queries that can be asked together, by their target and what they share."""
    found: dict[tuple[Target, str], list[AskedQuery]] = defaultdict(list)
    for plan in plans:
        for group in plan.groups:
            for check in group.checks:
                if isinstance(check, QueryCheck) and (stem := _stem(group, check)) is not None:
                    for target in plan.targets:
                        found[target, stem].append((plan, group, check))
    return found


def _stem(group: Group, check: QueryCheck) -> str | None:
    # A query that is narrowed in some way must run as it is.
    return None if group.chain or type(check.select) is not Select else check.select.stem


def _source(compiler: Compiler, target: Target) -> Source:
    return lambda variable: target.pattern(compiler, variable)


class _Run:
    def __init__(self, engine: Engine, compiler: Compiler, left: dict[Shape, str]) -> None:
        self._engine = engine
        self._compiler = compiler
        self._left = left
        self._sizes: dict[Target, int] = {}

    def scan(
        self, target: Target, chosen: list[tuple[Plan, Group]]
    ) -> Iterator[tuple[Shape, Result]]:
        """Yield what the tested constraints find at the nodes of a target."""
        source = _source(self._compiler, target)
        many = self._many(target)
        if many is None:
            return
        asked = [(plan, group, group.found_something("?this")) for plan, group in chosen]
        asked = [entry for entry in asked if entry[2] != FALSE]
        for part in _parts(asked):
            for (plan, group, _), nodes in self._search(target, part, many):
                try:
                    for result in self._details(group, source, nodes):
                        yield plan.shape, result
                except QueryError as error:
                    self._left[plan.shape] = _beyond(error)

    def _search(
        self, target: Target, asked: list[Asked], many: bool
    ) -> Iterator[tuple[Asked, set[Term]]]:
        """Yield what found something, and at which nodes; of ``many`` nodes, some others too."""
        at: dict[int, set[Term]] = defaultdict(set)
        try:
            for number, node in (self._screen if many else self._scan)(target, asked):
                at[number].add(node)
        except QueryError as error:
            if len(asked) == 1:
                self._left[asked[0][0].shape] = _beyond(error)
                return
            half = len(asked) // 2
            yield from self._search(target, asked[:half], many)
            yield from self._search(target, asked[half:], many)
            return
        for number, nodes in at.items():
            yield asked[number], nodes

    def _scan(self, target: Target, asked: list[Asked]) -> Iterator[tuple[int, Term]]:
        """Ask everything of each node, which is quick where there are few."""
        source = target.pattern(self._compiler, "?this")
        expressions = [expression for _, _, expression in asked]
        text = flagged(self._compiler.names, source, ["?this"], expressions)
        for row in rows_of(self._engine, text):
            for number in range(len(asked)):
                if _is_true(row[f"flag_{number}"]) and (node := row["this"]) is not None:
                    yield number, node

    def _screen(self, target: Target, asked: list[Asked]) -> Iterator[tuple[int, Term]]:
        """Ask everything of all nodes together, which is quick where there are many."""
        source = target.pattern(self._compiler, "?this")
        holds = target.holds(self._compiler, "?this")
        conditions = [expression for _, _, expression in asked]
        text = screened(self._compiler.names, source, holds, conditions)
        for row in rows_of(self._engine, text):
            number, node = row["flag"], row["this"]
            if isinstance(number, ox.Literal) and node is not None:
                yield int(number.value), node

    def _has_nodes(self, target: Target) -> bool:
        return self._many(target) is not None

    def _many(self, target: Target) -> bool | None:
        """Say whether a target has many nodes; ``None`` if it has none."""
        size = self._sizes.get(target, 1)
        many = max(_FEW_NODES, max(self._sizes.values(), default=0) // _RARE)
        return size > many if size else None

    def measure(self, targets: Iterable[Target]) -> None:
        """Count the nodes of targets, in few queries."""
        counted = [target for target in targets if target.kind != "node"]
        for first in range(0, len(counted), _MOST_COUNTED):
            counts = " UNION ".join(
                f"{{ SELECT ({number} AS ?target) (COUNT(*) AS ?size) "
                f"WHERE {{ {target.pattern(self._compiler, '?this')} }} }}"
                for number, target in enumerate(counted[first : first + _MOST_COUNTED], first)
            )
            for row in rows_of(self._engine, f"SELECT ?target ?size WHERE {{ {counts} }}"):
                target, size = row["target"], row["size"]
                if isinstance(target, ox.Literal) and isinstance(size, ox.Literal):
                    self._sizes[counted[int(target.value)]] = int(size.value)

    def _details(self, group: Group, source: Source, nodes: set[Term]) -> Iterator[Result]:
        for few in _nameable(source, nodes):
            for checks, text in group.details(few):
                for row in rows_of(self._engine, text):
                    for number, check in enumerate(checks):
                        if f"flag_{number}" not in row or _is_true(row[f"flag_{number}"]):
                            yield _result(group.shape, check, row)

    def ask(self, plan: Plan) -> Iterator[Result]:
        """Yield what the queries within a shape find."""
        for group in plan.groups:
            for check in group.checks:
                if isinstance(check, QueryCheck) and _stem(group, check) is None:
                    for target in filter(self._has_nodes, plan.targets):
                        yield from self._ask(group, check, target)

    def ask_together(
        self, target: Target, asked: list[AskedQuery]
    ) -> Iterator[tuple[Shape, Result]]:
        """Yield what queries that share a pattern find at the nodes of a target."""
        if not self._has_nodes(target):
            return
        flags = [self._compiler.names.fresh() for _ in asked]
        where = target.pattern(self._compiler, "?this")
        text = together([check.select for _, _, check in asked], where, flags)
        for row in self._rows(text, asked[0][1].shape):
            said = {name: term for name, term in row.items() if f"?{name}" not in flags}
            for flag, (plan, group, check) in zip(flags, asked, strict=True):
                if _is_true(row[flag[1:]]):
                    yield plan.shape, _result(group.shape, check, said)

    def _ask(self, group: Group, check: QueryCheck, target: Target) -> Iterator[Result]:
        where = group.focus_nodes(_source(self._compiler, target))
        if not check.select.one_by_one:
            for row in self._answer(group, check, where, bool(self._many(target))):
                yield _result(group.shape, check, row)
            return
        nodes = {
            row["this"]: None
            for row in rows_of(self._engine, f"SELECT DISTINCT ?this WHERE {{ {where} }}")
        }
        for node in nodes:
            if node is None or isinstance(node, ox.BlankNode):
                raise NotCompilableError("a query must run for each node, and one has no name")
        for node in nodes:
            for row in self._answer(group, check, f"VALUES ?this {{ {node} }}"):
                yield _result(group.shape, check, {"this": node, **_bound(row)})

    def _answer(
        self, group: Group, check: QueryCheck, where: str, many: bool = False
    ) -> Iterator[Row]:
        yield from self._rows(check.select.over(where, many), group.shape)

    def _rows(self, text: str, shape: Shape) -> Iterator[Row]:
        try:
            for row in rows_of(self._engine, text):
                if _is_true(row.get("failure")):
                    raise shape.graph.unusable("a query reported a failure", shape.node)
                yield row
        except QueryError as error:
            what = f"a query of the shapes is malformed: {error}"
            raise shape.graph.unusable(what, shape.node) from error


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


def _is_true(term: Term | None) -> bool:
    return isinstance(term, ox.Literal) and term.value == "true"


def _bound(row: Row) -> dict[str, Term]:
    return {name: term for name, term in row.items() if term is not None}


def _result(shape: Shape, check: Check, row: Row) -> Result:
    bound = {name: written(term) for name, term in _bound(row).items()}
    focus = bound["this"]
    path, path_node = shape.path, shape.path_node
    told = bound.get("path")
    if isinstance(told, ox.NamedNode):
        path, path_node = Predicate(told.value), told
    value = bound.get("value")
    if value is None and isinstance(check, ValueCheck | QueryCheck) and shape.path is None:
        value = focus
    source = check.source if isinstance(check, QueryCheck) else None
    messages = _messages(shape, check, bound, value)
    return Result(
        focus=focus,
        shape=shape.name,
        component=check.component,
        severity=shape.severity,
        message=" ".join(sorted({message.value for message in messages})) or check.message,
        messages=messages,
        path=None if path is None else to_text(path),
        value=value,
        constraint=source.value if isinstance(source, ox.NamedNode) else None,
        within=shape.graph.holder(shape.node),
        path_node=path_node,
        path_triples=tuple(described(shape.graph, path_node)),
    )


def _messages(
    shape: Shape, check: Check, bound: dict[str, Term], value: Term | None
) -> tuple[ox.Literal, ...]:
    """Return what the shapes, or a query in them, say of a result; nothing if they do not."""
    if not isinstance(check, QueryCheck | ValueCheck) or (
        isinstance(check, ValueCheck) and not check.messages
    ):
        return shape.messages
    told = dict(bound)
    if value is not None:
        told["value"] = value
    # A query that binds ?message says so instead of the constraint that it stands in.
    own = told.get("message") if isinstance(check, QueryCheck) else None
    more = (own,) if isinstance(own, ox.Literal) else check.messages
    found = {filled(message, told): None for message in (*shape.messages, *more)}
    return tuple(sorted(found, key=str))
