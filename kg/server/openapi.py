"""The HTTP interface as an OpenAPI 3.1 document, made from the stored queries' own headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kg import __version__
from kg.query_header import Parameter
from kg.stored_query import StoredQuery

PER_PAGE_MOST = 10_000
# What the parameter ``format`` may say, and the media type it stands for.
ROW_TYPES = {
    "json": "application/sparql-results+json",
    "xml": "application/sparql-results+xml",
    "csv": "text/csv; charset=utf-8",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "table": "text/plain; charset=utf-8",
    # For people who will open it in a spreadsheet; ``csv`` is exact.
    "spreadsheet": "text/csv; charset=utf-8; header=present",
}
GRAPH_TYPES = {
    "turtle": "text/turtle; charset=utf-8",
    "trig": "application/trig",
    "nt": "application/n-triples",
    "nq": "application/n-quads",
    "jsonld": "application/ld+json",
    "rdfxml": "application/rdf+xml",
}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_RESULTS = {"$ref": "#/components/schemas/SparqlResults"}
# Every operation may end in one of these.
_ERRORS = ("400", "404", "405", "406", "414", "422", "500", "503", "504")


def document(queries: Mapping[str, StoredQuery], title: str, address: str) -> dict[str, Any]:
    """Return the document; ``address`` is where this server is reached."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": __version__,
            "description": "A dispute as a graph: who said what, and what contradicts it.",
            "license": {"name": "CC BY 4.0", "identifier": "CC-BY-4.0"},
        },
        "servers": [{"url": address.rstrip("/")}],
        "paths": {
            "/sparql": {"get": _sparql("get"), "post": _sparql("post")},
            "/api/queries": {
                "get": {
                    "operationId": "listQueries",
                    "summary": "What can be asked by name",
                    "responses": {
                        "200": _response(
                            "The stored queries",
                            {"application/json": {"$ref": "#/components/schemas/QueryList"}},
                        ),
                        **_errors(),
                    },
                }
            },
            **{f"/api/queries/{name}": {"get": _query(q)} for name, q in queries.items()},
        },
        "components": {"schemas": _schemas()},
    }


def _query(query: StoredQuery) -> dict[str, Any]:
    graph = query.form in ("CONSTRUCT", "DESCRIBE")
    types = GRAPH_TYPES if graph else ROW_TYPES
    own = [
        _parameter("format", {"type": "string", "enum": list(types)}, "The format of the answer."),
        _parameter("page", {"type": "integer", "minimum": 1, "maximum": 1_000_000}, "Which page."),
        _parameter(
            "per_page",
            {"type": "integer", "minimum": 1, "maximum": PER_PAGE_MOST},
            "How many rows a page has (default 100, if a page is asked for).",
        ),
    ]
    media: dict[str, Any] = {}
    for name, type in types.items():
        bare = type.partition(";")[0]
        media[bare] = _RESULTS if name == "json" else {"type": "string"}
    media |= {} if graph else {"application/json": _RESULTS, "text/xml": {}, "application/xml": {}}
    return {
        "operationId": query.name,
        "summary": query.title,
        "description": query.question or query.mend,
        "parameters": [*map(_stored_parameter, query.params.values()), *own],
        "responses": {"200": _response("The answer", media), **_errors()},
    }


def _stored_parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if parameter.type == "integer":
        schema = {"type": "integer", "minimum": -(2**63) + 1, "maximum": 2**63 - 1}
    elif parameter.type == "date":
        schema = {"type": "string", "description": "YYYY, YYYY-MM, YYYY-MM-DD or a date and time"}
    about = f"{parameter.description} ({parameter.type})"
    return _parameter(parameter.name, schema, about, parameter.required)


def _parameter(
    name: str, schema: dict[str, Any], description: str, required: bool = False
) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": description,
        "schema": schema,
    }


def _sparql(method: str) -> dict[str, Any]:
    graphs = {"type": "array", "items": {"type": "string"}}
    operation: dict[str, Any] = {
        "operationId": f"sparql-{method}",
        "summary": "SPARQL 1.1 Protocol, queries only",
        "parameters": [
            _parameter("default-graph-uri", graphs, "A graph of the default graph."),
            _parameter("named-graph-uri", graphs, "A named graph."),
        ],
        "responses": {
            "200": _response("The answer, or the service description", {"*/*": {}}),
            **_errors("403", "408", "413", "415", "502"),
        },
    }
    if method == "get":
        operation["parameters"].append(
            _parameter("query", {"type": "string"}, "A query; without it, what the service is.")
        )
    else:
        form = {
            "type": "object",
            "properties": {"query": {"type": "string"}},
            "required": ["query"],
        }
        operation["requestBody"] = {
            "required": True,
            "content": {
                "application/x-www-form-urlencoded": {"schema": form},
                "application/sparql-query": {"schema": {"type": "string"}},
            },
        }
    return operation


def _response(description: str, media: Mapping[str, Any]) -> dict[str, Any]:
    content = {type: {"schema": schema} for type, schema in media.items()}
    return {"description": description, "content": content}


def _errors(*more: str) -> dict[str, Any]:
    problem = _response("A problem (RFC 9457)", {"application/problem+json": _PROBLEM})
    return dict.fromkeys(sorted({*_ERRORS, *more}), problem)


def _schemas() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "Problem": {
            "type": "object",
            "required": ["type", "title", "status", "detail", "errors"],
            "properties": {
                "type": text,
                "title": text,
                "status": {"type": "integer"},
                "detail": text,
                "errors": {"type": "array", "items": {"type": "object"}},
            },
        },
        "SparqlResults": {
            "type": "object",
            "required": ["head"],
            "properties": {
                "head": {"type": "object"},
                "results": {"type": "object"},
                "boolean": {"type": "boolean"},
            },
        },
        "QueryList": {
            "type": "object",
            "required": ["queries"],
            "properties": {"queries": {"type": "array", "items": {"type": "object"}}},
        },
    }
