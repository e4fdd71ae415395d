"""``sh:sparql`` (https://www.w3.org/TR/shacl/#sparql-constraints) and components made of queries.

https://www.w3.org/TR/shacl/#sparql-constraint-components
"""

from __future__ import annotations

from collections.abc import Iterator

import pyoxigraph as ox

from kg.namespaces import PREFIXES, expand
from kg.shacl.constraints import Check, Compiling, QueryCheck
from kg.shacl.paths import to_sparql
from kg.shacl.prebinding import Select
from kg.shacl.query_text import read_query
from kg.shacl.shapes import (
    SH,
    Node,
    NotCompilableError,
    Shape,
    ShapesGraph,
    UnusableShapesError,
)

_TRUE = ox.Literal(True)
_RDF_TYPE = expand("rdf:type")


def constraints(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """No solution of a SELECT for the focus node."""
    for node in shape.values("sparql"):
        graph = shape.graph
        if isinstance(node, ox.Literal):
            raise graph.unusable("sh:sparql must not be a literal", shape.node)
        if _TRUE in graph.values(node, SH + "deactivated"):
            continue
        yield QueryCheck(
            component=SH + "SPARQLConstraintComponent",
            message="a query of the shape found something",
            select=query_of(compiling, shape, node, "select", {}),
            source=node,
            messages=graph.messages(node),
        )


def query_of(
    compiling: Compiling, shape: Shape, node: Node, form: str, constants: dict[str, str]
) -> Select:
    """Return the query that a constraint or validator holds, filled in for a shape."""
    compiling.require_written_as_is("a query of the shapes")
    texts = shape.graph.values(node, SH + form)
    if len(texts) != 1 or not isinstance(texts[0], ox.Literal):
        raise shape.graph.unusable(f"exactly one sh:{form} is needed", node)
    if isinstance(shape.node, ox.NamedNode):
        constants = {"currentShape": str(shape.node), **constants}
    elif "currentShape" in texts[0].value:
        raise NotCompilableError("a query asks for $currentShape, which has no name")
    path = None if shape.path is None else f"({to_sparql(shape.path)})"
    bound = frozenset({"this", "value"} if form == "ask" else {"this"})
    prefixes = prefixes_of(shape.graph, node)
    try:
        select = read_query(texts[0].value, prefixes, constants, path, bound, form)
    except UnusableShapesError as error:
        raise shape.graph.unusable(str(error), shape.node) from error
    if select.counts_solutions:
        compiling.require_one_graph("a query counts")
    return select


def prefixes_of(graph: ShapesGraph, node: Node) -> dict[str, str]:
    """Return the prefixes that a query may use (https://www.w3.org/TR/shacl/#sparql-prefixes).

    ``rdf``, ``rdfs`` and ``owl`` are always there, as pySHACL has it.
    """
    prefixes = {name: PREFIXES[name] for name in ("rdf", "rdfs", "owl")}
    declared: dict[str, str] = {}
    waiting = list(graph.values(node, SH + "prefixes"))
    seen = set(waiting)
    if waiting:
        waiting += list(graph.subjects(_RDF_TYPE, ox.NamedNode(expand("owl:Ontology"))))
    while waiting:
        source = waiting.pop()
        for declaration in graph.values(source, SH + "declare"):
            names = graph.values(declaration, SH + "prefix")
            namespaces = graph.values(declaration, SH + "namespace")
            if len(names) != 1 or len(namespaces) != 1:
                raise graph.unusable("sh:declare needs one sh:prefix and one sh:namespace")
            name, namespace = names[0].value, namespaces[0].value
            if declared.setdefault(name, namespace) != namespace:
                raise graph.unusable(f"the prefix {name}: is declared with two namespaces", node)
        for imported in graph.values(source, expand("owl:imports")):
            if imported not in seen:
                seen.add(imported)
                waiting.append(imported)
    return prefixes | declared
