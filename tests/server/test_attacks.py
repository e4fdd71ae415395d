"""Queries and requests that mean harm, each followed by proof that others are still served.

Deadlines are the servers' own; no test measures time, since the machine may be slow.
"""

from __future__ import annotations

import gzip
import http.client
import http.server
import json
import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox
import pytest

from tests.skips import NO_NAMESPACES

from .conftest import BASE, PATIENCE, Serve, Server, numbers, publish, wait_for


@pytest.fixture(autouse=True)
def still_serves(small: Server) -> Iterator[None]:
    """After each attack a query that nobody has asked before is answered."""
    yield

    def served() -> bool:
        assert small.process.poll() is None
        return small.query(f"SELECT ({random.getrandbits(60)} AS ?x) {{}}").status == 200

    wait_for(served)  # on a busy machine a query may meet its deadline by no fault of its own


FOUR = "?a ?p ?x . ?b ?q ?y . ?c ?r ?z . ?d ?t ?w"
EXPLODING = {
    "cross product": f"SELECT (COUNT(*) AS ?n) {{ {FOUR} }}",
    "unmatched filter": f"SELECT * {{ {FOUR} FILTER(?x + ?y + ?z + ?w = -1) }}",
    "unbounded path": "SELECT (COUNT(*) AS ?n) { ?a (!<urn:x>|^!<urn:x>)* ?b . "
    "?c (!<urn:x>|^!<urn:x>)* ?d . ?e (!<urn:x>|^!<urn:x>)* ?f }",
    "regex": "SELECT * { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z FILTER(REGEX(CONCAT(STR(?x), STR(?y), "
    'STR(?z)), "^(0*)*(1*)*x$")) }',
    "not exists": f"ASK {{ {FOUR} FILTER NOT EXISTS {{ ?e ?f ?w }} }}",
}


@pytest.mark.parametrize("name", EXPLODING)
def test_a_query_without_end_is_stopped_at_the_deadline(small: Server, name: str) -> None:
    reply = small.query(EXPLODING[name])
    assert reply.status == 504
    assert "3 seconds" in reply.json()["detail"]


HEAVY = {
    "sort": f"SELECT * {{ {FOUR} }} ORDER BY ?x ?y ?z ?w LIMIT 1",
    "concatenation": f"SELECT (GROUP_CONCAT(?x) AS ?all) {{ {FOUR} }}",
    "distinct": f"SELECT DISTINCT * {{ {FOUR} }}",
    "groups": f"SELECT ?x ?y ?z (SAMPLE(?w) AS ?s) {{ {FOUR} }} GROUP BY ?x ?y ?z",
}


@pytest.mark.parametrize("name", HEAVY)
def test_a_query_that_wants_all_memory_is_stopped(small: Server, name: str) -> None:
    reply = small.query(HEAVY[name])
    # Whichever limit it meets first: memory, the deadline, or, where rows flow, the deadline
    # when they flow already.
    assert reply.status in (422, 504) or reply.broken


def test_memory_that_runs_out_is_told(tmp_path: Path, serve_store: Serve) -> None:
    root = publish(tmp_path / "store", numbers(5000))
    # Little memory and much time: a busy machine must not meet the deadline first.
    server = serve_store(root, timeout=10 * PATIENCE, memory=400 * 1024 * 1024)
    reply = server.query(
        "SELECT (GROUP_CONCAT(CONCAT(STR(?a), STR(?b))) AS ?x) { ?a ?p ?y . ?b ?q ?z }"
    )
    assert reply.status == 422
    assert "memory" in reply.json()["title"]
    assert server.query("ASK {}").status == 200


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory, serve_store: Serve) -> Server:
    """A server whose deadline no busy machine makes a short query meet."""
    root = publish(tmp_path_factory.mktemp("patient") / "store", numbers(1000))
    return serve_store(root, timeout=PATIENCE, memory=700 * 1024 * 1024)


DEPTHS = [300, 2_000, 5_000, 10_000, 100_000]


