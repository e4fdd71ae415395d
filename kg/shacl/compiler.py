"""From shapes to SPARQL.

Every constraint becomes an expression that is true of a violation. A target is then scanned once:
one query asks all expressions of all shapes that choose these nodes, and answers with the nodes
and the groups of constraints that found something. A group is what one shape asks of one path.
Only for a group that found something a second query asks for the values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import pyoxigraph as ox

from kg.engine import Term
from kg.shacl.components import COMPONENTS
from kg.shacl.conditions import FALSE, any_of, exists
from kg.shacl.constraints import Check, Compiling, FocusCheck, QueryCheck, RowCheck, ValueCheck
from kg.shacl.expressions import Names, reach, some_value
from kg.shacl.kept import KEPT, keep_term
from kg.shacl.paths import Path
from kg.shacl.selection import found
from kg.shacl.shapes import Node, NotCompilableError, Shape, ShapesGraph
from kg.shacl.targets import Target, targets_of

# Shapes within shapes are written out wherever they are used, which may double at each level.
_MOST_TEXT = 100_000

# Nodes to judge, by a pattern over a variable.
Source = Callable[[str], str]


@dataclass(frozen=True)
class Surroundings:
    """What the compiler must know of the engine and its data.

    ``classes`` tells a class with its subclasses; ``regex`` whether the engine can use a regular
    expression with these flags; ``rewrites`` whether it stores a literal in another form, which
    then is all it can find. ``kept`` says that such literals are kept as written, ``one_graph``
    that no triple can be in two graphs.
    """

    classes: Callable[[ox.NamedNode], tuple[ox.NamedNode, ...] | None] = lambda _: None
    regex: Callable[[str, str], bool] = lambda _pattern, _flags: True
    rewrites: Callable[[ox.Literal], bool] = lambda _: False
    kept: bool = False
    one_graph: bool = False


class Compiler:
    """Compiles the shapes of one shapes graph; what components ask for is ``Compiling``."""

    def __init__(self, graph: ShapesGraph, surroundings: Surroundings | None = None) -> None:
        self.graph = graph
        self.names = Names(literal.value for literal in graph.literals())
        self._surroundings = surroundings or Surroundings()
        self._open: list[Node] = []
        self._checks: dict[Node, tuple[Check, ...]] = {}

    def checks(self, shape: Shape) -> tuple[Check, ...]:
        """Return the constraints of a shape itself, without nested property shapes."""
        if shape.node not in self._checks:
            found = tuple(c for component in COMPONENTS for c in component(self, shape))
            self._checks[shape.node] = found
        return self._checks[shape.node]

    def violates(self, shape: Shape, node: str) -> str:
        """Return an expression: whether a node does not conform to a shape."""
        if shape.deactivated:
            return FALSE
        with _Opened(self._open, shape):
            parts = [violation(self, shape, self.checks(shape), node)]
            for inner in shape.shapes("property"):

                def nested(value: str, inner: Shape = inner) -> str:
                    return self.violates(inner, value)

                parts.append(some_value(self.names, node, shape.path, nested))
        expression = any_of(parts)
        if len(expression) > _MOST_TEXT:
            raise NotCompilableError("shapes within shapes make too long a query")
        return expression

    def classes(self, name: ox.NamedNode) -> tuple[ox.NamedNode, ...] | None:
        """Return a class and its subclasses; ``None`` if a path must look them up."""
        return self._surroundings.classes(name)

    def constant(self, term: Term) -> str | None:
        """Return a term of the shapes as SPARQL; ``None`` if no term of the data can equal it."""
        if isinstance(term, ox.BlankNode):
            return None
        if self._surroundings.kept:
            return str(keep_term(term))
        if isinstance(term, ox.Literal) and self._surroundings.rewrites(term):
            return None
        return str(term)

    def literal(self, value: str) -> str:
        """Return an expression for a node as what it means, for comparing it with others."""
        if not self._surroundings.kept:
            return value
        datatype = f"STR(DATATYPE({value}))"
        meant = f'STRDT(STR({value}), IRI(STRAFTER({datatype}, "{KEPT}")))'
        return f'IF(isLiteral({value}) && STRSTARTS({datatype}, "{KEPT}"), {meant}, {value})'

    def datatypes(self, iri: str) -> tuple[str, ...]:
        """Return the IRIs under which literals of a datatype are stored."""
        return (iri, KEPT + iri) if self._surroundings.kept else (iri,)

    def require_regex(self, pattern: str, flags: str) -> None:
        """Raise ``NotCompilableError`` if the engine cannot use a regular expression."""
        if not self._surroundings.regex(pattern, flags):
            raise NotCompilableError(f"the engine cannot use the pattern {pattern}")

    def require_one_graph(self, what: str) -> None:
        """Raise ``NotCompilableError`` if a triple may come twice, from two graphs."""
        if not self._surroundings.one_graph:
            raise NotCompilableError(f"{what}, and triples may be in more than one graph")

    def require_written_as_is(self, what: str) -> None:
        """Raise ``NotCompilableError`` if the store holds literals that a query cannot read."""
        if self._surroundings.kept:
            raise NotCompilableError(f"{what} would not know literals that are kept as written")

    def plan(self, shape: Shape) -> Plan:
        """Compile a shape that has targets. Raises ``NotCompilableError``."""
        targets = tuple(targets_of(self, shape))
        groups = tuple(self._groups(shape, ()))
        plan = Plan(shape, targets, groups)
        plan.rehearse()
        return plan

    def _groups(self, shape: Shape, chain: tuple[Path, ...]) -> Iterator[Group]:
        if shape.deactivated:
            return
        with _Opened(self._open, shape):
            yield Group(self, shape, chain, self.checks(shape))
            further = chain if shape.path is None else (*chain, shape.path)
            for inner in shape.shapes("property"):
                if inner.path is None:
                    raise self.graph.unusable("sh:property needs a property shape", shape.node)
                yield from self._groups(inner, further)


class _Opened:
    """Refuses a shape that is already being compiled: it would contain itself."""

    def __init__(self, nodes: list[Node], shape: Shape) -> None:
        self._nodes, self._shape = nodes, shape

    def __enter__(self) -> None:
        if self._shape.node in self._nodes:
            raise NotCompilableError(f"recursion through {self._shape.name}")
        self._nodes.append(self._shape.node)

    def __exit__(self, *_: object) -> None:
        self._nodes.pop()


def violation(compiling: Compiling, shape: Shape, checks: tuple[Check, ...], focus: str) -> str:
    """Return whether any of the constraints of a shape is violated at a focus node."""
    names = compiling.names
    values = [check for check in checks if isinstance(check, ValueCheck)]
    parts = [
        some_value(
            names, focus, shape.path, lambda v: any_of(check.bad(focus, v) for check in values)
        )
    ]
    for check in checks:
        if isinstance(check, FocusCheck):
            parts.append(check.bad(focus))
        elif isinstance(check, RowCheck):

            def some_row(node: str, check: RowCheck = check) -> str:
                return exists(check.rows(node, names.fresh(), names.fresh()))

            path = shape.path if check.of_values else None
            parts.append(some_value(names, focus, path, some_row))
        elif isinstance(check, QueryCheck):
            parts.append(f"EXISTS {check.select.inside(names, {'this': focus})}")
    return any_of(parts)


@dataclass(frozen=True)
class Group:
    """The constraints of one shape, at the end of a chain of paths from the nodes of a target."""

    compiler: Compiler
    shape: Shape
    chain: tuple[Path, ...]
    checks: tuple[Check, ...]

    @cached_property
    def tested(self) -> tuple[Check, ...]:
        """The constraints that are part of the scan; queries that somebody wrote run apart."""
        return tuple(check for check in self.checks if not isinstance(check, QueryCheck))

    def found_something(self, root: str) -> str:
        """Return whether any tested constraint is violated, from a node of the target."""
        return self._along(self.chain, root)

    def _along(self, chain: tuple[Path, ...], node: str) -> str:
        if not chain:
            return violation(self.compiler, self.shape, self.tested, node)
        names = self.compiler.names
        return some_value(names, node, chain[0], lambda v: self._along(chain[1:], v))

    def focus_nodes(self, source: Source) -> str:
        """Return a pattern that binds ``?this`` to the focus nodes of this group."""
        if not self.chain:
            return source("?this")
        variable = self.compiler.names.fresh()
        pattern = source(variable)
        for place, path in enumerate(self.chain, start=1):
            last = place == len(self.chain)
            following = "?this" if last else self.compiler.names.fresh()
            pattern = reach(pattern, self.compiler.names, variable, path, following)
            variable = following
        return pattern

    def details(self, source: Source) -> Iterator[tuple[tuple[Check, ...], str]]:
        """Yield queries for what was found, each with the checks that its flags stand for."""
        names, path = self.compiler.names, self.shape.path
        values = tuple(check for check in self.tested if isinstance(check, ValueCheck))
        if values:
            value = "?this" if path is None else "?value"
            where = self.focus_nodes(source)
            if path is not None:
                where = reach(where, names, "?this", path, "?value")
            yield (
                values,
                flagged(names, where, ["?this", value], [c.bad("?this", value) for c in values]),
            )
        wholes = tuple(check for check in self.tested if isinstance(check, FocusCheck))
        if wholes:
            where = self.focus_nodes(source)
            yield wholes, flagged(names, where, ["?this"], [c.bad("?this") for c in wholes])
        for check in self.tested:
            if isinstance(check, RowCheck):
                where, node = self.focus_nodes(source), "?this"
                if check.of_values and path is not None:
                    node = names.fresh()
                    where = reach(where, names, "?this", path, node)
                rows = check.rows(node, "?value", "?path")
                yield (check,), f"SELECT DISTINCT ?this ?value ?path WHERE {{ {where} {rows} }}"


def flagged(names: Names, where: str, columns: list[str], expressions: list[str]) -> str:
    """Return a query for the rows where any of some expressions is true, and which are."""
    flags = [f"?flag_{number}" for number in range(len(expressions))]
    binds = " ".join(
        f"BIND ({expression} AS {flag})"
        for expression, flag in zip(expressions, flags, strict=True)
    )
    shown = " ".join(dict.fromkeys(columns + flags))
    found = " || ".join(flags)
    return names.few(f"SELECT DISTINCT {shown} WHERE {{ {where} {binds} FILTER ({found}) }}")


def screened(names: Names, source: str, holds: str, conditions: list[str]) -> str:
    """Return a query for nodes of a source where a condition may hold, with its number.

    It asks the same of all nodes at once, and pays where they are many. ``source`` binds
    ``?this``; ``holds`` says whether what ``?this`` is bound to is one of its nodes. What is found
    is to be asked again, since some nodes may come of which the condition does not hold.
    """
    inside: list[str] = []
    anywhere: list[str] = []
    for number, condition in enumerate(conditions):
        for pattern, of_source in found("?this", source, condition):
            part = f"{{ SELECT ?this ({number} AS ?flag) WHERE {{ {pattern} }} }}"
            (inside if of_source else anywhere).append(part)
    if anywhere:
        # Grouped before the nodes of the source are picked out: else all would be looked up, not
        # just the few that are found.
        grouped = (
            f"{{ SELECT ?this ?flag WHERE {{ {' UNION '.join(anywhere)} }} GROUP BY ?this ?flag }}"
        )
        inside.append(f"{{ {grouped} FILTER ({holds}) }}")
    return names.few(f"SELECT DISTINCT ?this ?flag WHERE {{ {' UNION '.join(inside)} }}")


@dataclass(frozen=True)
class Plan:
    """A compiled shape: what it targets, and its groups of constraints."""

    shape: Shape
    targets: tuple[Target, ...]
    groups: tuple[Group, ...]

    def rehearse(self) -> None:
        """Write every query once, so that what cannot be compiled is known before any runs."""
        for group in self.groups:
            group.found_something("?this")
            for _ in group.details(lambda variable: f"VALUES {variable} {{ }}"):
                pass
