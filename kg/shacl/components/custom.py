"""Constraint components that a shapes graph defines itself.

https://www.w3.org/TR/shacl/#sparql-constraint-components
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pyoxigraph as ox

from kg.shacl.components.sparql import query_of
from kg.shacl.conditions import not_
from kg.shacl.constraints import Check, Compiling, QueryCheck, ValueCheck, filled
from kg.shacl.shapes import SH, Node, NotCompilableError, Shape, ShapesGraph

# Terms that a query can name.
Writable = ox.NamedNode | ox.Literal


def custom(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """The validator of each component whose parameters the shape has is content."""
    for component in shape.graph.components:
        for values in _parameters(shape, component):
            yield _check(compiling, shape, component, values)


def _parameters(shape: Shape, component: Node) -> Iterator[dict[str, Writable]]:
    """Yield the values of the parameters by their names; nothing if one is missing."""
    graph = shape.graph
    names: list[str] = []
    choices: list[tuple[Writable, ...]] = []
    for parameter in graph.values(component, SH + "parameter"):
        paths = graph.values(parameter, SH + "path")
        if len(paths) != 1 or not isinstance(paths[0], ox.NamedNode):
            raise graph.unusable("a parameter needs one sh:path, an IRI", component)
        values = graph.values(shape.node, paths[0].value)
        optional = any(v.value == "true" for v in graph.values(parameter, SH + "optional"))
        if not values and not optional:
            return
        if any(isinstance(value, ox.BlankNode) for value in values):
            raise NotCompilableError("a parameter of a component is a blank node")
        if values:
            names.append(_local(paths[0].value))
            choices.append(values)  # type: ignore[arg-type]
    if not names:
        return
    for chosen in product(*choices):
        yield dict(zip(names, chosen, strict=True))


def _local(iri: str) -> str:
    cut = max(iri.rfind(sign) for sign in "#/:")
    return iri[cut + 1 :]


def _check(
    compiling: Compiling, shape: Shape, component: ox.NamedNode, values: dict[str, Writable]
) -> Check:
    graph = shape.graph
    own = "nodeValidator" if shape.path is None else "propertyValidator"
    for name in (own, "validator"):
        for validator in graph.values(component, SH + name):
            if isinstance(validator, ox.Literal):
                continue
            if graph.values(validator, SH + "ask"):
                return _asking(compiling, shape, component, validator, values)
            select = query_of(compiling, shape, validator, "select", _constants(values))
            return QueryCheck(
                component=component.value,
                message="the validator of a component found something",
                select=select,
                source=None,
                messages=_messages(graph, validator, component, values),
            )
    raise graph.unusable("no validator fits the shape", component)


def _asking(
    compiling: Compiling,
    shape: Shape,
    component: Node,
    validator: Node,
    values: dict[str, Writable],
) -> Check:
    select = query_of(compiling, shape, validator, "ask", _constants(values))

    def bad(focus: str, value: str) -> str:
        inside = select.inside(compiling.names, {"this": focus, "value": value})
        return not_(f"EXISTS {inside}")

    return ValueCheck(
        component.value,
        "the validator of a component does not agree",
        bad,
        _messages(shape.graph, validator, component, values),
    )


def _messages(
    graph: ShapesGraph, validator: Node, component: Node, values: dict[str, Writable]
) -> tuple[ox.Literal, ...]:
    """Return what a validator, or else its component, says, with the parameters filled in."""
    found = graph.messages(validator) or graph.messages(component)
    return tuple(filled(message, values) for message in found)


def _constants(values: dict[str, Writable]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}
