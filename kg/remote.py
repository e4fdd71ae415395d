"""A SPARQL 1.1 server as the engine: queries and updates through SPARQLWrapper, graphs in bulk.

Queries and updates go as forms by POST, which every server takes (Virtuoso 7 never answers a
POST of ``application/sparql-query``). Graphs travel by the Graph Store Protocol
(https://www.w3.org/TR/sparql11-http-rdf-update/) if its address is known, else by update.

The package's queries expect the union of a dispute's graphs as their default graph. Few servers
do that by themselves, so the engine names the graphs with every query, as the parameters
``default-graph-uri`` and ``named-graph-uri`` of the SPARQL protocol
(https://www.w3.org/TR/sparql11-protocol/#dataset): the text of the query stays as it is.
"""

from __future__ import annotations

import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING

import pyoxigraph as ox

from kg import remote_answers
from kg.engine import Answer, Rows
from kg.errors import EngineError, QueryError
from kg.namespaces import expand
from kg.query_guard import guard
from kg.remote_auth import Credentials
from kg.remote_http import Connection, Reply
from kg.remote_quirks import check_complete
from kg.remote_texts import inserts, n_triples
from kg.remote_virtuoso import is_virtuoso, may_differ, rewritten
from kg.sparql_text import names_dataset, query_form, significant

if TYPE_CHECKING:
    from SPARQLWrapper import SPARQLWrapper

TIMEOUT_SECONDS = 60.0
# Below what Virtuoso answers with as it comes.
_PAGE = 5_000


