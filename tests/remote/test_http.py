"""What goes over the wire, and what is said when it goes wrong."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator

import pyoxigraph as ox
import pytest

from kg.engine import Rows
from kg.errors import EngineError, QueryError
from kg.remote import RemoteEngine
from kg.remote_auth import Credentials, origin
from tests.remote.real import free_port
from tests.remote.scripted import Scripted

pytest.importorskip("SPARQLWrapper")

JSON = "application/sparql-results+json"
YES = '{"head": {}, "boolean": true}'
ANA = Credentials("ana", "se:cret ü")


def test_a_query_goes_as_a_form(scripted: Scripted) -> None:
    scripted.say(body=YES, Content_Type=JSON)
    text = "# a comment\nPREFIX x: <https://example.org/#>\nASK { x:a ?p 'é+&' }"
    assert RemoteEngine(scripted.url).query(text) is True
    (seen,) = scripted.seen
    assert (seen.method, seen.form) == ("POST", {"query": [text]})
    assert seen.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert JSON in seen.headers["Accept"]
    assert "Authorization" not in seen.headers


def test_the_form_of_a_query_is_found_behind_a_hash(scripted: Scripted) -> None:
    scripted.say(body="", Content_Type="application/n-triples")
    RemoteEngine(scripted.url).query("PREFIX x: <http://e/#> CONSTRUCT WHERE { x:a ?p ?o }")
    assert "n-triples" in scripted.seen[0].headers["Accept"]


def test_graphs_are_named_unless_the_query_does(scripted: Scripted) -> None:
    scripted.say(body=YES, Content_Type=JSON)
    engine = RemoteEngine(scripted.url, graphs=["http://e/a", "http://e/b?c&d"])
    engine.query("ASK {}")
    engine.query("ASK FROM <http://e/c> {}")
    first, second = (seen.form for seen in scripted.seen)
    assert (
        first["default-graph-uri"] == first["named-graph-uri"] == ["http://e/a", "http://e/b?c&d"]
    )
    assert "default-graph-uri" not in second


@pytest.mark.parametrize(
    "text", ["ASK { SERVICE <http://e/> {} }", "DROP ALL", "ASK " + "{" * 300 + "}" * 300]
)
def test_what_the_embedded_engine_refuses_is_not_sent(scripted: Scripted, text: str) -> None:
    with pytest.raises(QueryError):
        RemoteEngine(scripted.url).query(text)
    assert scripted.seen == []


def test_basic_credentials_are_shown_at_once(scripted: Scripted) -> None:
    scripted.say(body=YES, Content_Type=JSON)
    RemoteEngine(scripted.url, credentials=ANA).query("ASK {}")
    assert scripted.seen[0].headers["Authorization"] == "Basic YW5hOnNlOmNyZXQgw7w="


def test_a_digest_challenge_is_answered_once_and_remembered(scripted: Scripted) -> None:
    challenge = 'Digest realm="r", nonce="n", qop="auth, auth-int", algorithm=SHA-256, opaque="o"'
    scripted.say(401, WWW_Authenticate=challenge)
    scripted.say(body=YES, Content_Type=JSON)
    engine = RemoteEngine(f"{scripted.url}/q?x=1", credentials=Credentials("ana", "pw", "digest"))
    assert engine.query("ASK {}") is True
    assert engine.query("ASK {}") is True
    answers = [seen.headers.get("Authorization", "") for seen in scripted.seen]
    assert [bool(answer) for answer in answers] == [False, True, True]
    assert [re.search(r"nc=(\w+)", answer)[1] for answer in answers[1:]] == ["00000001", "00000002"]
    given = dict(re.findall(r'(\w+)="([^"]*)"', answers[1]))
    assert (given["uri"], given["opaque"], "qop=auth" in answers[1]) == ("/q?x=1", "o", True)

    def sha(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    secret, asked = sha("ana:r:pw"), sha("POST:/q?x=1")
    assert given["response"] == sha(f"{secret}:n:00000001:{given['cnonce']}:auth:{asked}")


def test_a_nonce_that_grew_old_is_replaced(scripted: Scripted) -> None:
    scripted.say(401, WWW_Authenticate='Digest realm="r", nonce="1"')
    scripted.say(body=YES, Content_Type=JSON)
    scripted.say(401, WWW_Authenticate='Digest realm="r", nonce="2", stale=TRUE')
    scripted.say(body=YES, Content_Type=JSON)
    engine = RemoteEngine(scripted.url, credentials=Credentials("ana", "pw", "digest"))
    engine.query("ASK {}")
    engine.query("ASK {}")
    assert 'nonce="2"' in scripted.seen[3].headers["Authorization"]


def test_a_wrong_password_is_not_tried_again_and_again(scripted: Scripted) -> None:
    scripted.say(401, WWW_Authenticate='Digest realm="r", nonce="1", qop="auth"')
    engine = RemoteEngine(scripted.url, credentials=Credentials("ana", "pw", "digest"))
    with pytest.raises(EngineError, match="does not accept this name and password"):
        engine.query("ASK {}")
    assert len(scripted.seen) == 2


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        'Digest realm="r"',
        'Digest realm="r", nonce="n", algorithm=MD5-sess',
        "Digest ,,==,",
        'Digest nonce="',
    ],
)
def test_a_challenge_that_cannot_be_answered(scripted: Scripted, value: str) -> None:
    scripted.say(401, WWW_Authenticate=value)
    engine = RemoteEngine(scripted.url, credentials=Credentials("ana", "pw", "digest"))
    with pytest.raises(EngineError, match="401"):
        engine.query("ASK {}")


def test_the_other_kind_of_authentication_is_named(scripted: Scripted) -> None:
    scripted.say(401, WWW_Authenticate='Digest realm="r", nonce="n"')
    with pytest.raises(EngineError) as caught:
        RemoteEngine(scripted.url, credentials=ANA).query("ASK {}")
    assert caught.value.hint == "It asks for --auth digest."


def test_credentials_go_nowhere_else(scripted: Scripted) -> None:
    other = Scripted()
    thread = threading.Thread(target=other.httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        other.say(body="", Content_Type="text/turtle")
        scripted.say(302, Location=f"{other.url}/elsewhere")
        store = f"{scripted.url}/store"
        engine = RemoteEngine(scripted.url, store_url=store, credentials=ANA)
        assert engine.triples("http://e/g") == []
        assert "Authorization" in scripted.seen[0].headers
        assert "Authorization" not in other.seen[0].headers
    finally:
        other.httpd.shutdown()
        other.httpd.server_close()


def test_a_moved_query_is_not_asked_elsewhere(scripted: Scripted) -> None:
    scripted.say(302, Location="http://127.0.0.1:1/query")
    with pytest.raises(EngineError, match="has moved") as caught:
        RemoteEngine(scripted.url).query("ASK {}")
    assert caught.value.hint == "Use http://127.0.0.1:1/query instead."
    scripted.script.clear()
    scripted.say(308, Location="\x1b[31m/there")
    with pytest.raises(EngineError, match="has moved") as caught:
        RemoteEngine(f"{scripted.url}/here").query("ASK {}")
    assert re.fullmatch(r"Use http://127.0.0.1:\d+/.*\[31m/there instead.", str(caught.value.hint))
    assert "\x1b" not in str(caught.value.hint)


@pytest.mark.parametrize("place", ["ftp://127.0.0.1:1/g", "file:///etc/hostname", "data:,x"])
def test_a_graph_is_read_by_http_and_nothing_else(scripted: Scripted, place: str) -> None:
    scripted.say(302, Location=place)
    with pytest.raises(EngineError):
        RemoteEngine(scripted.url, store_url=f"{scripted.url}/store").triples("http://e/g")


def test_a_busy_server_without_the_time_to_ask_again(scripted: Scripted) -> None:
    scripted.say(503, "come back later", Retry_After="5")
    with pytest.raises(EngineError, match=r"is busy \(503\): come back later"):
        RemoteEngine(scripted.url, timeout=1).query("ASK {}")
    assert len(scripted.seen) == 1


def test_a_busy_server_is_asked_again(scripted: Scripted) -> None:
    scripted.say(503, Retry_After="0")
    scripted.say(503)
    scripted.say(body=YES, Content_Type=JSON)
    assert RemoteEngine(scripted.url).query("ASK {}") is True
    assert len(scripted.seen) == 3


def test_a_server_that_stays_busy(scripted: Scripted) -> None:
    scripted.say(503, "come back later")
    started = time.monotonic()
    with pytest.raises(EngineError, match=r"is busy \(503\): come back later"):
        RemoteEngine(scripted.url).query("ASK {}")
    assert len(scripted.seen) == 4
    assert time.monotonic() - started < 5


def test_an_update_is_never_sent_twice(scripted: Scripted) -> None:
    scripted.say(503)
    with pytest.raises(EngineError, match="busy"):
        RemoteEngine(scripted.url).update("CLEAR ALL")
    assert len(scripted.seen) == 1
    assert scripted.seen[0].form == {"update": ["CLEAR ALL"]}


def test_no_wait_goes_beyond_the_timeout(scripted: Scripted) -> None:
    scripted.say(503, Retry_After="4")
    started = time.monotonic()
    with pytest.raises(EngineError, match="busy"):
        RemoteEngine(scripted.url, timeout=1).query("ASK {}")
    assert time.monotonic() - started < 1


def test_a_server_that_starts_while_we_wait() -> None:
    late = Scripted()
    port = late.httpd.server_port
    late.httpd.server_close()  # only its number was wanted
    answers = []

    def listen() -> None:
        time.sleep(0.3)
        with socket.create_server(("127.0.0.1", port)) as listener:
            stream, _ = listener.accept()
            with stream:
                stream.recv(65536)
                head = f"HTTP/1.0 200 OK\r\nContent-Type: {JSON}\r\n\r\n{YES}"
                stream.sendall(head.encode())
                answers.append(True)

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        assert RemoteEngine(f"http://127.0.0.1:{port}/").query("ASK {}") is True
    finally:
        thread.join()
    assert answers


@pytest.fixture
def mute() -> Iterator[str]:
    """A server that takes a connection, sends bytes one by one, and never ends."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        stream, _ = listener.accept()
        with stream:
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: " + JSON.encode() + b"\r\n\r\n")
            while not stop.wait(0.05):
                try:
                    stream.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    stop.set()
    thread.join()
    listener.close()


