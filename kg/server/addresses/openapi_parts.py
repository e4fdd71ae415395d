"""What the OpenAPI document says again and again: media types, headers, responses, schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kg.server.wire import metrics, negotiation
from kg.server.wire.headers import EVERYWHERE
from kg.server.wire.problems import MEDIA_TYPE as PROBLEM_TYPE

OPENAPI_TYPE = "application/openapi+json;version=3.1"
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
_TEXT: Mapping[str, Any] = {"type": "string"}
_TABLES = {"application/sparql-results+json", "application/json"}
_PAGE = "text/html"

# What may become of a query, beside what any request may end in.
OF_QUERY = ("406", "422", "500", "503", "504", "505")
# What is wrong with the request's line or headers.
_OF_ANY = ("400", "408", "414", "431")
# Statuses whose problem has a header of its own.
_OWN = {"503": "Busy", "415": "Unsupported"}

# Header names to what they say; on each response that lists it, unless it is among _AT_TIMES.
_HEADERS = {
    "Accept": "The media types that a query may be sent as.",
    "Cache-Control": "Whether the answer may be kept.",
    "Content-Encoding": "zstd, br or gzip, where the client takes it.",
    "ETag": "Names the snapshot, the query, the dataset and the format; not if it may change.",
    "Link": "The first, previous and next page, if a page was asked for.",
    "Location": "Where to go.",
    "Retry-After": "Seconds to wait before the next try.",
    "Vary": "The request headers that the answer depends on.",
}
_AT_TIMES = {"Accept", "Content-Encoding", "ETag", "Link", "Retry-After"}
_ALWAYS = {name.decode().title(): text.decode() for name, text in EVERYWHERE}
_KEPT = ("Cache-Control", "Vary", "ETag")
_CODED = (*_KEPT, "Content-Encoding")

IF_NONE_MATCH = {"$ref": "#/components/parameters/If-None-Match"}


def parameter(
    name: str,
    schema: Mapping[str, Any],
    description: str,
    required: bool = False,
    place: str = "query",
) -> dict[str, Any]:
    """Return a parameter; ``place`` is ``query``, ``path`` or ``header``."""
    return {
        "name": name,
        "in": place,
        "required": required,
        "description": description,
        "schema": schema,
    }


def answers(kind: str, errors: Iterable[str] = (), *others: str) -> dict[str, Any]:
    """Return the responses of an operation by status: ``kind`` is the name of the good one.

    ``errors`` are those beside the ones that any request may end in, ``others`` the names of
    responses that are neither good nor errors: ``NotModified``, ``SeeOther``.
    """
    named = {"200": kind} | {_STATUS[name]: name for name in others}
    named |= {status: _OWN.get(status, "Problem") for status in (*_OF_ANY, *errors)}
    return {
        status: {"$ref": f"#/components/responses/{name}"} for status, name in sorted(named.items())
    }


_STATUS = {"NotModified": "304", "SeeOther": "303"}


def components() -> dict[str, Any]:
    """Return what ``answers`` and ``IF_NONE_MATCH`` refer to."""
    named = {name: {"description": text, "schema": _TEXT} for name, text in _HEADERS.items()}
    named |= {
        name: {"description": "On every response.", "schema": {**_TEXT, "const": value}}
        for name, value in _ALWAYS.items()
    }
    about = "The ETag of an answer that is at hand."
    return {
        "schemas": _schemas(),
        "headers": {
            name: told | {"required": name not in _AT_TIMES} for name, told in named.items()
        },
        "responses": {**_answers(), **_small_answers(), **_problems()},
        "parameters": {"If-None-Match": parameter("If-None-Match", _TEXT, about, place="header")},
    }


def _answers() -> dict[str, Any]:
    """Return the responses that come from a worker."""
    rows = {media: _RESULTS if media in _TABLES else _TEXT for media in _bare(negotiation.ROWS)}
    graphs = {media: {} if "json" in media else _TEXT for media in _bare(negotiation.GRAPHS)}
    stored = dict.fromkeys((one.partition(";")[0] for one in ROW_TYPES.values()), _TEXT) | rows
    return {
        "Rows": _response("The answer", stored, *_CODED, "Link"),
        "Triples": _response("The answer", graphs, *_CODED),
        "Answer": _response(
            "Rows or a graph, as the query is; without a query, the service description",
            # What holds rows may be a graph in JSON-LD, where both are called JSON.
            rows | graphs,
            *_CODED,
        ),
        "Graph": _response("The graph", graphs, *_CODED),
        "Page": _response("A page, or a graph", {_PAGE: _TEXT} | graphs, *_CODED),
        "NotModified": _response("The answer at hand is still right", {}, *_KEPT),
        "SeeOther": _response(
            "What has this name is a thing; what is said of it is elsewhere",
            {},
            *("Location", "Cache-Control", "Vary"),
        ),
    }


def _small_answers() -> dict[str, Any]:
    """Return the responses that the server gives by itself, and nobody may keep."""
    graphs = {media: {} if "json" in media else _TEXT for media in _bare(negotiation.GRAPHS)}
    lists = {"application/json": _schema("DisputeList"), _PAGE: _TEXT}
    figures = {metrics.MEDIA_TYPE.partition(";")[0]: _TEXT}
    return {
        "QueryList": _small("The stored queries", {"application/json": _schema("QueryList")}),
        "Health": _small("The process answers", {"application/json": _schema("Health")}),
        "Ready": _small("It can answer queries", {"application/json": _schema("Ready")}),
        "Metrics": _small("The figures", figures),
        "Interface": _small("This document", {OPENAPI_TYPE.partition(";")[0]: {"type": "object"}}),
        "DisputeList": _small("The disputes", lists, "Vary"),
        "Datasets": _small("What data there is", graphs, "Vary"),
    }


def _problems() -> dict[str, Any]:
    problem = {PROBLEM_TYPE: _schema("Problem")}
    about = "A problem (RFC 9457)"
    return {
        "Problem": _small(about, problem),
        "Busy": _small(about, problem, "Retry-After"),
        "Unsupported": _small(about, problem, "Accept"),
    }


def _small(about: str, media: Mapping[str, Any], *headers: str) -> dict[str, Any]:
    return _response(about, media, "Cache-Control", *headers)


def _response(description: str, media: Mapping[str, Any], *headers: str) -> dict[str, Any]:
    return {
        "description": description,
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"} for name in sorted({*headers, *_ALWAYS})
        },
        "content": {type: {"schema": schema} for type, schema in media.items()},
    }


def _bare(offers: Iterable[negotiation.Offer]) -> list[str]:
    return [media.partition(";")[0] for media, _ in offers]


def _schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas() -> dict[str, Any]:
    some = {"type": "object"}
    snapshot = {"type": ["string", "null"]}
    return {
        "Problem": _object(
            type=_TEXT, title=_TEXT, status={"type": "integer"}, detail=_TEXT, errors=_list(some)
        ),
        "SparqlResults": _object(head=some)
        | {"properties": {"head": some, "results": some, "boolean": {"type": "boolean"}}},
        "QueryList": _object(queries=_list(some)),
        "DisputeList": _object(disputes=_list(some), openapi=_TEXT),
        "Health": _object(status={"const": "ok"}),
        "Ready": _object(status={"const": "ready"})
        | {
            "properties": {
                "status": {"const": "ready"},
                "snapshot": snapshot,
                "problem": snapshot,
                # Of several, by name, instead of the two above.
                "disputes": {
                    "type": "object",
                    "additionalProperties": _object(snapshot=snapshot, problem=snapshot),
                },
            }
        },
    }


def _object(**members: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [*members], "properties": members}


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_RESULTS = _schema("SparqlResults")
