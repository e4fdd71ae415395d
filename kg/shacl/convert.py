"""Terms and triples from pyoxigraph to rdflib, which pySHACL reads, and back.

Lexical forms are kept as they are: a validator must see what was written, not what it means.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyoxigraph as ox

from kg.engine import Term
from kg.errors import SourceError

if TYPE_CHECKING:
    import rdflib
    from rdflib.term import Node

_STRING = "http://www.w3.org/2001/XMLSchema#string"


def to_rdflib(statements: Iterable[ox.Quad | ox.Triple], graph: rdflib.Graph) -> rdflib.Graph:
    """Add statements to an rdflib graph, leaving out which graph they came from."""
    seen: dict[object, Node] = {}

    def term(value: object) -> Node:
        # The same few hundred terms make up most of a graph.
        if value not in seen:
            seen[value] = _term(value)
        return seen[value]

    for statement in statements:
        graph.add((term(statement.subject), term(statement.predicate), term(statement.object)))
    return graph


def to_pyoxigraph(node: Node) -> Term:
    """Return an rdflib term as a pyoxigraph term."""
    import rdflib

    if isinstance(node, rdflib.URIRef):
        return ox.NamedNode(str(node))
    if isinstance(node, rdflib.BNode):
        return ox.BlankNode(str(node))
    assert isinstance(node, rdflib.Literal)
    if node.language:
        return ox.Literal(str(node), language=node.language)
    datatype = ox.NamedNode(str(node.datatype)) if node.datatype else None
    return ox.Literal(str(node), datatype=datatype)


def _term(value: object) -> Node:
    import rdflib

    if isinstance(value, ox.NamedNode):
        return rdflib.URIRef(value.value)
    if isinstance(value, ox.BlankNode):
        return rdflib.BNode(value.value)
    if not isinstance(value, ox.Literal):
        raise SourceError(
            "a triple term of RDF 1.2 is among what pySHACL or a report in Turtle would need",
            hint="Let the compiled engine judge, and print the report as text or JSON.",
        )
    if value.language:
        return rdflib.Literal(value.value, lang=value.language)
    # rdflib tells "a" and "a"^^xsd:string apart, and its own parsers give the former.
    datatype = value.datatype.value
    if datatype == _STRING:
        return rdflib.Literal(value.value)
    return rdflib.Literal(value.value, datatype=rdflib.URIRef(datatype), normalize=False)
