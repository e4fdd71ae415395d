"""SERVICE: refused unless the other server is listed, and then asked by the parent alone."""

from __future__ import annotations

import asyncio
import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import EngineError, QueryError
from kg.query_guard import guard
from kg.server.pool.services import Origin, ServiceError, Services, listed, origin_of
from kg.server.worker.federation import FailedError, inline
from tests.remote.real import NAMES, missing, started

from .conftest import BASE, PATIENCE, Reply, Serve, Server, numbers, publish, wait_for
from .test_attacks import CALLS

RESULTS = "application/sparql-results+json"


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("http://a.example", ("http", "a.example", 80)),
        ("http://a.example:80/sparql?x=1#y", ("http", "a.example", 80)),
        ("HTTPS://A.Example/", ("https", "a.example", 443)),
        ("https://a.example:8443", ("https", "a.example", 8443)),
        ("http://[::1]:8080/", ("http", "::1", 8080)),
        ("http://[0:0:0:0:0:0:0:1]/", ("http", "::1", 80)),
        ("http://bücher.example/", ("http", "xn--bcher-kva.example", 80)),
        ("http://BÜCHER.example/", ("http", "xn--bcher-kva.example", 80)),
        ("http://xn--bcher-kva.example/", ("http", "xn--bcher-kva.example", 80)),
        ("http://a.example:/", ("http", "a.example", 80)),
    ],
)
def test_an_origin(address: str, origin: tuple[str, str, int]) -> None:
    assert origin_of(address) == Origin(*origin)
    assert origin_of(str(origin_of(address))) == Origin(*origin)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "",
            "a.example",
            "//a.example",
            "ftp://a.example",
            "file:///etc/passwd",
            "http:a.example",
        ),
        *("http:///x", "http://@a.example", "http://user@a.example", "http://a.example@b.example"),
        *("http://a.example\\@b.example", "http://a.example\t", "http://a.ex\nample", " http://a"),
        *(
            "http://a.example:0",
            "http://a.example:99999",
            "http://a.example:x",
            "http://a%2eexample",
        ),
        *(
            "http://a..example",
            "http://.a.example",
            "http://a.example.",
            "http://[::1",
            "http://[x]",
        ),
        *("http://::1/", "http://a_b!.example", "javascript:alert(1)", "http://a.example:80:80"),
        *("http://" + "a" * 64 + ".example", "http://[fe80::1%25eth0]/", "http://a\u2100.example"),
    ],
)
def test_what_has_no_origin(address: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        origin_of(address)


@given(st.text(max_size=40))
def test_no_address_has_two_readings(text: str) -> None:
    for address in (text, f"http://{text}", f"http://a.example{text}"):
        try:
            origin = origin_of(address)
        except ValueError:
            continue
        assert origin_of(str(origin)) == origin
        assert origin.host.isascii()
        assert 0 < origin.port < 65536


@pytest.mark.parametrize(
    "text", ["http://a.example/sparql", "http://a.example?x", "http://a.example/#", "a.example"]
)
def test_what_cannot_be_listed(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        listed(text)


def test_the_command_says_what_is_no_origin(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from kg.cli.main import cli

    arguments = ["serve", "--port", "0", "--allow-service", "http://a.example/sparql"]
    done = CliRunner().invoke(cli, arguments)
    assert isinstance(done.exception, EngineError)
    assert "--allow-service" in done.exception.message


def rows(*found: dict[str, Any], names: tuple[str, ...] = ("x",)) -> bytes:
    return json.dumps({"head": {"vars": names}, "results": {"bindings": found}}).encode()


def uri(text: str) -> dict[str, str]:
    return {"type": "uri", "value": text}


def solve(text: str, *answers: bytes | Exception) -> tuple[list[tuple[str, str]], list[str]]:
    """Answer the calls of a query in order; return them, and the rows of the whole."""
    asked: list[tuple[str, str]] = []
    left = list(answers)

    def call(address: str, query: str) -> bytes:
        asked.append((address, query))
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    inlined = inline(text, "http://base.example/", call)
    assert inlined is not None
    answer = ox.Store().query(inlined, base_iri="http://base.example/")
    assert isinstance(answer, ox.QuerySolutions)
    return asked, [" ".join(str(term) for term in row) for row in answer]


def test_rows_of_another_server_join_the_others() -> None:
    values = "VALUES (?x ?y) { (<urn:a> 1) (<urn:b> 2) }"
    text = f"SELECT ?x ?y {{ {values} SERVICE <http://s/q> {{ ?x ?p ?o }} }}"
    asked, found = solve(text, rows({"x": uri("urn:b")}, {"x": uri("urn:c")}))
    assert [address for address, _ in asked] == ["http://s/q"]
    assert found == ['<urn:b> "2"^^<http://www.w3.org/2001/XMLSchema#integer>']


def test_every_kind_of_term_comes_through() -> None:
    literal = {"type": "literal"}
    terms = [
        uri("http://a.example/<>"[:-2]),
        {**literal, "value": 'SERVICE <x> { } "quoted" \\ \n } VALUES \u0000'},
        {**literal, "value": "x", "xml:lang": "en-GB"},
        {**literal, "value": "-1", "datatype": "http://www.w3.org/2001/XMLSchema#integer"},
    ]
    _, found = solve(
        "SELECT ?x { SERVICE <http://s/> { ?s ?p ?x } }", rows(*({"x": t} for t in terms))
    )
    assert len(found) == len(terms)
    assert '"x"@en-gb' in [row.lower() for row in found]
    assert any("quoted" in row for row in found)


def test_blank_nodes_get_names_of_their_scope() -> None:
    blank = {"type": "bnode", "value": "b0"}
    text = "SELECT ?x { SERVICE <http://s:8/q> { ?x ?p ?o } }"
    _, (one, two) = solve(text, rows({"x": blank}, {"x": blank}))
    assert one == two
    assert one.startswith("<http://s:8/.well-known/genid/")
    _, (other,) = solve(text, rows({"x": blank}))
    assert other != one


def test_unbound_and_no_variables_and_no_rows() -> None:
    text = "SELECT * { SERVICE <http://s/> { ?x ?p ?o OPTIONAL { ?x ?q ?y } } }"
    _, found = solve(text, rows({"x": uri("urn:a")}, names=("x", "y")))
    assert found == ["<urn:a> None"]
    _, found = solve(
        "SELECT (1 AS ?n) { SERVICE <http://s/> { <urn:a> ?p <urn:b> } }", rows({}, {}, names=())
    )
    assert len(found) == 2
    assert solve("SELECT * { SERVICE <http://s/> { ?x ?p ?o } }", rows())[1] == []
    _, found = solve("SELECT * { OPTIONAL { SERVICE <http://s/> { ?x ?p ?o } } }", rows())
    assert len(found) == 1


def test_what_is_sent_is_a_query_of_its_own() -> None:
    text = (
        "BASE <http://other.example/> PREFIX s: <http://s.exam\\u0070le/>\n"
        "SELECT * { SERVICE SILENT s:sparql { ?s foaf:name ?x ; <rel> '}' # }\n } }"
    )
    ((address, query),) = solve(text, rows())[0]
    assert address == "http://s.example/sparql"
    # Nothing of the rest, and complete: any engine reads it.
    answer = ox.Store().query(query)
    assert isinstance(answer, ox.QuerySolutions)
    assert [name.value for name in answer.variables] == ["s", "x"]
    assert "BASE <http://other.example/>" in query
    assert "SERVICE" not in query


def test_silence_and_failure() -> None:
    text = "SELECT (1 AS ?n) { SERVICE SILENT <http://s/> { ?x ?p ?o } }"
    assert len(solve(text, FailedError("down"))[1]) == 1
    for answer in (b"", b"{", b'{"head":{},"boolean":true}', b"<html>"):
        assert len(solve(text, answer)[1]) == 1
        with pytest.raises(FailedError):
            solve(text.replace("SILENT", ""), answer)
    # Not allowed is not down: it is said, silent or not.
    with pytest.raises(QueryError):
        solve(text, QueryError("refused"))


@pytest.mark.parametrize(
    "hostile",
    [
        rows({"x": uri("urn:a> } SERVICE <http://evil/")}),
        rows({"x": {"type": "literal", "value": "x", "xml:lang": "en) } DROP"}}),
        rows({"x": {"type": "bnode", "value": "a> } {"}}),
        rows(names=("x) { } SERVICE <http://evil/> {",)),
        rows({"x": {"type": "literal", "value": "x", "datatype": "urn:x> }"}}),
    ],
)
def test_an_answer_cannot_become_a_query(hostile: bytes) -> None:
    with pytest.raises(FailedError):
        solve("SELECT * { SERVICE <http://s/> { ?x ?p ?o } }", hostile)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { SERVICE ?x { ?s ?p ?o } }",
        "SELECT * { VALUES ?x { <http://s/> } SERVICE SILENT ?x { ?s ?p ?o } }",
        "SELECT * { SERVICE <http://s/> { SERVICE <http://s/> { ?s ?p ?o } } }",
        "SELECT * { SERVICE <http://s/> { ?s ?p ?o } ",
        "SELECT * { SERVICE <http://s/> ?s ?p ?o }",
        "SELECT * { SERVICE <http://s/> { ?s ?p } }",
        "SELECT * { SERVICE <http://s/> { ?s ?p ?o FILTER(" + "(" * 300 + "1" + ")" * 300 + ") } }",
        "SELECT * { SERVICE nothing:x { ?s ?p ?o } }",
        "SELECT * { SERVICE 'http://s/' { ?s ?p ?o } }",
        "SELECT * { SERVICE <http://s/> { ?s ?p ?o } } ; DROP ALL SERVICE",
        "SELECT * {" + "SERVICE <http://s/> { ?s ?p ?o }" * 9 + "}",
        "INSERT { ?s ?p ?o } WHERE { SERVICE <http://s/> { ?s ?p ?o } }",
        "DROP ALL ; SELECT * { SERVICE <http://s/> { ?s ?p ?o } }",
        "SERVICE <http://s/> { ?s ?p ?o }",
        "SELECT * { xSERVICE <http://s/> { ?s ?p ?o } }",
    ],
)
def test_what_is_not_asked(text: str) -> None:
    with pytest.raises(QueryError):
        solve(text)


def test_a_query_without_service_is_left_alone() -> None:
    for text in ("ASK {}", "ASK { ?s ?p 'SERVICE' } # SERVICE", "DROP ALL", "{{{"):
        assert inline(text, None, lambda *_: b"") is None


PIECES = [
    *("SELECT *", "ASK", "{", "}", "{", "}", "SERVICE", "service", "SILENT", "<http://s/>", "s:x"),
    *("?x", "?s ?p ?o .", "# }\n", "'}'", "GRAPH", "OPTIONAL", "FILTER EXISTS", "1", "(", ")", "^"),
    *(
        "PREFIX s: <http://s/>",
        "BASE <http://b/>",
        "VALUES ?x { 1 }",
        "UNION",
        "BIND(1 AS ?y)",
        "'",
    ),
    *("<", ">", "SERVICE <http://s/> { ?s ?p ?o }", "SERVICE SILENT <http://s/> { ?s ?p ?x }"),
]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(["", " "]))
def test_however_it_is_written_nothing_is_left_for_the_engine_to_call(
    pieces: list[str], between: str
) -> None:
    asked = []

    def call(address: str, query: str) -> bytes:
        asked.append(address)
        guard(query)  # it calls nobody itself, and is no update
        ox.Store().query(query)
        return rows({"x": uri("urn:a")})

    try:
        inlined = inline(between.join(["SELECT * {", *pieces, "}"]), "http://b.example/", call)
    except QueryError:
        return
    assert set(asked) <= {"http://s/", "http://s/x"}
    if inlined is not None:
        guard(inlined)


