"""The reference engine: pySHACL over the union of all graphs, with no inference.

pySHACL parses the SPARQL of a constraint anew for every node it judges, which on a dispute of a
few hundred assertions is nearly all of its time; the graph handed to it here parses each query
once.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import pyoxigraph as ox
import rdflib
from pyshacl import Validator
from pyshacl.errors import ShapeRecursionWarning
from pyshacl.graph_abstraction import DataGraph
from rdflib.namespace import RDF
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.query import Result as QueryResult
from rdflib.term import Node

from kg.namespaces import shorten
from kg.query_guard import guard
from kg.shacl.convert import to_pyoxigraph, to_rdflib
from kg.shacl.report import SH, Result
from kg.shacl.shapes import UnusableShapesError

_SH = rdflib.Namespace(SH)
_QUIET = logging.getLogger("kg.shacl.pyshacl")


def judge(
    data: Iterable[ox.Quad | ox.Triple], shapes: Iterable[ox.Quad | ox.Triple]
) -> list[Result]:
    """Judge data by shapes and return the results, in no order and without places.

    Raises ``UnusableShapesError`` for shapes that pySHACL does not understand or that contain
    themselves (which the standard leaves undefined), and for SPARQL in them that is malformed or
    reaches outside the data.
    """
    with _quiet(), warnings.catch_warnings():
        warnings.simplefilter("error", ShapeRecursionWarning)
        return _run(data, to_rdflib(shapes, rdflib.Graph(bind_namespaces="none")))


def _run(data: Iterable[ox.Quad | ox.Triple], shapes: rdflib.Graph) -> list[Result]:
    graph = to_rdflib(data, _PreparedGraph(bind_namespaces="none"))
    try:
        validator = Validator(
            DataGraph.from_rdflib(graph),
            shacl_graph=shapes,
            options={"logger": _QUIET, "inplace": True},
        )
        run: Callable[[], tuple[bool, rdflib.Graph, str]] = validator.run
        _, report, _ = run()
    except ShapeRecursionWarning as error:
        raise UnusableShapesError("a shape contains itself") from error
    # pySHACL, and rdflib below it, answer malformed shapes with whatever broke first.
    except Exception as error:
        # The first line says it; what may follow is every shape on the way.
        said = str(error).strip().partition("\n")[0]
        raise UnusableShapesError(said or type(error).__name__) from error
    return [_result(report, node, shapes) for node in report.objects(None, _SH.result)]


@lru_cache(maxsize=512)
def _prepared(text: str) -> Query:
    guard(text)
    return prepareQuery(text)


class _PreparedGraph(rdflib.Graph):
    """A graph that parses each query text once."""

    def query(self, query_object: Any, *args: Any, **kwargs: Any) -> QueryResult:
        """Run a query as ``rdflib.Graph`` does."""
        if isinstance(query_object, str):
            query_object = _prepared(query_object)
        return super().query(query_object, *args, **kwargs)


def _result(report: rdflib.Graph, node: Node, shapes: rdflib.Graph) -> Result:
    def one(name: str) -> Any:
        return report.value(node, _SH[name])

    texts = sorted(report.objects(node, _SH.resultMessage), key=str)
    messages = [term for term in map(to_pyoxigraph, texts) if isinstance(term, ox.Literal)]
    shape = one("sourceShape")
    path, value, constraint = one("resultPath"), one("value"), one("sourceConstraint")
    if isinstance(path, rdflib.BNode):  # a path within paths is copied into the report in part
        path = shapes.value(shape, _SH.path) or path
    triples = () if path is None else tuple(_described(shapes, path))
    path_node = None if path is None else to_pyoxigraph(path)
    assert not isinstance(path_node, ox.Literal)
    return Result(
        focus=to_pyoxigraph(one("focusNode")),
        shape=shape.n3() if isinstance(shape, rdflib.BNode) else str(shape),
        within=_owner(shapes, shape),
        component=str(one("sourceConstraintComponent")),
        severity=str(one("resultSeverity")),
        message=" ".join(message.value for message in messages),
        messages=tuple(messages),
        path=None if path is None else _path_text(shapes, path),
        value=None if value is None else to_pyoxigraph(value),
        constraint=str(constraint) if isinstance(constraint, rdflib.URIRef) else None,
        path_node=path_node,
        path_triples=triples,
    )


def _owner(shapes: rdflib.Graph, shape: Node) -> str | None:
    """Return the nearest shape with a name that holds one without."""
    seen = set()
    while isinstance(shape, rdflib.BNode) and shape not in seen:
        seen.add(shape)
        shape = next(shapes.subjects(None, shape), shape)
    return str(shape) if isinstance(shape, rdflib.URIRef) and seen else None


# The operators of https://www.w3.org/TR/shacl/#property-paths and their SPARQL forms.
_PATHS = {
    _SH.inversePath: "^{}",
    _SH.zeroOrMorePath: "{}*",
    _SH.oneOrMorePath: "{}+",
    _SH.zeroOrOnePath: "{}?",
}


def _path_text(graph: rdflib.Graph, path: Node) -> str:
    if isinstance(path, rdflib.URIRef):
        name = shorten(str(path))
        return f"<{name}>" if name == str(path) else name
    for operator, form in _PATHS.items():
        inner = graph.value(path, operator)
        if inner is not None:
            text = _path_text(graph, inner)
            return form.format(text if isinstance(inner, rdflib.URIRef) else f"({text})")
    alternatives = graph.value(path, _SH.alternativePath)
    steps = graph.items(path if alternatives is None else alternatives)
    texts = [
        _path_text(graph, step)
        if isinstance(step, rdflib.URIRef)
        else f"({_path_text(graph, step)})"
        for step in steps
    ]
    return ("/" if alternatives is None else "|").join(texts)


def _described(graph: rdflib.Graph, node: Node) -> Iterator[ox.Triple]:
    if not isinstance(node, rdflib.BNode):
        return
    for subject, predicate, value in graph.triples((node, None, None)):
        if predicate == RDF.type:
            continue
        # Every node of a path has the blank node that is asked about as its subject.
        yield ox.Triple(
            ox.BlankNode(str(subject)), ox.NamedNode(str(predicate)), to_pyoxigraph(value)
        )
        yield from _described(graph, value)


@contextmanager
def _quiet() -> Iterator[None]:
    # rdflib logs a warning, with a traceback, for every ill-typed literal; a shape reports those.
    loggers = [logging.getLogger("rdflib.term"), _QUIET]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