class RemoteEngine:
    """An ``Engine`` that asks a server.

    ``query_url`` takes queries, ``update_url`` updates (default: the same), ``store_url`` whole
    graphs (default: none; graphs travel by query and update). ``graphs`` are the graphs that a
    query sees, as union and by name; with ``None`` it sees what the server shows by itself.
    ``timeout`` is in seconds, for each request. Raises ``EngineError`` for what is no address.
    """

    def __init__(
        self,
        query_url: str,
        update_url: str | None = None,
        store_url: str | None = None,
        credentials: Credentials | None = None,
        timeout: float = TIMEOUT_SECONDS,
        graphs: Sequence[str] | None = None,
    ) -> None:
        self.query_url = query_url
        self.update_url = update_url or query_url
        self.store_url = store_url
        self.seen = graphs
        self._unasked = (
            {self.update_url} if credentials and credentials.scheme == "digest" else set()
        )
        addresses = [query_url, self.update_url, *([store_url] if store_url else [])]
        self._connection = Connection(addresses, credentials, timeout)
        self.wrote = False  # the server said of some write that it has been done
        # Whether the server is Virtuoso: seen from its first answer.
        self._virtuoso: bool | None = None
        self._below: dict[str, list[str]] = {}

    def query(self, text: str) -> Answer:
        """Run a query.

        Raises ``QueryError`` for what ``kg.query_guard.guard`` refuses, and if the server calls
        it malformed; ``EngineError`` for a server that cannot be reached or fails, and for an
        answer that is not SPARQL's, or not whole.
        """
        guard(text)
        if may_differ(text) and self.is_virtuoso():
            text = rewritten(text, self._classes_below)
        return self._query(text)

    def is_virtuoso(self) -> bool:
        """Say whether the server is a Virtuoso; asks it, if it never answered yet.

        Raises ``EngineError``.
        """
        if self._virtuoso is None:
            self._query("ASK {}")
        return bool(self._virtuoso)

    def _classes_below(self, iri: str) -> list[str]:
        if iri not in self._below:
            path = f"<{expand('rdfs:subClassOf')}>+"
            answer = self._query(f"SELECT DISTINCT ?c WHERE {{ ?c {path} {ox.NamedNode(iri)} }}")
            assert isinstance(answer, Rows)
            found = (row[0] for row in answer.rows)
            self._below[iri] = [term.value for term in found if isinstance(term, ox.NamedNode)]
        return self._below[iri]

    def _query(self, text: str) -> Answer:
        form = query_form(significant(text))
        is_graph = form in ("CONSTRUCT", "DESCRIBE")
        sparql = _wrapper(self.query_url, text, form or "SELECT")
        sparql.addCustomHttpHeader(
            "Accept", remote_answers.GRAPHS if is_graph else remote_answers.TABLES
        )
        if self.seen is not None and not names_dataset(text):
            for graph in self.seen:
                sparql.addParameter("default-graph-uri", graph)
                sparql.addParameter("named-graph-uri", graph)
        reply = self._connection.send(sparql._createRequest(), repeatable=True)
        check_complete(reply.headers, self.query_url)
        self._virtuoso = is_virtuoso(reply.headers)
        return remote_answers.read(reply, text, self.query_url)

    def update(self, text: str) -> None:
        """Run an update. Raises ``QueryError`` if the server refuses it, else ``EngineError``."""
        for address in self._unasked:
            self._unasked = set()
            # A digest server asks for the password only now, and may do so while a long update
            # is on its way and close the connection; so it is first sent one that is empty.
            with suppress(QueryError):  # some call that malformed
                self._update(address, "")
        self._update(self.update_url, text)
        self.wrote = True

    def add(self, quads: Iterable[ox.Quad]) -> None:
        """Add quads, one or more requests for each graph. Raises ``EngineError``."""
        ordered = sorted(quads, key=lambda quad: str(quad.graph_name))
        for graph, group in groupby(ordered, key=lambda quad: quad.graph_name):
            assert isinstance(graph, ox.NamedNode)
            triples = [quad.triple for quad in group]
            if self.store_url:
                self._store("POST", graph.value, n_triples(triples))
            else:
                self.insert(graph.value, triples)

    def insert(
        self,
        graph: str,
        triples: Iterable[ox.Triple],
        step: Callable[[int], None] | None = None,
    ) -> None:
        """Add triples to a graph by updates; ``step`` is called with how many each has added.

        Raises ``EngineError``; then some may have been added.
        """
        for text, count in inserts(graph, triples):
            self.update(text)
            if step:
                step(count)

    def put_graph(self, graph: str, data: bytes, media_type: str = "text/turtle") -> None:
        """Replace a named graph by a document. Raises ``EngineError``."""
        self._store("PUT", graph, data, media_type)

    def drop_graph(self, graph: str) -> None:
        """Remove a named graph if it exists. Raises ``EngineError``."""
        self.update(f"DROP SILENT GRAPH {ox.NamedNode(graph)}")

    def delete_graph(self, graph: str) -> None:
        """Remove a named graph, if it exists, without an update. Raises ``EngineError``."""
        self._store("DELETE", graph)

    def graphs(self, start: str = "") -> list[str]:
        """Return the IRIs of the named graphs that begin with ``start``, sorted.

        Raises ``EngineError``.
        """
        only = f" FILTER(STRSTARTS(STR(?g), {ox.Literal(start)}))" if start else ""
        answer = self.query(f"SELECT DISTINCT ?g WHERE {{ GRAPH ?g {{ ?s ?p ?o }}{only} }}")
        assert isinstance(answer, Rows)
        return sorted(row[0].value for row in answer.rows if isinstance(row[0], ox.NamedNode))

    def count(self, graph: str) -> int:
        """Return how many triples a named graph holds. Raises ``EngineError``."""
        name = ox.NamedNode(graph)
        answer = self.query(f"SELECT (COUNT(*) AS ?n) WHERE {{ GRAPH {name} {{ ?s ?p ?o }} }}")
        assert isinstance(answer, Rows)
        return remote_answers.number(answer, self.query_url)

    def triples(self, graph: str) -> list[ox.Triple]:
        """Return what a named graph holds; nothing if there is none. Raises ``EngineError``."""
        if self.store_url:
            reply = self._store("GET", graph)
            if reply and is_virtuoso(reply.headers):
                return self._in_pages(graph)
            try:
                return remote_answers.graph(reply) if reply else []
            except (SyntaxError, ValueError) as error:
                raise EngineError(
                    f"{self.store_url} did not answer as a graph store does",
                    hint="Check the address given as --gsp.",
                ) from error
        if self.is_virtuoso():
            return self._in_pages(graph)
        # As a table: a server that cuts long answers says so of a table only.
        name = ox.NamedNode(graph)
        answer = self.query(f"SELECT ?s ?p ?o WHERE {{ GRAPH {name} {{ ?s ?p ?o }} }}")
        assert isinstance(answer, Rows)
        return remote_answers.triples(answer, self.query_url)

    def _in_pages(self, graph: str) -> list[ox.Triple]:
        """Return a graph of a Virtuoso, which cuts a longer answer; its blank nodes keep names."""
        found: dict[ox.Triple, None] = {}
        name = ox.NamedNode(graph)
        for start in range(0, self.count(graph), _PAGE):
            answer = self._query(
                f"SELECT ?s ?p ?o WHERE {{ GRAPH {name} {{ ?s ?p ?o }} }} "
                f"LIMIT {_PAGE} OFFSET {start}"
            )
            assert isinstance(answer, Rows)
            found |= dict.fromkeys(remote_answers.triples(answer, self.query_url))
        return list(found)

    def quads(self) -> Iterator[ox.Quad]:
        """Yield all that queries see, graph by graph. Raises ``EngineError``.

        Blank nodes keep no name from the server, so that two graphs share none.
        """
        for number, graph in enumerate(self.graphs()):
            name = ox.NamedNode(graph)
            for triple in self.triples(graph):
                subject, value = (
                    ox.BlankNode(f"g{number}{term.value}")
                    if isinstance(term, ox.BlankNode)
                    else term
                    for term in (triple.subject, triple.object)
                )
                yield ox.Quad(subject, triple.predicate, value, name)  # type: ignore[arg-type]

    def _update(self, url: str, text: str) -> None:
        sparql = _wrapper(url, text, "INSERT")  # whichever: it is an update
        try:
            self._connection.send(sparql._createRequest(), repeatable=False)
        except QueryError as error:
            if url != self.query_url:
                raise
            hint = "Many servers take updates at an address of their own; see --update-to."
            raise QueryError(error.message, hint=error.hint or hint) from error.__cause__

    def _store(
        self, method: str, graph: str, data: bytes | None = None, media_type: str = "text/turtle"
    ) -> Reply | None:
        """Send a request of the Graph Store Protocol; ``None`` if there is no such graph."""
        if not self.store_url:
            raise EngineError("no address is known for whole graphs", hint="Give the store URL.")
        joint = "&" if "?" in self.store_url else "?"
        address = f"{self.store_url}{joint}{urllib.parse.urlencode({'graph': graph})}"
        headers = (
            {"Accept": remote_answers.GRAPHS} if method == "GET" else {"Content-Type": media_type}
        )
        request = urllib.request.Request(address, data, headers, method=method)
        if method in ("GET", "DELETE"):
            found = self._connection.find(request)
            self.wrote |= method == "DELETE"
            return found
        # PUT may be repeated: the second leaves things as the first did.
        reply = self._connection.send(request, repeatable=method == "PUT")
        self.wrote = True
        return reply


def _wrapper(url: str, text: str, form: str) -> SPARQLWrapper:
    try:
        from SPARQLWrapper import POST, URLENCODED, SPARQLWrapper
    except ImportError:
        raise EngineError(
            "SPARQLWrapper is not installed", hint="pip install 'counterclaim[remote]'"
        ) from None
    sparql = SPARQLWrapper(url)
    sparql.setMethod(POST)
    sparql.setRequestMethod(URLENCODED)
    sparql.setOnlyConneg(True)  # no parameters of its own invention
    sparql.queryString = text
    # Found by tokens: the wrapper's own pattern takes a '#' in an IRI for a comment.
    sparql.queryType = form
    return sparql