@dataclass
class Other:
    """Another server, and how it answers the next requests."""

    port: int = 0
    heard: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    media: str = RESULTS
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = rows({"x": uri(f"{BASE}n/1")})
    pause: float = 0.0
    head_pause: float = 0.0  # before each byte of a head without end

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def running() -> Iterator[Other]:
    state = Other()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            state.heard.append({"path": path, "host": self.headers["Host"], "asked": query})
            if state.head_pause:
                self.drip(state.head_pause)
                return
            self.send_response(state.status)
            self.send_header("Content-Type", state.media)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for at in range(0, len(state.body), 100_000 if not state.pause else 1):
                    time.sleep(state.pause)
                    self.wfile.write(state.body[at : at + (100_000 if not state.pause else 1)])
            except OSError:
                pass

        def drip(self, pause: float) -> None:
            with suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
                for _ in range(round(2 * PATIENCE / pause)):
                    self.wfile.write(b"x")
                    time.sleep(pause)

        def do_POST(self) -> None:
            state.heard.append({"path": self.path, "method": "POST"})
            self.send_error(500)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def other(running: Other) -> Other:
    """The other server, as it is when nothing is wrong with it."""
    vars(running).update(vars(Other(running.port)))
    return running


@pytest.fixture(scope="module")
def federated(
    tmp_path_factory: pytest.TempPathFactory, serve_store: Serve, running: Other
) -> Server:
    """A server that may ask the other one, and no other."""
    root = publish(tmp_path_factory.mktemp("federated") / "store", numbers(5))
    return serve_store(root, timeout=10.0, services=[running.origin])