def nested(depth: int) -> dict[str, str]:
    return {
        "parentheses": f"ASK {{ FILTER({'(' * depth}1{')' * depth}) }}",
        "groups": f"ASK {{ {'{' * depth}{'}' * depth} }}",
        "not": f"ASK {{ FILTER({'!' * depth}true) }}",
        "or": f"ASK {{ FILTER({'||'.join(['true'] * depth)}) }}",
        "union": f"ASK {{ {' UNION '.join(['{}'] * depth)} }}",
        "exists": f"ASK {{ {'FILTER EXISTS {' * depth}{'}' * depth} }}",
        "optional": f"ASK {{ {'OPTIONAL {' * depth}{'}' * depth} }}",
        "minus": f"SELECT * {{ {'MINUS {' * depth}{'}' * depth} }}",
        "blank nodes": f"ASK {{ {'[<urn:p> ' * depth}1{']' * depth} }}",
        "lists": f"ASK {{ ?s ?p {'(' * depth}1{')' * depth} }}",
        "paths": f"ASK {{ ?s {'(' * depth}<urn:p>{')*' * depth} ?o }}",
        "inverse": f"ASK {{ ?s {'^' * depth}<urn:p> ?o }}",
        "minus signs": f"ASK {{ FILTER({'- ' * depth}1 = 1) }}",
        "calls": f"ASK {{ FILTER({'STR(' * depth}1{')' * depth} = 1) }}",
        "sub-selects": f"{'SELECT * { ' * depth}{'}' * depth}",
        "unclosed": "ASK {" * depth,
        "triples": f"ASK {{ {'?s ?p ?o .' * depth} }}",
        "properties": f"ASK {{ ?s ?p ?o {'; ?p ?o ' * depth} }}",
        "objects": f"ASK {{ ?s ?p ?o {', ?o ' * depth} }}",
        "collection": f"ASK {{ ?s ?p ({' 1' * depth}) }}",
        "groups side by side": f"ASK {{ {'{ ?s ?p ?o }' * depth} }}",
        "data blocks": f"ASK {{ {'VALUES ?x { 1 }' * depth} }}",
    }


def deaths(server: Server) -> list[str]:
    """How many workers ended badly; one that was slow may be replaced in good health."""
    return re.findall(r'ended_total\{how="(?:died|killed)"\} [0-9]+', server.metrics())


# Planning three hundred joins takes the engine minutes; that is the deadline's to end.
JOINS = {"triples", "properties", "objects", "collection", "groups side by side", "data blocks"}


@pytest.mark.parametrize(
    ("shape", "depth"),
    [(s, d) for s in nested(1) for d in DEPTHS if s not in JOINS or d >= 5_000],
)
def test_nesting_is_refused_and_kills_nothing(patient: Server, shape: str, depth: int) -> None:
    before = deaths(patient)
    reply = patient.post(nested(depth)[shape])
    # Too long to read at all, or read as text and refused; or well within what the engine takes.
    assert reply.status in ({413} if len(nested(depth)[shape]) > 256 * 1024 else {200, 400})
    if depth >= 2000:
        assert reply.status != 200
    assert deaths(patient) == before


def test_a_query_that_is_too_long(small: Server) -> None:
    text = "ASK {} #" + "x" * 300_000
    assert small.query(text).status == 414
    assert small.post(text).status == 413
    assert small.form(query=text).status == 413


def test_a_body_that_is_too_long(small: Server) -> None:
    assert small.post(b"x" * 2_000_000).status == 413
    # Without a length, in chunks.
    connection = small.connect()
    connection.request(
        "POST",
        "/sparql",
        iter([b"x" * 100_000] * 30),
        {"Content-Type": "application/sparql-query"},
        encode_chunked=True,
    )
    assert connection.getresponse().status == 413
    connection.close()


def test_an_address_that_is_too_long(small: Server) -> None:
    assert small.request("/sparql?" + "x" * 600_000).status == 414
    assert small.request("/sparql?query=ASK%7B%7D&" + "a&" * 400).status == 400


