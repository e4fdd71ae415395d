"""Judging again only the nodes whose results a change in the data can affect.

For each shape, the paths by which it reaches what it looks up are walked backwards from the triples
that changed (``kg.shacl.reads``), in the data as it is now: a node whose judgement looks up no such
triple is judged as it was. What cannot be bounded in this way is judged again as a whole: a query
of the shapes that hangs on nothing known, a component that the shapes define, a blank node.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import pyoxigraph as ox

from kg.engine import Engine, Term
from kg.shacl.compiled import Judgement, plans_of, run
from kg.shacl.compiler import Compiler, Group, Plan
from kg.shacl.constraints import QueryCheck
from kg.shacl.keys import Key, keys
from kg.shacl.paths import Path, to_sparql
from kg.shacl.pattern_reader import read_patterns
from kg.shacl.patterns import TooRichError
from kg.shacl.prebinding import Select
from kg.shacl.probing import rows_of, surroundings
from kg.shacl.reads import (
    RDF_TYPE,
    SUBCLASS_OF,
    Read,
    has_custom,
    joined,
    narrowed,
    only_iris,
    query_reads,
    shape_reads,
    within,
)
from kg.shacl.report import INFO
from kg.shacl.shapes import Shape, ShapesGraph
from kg.shacl.targets import Target

# So many nodes are named in one query.
_AT_ONCE = 1_000
# Beyond so many, all nodes of a target are judged.
_MOST = 20_000


class NotBoundedError(Exception):
    """What a change affects cannot be told, and all must be judged; the text says why."""


class Changed:
    """Triples that came or went, by what they can matter to."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        self._triples = set(triples)

    @cached_property
    def _by_predicate(self) -> dict[str, list[ox.Triple]]:
        found: dict[str, list[ox.Triple]] = defaultdict(list)
        for triple in self._triples:
            found[triple.predicate.value].append(triple)
        return found

    def having(self, predicate: str | None) -> Iterable[ox.Triple]:
        """Return the triples with a predicate; ``None`` is any."""
        return self._triples if predicate is None else self._by_predicate.get(predicate, ())

    def nodes(self, end: str, predicate: str | None) -> Iterator[Term]:
        """Yield the ends of the triples with a predicate: subject, predicate or object."""
        for triple in self.having(predicate):
            node = getattr(triple, end)
            assert not isinstance(node, ox.Triple)
            yield node

    def touch(self, matched: Iterable[Key]) -> bool:
        """Say whether any of them is matched by one of these."""
        return any(
            key.object is None or str(triple.object) == key.object
            for key in matched
            for triple in self.having(key.predicate)
        )


@dataclass(frozen=True)
class _NarrowedSelect(Select):
    """A query that is told which values of one of its variables matter."""

    variable: str
    terms: str

    def over(self, focus_nodes: str, many: bool = False) -> str:
        return narrowed(super().over(focus_nodes, many), self.variable, self.terms)


def judge_changed(engine: Engine, graph: ShapesGraph, changed: Changed) -> Judgement:
    """Judge by the shapes of a graph what changed triples can affect.

    The engine holds the data as it is now. What is found at other nodes by shapes of a severity
    other than ``sh:Info`` was found before. Raises ``NotBoundedError``, and as ``compiled.judge``.
    """
    if any(True for _ in changed.having(SUBCLASS_OF)):
        raise NotBoundedError("the classes have changed")
    compiler = Compiler(graph, surroundings(engine))
    plans, left = plans_of(compiler)
    affected = _Affected(engine, compiler, changed)
    chosen = [part for plan in plans for part in affected.parts(plan)]
    judgement = run(engine, compiler, affected.by_target(chosen), left)
    if judgement.left:
        shape, reason = judgement.left[0]
        raise NotBoundedError(f"{shape.name} is left to pySHACL: {reason}")
    return judgement


@dataclass(frozen=True)
class _Part:
    """Part of a plan, and the nodes to judge by it; without these, all that it targets."""

    plan: Plan
    nodes: frozenset[Term] | None


