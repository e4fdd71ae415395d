"""The stored queries over HTTP: ``/api/queries`` and ``/api/queries/NAME?param=…``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.types import Receive, Scope, Send

from kg.server.addresses.catalogue import Catalogue
from kg.server.addresses.openapi import PER_PAGE_MOST, Described, document, document_of_all
from kg.server.addresses.openapi_parts import GRAPH_TYPES, OPENAPI_TYPE, ROW_TYPES
from kg.server.addresses.operations import send_text
from kg.server.addresses.reading import OfSite
from kg.server.addresses.several import OfSeveral
from kg.server.site import Site
from kg.server.wire import negotiation
from kg.server.wire.problems import Problem
from kg.server.wire.requests import Pairs, header, one, query_pairs
from kg.stored_query import StoredQuery

# What the addresses of stored queries take besides the parameters of the query.
_FOR_ROWS = ("page", "per_page", "as_found")
_OWN = ("format", *_FOR_ROWS)
_PER_PAGE = 100


class _Reading(OfSite):
    """An address that knows the stored queries."""

    def __init__(self, site: Site, catalogue: Catalogue) -> None:
        super().__init__(site)
        self._catalogue = catalogue


class QueryList(_Reading):
    """``/api/queries``: what can be asked by name."""

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the list."""
        address = self._site.address(scope)
        listed = [_described(query, address) for query in self._catalogue.queries.values()]
        text = json.dumps({"queries": listed}, ensure_ascii=False, indent=1)
        await send_text(scope, send, "application/json", text + "\n")


class QueryAnswer(_Reading):
    """``/api/queries/NAME``: the answer to one of them."""

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        name = scope["path_params"]["name"]
        query = self._catalogue.queries.get(name)
        if query is None:
            raise Problem(
                404,
                "No such query",
                "There is no stored query of this name; "
                f"{self._site.identity.path}api/queries lists them.",
            )
        found = query_pairs(scope, self._site.limits)
        format = one(found, "format")
        page = _number(found, "page", 1_000_000)
        per_page = _number(found, "per_page", PER_PAGE_MOST)
        as_found = _yes(found, "as_found")
        paged = page is not None or per_page is not None
        for_rows = [name for name in _FOR_ROWS if one(found, name) is not None]
        if for_rows and query.form != "SELECT":
            raise Problem(
                400,
                "Bad parameters",
                "Only rows have an order and pages, and this query answers with something else.",
                errors=[{"parameter": name, "detail": "is for rows"} for name in for_rows],
            )
        values = [pair for pair in found if pair[0] not in _OWN]
        job = {
            "op": "stored",
            "name": name,
            "kind": query.kind,
            "text": query.text,
            "values": values,
            "as_found": as_found,
            "page": (page or 1) if paged else None,
            "per_page": (per_page or _PER_PAGE) if paged else None,
            **self._formats(scope, query, format),
        }
        others = urlencode([pair for pair in found if pair[0] != "page"])
        url = f"{self._site.address(scope)}api/queries/{name}?{others}{'&' if others else ''}page="
        request = self._site.request(scope, job, url if paged else None)
        await self._site.respond(request, receive, send)

    def _formats(self, scope: Scope, query: StoredQuery, format: str | None) -> dict[str, Any]:
        """Return the format that the parameter names, else the one that the client likes best."""
        if format is None:
            return self._site.formats(scope)
        graph = query.form in ("CONSTRUCT", "DESCRIBE")
        types = GRAPH_TYPES if graph else ROW_TYPES
        if format not in types:
            raise Problem(
                400,
                "Unknown format",
                f"This query answers in: {', '.join(types)}.",
                errors=[{"parameter": "format", "detail": "is none of these"}],
            )
        choice = (types[format], format)
        coding = negotiation.coding(header(scope, "accept-encoding"))
        return {
            "rows": None if graph else choice,
            "graph": choice if graph else None,
            "encoding": coding,
        }


class OpenApi(_Reading):
    """``/openapi.json``: the interface as a program reads it."""

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the document."""
        told = document(_to_describe(self._site, self._catalogue), self._site.address(scope))
        await _send_document(scope, send, told)


class EveryOpenApi(OfSeveral):
    """``/openapi.json`` of a server of several disputes: the addresses of all of them."""

    def __init__(self, sites: Sequence[Site], catalogues: Sequence[Catalogue]) -> None:
        super().__init__(sites)
        self._catalogues = catalogues

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the document."""
        both = zip(self._sites, self._catalogues, strict=True)
        told = document_of_all([_to_describe(*each) for each in both], self.home(scope))
        await _send_document(scope, send, told)


def _to_describe(site: Site, catalogue: Catalogue) -> Described:
    return Described(site.identity.name, site.identity.title, catalogue.queries)


async def _send_document(scope: Scope, send: Send, told: Mapping[str, Any]) -> None:
    await send_text(scope, send, OPENAPI_TYPE, json.dumps(told, ensure_ascii=False) + "\n")


def _number(found: Pairs, name: str, most: int) -> int | None:
    text = one(found, name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= most):
        raise Problem(
            400,
            "Bad parameters",
            f"'{name}' must be a whole number from 1 to {most:,}.",
            errors=[{"parameter": name, "detail": "is no such number"}],
        )
    return int(text)


def _yes(found: Pairs, name: str) -> bool:
    text = one(found, name)
    if text not in (None, "true", "false"):
        raise Problem(
            400,
            "Bad parameters",
            f"'{name}' is true or false.",
            errors=[{"parameter": name, "detail": "is neither true nor false"}],
        )
    return text == "true"


def _described(query: StoredQuery, address: str) -> dict[str, Any]:
    return {
        "name": query.name,
        "kind": query.kind,
        "title": query.title,
        "question": query.question,
        "parameters": [
            {
                "name": parameter.name,
                "type": parameter.type,
                "description": parameter.description,
                "required": parameter.required,
                "default": parameter.default,
            }
            for parameter in query.params.values()
        ],
        "columns": [{"name": name, "meaning": text} for name, text in query.columns.items()],
        "view": query.view,
        "href": f"{address}api/queries/{query.name}",
    }