def test_headers_without_end(small: Server) -> None:
    with socket.create_connection(("127.0.0.1", small.port), PATIENCE) as connection:
        connection.sendall(b"GET /sparql HTTP/1.1\r\nHost: x\r\n")
        try:
            for number in range(3000):
                connection.sendall(f"X-{number}: {'y' * 1000}\r\n".encode())
            answer = connection.recv(100)
        except OSError:
            return  # cut off while it was sending
    assert b" 431 " in answer or answer == b""


def test_a_gzip_bomb_is_not_opened(small: Server) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    reply = small.post(bomb, Content_Encoding="gzip")
    assert reply.status == 415
    assert reply.headers["accept-encoding"] == "identity"


def test_a_slow_head_is_cut_off(small: Server, serve_store: Serve) -> None:
    with socket.create_connection(("127.0.0.1", small.port), PATIENCE) as connection:
        connection.sendall(b"GET /sparql HTTP/1.1\r\nHo")
        # Ten seconds later; the socket's own patience is longer.
        assert b" 408 " in connection.recv(100)


def test_a_slow_body_is_cut_off(tmp_path: Path, serve_store: Serve) -> None:
    server = serve_store(publish(tmp_path / "store", []), workers=1, body_time=0.5)
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        connection.sendall(
            b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\n"
            b"Content-Length: 100\r\n\r\nASK"
        )
        assert b" 408 " in connection.recv(100)


def test_a_client_that_does_not_read_loses_its_worker(tmp_path: Path, serve_store: Serve) -> None:
    root = publish(tmp_path / "store", numbers(3000))
    server = serve_store(root, workers=1, timeout=2.0, patience=1.0)
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        connection.sendall(
            b"GET /sparql?query=SELECT%20*%20%7B%3Fa%20%3Fb%20%3Fc.%3Fd%20%3Fe%20%3Ff%7D "
            b"HTTP/1.1\r\nHost: x\r\n\r\n"
        )
        wait_for(lambda: server.metric("kg_workers_busy") == 1)
        # The only worker is taken, until patience ends.
        assert server.query("SELECT (5 AS ?x) {}").status == 200
    wait_for(lambda: 'outcome="too slow a client"' in server.metrics())


ENDLESS = "GET /sparql?query=SELECT%20*%20%7B%3Fa%20%3Fb%20%3Fc.%3Fd%20%3Fe%20%3Ff%7D%23"


