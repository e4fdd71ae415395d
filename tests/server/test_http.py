"""HTTP/1.1 itself: how messages are framed, whom they are for, and what goes around them."""

from __future__ import annotations

import http.client
import io
import json
import re
import shutil
import socket
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest

from .conftest import PATIENCE, Server, wait_for

HOST = b"Host: x\r\n"
POST = b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
ASK = b"6\r\nASK {}\r\n0\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n"


class Connection(socket.socket):
    """A connection whose answers are read one after the other."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.settimeout(PATIENCE)
        self.connect(("127.0.0.1", server.port))
        self.kept = Kept(self)

    def makefile(self, *_: object, **__: object) -> Kept:  # type: ignore[override]
        """Return the same each time: what was read ahead is of the next answer."""
        return self.kept


class Kept(io.BufferedReader):
    """A file that stays open when an answer has been read."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(socket.SocketIO(connection, "r"))

    def close(self) -> None:
        pass


def read(connection: Connection, method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
    answer = http.client.HTTPResponse(connection, method=method)
    answer.begin()
    return answer, answer.read()


def ask(server: Server, sent: bytes, method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
    with Connection(server) as connection:
        connection.sendall(sent)
        return read(connection, method)


def closed(connection: Connection) -> bool:
    """Say whether nothing comes any more."""
    try:
        return connection.kept.read(1) == b""
    except ConnectionResetError:
        return True


MALFORMED = {
    "no size": b"zz\r\nASK {}\r\n0\r\n\r\n",
    "a size below nothing": b"-6\r\nASK {}\r\n0\r\n\r\n",
    "a size beyond all numbers": b"f" * 20 + b"\r\nASK {}\r\n0\r\n\r\n",
    "longer than its size": b"6\r\nASK {}XX0\r\n\r\n",
    "lines that end otherwise": b"6\nASK {}\n0\n\n",
    "an extension that is none": b"6;\x00\r\nASK {}\r\n0\r\n\r\n",
    "a trailer that is none": b"6\r\nASK {}\r\n0\r\nX Y: 1\r\n\r\n",
    "another request": b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("name", MALFORMED)
def test_chunks_that_are_none_are_refused_logged_and_counted_once(
    small: Server, name: str, at_once: bool
) -> None:
    def counted() -> int:
        label = 'method="POST",status="400",outcome="refused"'
        found = re.search(rf"\{{{label}\}} ([0-9]+)$", small.metrics(), re.M)
        return int(found[1]) if found else 0

    def logged() -> list[str]:
        return [line for line in small.log.read_text().splitlines() if '"POST"' in line]

    before, lines = counted(), len(logged())
    with Connection(small) as connection:
        connection.sendall(POST + CHUNKED + b"\r\n" + (b"" if at_once else b"3\r\n# \n\r\n"))
        if not at_once:
            wait_for(lambda: small.metric("kg_requests_now") == 2)  # with the one for this figure
        connection.sendall(MALFORMED[name])
        answer, body = read(connection)
        assert closed(connection)
    assert answer.status == json.loads(body)["status"] == 400
    assert answer.getheader("content-type") == "application/problem+json"
    assert answer.getheader("connection") == "close"
    assert answer.getheader("x-content-type-options") == "nosniff"
    wait_for(lambda: counted() == before + 1)
    wait_for(lambda: len(logged()) == lines + 1)
    line = json.loads(logged()[-1])
    assert (line["status"], line["outcome"], line["path"]) == (400, "refused", "/sparql")


def test_content_that_is_no_http_ends_the_query_it_came_with(small: Server) -> None:
    text = quote("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }", safe="")
    with Connection(small) as connection:
        line = f"GET /sparql?query={text} HTTP/1.1\r\n"
        connection.sendall(line.encode() + HOST + CHUNKED + b"\r\n")
        wait_for(lambda: small.metric("kg_workers_busy") == 1)
        connection.sendall(b"zz\r\n")
        answer, _ = read(connection)
        assert answer.status == 400
    wait_for(lambda: small.metric("kg_workers_busy") == 0)


def test_an_answer_that_was_given_gets_no_second(small: Server) -> None:
    """What it did not wait for turns out to be no HTTP: the client would take it for the next."""
    head = b"POST /sparql HTTP/1.1\r\nContent-Type: text/plain\r\n" + HOST + CHUNKED
    with Connection(small) as connection:
        connection.sendall(head + b"\r\n")
        answer, _ = read(connection)
        assert answer.status == 415
        connection.sendall(b"zz\r\n")
        assert closed(connection)


def test_an_answer_to_head_has_no_content_even_so(small: Server) -> None:
    sent = b"HEAD /sparql?query=ASK%7B%7D HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\nzz\r\n"
    with Connection(small) as connection:
        connection.sendall(sent)
        answer, _ = read(connection, "HEAD")
        assert answer.status == 400
        assert closed(connection)


def test_trailers_are_no_headers(small: Server) -> None:
    for trailer in (b"Host: y", b"Accept: text/csv", b"Content-Encoding: gzip"):
        sent = POST + CHUNKED + b"\r\n" + ASK + trailer + b"\r\n\r\n"
        answer, body = ask(small, sent)
        assert answer.status == 200
        assert json.loads(body)["boolean"] is True


@pytest.mark.parametrize("end", [b"0\r\nX: ", b"1;", b"1\r\n#\r\n0\r\nX: y\r\nY: "])
@pytest.mark.parametrize("method", [b"POST", b"GET"])
def test_what_goes_around_content_has_an_end(small: Server, end: bytes, method: bytes) -> None:
    """A trailer without end would be kept in memory as long as it goes on."""
    with Connection(small) as connection:
        connection.sendall(method + POST.removeprefix(b"POST") + CHUNKED + b"\r\n" + end)
        sent = 0
        try:
            while sent < 1 << 26:
                connection.sendall(b"x" * (1 << 16))
                sent += 1 << 16
        except OSError:
            pass
        assert sent < 1 << 24
    assert small.query("ASK {}").status == 200


def test_small_chunks_are_taken(small: Server) -> None:
    text = b"ASK {} #" + b"x" * 200_000
    chunks = b"".join(b"1\r\n%c\r\n" % sign for sign in text)
    answer, _ = ask(small, POST + CHUNKED + b"\r\n" + chunks + b"0\r\n\r\n")
    assert answer.status == 200


@pytest.mark.parametrize(
    ("line", "statuses"),
    [
        (b"Transfer-Encoding: gzip, chunked", {501}),
        (b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", {400, 501}),
        (b"Transfer-Encoding: xchunked", {400, 501}),
        (b"Transfer-Encoding: chunked, chunked", {400}),
        (b"Transfer-Encoding : chunked", {400}),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 6", {400}),
        (b"Content-Length: 6\r\nTransfer-Encoding: chunked", {400}),
        (b"Content-Length: 6\r\nContent-Length: 3", {400}),
        (b"Content-Length: 6, 6", {400}),
        (b"Content-Length: +6", {400}),
        (b"Content-Length: -1", {400}),
        (b"Content-Length: 99999999999999999999999", {400}),
    ],
)
def test_framing_that_another_might_read_otherwise_is_refused(
    small: Server, line: bytes, statuses: set[int]
) -> None:
    with Connection(small) as connection:
        connection.sendall(POST + line + b"\r\n\r\n" + ASK + b"\r\n" + HEALTH + b"\r\n")
        answer, body = read(connection)
        assert answer.status in statuses
        assert json.loads(body)["status"] == answer.status
        assert closed(connection)


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"


@pytest.mark.parametrize("content", [b"Content-Length: 6\r\n\r\nASK {}", CHUNKED + b"\r\n" + ASK])
@pytest.mark.parametrize("apart", [True, False])
def test_who_would_rather_speak_another_protocol_is_answered_in_this_one(
    small: Server, content: bytes, apart: bool
) -> None:
    """As Java's client does with each first request; and none of the content is a request."""
    end = b"\r\n" if content.endswith(b"0\r\n") else b""
    head, text = content.split(b"\r\n\r\n", 1)
    with Connection(small) as connection:
        connection.sendall(POST + UPGRADE + head + b"\r\n\r\n" + (b"" if apart else text + end))
        if apart:
            wait_for(lambda: small.metric("kg_requests_now") == 2)
            connection.sendall(text + end)
        connection.sendall(HEALTH + UPGRADE + b"\r\n" + HEALTH + b"\r\n")
        answer, body = read(connection)
        assert (answer.status, json.loads(body)["boolean"]) == (200, True)
        for _ in range(2):
            answer, body = read(connection)
            assert (answer.status, json.loads(body)) == (200, {"status": "ok"})


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_that_would_rather_speak_http_2(small: Server) -> None:
    command = ["curl", "-sf", "--http2", "--data-urlencode", "query=ASK {}", small.sparql]
    done = subprocess.run([*command, "--next", *command[1:]], capture_output=True, check=False)
    if done.returncode == 4:
        pytest.skip("this curl speaks no HTTP/2")
    assert done.stdout.count(b'"boolean":true') == 2


def test_who_asks_before_sending_content_is_told_to_go_on(small: Server) -> None:
    with Connection(small) as connection:
        connection.sendall(POST + b"Content-Length: 6\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ASK {}")
        assert read(connection)[0].status == 200


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (POST + b"Content-Length: 60000000\r\n", 413),
        (POST.replace(b"application/sparql-query", b"text/plain") + b"Content-Length: 6\r\n", 415),
        (POST + b"Content-Encoding: gzip\r\nContent-Length: 6\r\n", 415),
        (POST.replace(b"POST", b"PUT") + b"Content-Length: 6\r\n", 403),
    ],
)
def test_who_asks_before_sending_what_is_refused_need_not_send_it(
    small: Server, head: bytes, status: int
) -> None:
    with Connection(small) as connection:
        connection.sendall(head + b"Expect: 100-continue\r\n\r\n")
        answer, _ = read(connection)
        assert (answer.status, answer.getheader("connection")) == (status, "close")
        # Whether it is sent all the same cannot be known: no request is read out of it.
        assert closed(connection)


def test_http_1_0_knows_nothing_of_going_on(small: Server) -> None:
    head = POST.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Content-Length: 6\r\n"
    with Connection(small) as connection:
        connection.sendall(head + b"Expect: 100-continue\r\n\r\nASK {}")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("more", [b"", b"Connection: keep-alive\r\n"])
def test_http_1_0_gets_one_answer_and_its_end(small: Server, more: bytes) -> None:
    with Connection(small) as connection:
        connection.sendall(b"GET /sparql?query=ASK%7B%7D HTTP/1.0\r\n" + more + b"\r\n")
        answer, body = read(connection)
        assert (answer.status, answer.getheader("connection")) == (200, "close")
        assert answer.getheader("content-length") == str(len(body))
        assert closed(connection)


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/0.9"])
def test_other_versions_are_refused(small: Server, version: bytes) -> None:
    answer, body = ask(small, b"GET /health " + version + b"\r\n" + HOST + b"\r\n")
    assert answer.status == json.loads(body)["status"] == 505
    wait_for(lambda: 'status="505",outcome="refused"' in small.metrics())
    with Connection(small) as connection:
        connection.sendall(b"GET /health\r\n\r\n")
        assert b" 505 " in connection.recv(1000)


HOSTS = [
    *("[[:99::", "a:b:c", ":::", "[::1", "]", "[::1]x", "[1::2::3]", "[g::]", "a b", "a/b", "a@b"),
    *("é", "a:99999999", "<a>", "http://a", "a,b", "a" * 256),
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/sparql", "/sparql?query=ASK%7B%7D", "/.well-known/void"])
def test_a_host_that_is_none_is_refused(small: Server, host: str, path: str) -> None:
    killed = small.metric("kg_workers_ended_total")
    answer, body = ask(small, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1"))
    assert answer.status == json.loads(body)["status"] == 400
    assert small.metric("kg_workers_ended_total") == killed


@pytest.mark.parametrize(
    ("host", "home"),
    [
        ("a.example:99", "http://a.example:99/"),
        ("[2001:db8::1]:99", "http://[2001:db8::1]:99/"),
        ("some_name", "http://some_name/"),
        ("", "http://localhost:{port}/"),
        (":99", "http://localhost:99/"),
    ],
)
def test_addresses_begin_as_the_client_has_it(small: Server, host: str, home: str) -> None:
    accept = "Accept: application/n-triples\r\n"
    _, body = ask(small, f"GET /sparql HTTP/1.1\r\nHost: {host}\r\n{accept}\r\n".encode())
    assert f"<{home.format(port=small.port)}sparql> ".encode() in body


def test_requests_one_behind_the_other_are_answered_in_turn(small: Server) -> None:
    texts = [quote(f"SELECT ({number} AS ?x) {{}}", safe="") for number in range(50)]
    lines = [f"GET /sparql?query={text} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for text in texts]
    with Connection(small) as connection:
        connection.sendall(b"".join(lines) + HEALTH + b"\r\n")
        for number in range(50):
            _, body = read(connection)
            (row,) = json.loads(body)["results"]["bindings"]
            assert row["x"]["value"] == str(number)
        assert read(connection)[1] == b'{"status": "ok"}\n'


ENDLESS = quote("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }", safe="")


def test_a_client_that_leaves_takes_its_query_along_whatever_it_sent_behind_it(
    small: Server,
) -> None:
    killed = small.metric("kg_workers_ended_total")
    with Connection(small) as connection:
        connection.sendall(f"GET /sparql?query={ENDLESS} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        connection.sendall((HEALTH + b"\r\n") * 5)
        wait_for(lambda: small.metric("kg_workers_busy") == 1)
    left = 'outcome="client went away"'
    wait_for(lambda: small.metric("kg_workers_busy") == 0)
    assert left in small.metrics(), "and not the deadline"
    assert small.metric("kg_workers_ended_total") > killed


def test_requests_that_are_sent_ahead_have_a_limit(small: Server) -> None:
    """Each takes some memory until it is its turn."""
    with Connection(small) as connection:
        connection.sendall(f"GET /sparql?query={ENDLESS} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_for(lambda: small.metric("kg_workers_busy") == 1)
        try:
            for _ in range(20):
                connection.sendall((HEALTH + b"\r\n") * 1000)
        except OSError:
            pass
        assert closed(connection)
    wait_for(lambda: small.metric("kg_workers_busy") == 0)


@pytest.mark.parametrize("value", ["bytes=0-3", "bytes=-1", "bytes=9-1", "lines=1-2", "nonsense"])
def test_a_part_of_an_answer_is_the_whole_of_it(small: Server, value: str) -> None:
    """Ranges may be ignored: RFC 9110, section 14.2."""
    reply = small.query("ASK {}", Range=value)
    assert (reply.status, reply.json()["boolean"]) == (200, True)
    assert "accept-ranges" not in reply.headers


def test_tags_are_compared_weakly(small: Server) -> None:
    tag = small.query("ASK {}").headers["etag"]
    strong = tag.removeprefix("W/")
    for value in (tag, strong, f'"x", {tag}', f'{strong}, "x"', f"  {tag}  "):
        assert small.query("ASK {}", If_None_Match=value).status == 304, value
    for value in ('"x"', strong.strip('"'), strong[:-2] + '"', 'W/""', ""):
        assert small.query("ASK {}", If_None_Match=value).status == 200, value
    # There are no dates to compare with.
    for name in ("If_Modified_Since", "If_Unmodified_Since"):
        date = "Sat, 29 Oct 2094 19:43:31 GMT"
        assert small.query("ASK {}", **{name: date}).status == 200


def test_long_headers_are_not_remembered(small: Server) -> None:
    def resident() -> int:
        status = Path(f"/proc/{small.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    assert small.query("ASK {}").status == 200
    before = resident()
    for number in range(600):
        long = f"text/csv;x={number:0120000}"
        with Connection(small) as connection:
            for name in ("Accept", "Accept-Encoding", "Host"):
                host = "" if name == "Host" else "Host: x\r\n"
                connection.sendall(f"GET / HTTP/1.1\r\n{host}{name}: {long}\r\n\r\n".encode())
                read(connection)
    assert resident() - before < 20_000, "kilobytes"


def test_long_and_many_headers_are_taken_up_to_the_limit(small: Server) -> None:
    assert small.query("ASK {}", X="a" * 60_000).status == 200
    assert small.query("ASK {}", Accept="text/csv," * 3000).status == 200
    assert small.query("ASK {}", If_None_Match='"a",' * 3000).status == 200
    many = {f"X_{number}": "a" for number in range(90)}
    assert small.query("ASK {}", **many).status == 200


def test_nothing_is_left_of_what_was_refused(small: Server) -> None:
    for method in ("GET", "POST"):
        line = f"{method} /sparql?query=ASK%7B%7D HTTP/1.1\r\n".encode()
        assert ask(small, line + HOST + CHUNKED + b"\r\nzz\r\n")[0].status == 400
    wait_for(lambda: small.metric("kg_requests_now") == 1)  # the one for this figure
