"""Graph Store Protocol, reading: https://www.w3.org/TR/sparql11-http-rdf-update/."""

from __future__ import annotations

from typing import Any

import pyoxigraph as ox
from starlette.types import Receive, Scope, Send

from kg.server.addresses.reading import OfSite
from kg.server.wire.problems import Problem
from kg.server.wire.requests import one, query_pairs

_UNION = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"


class Graphs(OfSite):
    """``/graphs?graph=IRI`` and ``/graphs?default`` (here the union of all graphs)."""

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the triples of one graph."""
        found = query_pairs(scope, self._site.limits)
        iri, default = one(found, "graph"), one(found, "default")
        if (iri is None) == (default is None):
            raise Problem(
                400, "Which graph?", "Name one graph: '?graph=' with an IRI, or '?default'."
            )
        job = whole_graph(iri) if iri is not None else {"op": "query", "query": _UNION}
        job |= self._site.formats(scope)
        await self._site.respond(self._site.request(scope, job), receive, send)


def whole_graph(iri: str) -> dict[str, Any]:
    """Return the job that gives all triples of a graph, or 404. Raises ``Problem`` (400)."""
    name = checked_iri(iri, "graph")
    return {
        "op": "query",
        "query": f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH {name} {{ ?s ?p ?o }} }}",
        "absent": "There is no graph of this name.",
    }


def checked_iri(iri: str, parameter: str | None = None) -> str:
    """Return an absolute IRI as SPARQL writes it.

    Raises ``Problem`` (400) if it is none, which names the ``parameter`` that it was given as.
    """
    try:
        return str(ox.NamedNode(iri))
    except ValueError:
        errors = [{"parameter": parameter, "detail": "is no absolute IRI"}] if parameter else []
        detail = "The name must be an absolute IRI."
        raise Problem(400, "Not an IRI", detail, errors=errors) from None
