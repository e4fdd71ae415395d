"""Whether two engines found the same.

Compared is what the standard defines: focus node, path, value, component, shape, constraint,
severity, and the message where the shapes state one. How often the same was found does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyoxigraph as ox

from kg.engine import Term
from kg.namespaces import expand, shorten
from kg.shacl.report import SH, Result, short
from kg.shacl.shapes import Node, ShapesGraph

if TYPE_CHECKING:
    import rdflib

# What is compared of a result, every term as N-Triples.
Finding = tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """A result that only one of two engines has; ``engine`` is its name."""

    engine: str
    result: Result

    def __str__(self) -> str:
        result = self.result
        value = "" if result.value is None else f" {short(result.value)}"
        about = f"{short(result.focus)} {result.path or ''}{value}"
        return (
            f"only {self.engine}: {shorten(result.source)}: {about}: "
            f"{shorten(result.component)}: {result.message}"
        )


def differences(
    first: tuple[str, Iterable[Result]], second: tuple[str, Iterable[Result]], graph: ShapesGraph
) -> tuple[Difference, ...]:
    """Return what only one of two engines found; each is given by its name and its results.

    Blank nodes of the data may have different names on the two sides.
    """
    sides = [
        {finding(result, graph): result for result in results} for _, results in (first, second)
    ]
    left = [sides[0][key] for key in sides[0].keys() - sides[1].keys()]
    right = [sides[1][key] for key in sides[1].keys() - sides[0].keys()]
    if len(left) == len(right) and left and _isomorphic(left, right, graph):
        return ()
    ordered = [
        Difference(engine, result)
        for (engine, _), results in ((first, left), (second, right))
        for result in results
    ]
    return tuple(sorted(ordered, key=str))


def finding(result: Result, graph: ShapesGraph) -> Finding:
    """Return what is compared of a result."""
    return (
        str(result.focus),
        result.path or "",
        "" if result.value is None else str(result.value),
        result.component,
        result.shape,
        result.constraint or "",
        result.severity,
        result.message if _states_message(result, graph) else "",
    )


def _states_message(result: Result, graph: ShapesGraph) -> bool:
    return any(graph.values(node, SH + "message") for node in _speakers(result, graph))


def _speakers(result: Result, graph: ShapesGraph) -> Iterator[Term]:
    # Whose messages a result may carry: the shape's, the constraint's, the component's.
    name = result.shape
    shape: Node = ox.BlankNode(name[2:]) if name.startswith("_:") else ox.NamedNode(name)
    yield shape
    if result.component == expand("sh:SPARQLConstraintComponent"):
        yield from graph.values(shape, SH + "sparql")
    elif not result.component.startswith(SH):
        component = ox.NamedNode(result.component)
        yield component
        own = "propertyValidator" if graph.values(shape, SH + "path") else "nodeValidator"
        for kind in (own, "validator"):
            yield from graph.values(component, SH + kind)


def _isomorphic(left: list[Result], right: list[Result], graph: ShapesGraph) -> bool:
    if not any("_:" in key[0] + key[2] for key in (finding(r, graph) for r in (*left, *right))):
        return False
    from rdflib.compare import isomorphic

    return bool(isomorphic(_as_graph(left, graph), _as_graph(right, graph)))


def _as_graph(results: list[Result], graph: ShapesGraph) -> rdflib.Graph:
    import rdflib

    from kg.shacl.convert import to_rdflib

    triples = []
    for number, result in enumerate(results):
        node = ox.BlankNode(f"result{number}")
        rest = repr((*finding(result, graph)[3:], result.path))
        triples.append(ox.Triple(node, _part("focus"), result.focus))
        triples.append(ox.Triple(node, _part("rest"), ox.Literal(rest)))
        if result.value is not None:
            triples.append(ox.Triple(node, _part("value"), result.value))
    return to_rdflib(triples, rdflib.Graph(bind_namespaces="none"))


def _part(name: str) -> ox.NamedNode:
    return ox.NamedNode(f"urn:x-counterclaim:{name}")
