"""What a constraint component compiles to, and what it may ask for while it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import pyoxigraph as ox

from kg.engine import Term
from kg.shacl.expressions import Names
from kg.shacl.prebinding import Select
from kg.shacl.shapes import Node, Shape, ShapesGraph


@dataclass(frozen=True)
class Check:
    """One constraint of a shape: the component's IRI, and what to say where no message is given."""

    component: str
    message: str


@dataclass(frozen=True)
class ValueCheck(Check):
    """A condition on each value node: ``bad(focus, value)`` is true of a violation.

    ``messages`` are what the author of the component wrote, which is always told.
    """

    bad: Callable[[str, str], str]
    messages: tuple[ox.Literal, ...] = ()


@dataclass(frozen=True)
class FocusCheck(Check):
    """A condition on all value nodes of a focus node: ``bad(focus)`` is true of a violation."""

    bad: Callable[[str], str]


@dataclass(frozen=True)
class RowCheck(Check):
    """A pattern whose solutions are violations.

    ``rows(node, value, path)`` binds the value of a result and, if ``of_values``, its path.
    ``node`` is the focus node or, if ``of_values``, one of the value nodes.
    """

    rows: Callable[[str, str, str], str]
    of_values: bool = False


@dataclass(frozen=True)
class QueryCheck(Check):
    """A SELECT that somebody wrote: a SPARQL-based constraint, or a validator of a component.

    ``source`` is the constraint's node if results name it. ``messages`` may have places for what
    the query binds.
    """

    select: Select
    source: Node | None
    messages: tuple[ox.Literal, ...]


class Compiling(Protocol):
    """What a component may ask the compiler for."""

    graph: ShapesGraph
    names: Names

    def violates(self, shape: Shape, node: str) -> str:
        """Return an expression: whether a node does not conform to a shape."""
        ...

    def classes(self, name: ox.NamedNode) -> tuple[ox.NamedNode, ...] | None:
        """Return a class and its subclasses; ``None`` if a path must look them up."""
        ...

    def constant(self, term: Term) -> str | None:
        """Return a term of the shapes as SPARQL; ``None`` if no term of the data can equal it."""
        ...

    def literal(self, value: str) -> str:
        """Return an expression for a node as what it means, for comparing it with others."""
        ...

    def datatypes(self, iri: str) -> tuple[str, ...]:
        """Return the IRIs under which literals of a datatype are stored."""
        ...

    def require_regex(self, pattern: str, flags: str) -> None:
        """Raise ``NotCompilableError`` if the engine cannot use a regular expression."""
        ...

    def require_one_graph(self, what: str) -> None:
        """Raise ``NotCompilableError`` if a triple may come twice, from two graphs."""
        ...

    def require_written_as_is(self, what: str) -> None:
        """Raise ``NotCompilableError`` if the store holds literals that a query cannot read."""
        ...


Component = Callable[[Compiling, Shape], Iterator[Check]]


def filled(message: ox.Literal, bound: Mapping[str, Term]) -> ox.Literal:
    """Return a message with the places for variables filled in; its language stays."""
    text = message.value
    for name, term in bound.items():
        for sign in "?$":
            text = text.replace(f"{{{sign}{name}}}", getattr(term, "value", str(term)))
    return ox.Literal(text, language=message.language)