def test_the_timeout_bounds_the_whole_answer(mute: str) -> None:
    started = time.monotonic()
    with pytest.raises(EngineError, match=r"did not answer within 0\.3 s"):
        RemoteEngine(mute, timeout=0.3).query("ASK {}")
    assert time.monotonic() - started < 2


def test_a_server_that_is_down() -> None:
    with pytest.raises(EngineError, match="nothing listens there") as caught:
        RemoteEngine(f"http://127.0.0.1:{free_port()}/query").query("ASK {}")
    assert caught.value.hint == "Is the server running?"


def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(EngineError, match=r"no host is called nowhere\.invalid"):
        RemoteEngine("http://nowhere.invalid/sparql").query("ASK {}")


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (400, "Parse error: Line 1", "refuses the query: Parse error: Line 1"),
        (400, "", r"refuses the query \(400\)"),
        (500, "<html><title>x</title><h1>Out of\n memory</h1>", r"failed \(500\): Out of memory"),
        (500, "x" * 1000, "x{300} …"),
        (500, "bell \x07 and \x1b[31m red", r"bell \ufffd and \ufffd\[31m red"),
        (403, "read-only", r"does not allow this \(403\): read-only"),
        (404, "<html>", "no SPARQL service"),
        (405, "", "no SPARQL service"),
        (401, "", "asks for a name and a password"),
        (502, "", r"failed \(502\)"),
    ],
)
def test_what_a_server_says_is_repeated(
    scripted: Scripted, status: int, body: str, message: str
) -> None:
    scripted.say(status, body, Content_Type="text/html" if "<" in body else "text/plain")
    with pytest.raises(QueryError if status == 400 else EngineError, match=message):
        RemoteEngine(scripted.url).query("ASK {}")


