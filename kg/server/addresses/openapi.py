"""The HTTP interface as an OpenAPI 3.1 document, made from the stored queries' own headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kg import __version__
from kg.query_header import Parameter
from kg.server.addresses.openapi_parts import (
    GRAPH_TYPES,
    IF_NONE_MATCH,
    OF_QUERY,
    ROW_TYPES,
    answers,
    components,
    parameter,
)
from kg.stored_query import StoredQuery

PER_PAGE_MOST = 10_000
_ABOUT = (
    "{} HEAD answers like GET, without the content; OPTIONS says which methods there are, and "
    "/sparql takes QUERY (a query as the content), for which OpenAPI 3.1 has no word. Any other "
    "method is 405, and one that writes is 403."
)
_ONE = "A dispute as a graph: who said what, and what contradicts it."
_SEVERAL = "Disputes as graphs: who said what, and what contradicts it. Each is below its name."
_TEXT: Mapping[str, Any] = {"type": "string"}
_GRAPH_NAME = "What follows 'graph/' in the name of a graph; a slash in it stays as it is."


@dataclass(frozen=True)
class Described:
    """A dispute to describe: its name on the server (alone it has none), title and queries."""

    name: str
    title: str
    queries: Mapping[str, StoredQuery]


def document(dispute: Described, address: str) -> dict[str, Any]:
    """Return the document of one dispute; ``address`` is where it is reached.

    One that is alone on its server has the server's own addresses, too.
    """
    paths = _paths(dispute.queries)
    if not dispute.name:
        paths |= _server_paths()
    return _document(dispute.title, _ONE, address, paths)


def document_of_all(disputes: Sequence[Described], address: str) -> dict[str, Any]:
    """Return the document of a server of several disputes, reached at ``address``."""
    paths: dict[str, Any] = {
        "/": _reads("getDisputes", "Which disputes there are", answers("DisputeList", ["406"])),
        "/.well-known/void": _reads(
            "getDatasets", "What data there is, in VoID", answers("Datasets", ["406"])
        ),
        **_server_paths(),
        "/openapi.json": _reads("getOpenApi", "This document", answers("Interface")),
    }
    for dispute in disputes:
        for path, operations in _paths(dispute.queries).items():
            paths[f"/{dispute.name}{path}"] = {
                method: {
                    **operation,
                    "operationId": f"{dispute.name}.{operation['operationId']}",
                    "tags": [dispute.name],
                }
                for method, operation in operations.items()
            }
    tags = [{"name": one.name, "description": one.title} for one in disputes]
    return _document("Disputes", _SEVERAL, address, paths) | {"tags": tags}


def _document(title: str, about: str, address: str, paths: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": __version__,
            "description": _ABOUT.format(about),
            "license": {"name": "CC BY 4.0", "identifier": "CC-BY-4.0"},
        },
        "servers": [{"url": address.rstrip("/")}],
        "paths": paths,
        "components": components(),
    }


def _paths(queries: Mapping[str, StoredQuery]) -> dict[str, Any]:
    """Return what is below the path of a dispute."""
    changes = "NotModified"
    thing = parameter("name", {**_TEXT, "minLength": 1}, "A name of the dispute.", True, "path")
    graph = parameter("name", {**_TEXT, "minLength": 1}, _GRAPH_NAME, True, "path")
    page = answers("Page", ["404", *OF_QUERY], changes)
    return {
        "/": _reads("getDispute", "What is said of the dispute as a whole", page, IF_NONE_MATCH),
        "/sparql": {"get": _sparql("get"), "post": _sparql("post")},
        "/graphs": _reads(
            "readGraph",
            "A graph, by the Graph Store Protocol: give 'graph' or 'default'",
            answers("Graph", ["404", *OF_QUERY], changes),
            parameter("graph", {**_TEXT, "format": "uri"}, "The IRI of a graph."),
            parameter("default", _TEXT, "The union of all graphs; whatever its value is.")
            | {"allowEmptyValue": True},
            IF_NONE_MATCH,
        ),
        "/graph/{name}": _reads(
            "getGraph", "A graph, by its own address", page, graph, IF_NONE_MATCH
        ),
        "/about/{name}": _reads("getAbout", "What is said of a name", page, thing, IF_NONE_MATCH),
        "/{name}": _reads(
            "getName",
            "A name: the way to what is said of it",
            answers("Page", ["404", *OF_QUERY], changes, "SeeOther"),
            thing,
            IF_NONE_MATCH,
        ),
        "/.well-known/void": _reads(
            "getVoid",
            "What the data is, in VoID",
            answers("Graph", OF_QUERY, changes),
            IF_NONE_MATCH,
        ),
        "/openapi.json": _reads("getInterface", "This document", answers("Interface")),
        "/api/queries": _reads("listQueries", "What can be asked by name", answers("QueryList")),
        **{f"/api/queries/{name}": {"get": _query(query)} for name, query in queries.items()},
    }


def _server_paths() -> dict[str, Any]:
    """Return what whoever runs the server looks at."""
    return {
        "/health": _reads("getHealth", "Whether the process answers", answers("Health")),
        "/ready": _reads("getReady", "Whether queries can be answered", answers("Ready", ["503"])),
        "/metrics": _reads("getMetrics", "Figures for Prometheus", answers("Metrics")),
    }


def _reads(
    name: str, summary: str, responses: Mapping[str, Any], *parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the item of a path that answers GET."""
    operation: dict[str, Any] = {"operationId": name, "summary": summary}
    if parameters:
        operation["parameters"] = list(parameters)
    return {"get": operation | {"responses": responses}}