def unread(server: Server, source: str, number: int) -> socket.socket:
    """Ask for an answer without end from an address, and read nothing of it."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.bind((source, 0))
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(f"{ENDLESS}{number} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return connection


def test_clients_that_do_not_read_hold_no_worker_that_others_need(
    tmp_path: Path, serve_store: Serve
) -> None:
    root = publish(tmp_path / "store", numbers(3000))
    # Whoever waited as long as the patience would be refused.
    server = serve_store(root, workers=4, timeout=5.0, patience=10 * PATIENCE, stall=1.0)
    taken = [unread(server, f"127.0.0.{2 + n % 2}", n) for n in range(10)]
    wait_for(lambda: server.metric("kg_workers_busy") == 4)
    for number in range(3):
        assert server.query(f"SELECT ({number} AS ?x) {{}}").status == 200
    assert 'outcome="too slow a client"' in server.metrics()
    for connection in taken:
        connection.close()


def test_a_client_that_reads_slowly_but_reads_gets_its_whole_answer(
    tmp_path: Path, serve_store: Serve
) -> None:
    root = publish(tmp_path / "store", numbers(1200))
    server = serve_store(root, workers=1, timeout=PATIENCE, patience=3.0, stall=3.0)
    text = "SELECT ?c ?f { ?a ?b ?c . ?d ?e ?f }"
    data, began = b"", time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        connection.sendall(
            b"POST /sparql HTTP/1.1\r\nHost: x\r\nAccept: text/tab-separated-values\r\n"
            b"Connection: close\r\nContent-Type: application/sparql-query\r\n"
            + f"Content-Length: {len(text)}\r\n\r\n{text}".encode()
        )
        waiting = ThreadPoolExecutor(1).submit(server.query, "ASK {}")
        while piece := connection.recv(200_000):
            data += piece
            time.sleep(0.08)
    assert data.endswith(b"\r\n0\r\n\r\n")
    assert data.count(b"\n") > 1200 * 1200
    assert time.monotonic() - began > 3.0  # longer than it may take nothing
    assert waiting.result().status == 200


def test_an_endless_answer_never_looks_complete(tmp_path: Path, serve_store: Serve) -> None:
    root = publish(tmp_path / "store", numbers(3000))
    server = serve_store(root, timeout=1.0, cache=0)
    endless = "SELECT * { ?a ?b ?c . ?d ?e ?f }"
    for accept in ("application/sparql-results+json", "text/csv", "application/sparql-results+xml"):
        for coding in ("identity", "gzip"):
            reply = server.query(endless, Accept=accept, Accept_Encoding=coding)
            assert reply.status == 504 or reply.broken
    wait_for(lambda: 'status="200",outcome="deadline"' in server.metrics())


@pytest.mark.parametrize("limits", [{"rows": 500}, {"answer": 20_000}])
def test_limits_of_rows_and_bytes_are_told(
    tmp_path: Path, serve_store: Serve, limits: dict[str, int]
) -> None:
    root = publish(tmp_path / "store", numbers(1000))
    server = serve_store(root, workers=1, **limits)
    for accept in (
        "application/sparql-results+json",
        "application/sparql-results+xml",
        "text/csv",
        "text/tab-separated-values",
    ):
        reply = server.query("SELECT * { ?s ?p ?o }", Accept=accept)
        assert reply.status == 422, accept
        assert "LIMIT" in reply.json()["detail"]
    reply = server.query("CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }")
    assert reply.status == 422
    assert server.query("SELECT * { ?s ?p ?o } LIMIT 50").status == 200


def test_a_limit_met_in_mid_stream_breaks_the_answer(tmp_path: Path, serve_store: Serve) -> None:
    root = publish(tmp_path / "store", numbers(3000))
    server = serve_store(root, workers=1, rows=50_000, timeout=PATIENCE)
    reply = server.query("SELECT * { ?a ?b ?c . ?d ?e ?f }", Accept="text/csv")
    assert (reply.status, reply.broken) == (200, True)


def test_http_1_0_gets_a_length_or_nothing(small: Server) -> None:
    def ask(text: str) -> bytes:
        with socket.create_connection(("127.0.0.1", small.port), PATIENCE) as connection:
            path = text.replace(" ", "%20").replace("{", "%7B").replace("}", "%7D")
            connection.sendall(f"GET /sparql?query={path} HTTP/1.0\r\n\r\n".encode())
            parts = iter(lambda: connection.recv(65536), b"")
            return b"".join(parts)

    assert b"content-length" in ask("ASK {}").lower()
    assert b" 505 " in ask("SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 50000")[:40]


@pytest.fixture(scope="module")
def canary() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback that a query must not reach, and what reached it."""
    heard: list[str] = []

    class Canary(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/again")
            self.end_headers()

        do_POST = do_GET  # noqa: N815  # the name that the library calls

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Canary)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/sparql", heard
    server.shutdown()
    server.server_close()