class _Affected:
    def __init__(self, engine: Engine, compiler: Compiler, changed: Changed) -> None:
        self._engine = engine
        self._compiler = compiler
        self._changed = changed
        self._walked: dict[tuple[Path | None, frozenset[Term]], frozenset[Term]] = {}

    def parts(self, plan: Plan) -> Iterator[_Part]:
        """Yield the parts of a plan that are to be judged again."""
        every = [one for root in (plan.shape,) for one in _nested(root, None)]
        informs = any(shape.severity == INFO for shape, _ in every)
        if informs or any(has_custom(self._compiler, shape) for shape, _ in every):
            yield _Part(plan, None)
            return
        reads = set(shape_reads(plan.shape))
        for shape, way in every:
            for check in self._compiler.checks(shape):
                if not isinstance(check, QueryCheck):
                    continue
                try:
                    reads.update(query_reads(check, way=way))
                except TooRichError:
                    again = self._again(plan, shape, check)
                    yield from again
                    if any(part.plan is plan for part in again):
                        return  # that is all of it
        nodes = self._focus_nodes(reads) | self._targeted(plan.targets)
        if any(isinstance(node, ox.BlankNode) for node in nodes) or len(nodes) > _MOST:
            yield _Part(plan, None)
        else:
            yield _Part(plan, nodes)

    def _again(self, plan: Plan, shape: Shape, check: QueryCheck) -> list[_Part]:
        """Return what judges a query again of which nothing is known that bounds it."""
        try:
            text = "".join(token.text for token in check.select.tokens)
            if not self._changed.touch(keys(read_patterns(text).where)):
                return []
        except TooRichError:
            pass
        groups = [g for g in plan.groups if g.shape == shape and check in g.checks]
        if not groups:
            return [_Part(plan, None)]  # it stands in a shape within
        if all(target.kind == "node" for target in plan.targets):
            narrow = self._by_another_variable(check)
            if narrow is not None:
                return [_Part(_with_checks(plan, groups, narrow), None)]
        return [_Part(_with_checks(plan, groups, [check]), None)]

    def _by_another_variable(self, check: QueryCheck) -> list[QueryCheck] | None:
        """Return a query for those values of a variable only that a change can affect.

        This suits a query about the graph as a whole, which hangs on what it finds instead of on
        the node it is asked for.
        """
        text = "".join(token.text for token in check.select.tokens)
        try:
            projection = read_patterns(text).where.select
        except TooRichError:
            return None
        for variable in sorted((projection and projection.variables) or ()):
            try:
                reads = set(query_reads(check, variable))
                iris = only_iris(check, variable)
            except TooRichError:
                continue
            values = self._focus_nodes(reads)
            if iris:
                values = frozenset(v for v in values if isinstance(v, ox.NamedNode))
            if any(isinstance(v, ox.BlankNode) for v in values) or len(values) > _MOST:
                continue
            return [
                replace(check, select=_NarrowedSelect(check.select.tokens, variable, terms))
                for terms in _listed(values)
            ]
        return None

    def _focus_nodes(self, reads: Iterable[Read]) -> frozenset[Term]:
        """Return the nodes from which the reads come upon a changed triple."""
        ends: dict[Path | None, set[Term]] = defaultdict(set)
        for read in reads:
            ends[read.way].update(self._changed.nodes(read.end, read.predicate))
        found: set[Term] = set()
        for way, nodes in ends.items():
            if nodes:
                found |= self._walk_back(way, frozenset(nodes))
        return frozenset(found)

    def _targeted(self, targets: Iterable[Target]) -> frozenset[Term]:
        """Return the nodes that a changed triple makes, or made, a target."""
        found: set[Term] = set()
        for target in targets:
            name = target.terms[0][1:-1]
            if target.kind == "class":
                classes = self._compiler.classes(ox.NamedNode(name))
                for triple in self._changed.having(RDF_TYPE):
                    if classes is None or triple.object in classes:
                        found.add(triple.subject)  # type: ignore[arg-type]
            elif target.kind in ("subjectsOf", "objectsOf"):
                end = "subject" if target.kind == "subjectsOf" else "object"
                found.update(self._changed.nodes(end, name))
        return frozenset(found)

    def _walk_back(self, way: Path | None, nodes: frozenset[Term]) -> frozenset[Term]:
        # All that is said of a changed blank node has changed, so whoever comes to one has come
        # upon a changed triple before, and if it is a target, a changed triple made it one.
        nodes = frozenset(node for node in nodes if not isinstance(node, ox.BlankNode))
        if way is None or not nodes:
            return nodes
        if (way, nodes) not in self._walked:
            path = to_sparql(way)
            found: set[Term] = set()
            for terms in _listed(nodes):
                text = (
                    f"SELECT DISTINCT ?this WHERE {{ VALUES ?end {{ {terms} }} ?this {path} ?end }}"
                )
                found.update(row["this"] for row in rows_of(self._engine, text) if row["this"])
            self._walked[way, nodes] = frozenset(found)
        return self._walked[way, nodes]

    def by_target(self, parts: list[_Part]) -> list[Plan]:
        """Return plans whose targets are narrowed to the nodes that matter.

        Plans of the same target are narrowed to the same nodes, so that they share their scans.
        """
        nodes: dict[Target, set[Term]] = defaultdict(set)
        for part in parts:
            for target in part.plan.targets:
                nodes[target] |= part.nodes or set()
        targets = {target: self._among(target, frozenset(some)) for target, some in nodes.items()}
        plans = []
        for part in parts:
            plan = part.plan
            if part.nodes is not None:
                found = tuple(new for target in plan.targets for new in targets[target])
                plan = replace(plan, targets=found)
            plans.append(plan)
        return plans

    def _among(self, target: Target, nodes: frozenset[Term]) -> tuple[Target, ...]:
        """Return targets for those of some nodes that a target has."""
        if target.kind == "node":
            wanted = set(target.terms) & {str(node) for node in nodes}
            return (Target("node", tuple(sorted(wanted))),) if wanted else ()
        if target.kind == "class":
            pattern = target.pattern(self._compiler, "?this")
        else:
            ends = "?this", "?other"
            subject, object = ends if target.kind == "subjectsOf" else reversed(ends)
            pattern = f"{subject} {target.terms[0]} {object} ."
        found: list[Target] = []
        for terms in _listed(nodes):
            text = f"SELECT DISTINCT ?this WHERE {{ VALUES ?this {{ {terms} }} {pattern} }}"
            these = sorted(str(row["this"]) for row in rows_of(self._engine, text))
            if these:
                found.append(Target("node", tuple(these)))
        return tuple(found)


def _nested(shape: Shape, way: Path | None) -> Iterator[tuple[Shape, Path | None]]:
    """Yield a shape and those within, each with the way to the nodes that it judges."""
    if shape.deactivated:
        return
    yield shape, way
    values = way if shape.path is None else joined(way, shape.path)
    for inner in within(shape):
        yield from _nested(inner, values)


def _with_checks(plan: Plan, groups: list[Group], checks: list[QueryCheck]) -> Plan:
    return replace(plan, groups=tuple(replace(group, checks=tuple(checks)) for group in groups))


def _listed(nodes: Iterable[Term]) -> Iterator[str]:
    """Yield nodes as SPARQL, some at a time."""
    terms = sorted(map(str, nodes))
    for first in range(0, len(terms), _AT_ONCE):
        yield " ".join(terms[first : first + _AT_ONCE])