ASKED = f"SELECT ?x ?v {{ ?x <{BASE}value> ?v . SERVICE <URL> {{ ?x ?p ?o }} }}"


def ask(server: Server, address: str, text: str = ASKED) -> Reply:
    return server.post(text.replace("URL", address))


def test_a_listed_server_is_asked(federated: Server, other: Other) -> None:
    reply = ask(federated, f"{other.origin}/a%20b/ü#y")
    assert reply.rows == [{"x": f"{BASE}n/1", "v": "1"}]
    (heard,) = other.heard
    assert heard["path"] == "/a%20b/%C3%BC"
    assert heard["host"] == f"127.0.0.1:{other.port}"
    assert list(parse_qs(heard["asked"])) == ["query"]
    assert "SERVICE" not in parse_qs(heard["asked"])["query"][0]
    # It may answer differently the next time.
    assert "etag" not in reply.headers
    assert reply.headers["cache-control"] == "no-store"
    ask(federated, f"{other.origin}/a%20b/ü#y")
    assert len(other.heard) == 2
    for form in ("CONSTRUCT { ?x ?p ?o } WHERE {", "ASK {", "DESCRIBE ?x {"):
        text = f"{form} ?x ?p ?o SERVICE <URL> {{ ?x ?q ?y }} }}"
        assert ask(federated, other.origin, text).status == 200