CALLS = {
    "constant": "SELECT * { SERVICE <URL> { ?s ?p ?o } }",
    "variable": "SELECT * { VALUES ?x { <URL> } SERVICE ?x { ?s ?p ?o } }",
    "bound variable": "SELECT * { BIND(IRI('URL') AS ?x) SERVICE ?x { ?s ?p ?o } }",
    "silent": "SELECT * { SERVICE SILENT <URL> { ?s ?p ?o } }",
    "nested": "SELECT * { { SELECT * { OPTIONAL { SERVICE <URL> { ?s ?p ?o } } } } }",
    "in exists": "ASK { FILTER EXISTS { SERVICE <URL> { ?s ?p ?o } } }",
    "split by a comment": "SELECT * { SERVICE #x\n <URL> { ?s ?p ?o } }",
    "mixed case": "SELECT * { sErViCe <URL> { ?s ?p ?o } }",
    "prefixed": "PREFIX s: <URL> SELECT * { SERVICE s: { ?s ?p ?o } }",
    "run together": "SELECT*{SERVICE<URL>{?s ?p ?o}}",
    "after a number": "SELECT*{BIND(1 AS ?x)FILTER(?x=1)SERVICE<URL>{?s ?p ?o}}",
    "escaped": "SELECT * { SERVICE <\\u0068ttp://HOST> { ?s ?p ?o } }",
    "base": "BASE <URL> SELECT * { SERVICE <> { ?s ?p ?o } }",
    "load": "LOAD <URL>",
    "load in a query": "SELECT * { ?s ?p ?o } ; LOAD <URL>",
    "dataset": "SELECT * FROM <URL> { ?s ?p ?o }",
    "named dataset": "SELECT * FROM NAMED <URL> { GRAPH ?g { ?s ?p ?o } }",
    "graph": "SELECT * { GRAPH <URL> { ?s ?p ?o } }",
    "describe": "DESCRIBE <URL>",
    "import": "CONSTRUCT { <urn:x> <http://www.w3.org/2002/07/owl#imports> <URL> } {}",
}


@pytest.mark.parametrize("name", CALLS)
def test_no_query_reaches_another_server(
    small: Server, canary: tuple[str, list[str]], name: str
) -> None:
    url, heard = canary
    text = CALLS[name].replace("URL", url).replace("HOST", url.removeprefix("http://"))
    reply = small.post(text)
    assert reply.status in (200, 400, 403)
    if "service" in text.lower():
        assert reply.status == 400
        assert "SERVICE" in reply.json()["detail"]
    assert not heard


def test_the_dataset_of_a_request_reaches_nothing(
    small: Server, canary: tuple[str, list[str]]
) -> None:
    url, heard = canary
    for name in ("default-graph-uri", "named-graph-uri"):
        for graph in (url, "file:///etc/passwd"):
            reply = small.form(**{"query": "SELECT * { ?s ?p ?o }", name: graph})
            assert reply.rows == []
    assert small.request(f"/graphs?graph={url}").status == 404
    assert small.request("/graphs?graph=file:///etc/passwd").status == 404
    assert not heard


@pytest.mark.parametrize("clause", ["FROM", "FROM NAMED", "from", "From#x\n"])
def test_no_query_reads_a_file(small: Server, clause: str) -> None:
    reply = small.post(f"SELECT * {clause} <file:///etc/passwd> {{ ?s ?p ?o }}")
    assert reply.status == 400
    assert "root:" not in reply.text


def test_a_worker_has_no_network(small: Server) -> None:
    """Where the kernel lets it, the worker is in a network namespace of its own."""
    if "no network" in small.log.read_text():
        pytest.skip(NO_NAMESPACES)
    ours = Path("/proc/self/ns/net").readlink()

    def apart() -> bool:
        pids = small.workers()  # one that only starts has not got so far
        return bool(pids) and all(Path(f"/proc/{p}/ns/net").readlink() != ours for p in pids)

    wait_for(apart)


NASTY = '"><script>alert(1)</script>\x01\x0b\ufffe\uffff\r\n\t=1+1\u2028'


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory, serve_store: Serve) -> Server:
    """A server over terms that mean harm to whoever shows them."""
    p, graph = ox.NamedNode(f"{BASE}p"), ox.NamedNode(f"{BASE}%3Cscript%3E'()")
    terms = [ox.Literal(NASTY), ox.Literal("=cmd|' /C calc'!A0")]
    terms.append(ox.Literal("x", language="x-script"))
    quads = [ox.Quad(ox.NamedNode(f"{BASE}'-alert(1)-'"), p, term, graph) for term in terms]
    return serve_store(publish(tmp_path_factory.mktemp("nasty") / "store", quads), workers=1)


