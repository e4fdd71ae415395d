"""Choosing who judges: the compiled engine, pySHACL, or both against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeVar

import pyoxigraph as ox

from kg.embedded import EmbeddedEngine
from kg.engine import Engine
from kg.namespaces import expand
from kg.shacl import compiled
from kg.shacl.agree import Difference, differences
from kg.shacl.kept import keep, keep_term
from kg.shacl.report import SH, Judged, Result
from kg.shacl.shapes import Node, ShapesGraph, UnusableShapesError

Statements = Sequence[ox.Quad | ox.Triple]
Statement = TypeVar("Statement", ox.Quad, ox.Triple, ox.Quad | ox.Triple)
EngineName = Literal["compiled", "pyshacl", "both"]

_ALL = ox.NamedNode("urn:x-counterclaim:all")
_TARGETS = {
    SH + name for name in ("targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf")
}


class Data:
    """What is judged: in an engine, or as statements that are loaded into one when needed."""

    def __init__(
        self, statements: Callable[[], Iterable[ox.Quad | ox.Triple]], engine: Engine | None = None
    ) -> None:
        self._statements = statements
        self._engine = engine

    @cached_property
    def statements(self) -> Statements:
        """All that is stated, for an engine that wants to hold it."""
        return list(self._statements())

    @cached_property
    def _kept(self) -> tuple[list[ox.Quad], bool]:
        return keep(ox.Quad(s.subject, s.predicate, s.object, _ALL) for s in self.statements)

    @property
    def keeps(self) -> bool:
        """Whether some literals had to be kept from being rewritten by the store."""
        return self._kept[1]

    @cached_property
    def place(self) -> tuple[Engine, bool]:
        """An engine that holds it, and whether it was made for that: everything in one graph."""
        if self._engine is not None:
            return self._engine, False
        engine = EmbeddedEngine.memory()
        engine.add(self._kept[0])
        return engine, True


@dataclass(frozen=True)
class Judgement:
    """Results in no order and without places, who judged what, and where two disagreed."""

    results: tuple[Result, ...]
    judged: tuple[Judged, ...]
    differences: tuple[Difference, ...] = ()


def judge(data: Data, shapes: Statements, engine: EngineName) -> Judgement:
    """Judge data by shapes. Raises ``UnusableShapesError``, and whatever the data's engine raises.

    What the compiled engine cannot compile, pySHACL judges.
    """
    graph = ShapesGraph(shapes)
    if engine == "pyshacl":
        return Judgement(
            tuple(_reference(data, shapes)),
            tuple(Judged(shape.name, "pyshacl") for shape in graph.roots),
        )
    place, own = data.place
    # The literals of the shapes are looked for in the data, so they must be kept as well.
    kept = own and (data.keeps or any(keep_term(term) != term for term in graph.literals()))
    found = compiled.judge(place, graph, kept, own)
    results = [*found.results]
    left = {shape.node for shape, _ in found.left}
    if left:
        try:
            results += _reference(data, _only(left, shapes, graph))
        except UnusableShapesError as error:
            shape, reason = found.left[0]
            raise UnusableShapesError(
                f"{error}; pySHACL judged <{shape.name}>, since {reason}", shape.node
            ) from error
    judged = [Judged(shape.name, "compiled") for shape in found.judged]
    judged += [Judged(shape.name, "pyshacl", reason) for shape, reason in found.left]
    judgement = Judgement(tuple(results), tuple(sorted(judged)))
    if engine == "compiled":
        return judgement
    other = tuple(_reference(data, shapes))
    differing = differences(("compiled", results), ("pyshacl", other), graph)
    return Judgement(judgement.results, judgement.judged, differing)


def _reference(data: Data, shapes: Statements) -> list[Result]:
    from kg.shacl.reference import judge

    return judge(data.statements, shapes)


def _only(nodes: set[Node], shapes: Statements, graph: ShapesGraph) -> Statements:
    """Return shapes of which only some still have targets."""
    return without_targets({shape.node for shape in graph.roots} - nodes, shapes, graph)


def without_targets(
    nodes: set[Node], shapes: Iterable[Statement], graph: ShapesGraph
) -> list[Statement]:
    """Return shapes of which some have no targets any more."""
    type = expand("rdf:type")

    def targets(statement: ox.Quad | ox.Triple) -> bool:
        predicate = statement.predicate.value
        return statement.subject in nodes and (
            predicate in _TARGETS or (predicate == type and statement.object in graph.metaclasses)
        )

    return [statement for statement in shapes if not targets(statement)]
