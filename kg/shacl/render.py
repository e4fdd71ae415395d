"""A report as text, as JSON and as a ``sh:ValidationReport`` in Turtle."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyoxigraph as ox

from kg.engine import Term
from kg.namespaces import PREFIXES, expand, shorten
from kg.shacl.convert import to_rdflib
from kg.shacl.report import Report, Result, short


def as_lines(report: Report) -> Iterator[str]:
    """Yield one paragraph a result: where, how grave, what node, which rule; then what to do."""
    for result in report.results:
        kind = result.severity.rpartition("#")[2].lower()
        about = [short(result.focus), result.path or ""]
        # The names of blank nodes change from run to run, and say nothing.
        if not isinstance(result.value, ox.BlankNode | None) and result.value != result.focus:
            about.append(short(result.value))
        yield f"{result.where or '(in no file)'}: {kind}: {shorten(result.source)}"
        yield "  " + " ".join(filter(None, about))
        yield f"  {result.message}"
    if report.conforms:
        yield "conforms"


def as_json(report: Report) -> str:
    """Return a JSON object: ``conforms``, ``results`` and ``judged``, with the same keys each.

    IRIs are written in full, ``path`` as a SPARQL property path, ``line`` from 1; what a result
    does not have is ``null``. ``judged`` tells for each shape the engine, and why it was left to
    pySHACL.
    """
    results = [
        {
            "focus": _text(result.focus),
            "path": result.path,
            "value": None if result.value is None else _text(result.value),
            "shape": result.shape,
            "constraint": result.constraint,
            "component": result.component,
            "severity": result.severity,
            "message": result.message,
            "file": str(result.place[0]) if result.place else None,
            "line": result.place[1] if result.place else None,
        }
        for result in report.results
    ]
    judged = [
        {"shape": one.shape, "engine": one.engine, "reason": one.reason or None}
        for one in report.judged
    ]
    return json.dumps(
        {"conforms": report.conforms, "results": results, "judged": judged},
        indent=2,
        ensure_ascii=False,
    )


def as_turtle(report: Report) -> str:
    """Return a standard validation report (https://www.w3.org/TR/shacl/#validation-report).

    As the standard has it, ``sh:conforms`` is false as soon as there is any result, even one of
    severity ``sh:Info``, which ``Report.conforms`` lets pass.
    """
    import rdflib

    triples = list(_triples(report))
    graph = to_rdflib(triples, rdflib.Graph(bind_namespaces="none"))
    text = "\n".join(str(triple) for triple in triples)
    for prefix, namespace in PREFIXES.items():
        if namespace in text:
            graph.bind(prefix, namespace)
    return graph.serialize(format="turtle")


def _triples(report: Report) -> Iterator[ox.Triple]:
    root = ox.BlankNode("report")
    conforms = ox.Literal(not report.results)
    yield ox.Triple(root, _name("rdf:type"), _name("sh:ValidationReport"))
    yield ox.Triple(root, _name("sh:conforms"), conforms)
    for number, result in enumerate(report.results, start=1):
        node = ox.BlankNode(f"result{number:06}")  # rdflib sorts by name
        yield ox.Triple(root, _name("sh:result"), node)
        for predicate, value in _properties(result):
            yield ox.Triple(node, _name(predicate), value)
        yield from result.path_triples


def _properties(result: Result) -> Iterator[tuple[str, Term]]:
    yield "rdf:type", _name("sh:ValidationResult")
    yield "sh:focusNode", result.focus
    if result.path_node is not None:
        yield "sh:resultPath", result.path_node
    if result.value is not None:
        yield "sh:value", result.value
    unnamed = result.shape.startswith("_:")
    yield (
        "sh:sourceShape",
        ox.BlankNode(result.shape[2:]) if unnamed else ox.NamedNode(result.shape),
    )
    if result.constraint:
        yield "sh:sourceConstraint", ox.NamedNode(result.constraint)
    yield "sh:sourceConstraintComponent", ox.NamedNode(result.component)
    yield "sh:resultSeverity", ox.NamedNode(result.severity)
    for message in result.messages or (ox.Literal(result.message, language="en"),):
        yield "sh:resultMessage", message


def _name(prefixed: str) -> ox.NamedNode:
    return ox.NamedNode(expand(prefixed))


def _text(term: Term) -> str:
    return str(term) if isinstance(term, ox.BlankNode) else term.value