def test_the_description_says_so(federated: Server, small: Server) -> None:
    assert "BasicFederatedQuery" in federated.request("/sparql").text
    assert "BasicFederatedQuery" not in small.request("/sparql").text


@pytest.mark.parametrize(
    "address",
    [
        *("http://127.0.0.1:1/", "http://127.0.0.1/", "https://127.0.0.1:PORT/"),
        *("http://127.0.0.1:PORT@127.0.0.1:1/", "http://user@127.0.0.1:PORT/"),
        *("http://localhost:PORT/", "http://127.1:PORT/", "http://2130706433:PORT/"),
        *("http://0x7f000001:PORT/", "http://127.0.0.1.:PORT/", "http://[::ffff:127.0.0.1]:PORT/"),
        *("http://127.0.0.1:PORT0/", "http://127.0.0.1:PORT.evil.example/", "file:///etc/passwd"),
        *(
            "http://127.0.0.1:1/?http://127.0.0.1:PORT/",
            "http://127.0.0.1:1/#http://127.0.0.1:PORT",
        ),
        *("ftp://127.0.0.1:PORT/", "urn:x:127.0.0.1:PORT", "http://%31%32%37.0.0.1:PORT/"),
        *("http:127.0.0.1:PORT/", "http:/127.0.0.1:PORT/", "http:///127.0.0.1:PORT/"),
    ],
)
@pytest.mark.parametrize("silent", ["", "SILENT "])
def test_no_other_origin_is_asked(
    federated: Server, other: Other, address: str, silent: str
) -> None:
    text = ASKED.replace("SERVICE ", f"SERVICE {silent}")
    reply = ask(federated, address.replace("PORT", str(other.port)), text)
    assert reply.status == 400, reply.text
    assert "SERVICE" in reply.json()["detail"] or "IRI" in reply.json()["detail"]
    assert not other.heard


@pytest.mark.parametrize("given", ["?", "?query=DROP%20ALL", "?update=DROP+ALL", "?x=1#y"])
def test_nothing_but_the_query_is_sent(federated: Server, other: Other, given: str) -> None:
    reply = ask(federated, f"{other.origin}/sparql{given}")
    assert reply.status == 400
    assert "parameters" in reply.json()["detail"]
    long = ASKED.replace("?x ?p ?o }", "?x ?p ?o # " + "x" * 8000 + "\n}")
    assert ask(federated, other.origin, long).status == 400
    assert not other.heard


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(federated: Server, other: Other, status: int) -> None:
    other.status = status
    for target in (f"{other.origin}/again", "http://127.0.0.1:1/", "file:///etc/passwd"):
        other.headers = {"Location": target}
        reply = ask(federated, other.origin)
        assert reply.status == 502
        assert "redirect" in reply.json()["detail"]
    assert [heard["path"] for heard in other.heard] == ["/"] * 3


@pytest.mark.parametrize(
    "failure",
    [
        {"status": 500},
        {"status": 404},
        {"media": "text/html"},
        {"body": b"{"},
        {"body": b'{"head":{},"boolean":true}'},
        {"body": b" " * 2_000_000},
        {"headers": {"Content-Encoding": "gzip"}},
        {"headers": {"Content-Length": "5000000"}},
    ],
)
def test_what_another_server_does_wrong(
    federated: Server, other: Other, failure: dict[str, Any]
) -> None:
    for name, value in failure.items():
        setattr(other, name, value)
    reply = ask(federated, other.origin)
    assert reply.status == 502
    assert set(reply.json()) == {"type", "title", "status", "detail", "errors"}
    silent = ask(federated, other.origin, ASKED.replace("SERVICE", "SERVICE SILENT"))
    assert len(silent.rows) == 5