def _query(query: StoredQuery) -> dict[str, Any]:
    graph = query.form in ("CONSTRUCT", "DESCRIBE")
    types = GRAPH_TYPES if graph else ROW_TYPES
    own = [parameter("format", {**_TEXT, "enum": list(types)}, "The format of the answer.")]
    if query.form == "SELECT":
        number = {"type": "integer", "minimum": 1}
        own += [
            parameter("page", {**number, "maximum": 1_000_000}, "Which page."),
            parameter(
                "per_page",
                {**number, "maximum": PER_PAGE_MOST},
                "How many rows a page has (default 100, if a page is asked for).",
            ),
            parameter(
                "as_found",
                {"type": "boolean"},
                "Whether rows may come as they are found. The first come sooner than in order.",
            ),
        ]
    kind = "Triples" if graph else "Rows"
    return {
        "operationId": query.name,
        "summary": query.title,
        "description": query.question or query.mend,
        "parameters": [*map(_stored_parameter, query.params.values()), *own, IF_NONE_MATCH],
        "responses": answers(kind, ["404", *OF_QUERY], "NotModified"),
    }


def _stored_parameter(stored: Parameter) -> dict[str, Any]:
    schema: Mapping[str, Any] = _TEXT
    if stored.type == "integer":
        schema = {"type": "integer", "minimum": -(2**63) + 1, "maximum": 2**63 - 1}
    elif stored.type == "date":
        schema = {**_TEXT, "description": "YYYY, YYYY-MM, YYYY-MM-DD or a date and time"}
    about = f"{stored.description} ({stored.type})"
    return parameter(stored.name, schema, about, stored.required)


def _sparql(method: str) -> dict[str, Any]:
    graphs = {"type": "array", "items": _TEXT}
    operation: dict[str, Any] = {
        "operationId": f"sparql-{method}",
        "summary": "SPARQL 1.1 Protocol, queries only",
        "parameters": [
            parameter("default-graph-uri", graphs, "A graph of the default graph."),
            parameter("named-graph-uri", graphs, "A named graph."),
        ],
    }
    if method == "get":
        operation["parameters"] += [
            parameter("query", _TEXT, "A query; without it, what the service is."),
            IF_NONE_MATCH,
        ]
        operation["responses"] = answers("Answer", ["403", "502", *OF_QUERY], "NotModified")
    else:
        form = {"type": "object", "properties": {"query": _TEXT}, "required": ["query"]}
        operation["requestBody"] = {
            "required": True,
            "content": {
                "application/x-www-form-urlencoded": {"schema": form},
                "application/sparql-query": {"schema": _TEXT},
            },
        }
        operation["responses"] = answers("Answer", ["403", "413", "415", "502", *OF_QUERY])
    return operation
