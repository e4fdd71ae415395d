"""A shapes graph read into shapes: what they are called, what they target, what they ask for.

What makes a node a shape: https://www.w3.org/TR/shacl/#shapes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import pyoxigraph as ox

from kg.engine import Term
from kg.namespaces import PREFIXES, expand
from kg.shacl.paths import Path, read_path

SH = PREFIXES["sh"]
_RDF = PREFIXES["rdf"]
_RDFS = PREFIXES["rdfs"]
_TRUE = ox.Literal(True)
_TARGETS = ("targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf")

Node = ox.NamedNode | ox.BlankNode


class UnusableShapesError(Exception):
    """The shapes are not SHACL, or an engine could not work with them; the text says why.

    ``node`` is the shape, or the part of one, that is meant, if it is known.
    """

    def __init__(self, text: str, node: Node | None = None) -> None:
        super().__init__(text)
        self.node = node


class NotCompilableError(Exception):
    """A shape means something that no query can say; the text says what."""


@dataclass(frozen=True)
class Shape:
    """A node shape, or a property shape if it has a ``path``."""

    node: Node
    path: Path | None
    path_node: Node | None
    severity: str
    messages: tuple[ox.Literal, ...]
    deactivated: bool
    graph: ShapesGraph = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Its IRI, or ``_:`` and the name of its blank node."""
        return self.node.value if isinstance(self.node, ox.NamedNode) else str(self.node)

    def values(self, name: str) -> tuple[Term, ...]:
        """Return what the shape says by a property in the namespace of SHACL."""
        return self.graph.values(self.node, SH + name)

    def one(self, name: str) -> Term | None:
        """Return the only value of a property, if there is one; raise if there are more."""
        values = self.values(name)
        if len(values) > 1:
            raise self.graph.unusable(f"more than one sh:{name}", self.node)
        return values[0] if values else None

    def number(self, name: str) -> int | None:
        """Return the only value of a property, which must be an integer from 0."""
        value = self.one(name)
        if value is None:
            return None
        if not (isinstance(value, ox.Literal) and value.value.lstrip("+").isdecimal()):
            raise self.graph.unusable(f"sh:{name} must be an integer from 0", self.node)
        return int(value.value)

    def truth(self, name: str) -> bool:
        """Say whether a property is ``true``, written so: the standard speaks of that term."""
        value = self.one(name)
        if value is not None and not isinstance(value, ox.Literal):
            raise self.graph.unusable(f"sh:{name} must be true or false", self.node)
        return value == _TRUE

    def iris(self, name: str) -> tuple[ox.NamedNode, ...]:
        """Return the values of a property, which must all be IRIs."""
        values = self.values(name)
        if not all(isinstance(value, ox.NamedNode) for value in values):
            raise self.graph.unusable(f"sh:{name} must be an IRI", self.node)
        return tuple(value for value in values if isinstance(value, ox.NamedNode))

    def shapes(self, name: str) -> tuple[Shape, ...]:
        """Return the shapes that a property points to."""
        return tuple(self.graph.shape(value) for value in self.values(name))

    def shape_lists(self, name: str) -> tuple[tuple[Shape, ...], ...]:
        """Return the lists of shapes that a property points to."""
        lists = [self.graph.members(value) for value in self.values(name)]
        if not all(lists):
            raise self.graph.unusable(f"sh:{name} must be a list of shapes", self.node)
        return tuple(tuple(self.graph.shape(member) for member in members) for members in lists)