@pytest.mark.parametrize("character", ["\x01", "\x0b", "\x1f", "\ufffe", "\uffff"])
def test_what_xml_cannot_hold_is_406_and_told(nasty: Server, character: str) -> None:
    text = f'SELECT ("<a>{character}b" AS ?o) {{}}'
    reply = nasty.post(text, Accept="application/sparql-results+xml")
    assert reply.status == 406
    assert reply.headers["content-type"] == "application/problem+json"
    for told in (f"U+{ord(character):04X}", "application/sparql-results+json", "text/csv"):
        assert told in reply.json()["detail"]
    assert nasty.post(text).rows == [{"o": f"<a>{character}b"}]


def test_xml_keeps_all_that_it_can_hold(nasty: Server) -> None:
    import xml.etree.ElementTree as ET

    everything = '"><script>&amp;]]>\r\n\t\r =1+1\u2028\x7f\x85\ufdd0🙂'
    text = f"SELECT ({ox.Literal(everything)} AS ?o) {{}}"
    reply = nasty.post(text, Accept="application/sparql-results+xml")
    (found,) = [e.text for e in ET.fromstring(reply.text).iter() if e.tag.endswith("literal")]
    assert found == everything


def test_other_formats_keep_every_character(nasty: Server) -> None:
    reply = nasty.query("SELECT ?o { ?s ?p ?o }")
    assert NASTY in [row["o"] for row in reply.rows]
    assert (
        '"' + NASTY.replace('"', '""') + '"'
        in nasty.query("SELECT ?o { ?s ?p ?o }", Accept="text/csv").text
    )
    assert "=cmd|" in nasty.query("SELECT ?o { ?s ?p ?o }", Accept="text/csv").text
    graph = nasty.query("CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }", Accept="application/n-triples")
    triples = list(ox.parse(graph.body, format=ox.RdfFormat.N_TRIPLES))
    assert ox.Literal(NASTY) in [triple.object for triple in triples]


def test_pages_hold_no_script_whatever_is_said(nasty: Server) -> None:
    """In a literal, a language tag, the name of a thing and that of a graph."""
    for path in ("/gsp/about/'-alert(1)-'", "/gsp/%3Cscript%3E'()", "/gsp/about/%3Cscript%3E'()"):
        for accept in ("text/html", "application/ld+json", "text/turtle", "application/trig"):
            reply = nasty.request(path, headers={"Accept": accept})
            assert "nosniff" in reply.headers["x-content-type-options"]
            assert "sandbox" in reply.headers["content-security-policy"]
            assert "default-src 'none'" in reply.headers["content-security-policy"]
            if reply.headers.get("content-type", "").startswith("text/html"):
                assert b"<script" not in reply.body
                assert reply.status in (200, 404)
    page = nasty.request("/gsp/about/'-alert(1)-'", headers={"Accept": "text/html"})
    assert page.status == 200
    assert "&lt;script&gt;" in page.text


@pytest.mark.parametrize(
    "template",
    [
        "?s ?p ?o",
        *("<urn:a> <urn:1> 1", "<urn:a> <http://x.example/> 1", "<urn:a> rdf:li 1"),
        *("<urn:a> a <http://x.example/1>", "<urn:a> <http://x.example/a(b)> 1"),
    ],
)
def test_what_rdf_xml_cannot_hold_is_406_and_told(nasty: Server, template: str) -> None:
    text = f"CONSTRUCT {{ {template} }} {{ ?s ?p ?o }}"
    for method in (nasty.query, nasty.post):
        reply = method(text, Accept="application/rdf+xml")
        assert reply.status == 406
        assert reply.headers["content-type"] == "application/problem+json"
        for told in ("RDF/XML cannot hold", "text/turtle", "application/n-triples"):
            assert told in reply.json()["detail"]
    assert nasty.query(text, Accept="text/turtle").status == 200
    for path in ("/graphs?default", "/gsp/about/'-alert(1)-'"):
        assert nasty.request(path, headers={"Accept": "application/rdf+xml"}).status == 406