@pytest.mark.parametrize("pauses", [{"pause": 0.2}, {"head_pause": 0.2}])
def test_a_server_that_drips_costs_the_querys_time_and_no_more(
    tmp_path: Path, serve_store: Serve, other: Other, pauses: dict[str, float]
) -> None:
    root = publish(tmp_path / "store", numbers(5))
    server = serve_store(root, timeout=2.0, services=[other.origin])
    vars(other).update(pauses)
    other.body = b" " * 1000
    began = time.monotonic()
    reply = ask(server, other.origin)
    assert reply.status in (502, 504)
    assert time.monotonic() - began < PATIENCE / 2  # dripping goes on for longer
    assert server.query("ASK {}").status == 200
    wait_for(lambda: server.metric("kg_workers_busy") == 0)


def test_plain_http_is_not_taken_for_https(
    tmp_path: Path, serve_store: Serve, other: Other
) -> None:
    root = publish(tmp_path / "store", numbers(5))
    address = other.origin.replace("http:", "https:")
    server = serve_store(root, timeout=PATIENCE, services=[address])
    assert ask(server, address).status == 502
    assert not other.heard
    # The same host and port by another scheme is another origin.
    assert ask(server, other.origin).status == 400


@pytest.mark.parametrize("name", [name for name, text in CALLS.items() if "ervice" in text.lower()])
def test_what_reaches_out_in_disguise_reaches_only_what_is_listed(
    federated: Server, other: Other, name: str
) -> None:
    reply = ask(federated, "http://127.0.0.1:1/sparql", CALLS[name].replace("HOST", "127.0.0.1:1/"))
    assert reply.status == 400
    assert not other.heard


def test_a_dataset_clause_reaches_nothing(federated: Server, other: Other) -> None:
    for clause in ("FROM", "FROM NAMED"):
        text = f"SELECT * {clause} <URL> {{ ?s ?p ?o }}"
        assert ask(federated, other.origin, text).rows == []
    assert federated.post(f"LOAD <{other.origin}>").status == 403
    assert not other.heard


def test_it_can_ask_itself(federated: Server, tmp_path: Path, serve_store: Serve) -> None:
    """Two real servers: the rows of one, from the other's data."""
    second = serve_store(
        publish(tmp_path / "second", numbers(3)), timeout=PATIENCE, services=[federated.url]
    )
    text = f"SELECT ?x ?v {{ SERVICE <{federated.sparql}> {{ ?x <{BASE}value> ?v }} }} ORDER BY ?v"
    assert [row["v"] for row in second.post(text).rows] == list("01234")


@pytest.mark.server
@pytest.mark.parametrize("name", NAMES)
def test_rows_of_other_makes_of_servers(
    name: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, serve_store: Serve
) -> None:
    if reason := missing(name):
        pytest.skip(reason)
    there = started(name, tmp_path_factory.mktemp(name))
    try:
        label = ox.Literal('a "label"\nof two lines', language="en")
        thing, says = ox.NamedNode(f"{BASE}n/1"), ox.NamedNode(f"{BASE}says")
        graph = ox.NamedNode("urn:graph:labels")
        there.engine().add([ox.Quad(thing, says, label, graph)])
        origin = str(origin_of(there.query))
        root = publish(tmp_path / "store", numbers(5))
        server = serve_store(root, timeout=PATIENCE, services=[origin])
        text = (
            f"SELECT ?v ?label {{ ?x <{BASE}value> ?v . SERVICE <{there.query}> "
            f"{{ GRAPH ?g {{ ?x <{BASE}says> ?label }} }} }}"
        )
        reply = server.post(text)
        assert reply.status == 200, reply.text
        assert reply.rows == [{"v": "1", "label": label.value}]
    finally:
        there.stop()


def test_a_name_that_takes_long_to_resolve_costs_the_querys_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolved = threading.Event()

    def slowly(*_: object, **__: object) -> list[Any]:
        resolved.wait(PATIENCE)
        raise OSError("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    services = Services([origin_of("http://slow.example/")], 1000, 1)
    try:
        for _ in range(2):  # the second finds the only thread still at it
            with pytest.raises(ServiceError, match="too long"):
                asyncio.run(services.ask("http://slow.example/sparql", "ASK {}", 0.2))
    finally:
        resolved.set()
        services.close()