@pytest.mark.parametrize("text", ["ASK {}", "SELECT * {}", "CONSTRUCT WHERE {?s ?p ?o}"])
def test_a_page_that_is_no_sparql_server(scripted: Scripted, text: str) -> None:
    scripted.say(body="<!doctype html><p>It is raining.</p>", Content_Type="text/html")
    with pytest.raises(EngineError, match="did not answer as a SPARQL server does but with a web"):
        RemoteEngine(scripted.url).query(text)


@pytest.mark.parametrize("body", ["", "{", '{"head": {"vars": ["a"]}, "results": {"bindings": [{'])
def test_an_answer_that_breaks_off(scripted: Scripted, body: str) -> None:
    scripted.say(body=body, Content_Type=JSON)
    with pytest.raises(EngineError, match="cannot be read, or only a part of it"):
        RemoteEngine(scripted.url).query("SELECT * {}")


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("SELECT ?a {}", YES),
        ("SELECT * {}", YES),
        ("ASK {}", '{"head": {"vars": ["a"]}, "results": {"bindings": []}}'),
        ("SELECT ?a {}", '{"head": {"vars": ["b"]}, "results": {"bindings": []}}'),
        ("SELECT ?a {}", '{"head": {"vars": ["a", "b"]}, "results": {"bindings": []}}'),
        ("SELECT (1 AS ?a) ?b {}", '{"head": {"vars": ["a"]}, "results": {"bindings": []}}'),
    ],
)
def test_an_answer_to_another_question(scripted: Scripted, text: str, body: str) -> None:
    scripted.say(body=body, Content_Type=JSON)
    with pytest.raises(EngineError, match="something else than it was asked"):
        RemoteEngine(scripted.url).query(text)