def test_terms_that_are_triples_come_or_are_refused(nasty: Server) -> None:
    """JSON-LD has none, and its writer fails of them."""
    before = deaths(nasty)
    text = 'CONSTRUCT { <urn:s> <urn:p> <<( <urn:a> <urn:b> "c" )>> } {}'
    statuses = {
        media: nasty.query(text, Accept=media).status
        for media in ("text/turtle", "application/n-quads", "application/trig")
    }
    assert set(statuses.values()) == {200}
    reply = nasty.query(text, Accept="application/ld+json")
    assert reply.status == 406
    assert "text/turtle" in reply.json()["detail"]
    rows = "SELECT (<<( <urn:a> <urn:b> 1 )>> AS ?t) {}"
    for media in ("application/sparql-results+json", "text/csv", "application/sparql-results+xml"):
        assert nasty.query(rows, Accept=media).status == 200
    assert deaths(nasty) == before


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory, serve_store: Serve) -> Server:
    """A server over much that XML can hold, and one thing that it cannot."""
    root = tmp_path_factory.mktemp("late")
    graph, value = ox.NamedNode(f"{BASE}graph/numbers"), ox.NamedNode(f"{BASE}value")
    last = ox.Quad(ox.NamedNode(f"{BASE}z"), value, ox.Literal("\x01"), graph)
    return serve_store(publish(root / "store", [*numbers(60_000), last]), timeout=PATIENCE)


@pytest.mark.parametrize(
    ("form", "accept", "end"),
    [
        ("SELECT *", "application/sparql-results+xml", "</sparql>"),
        ("CONSTRUCT { ?s ?p ?o }", "application/rdf+xml", "</rdf:RDF>"),
    ],
)
def test_what_xml_cannot_hold_in_mid_stream_breaks_the_answer(
    late: Server, form: str, accept: str, end: str
) -> None:
    text = f"{form} {{ ?s ?p ?o }} ORDER BY DESC(ISNUMERIC(?o))"  # so that it comes last
    reply = late.query(text, Accept=accept)
    assert (reply.status, reply.broken) == (200, True)
    assert not reply.text.rstrip().endswith(end)
    # Much shorter, it may be known before anything is sent.
    reply = late.query(text, Accept=accept, Accept_Encoding="gzip")
    assert reply.broken or reply.status == 406
    assert 'status="200",outcome="refused"' in late.metrics()
    for whole in ("application/sparql-results+json", "text/turtle"):
        reply = late.query(text, Accept=f"{whole}, */*;q=0.1")
        assert (reply.status, reply.broken) == (200, False)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT <script>alert(1)</script> {}",
        "SELECT ?<script> { ?s ?p ?o }",
        'ASK { ?s ?p "\r\nSet-Cookie: a=b" ',
        "PREFIX <script>: <x> ASK {}",
        "ASK { ?s ?p 'x'@<script> }",
        "\x00",
        "ASK {} \u202e",
        "SELECT (<javascript:alert(1)> AS ?x) {",
    ],
)
def test_what_is_sent_back_in_errors_is_harmless(small: Server, text: str) -> None:
    reply = small.post(text)
    assert reply.status == 400
    assert b"<script" not in reply.body
    assert "set-cookie" not in reply.headers
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    [
        "/about/x%0d%0aSet-Cookie:%20a=b",
        "/x%0d%0aLocation:%20http://evil.example",
        "//evil.example/x",
        "/\\evil.example",
        "/about/<script>alert(1)</script>",
        "/about/%3Cscript%3E",
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/about/../../../etc/passwd",
        "/api/queries/../../etc/passwd",
        "/api/queries/..%2f..%2fetc%2fpasswd",
        "/api/queries/contradictions.rq",
        "/api/queries/%00",
        "/api/queries/ask%2fcontradictions",
        "/gsp/n/1>%7D%20SERVICE%20<http://x/>",
        "/gsp/%22%7D",
        "/sparql/../sparql?query=ASK%7B%7D",
        *("/gsp/%zz", "/gsp/%", "/gsp/a[b]", "/gsp/about/%zz", "/gsp/about/%", "/gsp/about/a[b]"),
        *(
            "/gsp/a\\b",
            "/gsp/a|b",
            "/gsp/about/a`b",
            "/gsp/about/a^b",
            "/graphs?graph=http://x/%25zz",
        ),
    ],
)
@pytest.mark.parametrize("accept", ["*/*", "text/html", "text/turtle"])
def test_tricks_with_paths(small: Server, path: str, accept: str) -> None:
    before = deaths(small)
    reply = small.request(path, headers={"Accept": accept})
    assert reply.status in (400, 404, 406)
    assert deaths(small) == before
    assert "root:" not in reply.text
    assert b"<script" not in reply.body
    assert "set-cookie" not in reply.headers
    assert "evil" not in reply.headers.get("location", "")


