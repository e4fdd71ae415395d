"""A SPARQL 1.1 server as the engine: queries and updates through SPARQLWrapper, graphs in bulk.

The graphs travel by the Graph Store Protocol (https://www.w3.org/TR/sparql11-http-rdf-update/).
The server must be set to answer from the union of its named graphs, as the embedded engine does.
"""

from __future__ import annotations

import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

import pyoxigraph as ox

from kg.engine import Answer, Rows, Triples
from kg.errors import EngineError, QueryError

if TYPE_CHECKING:
    from SPARQLWrapper import SPARQLWrapper

_TIMEOUT_SECONDS = 60


class RemoteEngine:
    """An ``Engine`` that asks a server.

    ``query_url`` takes queries, ``update_url`` updates (default: the same), ``store_url`` whole
    graphs (default: ``add`` falls back to updates).
    """

    def __init__(
        self,
        query_url: str,
        update_url: str | None = None,
        store_url: str | None = None,
        credentials: tuple[str, str] | None = None,
        timeout: int = _TIMEOUT_SECONDS,
    ) -> None:
        self._query_url = query_url
        self._update_url = update_url or query_url
        self._store_url = store_url
        self._credentials = credentials
        self._timeout = timeout

    def query(self, text: str) -> Answer:
        """Run a query. Raises ``QueryError`` if the server refuses it, else ``EngineError``."""
        sparql = self._wrapper(self._query_url)
        sparql.setQuery(text)
        # What answers depends on the form of the query, which the wrapper finds out.
        is_graph = sparql.queryType in ("CONSTRUCT", "DESCRIBE")
        sparql.addCustomHttpHeader(
            "Accept", "application/n-triples" if is_graph else "application/sparql-results+json"
        )
        data = self._send(sparql, self._query_url)
        try:
            if is_graph:
                quads = list(ox.parse(data, format=ox.RdfFormat.N_TRIPLES))
                return Triples(ox.Triple(q.subject, q.predicate, q.object) for q in quads)
            answer = ox.parse_query_results(data, format=ox.QueryResultsFormat.JSON)
            if isinstance(answer, ox.QueryBoolean):
                return bool(answer)
            columns = [variable.value for variable in answer.variables]
            return Rows(columns, iter([tuple(row) for row in answer]))
        except (SyntaxError, ValueError) as error:
            raise EngineError(
                f"{self._query_url} did not answer as a SPARQL server does",
                hint="Check that the address is the one for queries, often ending in /sparql or "
                "/query.",
            ) from error

    def update(self, text: str) -> None:
        """Run an update. Raises ``QueryError`` if the server refuses it, else ``EngineError``."""
        sparql = self._wrapper(self._update_url)
        sparql.setQuery(text)
        self._send(sparql, self._update_url)

    def add(self, quads: Iterable[ox.Quad]) -> None:
        """Add quads, one request for each graph. Raises ``EngineError``."""
        ordered = sorted(quads, key=lambda quad: str(quad.graph_name))
        for graph, group in groupby(ordered, key=lambda quad: quad.graph_name):
            data = ox.serialize((quad.triple for quad in group), format=ox.RdfFormat.N_TRIPLES)
            assert data is not None
            assert isinstance(graph, ox.NamedNode)
            if self._store_url:
                self._store("POST", graph.value, data)
            else:
                # N-Triples are also SPARQL, blank nodes included.
                self.update(f"INSERT DATA {{ GRAPH {graph} {{ {data.decode()} }} }}")

    def put_graph(self, graph: str, data: bytes, media_type: str = "text/turtle") -> None:
        """Replace a named graph by a document. Raises ``EngineError``."""
        self._store("PUT", graph, data, media_type)

    def drop_graph(self, graph: str) -> None:
        """Remove a named graph if it exists. Raises ``EngineError``."""
        self.update(f"DROP SILENT GRAPH {ox.NamedNode(graph)}")

    def graphs(self) -> list[str]:
        """Return the IRIs of the named graphs, sorted. Raises ``EngineError``."""
        answer = self.query("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }")
        assert isinstance(answer, Rows)
        return sorted(row[0].value for row in answer.rows if isinstance(row[0], ox.NamedNode))

    def _wrapper(self, url: str) -> SPARQLWrapper:
        try:
            from SPARQLWrapper import POST, POSTDIRECTLY, SPARQLWrapper
        except ImportError:
            raise EngineError(
                "SPARQLWrapper is not installed",
                hint="pip install 'counterclaim[remote]'",
            ) from None
        sparql = SPARQLWrapper(url)
        sparql.setMethod(POST)
        sparql.setRequestMethod(POSTDIRECTLY)
        sparql.setTimeout(self._timeout)
        if self._credentials:
            sparql.setCredentials(*self._credentials)
        return sparql

    def _send(self, sparql: SPARQLWrapper, url: str) -> bytes:
        from SPARQLWrapper.SPARQLExceptions import SPARQLWrapperException

        try:
            data: bytes = sparql.query().response.read()
        except SPARQLWrapperException as error:
            # The wrapper turns 400, 401, 404 and 500 into its own; its text quotes the server.
            raise _refused(url, type(error).__name__, _last_line(str(error))) from error
        except (OSError, ValueError) as error:
            raise _unreachable(url, error) from error
        return data

    def _store(
        self, method: str, graph: str, data: bytes, media_type: str = "application/n-triples"
    ) -> None:
        if not self._store_url:
            raise EngineError("no address is known for whole graphs", hint="Give the store URL.")
        address = f"{self._store_url}?{urllib.parse.urlencode({'graph': graph})}"
        request = urllib.request.Request(address, data, {"Content-Type": media_type}, method=method)
        if self._credentials:
            request.add_header("Authorization", _basic(*self._credentials))
        try:
            urllib.request.urlopen(request, timeout=self._timeout).close()
        except (OSError, ValueError) as error:
            raise _unreachable(self._store_url, error) from error


def _refused(url: str, kind: str, said: str) -> QueryError | EngineError:
    if kind == "QueryBadFormed":
        return QueryError(f"{url} refuses the query: {said}")
    if kind == "Unauthorized":
        return _unauthorized(url)
    if kind == "EndPointNotFound":
        return EngineError(f"nothing answers at {url} (404)", hint="Check the address.")
    return EngineError(f"{url} failed: {said}")


def _unauthorized(url: str) -> EngineError:
    return EngineError(f"{url} asks for a name and a password (401)", hint="Give credentials.")


def _unreachable(url: str, error: Exception) -> EngineError:
    if isinstance(error, urllib.error.HTTPError):
        if error.code == 401:
            return _unauthorized(url)
        return EngineError(f"{url} answered {error.code} {error.reason}")
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, socket.timeout | TimeoutError):
        return EngineError(f"{url} did not answer in time", hint="Ask for less, or wait longer.")
    return EngineError(f"cannot reach {url}: {reason}", hint="Is the server running?")


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def _basic(user: str, password: str) -> str:
    import base64

    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
