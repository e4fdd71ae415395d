"""The remote engine against a real server, and against what is no server at all."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.engine import Rows, Triples
from kg.errors import EngineError, QueryError
from kg.remote import RemoteEngine

pytest.importorskip("SPARQLWrapper")

GRAPH = "https://example.org/graph"
BINARY = shutil.which("oxigraph") or shutil.which("oxigraph", path=str(Path(sys.executable).parent))


def quad(subject: str, value: str) -> ox.Quad:
    return ox.Quad(
        ox.NamedNode(f"https://example.org/{subject}"),
        ox.NamedNode("https://example.org/says"),
        ox.Literal(value),
        ox.NamedNode(GRAPH),
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server() -> Iterator[str]:
    if BINARY is None:
        pytest.skip("no oxigraph binary: pip install 'counterclaim[servers]'")
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [BINARY, "serve", "--bind", address, "--union-default-graph"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://{address}/store", timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def engine(server: str) -> RemoteEngine:
    return RemoteEngine(f"{server}/query", f"{server}/update", f"{server}/store")


@pytest.fixture
def odd_server() -> Iterator[str]:
    """A server that asks for a password at /private and talks about the weather elsewhere."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(401 if self.path.startswith("/private") else 200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<p>It is raining.</p>")

        do_PUT = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    httpd = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


@pytest.mark.server
def test_what_is_added_is_found_in_the_union(engine: RemoteEngine) -> None:
    engine.add([quad("ana", "yes"), quad("bo", 'no, "never"\n')])
    answer = engine.query("SELECT ?s ?o WHERE { ?s ?p ?o } ORDER BY ?s")
    assert isinstance(answer, Rows)
    assert answer.columns == ["s", "o"]
    assert [row[1] for row in answer.rows] == [ox.Literal("yes"), ox.Literal('no, "never"\n')]
    assert engine.graphs() == [GRAPH]


@pytest.mark.server
def test_without_a_store_url_quads_go_by_update(server: str) -> None:
    engine = RemoteEngine(f"{server}/query", f"{server}/update")
    yes = quad("ana", "yes")
    blank = ox.Quad(ox.BlankNode("b"), yes.predicate, yes.object, yes.graph_name)
    engine.add([yes, blank])
    assert engine.query("ASK { ?s ?p 'yes' FILTER(isBlank(?s)) }") is True
    with pytest.raises(EngineError, match="no address is known"):
        engine.put_graph(GRAPH, b"")


@pytest.mark.server
def test_every_form_of_query(engine: RemoteEngine) -> None:
    engine.add([quad("ana", "yes")])
    assert engine.query("ASK { ?s ?p 'yes' }") is True
    assert engine.query("ASK { ?s ?p 'maybe' }") is False
    answer = engine.query("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }")
    assert isinstance(answer, Triples)
    assert list(answer.triples) == [quad("ana", "yes").triple]


@pytest.mark.server
def test_a_graph_is_replaced_and_dropped(engine: RemoteEngine) -> None:
    engine.add([quad("ana", "yes")])
    engine.put_graph(GRAPH, b"<https://example.org/cy> <https://example.org/says> 'perhaps' .")
    assert engine.query("ASK { ?s ?p 'yes' }") is False
    assert engine.query("ASK { ?s ?p 'perhaps' }") is True
    engine.drop_graph(GRAPH)
    engine.drop_graph(GRAPH)
    assert engine.graphs() == []


@pytest.mark.server
def test_a_bad_query_is_a_query_error(engine: RemoteEngine) -> None:
    with pytest.raises(QueryError, match="refuses the query"):
        engine.query("SELECT ?s WHERE { ?s ?p }")


@pytest.mark.server
def test_a_wrong_path_is_told(server: str) -> None:
    with pytest.raises(EngineError, match="404"):
        RemoteEngine(f"{server}/nowhere").query("ASK {}")


def test_a_server_that_is_down() -> None:
    engine = RemoteEngine(f"http://127.0.0.1:{free_port()}/query", store_url="http://127.0.0.1:9/")
    with pytest.raises(EngineError, match="cannot reach") as caught:
        engine.query("ASK {}")
    assert caught.value.hint == "Is the server running?"
    with pytest.raises(EngineError, match="cannot reach"):
        engine.add([quad("ana", "yes")])


def test_a_server_that_wants_a_password(odd_server: str) -> None:
    engine = RemoteEngine(f"{odd_server}/private", store_url=f"{odd_server}/private/store")
    with pytest.raises(EngineError, match="401"):
        engine.query("ASK {}")
    with pytest.raises(EngineError, match="401"):
        engine.put_graph(GRAPH, b"")


@pytest.mark.parametrize("text", ["ASK {}", "SELECT * {}", "CONSTRUCT WHERE {?s ?p ?o}"])
def test_a_page_that_is_no_sparql_server(odd_server: str, text: str) -> None:
    with pytest.raises(EngineError, match="did not answer as a SPARQL server"):
        RemoteEngine(odd_server).query(text)


def test_text_that_is_no_address() -> None:
    with pytest.raises(EngineError):
        RemoteEngine("not an address").query("ASK {}")