class ShapesGraph:
    """Everything that a shapes graph says, by subject."""

    def __init__(self, statements: Iterable[ox.Quad | ox.Triple]) -> None:
        self._by_subject: dict[Term, dict[str, list[Term]]] = defaultdict(dict)
        for statement in statements:
            assert not isinstance(statement.subject, ox.Triple)
            if isinstance(statement.object, ox.Triple):
                node = statement.subject if isinstance(statement.subject, ox.NamedNode) else None
                raise UnusableShapesError("SHACL knows no triple terms", node)
            values = self._by_subject[statement.subject].setdefault(statement.predicate.value, [])
            if statement.object not in values:
                values.append(statement.object)
        self._shapes: dict[Node, Shape] = {}

    def values(self, node: object, predicate: str) -> tuple[Term, ...]:
        """Return the values of a property, in the order in which they were read."""
        return tuple(self._by_subject.get(node, {}).get(predicate, ()))  # type: ignore[call-overload]

    def properties(self, node: Node) -> Iterator[tuple[ox.NamedNode, Term]]:
        """Yield what is said of a node."""
        for predicate, values in self._by_subject.get(node, {}).items():
            for value in values:
                yield ox.NamedNode(predicate), value

    def messages(self, node: Node) -> tuple[ox.Literal, ...]:
        """Return the messages that a shape, a constraint or a validator states, sorted."""
        found = self.values(node, SH + "message")
        return tuple(sorted((m for m in found if isinstance(m, ox.Literal)), key=str))

    def subjects(self, predicate: str, value: Term | None = None) -> Iterator[Node]:
        """Yield the nodes with a property, or with this value of it."""
        for node in self._by_predicate.get(predicate, ()):
            if value is None or value in self._by_subject[node][predicate]:
                assert not isinstance(node, ox.Literal)
                yield node

    @cached_property
    def _by_predicate(self) -> dict[str, list[Term]]:
        found: dict[str, list[Term]] = defaultdict(list)
        for node, properties in self._by_subject.items():
            for predicate in properties:
                found[predicate].append(node)
        return found

    def literals(self) -> Iterator[ox.Literal]:
        """Yield every literal."""
        for properties in self._by_subject.values():
            for values in properties.values():
                yield from (value for value in values if isinstance(value, ox.Literal))

    def holder(self, node: Node) -> str | None:
        """Return the nearest node with a name that holds one without."""
        seen: set[Term] = set()
        holder: Node | None = node
        while isinstance(holder, ox.BlankNode) and holder not in seen:
            seen.add(holder)
            holder = self._holders.get(holder)
        return holder.value if isinstance(holder, ox.NamedNode) and seen else None

    @cached_property
    def _holders(self) -> dict[Term, Node]:
        return {
            value: node
            for node, properties in reversed(self._by_subject.items())
            for values in properties.values()
            for value in values
            if isinstance(value, ox.BlankNode) and not isinstance(node, ox.Literal)
        }

    def is_list(self, node: Node) -> bool:
        """Say whether a node begins a list."""
        return bool(self.values(node, _RDF + "first"))

    def members(self, node: object) -> tuple[Term, ...]:
        """Return the members of a list. Raises ``UnusableShapesError`` if it is malformed."""
        members: list[Term] = []
        seen = set()
        while node != ox.NamedNode(_RDF + "nil"):
            first, rest = self.values(node, _RDF + "first"), self.values(node, _RDF + "rest")
            if len(first) != 1 or len(rest) != 1 or node in seen:
                raise self.unusable(f"{node} is no well-formed list")
            seen.add(node)
            members.append(first[0])
            node = rest[0]
        return tuple(members)

    def shape(self, node: Term) -> Shape:
        """Return a node as a shape. Raises ``UnusableShapesError`` if it cannot be one."""
        if isinstance(node, ox.Literal):
            raise self.unusable(f"{node} is a literal and no shape")
        if node not in self._shapes:
            self._shapes[node] = self._read(node)
        return self._shapes[node]

    def _read(self, node: Node) -> Shape:
        paths = self.values(node, SH + "path")
        types = self.values(node, _RDF + "type")
        if len(paths) > 1:
            raise self.unusable("more than one sh:path", node)
        if paths and ox.NamedNode(SH + "NodeShape") in types:
            raise self.unusable("a node shape has no sh:path", node)
        if not paths and ox.NamedNode(SH + "PropertyShape") in types:
            raise self.unusable("a property shape needs sh:path", node)
        path_node = paths[0] if paths else None
        if isinstance(path_node, ox.Literal):
            raise self.unusable("a path is no literal", node)
        severities = self.values(node, SH + "severity")
        shape = Shape(
            node=node,
            path=None if path_node is None else read_path(self, path_node),
            path_node=path_node,
            severity=severities[0].value if severities else SH + "Violation",
            messages=self.messages(node),
            deactivated=False,
            graph=self,
        )
        return Shape(**{**vars(shape), "deactivated": shape.truth("deactivated")})

    @cached_property
    def roots(self) -> tuple[Shape, ...]:
        """The shapes that choose nodes to judge, sorted by name, without deactivated ones."""
        nodes: set[Node] = set()
        for name in _TARGETS:
            nodes.update(self.subjects(SH + name))
        nodes.update(node for node in self._candidates() if self.is_class(node))
        shapes = sorted((self.shape(node) for node in nodes), key=lambda shape: shape.name)
        return tuple(shape for shape in shapes if not shape.deactivated)

    def _candidates(self) -> Iterator[Node]:
        for name in ("NodeShape", "PropertyShape"):
            yield from self.subjects(_RDF + "type", ox.NamedNode(SH + name))
        for name in ("property", "node"):
            yield from self.subjects(SH + name)

    def is_class(self, node: Node) -> bool:
        """Say whether a shape is also a class, and so targets its own instances."""
        types = self.values(node, _RDF + "type")
        return any(type in self.metaclasses for type in types)

    @cached_property
    def metaclasses(self) -> set[Term]:
        """The classes whose instances are classes, as far as the shapes say."""
        found: set[Term] = {ox.NamedNode(_RDFS + "Class"), ox.NamedNode(expand("owl:Class"))}
        while more := {
            node
            for known in found
            for node in self.subjects(_RDFS + "subClassOf", known)
            if node not in found
        }:
            found |= more
        return found

    @cached_property
    def components(self) -> tuple[ox.NamedNode, ...]:
        """The constraint components that this graph defines."""
        kinds: list[Term] = [ox.NamedNode(SH + "ConstraintComponent")]
        for kind in kinds:
            more = self.subjects(_RDFS + "subClassOf", kind)
            kinds += [node for node in more if node not in kinds]
        found = {node for kind in kinds for node in self.subjects(_RDF + "type", kind)}
        own = {node for node in found if isinstance(node, ox.NamedNode)}
        return tuple(sorted((n for n in own if not n.value.startswith(SH)), key=str))

    def unusable(self, what: str, node: Node | None = None) -> UnusableShapesError:
        """Return an error to raise, naming the shape or, if it has no name, what holds it."""
        name = node.value if isinstance(node, ox.NamedNode) else node and self.holder(node)
        return UnusableShapesError(f"{what} (<{name}>)" if name else what, node)