def test_what_a_host_header_says_is_not_believed(small: Server) -> None:
    reply = small.request("/sparql", headers={"Host": 'a"><script>.example'})
    assert reply.status in (200, 400)
    assert b"<script" not in reply.body


def test_what_is_no_http_is_refused(small: Server) -> None:
    for junk in (
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\n\r\n",
        b"\r\n" * 50,
    ):
        with socket.create_connection(("127.0.0.1", small.port), PATIENCE) as connection:
            connection.sendall(junk)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(1000)
            assert b"200 OK" not in answer
            if answer:
                assert b"nosniff" in answer
                assert b"default-src 'none'" in answer


def test_smuggling_two_lengths_is_refused(small: Server) -> None:
    with socket.create_connection(("127.0.0.1", small.port), PATIENCE) as connection:
        connection.sendall(
            b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\n"
            b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            b"GET /health HTTP/1.1\r\n\r\n"
        )
        assert b" 400 " in connection.recv(1000)


REFUSED = {
    "garbage": (b"\x16\x03\x01 nothing\r\n\r\n", 400),
    "a long address": (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "a tunnel": (b"CONNECT x.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "no host": (b"GET /health HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    "long headers": (
        b"GET /sparql?query=secret HTTP/1.1\r\nHost: x\r\n" + b"X: yyyyyyyy\r\n" * 20_000,
        431,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_before_it_is_read_is_logged_counted_and_said_like_the_rest(
    small: Server, name: str
) -> None:
    sent, status = REFUSED[name]
    counted = small.metric("kg_request_seconds_count")
    with socket.create_connection(("127.0.0.1", small.port), PATIENCE) as connection:
        connection.sendall(sent)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        body = json.loads(answer.read())
    assert (answer.status, body["status"]) == (status, status)
    for header in small.request("/nothing").headers.keys() - {"allow"}:
        assert answer.getheader(header), header
    assert "sandbox" in str(answer.getheader("content-security-policy"))
    assert answer.getheader("access-control-allow-origin") == "*"
    # The request for the page itself, this one, and the one for the figures.
    assert small.metric("kg_request_seconds_count") >= counted + 3
    assert f'status="{status}",outcome="refused"' in small.metrics()
    wait_for(lambda: f'"status": {status}, ' in small.log.read_text())
    assert "secret" not in small.log.read_text()


def test_too_many_connections_are_logged(small: Server) -> None:
    def logged() -> bool:
        return '"outcome": "too many connections"' in small.log.read_text()

    opened = []
    try:
        for _ in range(515):
            connection = socket.socket()
            opened.append(connection)
            connection.bind(("127.0.0.9", 0))
            connection.connect(("127.0.0.1", small.port))
        wait_for(logged)
    finally:
        for connection in opened:
            connection.close()


def test_what_is_no_request_after_a_request_does_not_get_into_its_answer(small: Server) -> None:
    with socket.create_connection(("127.0.0.1", small.port), PATIENCE) as connection:
        text = quote(f"SELECT * {{ {FOUR} }}", safe="")
        connection.sendall(f"GET /sparql?query={text} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        connection.recv(100)
        connection.sendall(b"\x00\x01garbage\r\n\r\n")
        data = b""
        with suppress(ConnectionResetError):
            while piece := connection.recv(1 << 20):
                data = data[-5000:] + piece
    assert b"HTTP/1.1" not in data
    assert not data.endswith(b"0\r\n\r\n")