def test_columns_are_in_the_order_of_the_query(scripted: Scripted) -> None:
    body = (
        '{"head": {"vars": ["b", "a"]}, "results": {"bindings":'
        ' [{"a": {"type": "literal", "value": "1"}}]}}'
    )
    scripted.say(body=body, Content_Type=JSON)
    answer = RemoteEngine(scripted.url).query("SELECT ?a ?b {}")
    assert isinstance(answer, Rows)
    assert (answer.columns, list(answer.rows)) == (["a", "b"], [(ox.Literal("1"), None)])


def _one(**terms: tuple[str, str]) -> str:
    row = {name: {"type": kind, "value": value} for name, (kind, value) in terms.items()}
    return json.dumps({"head": {"vars": sorted(terms)}, "results": {"bindings": [row]}})


@pytest.mark.parametrize(
    "body",
    [
        '{"head": {"vars": ["n"]}, "results": {"bindings": []}}',
        _one(n=("literal", "many")),
        _one(n=("uri", "urn:x")),
        _one(n=("literal", "-1")),
    ],
)
def test_what_is_no_number_is_no_count(scripted: Scripted, body: str) -> None:
    scripted.say(body=body, Content_Type=JSON)
    with pytest.raises(EngineError, match="something else than it was asked"):
        RemoteEngine(scripted.url).count("urn:g")


@pytest.mark.parametrize(
    "body",
    [
        _one(s=("uri", "urn:x"), p=("literal", "x"), o=("uri", "urn:x")),
        '{"head": {"vars": ["s", "p", "o"]}, "results": {"bindings": [{}]}}',
    ],
)
def test_what_are_no_statements_are_no_graph(scripted: Scripted, body: str) -> None:
    scripted.say(body=body, Content_Type=JSON)
    with pytest.raises(EngineError, match="something else than it was asked"):
        RemoteEngine(scripted.url).triples("urn:g")


def test_a_connection_that_breaks_off(scripted: Scripted) -> None:
    scripted.say(body=YES, Content_Type=JSON, Content_Length="1000")
    with pytest.raises(EngineError, match="broke off"):
        RemoteEngine(scripted.url).query("ASK {}")


def test_results_in_xml_are_read_too(scripted: Scripted) -> None:
    body = (
        '<sparql xmlns="http://www.w3.org/2005/sparql-results#"><head><variable name="a"/></head>'
        '<results><result><binding name="a"><literal>x</literal></binding></result></results>'
        "</sparql>"
    )
    scripted.say(body=body, Content_Type="application/sparql-results+xml; charset=UTF-8")
    answer = RemoteEngine(scripted.url).query("SELECT ?a {}")
    assert isinstance(answer, Rows)
    assert [row[0].value for row in answer.rows] == ["x"]


@pytest.mark.parametrize("header", [{"X_SPARQL_MaxRows": "10000"}, {"X_SQL_State": "S1TAT"}])
def test_a_part_of_an_answer_is_no_answer(scripted: Scripted, header: dict[str, str]) -> None:
    body = '{"head": {"vars": ["a"]}, "results": {"bindings": []}}'
    scripted.say(body=body, Content_Type=JSON, **header)
    with pytest.raises(EngineError, match=r"cuts its answers|only a part"):
        RemoteEngine(scripted.url).query("SELECT ?a {}")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "not an address",
            "localhost:80",
            "ftp://e/",
            "ftp://e:80/",
            "http://",
            "http://e:x/",
        ),
        *("file:///", "http://e/\u2603"),
    ],
)
def test_text_that_is_no_address(text: str) -> None:
    with pytest.raises(EngineError, match="is no address of a server"):
        RemoteEngine(text)


def test_an_address_holds_no_password() -> None:
    with pytest.raises(EngineError) as caught:
        origin("http://ana:pw@host/")
    assert "pw" not in str(caught.value)
    assert "se:cret" not in repr(ANA)
