"""Good and hostile clients together, for as long as one likes.

Run from the checkout: python tests/server/soak.py 300

It ends with status 1 if a good request failed, memory grew or a process was left behind.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import os
import random
import select
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pyoxigraph as ox

from tests.server.conftest import BASE, Server, alive, named, numbers, publish, start

NUMBERS = 2000
GOOD = 4
LIMITS = {"workers": 4, "timeout": 5.0, "memory": 700 << 20, "cache": 8 << 20}
PATIENCE = 60.0
# A memory allocator keeps some of what it was given; a leak of requests would pass this soon.
GROWTH_MIB = 40

CROSS = "?a ?p ?x . ?b ?q ?y . ?c ?r ?z . ?d ?t ?w"
RUNAWAY = f"SELECT (COUNT(*) AS ?n) {{ {CROSS} }}"
HUNGRY = f"SELECT * {{ {CROSS} }} ORDER BY ?w ?z"
ENDLESS = f"SELECT * {{ {CROSS} }}"


@dataclass
class Soak:
    """What happened."""

    seconds: float
    good: int = 0
    failures: list[str] = field(default_factory=list)
    hostile: Counter[str] = field(default_factory=Counter)
    publications: int = 0
    took: list[float] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)  # MiB of the server, once a second
    workers: set[int] = field(default_factory=set)
    strays: list[int] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    status: int | None = None

    @property
    def growth(self) -> float:
        """How much larger the server was in its last quarter than in its second, in MiB."""
        quarter = max(1, len(self.resident) // 4)
        early = self.resident[quarter : 2 * quarter] or self.resident
        return statistics.median(self.resident[-quarter:]) - statistics.median(early)

    def lines(self) -> list[str]:
        """Return the report."""
        took = sorted(self.took) or [0.0]
        hostile = ", ".join(f"{name} {number}" for name, number in sorted(self.hostile.items()))
        return [
            f"{self.seconds:.0f} seconds, {self.publications} snapshots published",
            f"good requests: {self.good}, failed: {len(self.failures)}; "
            f"median {1000 * statistics.median(took):.0f} ms, "
            f"p99 {1000 * took[int(0.99 * (len(took) - 1))]:.0f} ms, {took[-1]:.1f} s at most",
            f"hostile requests: {sum(self.hostile.values())} ({hostile})",
            f"server's memory: {min(self.resident):.0f} to {max(self.resident):.0f} MiB, "
            f"growth {self.growth:+.1f} MiB",
            f"workers seen: {len(self.workers)}; processes left: {len(self.strays)}; "
            f"files left: {len(self.left)}; exit status {self.status}",
            *self.failures[:10],
        ]

    @property
    def faults(self) -> list[str]:
        """Return what should not have been."""
        found = list(self.failures[:10])
        if self.growth > GROWTH_MIB:
            found.append(f"memory grew by {self.growth:.0f} MiB")
        if self.strays or self.left or self.status != 0:
            found.append(f"left: {self.strays} {self.left}, status {self.status}")
        if not self.good or not self.hostile:
            found.append("nothing was asked")
        return found


class Client:
    """A client with an address of its own."""

    def __init__(self, server: Server, source: str) -> None:
        self.server = server
        self.source = source

    def ask(
        self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request and read its whole answer."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.server.port, timeout=PATIENCE, source_address=(self.source, 0)
        )
        try:
            connection.request("POST" if body is not None else "GET", path, body, headers or {})
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return response.status, told, response.read()
        finally:
            connection.close()

    def query(self, text: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send a query by GET."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask(f"/sparql?query={quote(text, safe='')}", headers=sent)

    def raw(self) -> socket.socket:
        """Open a connection and send nothing yet."""
        there = ("127.0.0.1", self.server.port)
        return socket.create_connection(there, PATIENCE, source_address=(self.source, 0))


def _rows(body: bytes) -> list[dict[str, dict[str, str]]]:
    return json.loads(body)["results"]["bindings"]  # type: ignore[no-any-return]


def small_query(client: Client) -> None:
    number = random.getrandbits(50)
    status, _, body = client.query(f"SELECT ({number} AS ?x) {{}}")
    assert status == 200, (status, body[:200])
    assert _rows(body)[0]["x"]["value"] == str(number)


def many_rows(client: Client) -> None:
    text = f"SELECT ?n {{ ?n <{BASE}value> ?v }} ORDER BY ?v #{random.getrandbits(50)}"
    status, _, body = client.ask(
        "/sparql", text.encode(), {"Content-Type": "application/sparql-query"}
    )
    assert status == 200, (status, body[:200])
    assert len(_rows(body)) == NUMBERS


def cached(client: Client) -> None:
    text = f"SELECT (COUNT(*) AS ?n) {{ ?s <{BASE}value> ?o }}"
    status, headers, body = client.query(text, Accept="application/sparql-results+json")
    assert status == 200, (status, body[:200])
    assert _rows(body)[0]["n"]["value"] == str(NUMBERS)
    status, _, body = client.query(
        text, Accept="application/sparql-results+json", If_None_Match=headers["etag"]
    )
    assert status in (200, 304), (status, body[:200])  # 200: a snapshot came in between


def graph(client: Client) -> None:
    text = f"CONSTRUCT {{ ?s ?p ?o }} {{ ?s ?p ?o }} #{random.getrandbits(50)}"
    status, _, body = client.query(text, Accept="application/n-triples", Accept_Encoding="gzip")
    assert status == 200, (status, body[:200])
    assert gzip.decompress(body).count(b"\n") == NUMBERS + 1


def health(client: Client) -> None:
    for path in ("/health", "/ready", "/metrics"):
        status, _, body = client.ask(path)
        assert status == 200, (path, status, body[:200])


GOOD_REQUESTS = (small_query, small_query, many_rows, cached, graph, health)


def runaway(client: Client) -> None:
    client.query(f"{RUNAWAY} #{random.getrandbits(50)}")


def hungry(client: Client) -> None:
    client.query(f"{HUNGRY} #{random.getrandbits(50)}")


def leaves(client: Client) -> None:
    with client.raw() as connection:
        text = quote(f"{RUNAWAY} #{random.getrandbits(50)}", safe="")
        connection.sendall(f"GET /sparql?query={text} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        time.sleep(random.random())


def reads_little(client: Client) -> None:
    with client.raw() as connection:
        text = quote(f"{ENDLESS} #{random.getrandbits(50)}", safe="")
        connection.sendall(f"GET /sparql?query={text} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        connection.recv(1000)
        time.sleep(2 * random.random())


def never_reads(client: Client) -> None:
    """Hold an answer, and with it a worker, until the server cuts it off, or for 20 seconds."""
    with client.raw() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        text = quote(f"{ENDLESS} #{random.getrandbits(50)}", safe="")
        connection.sendall(f"GET /sparql?query={text} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        cut = select.poll()
        cut.register(connection, 0)  # broken connections show whatever one asks for
        cut.poll(20_000)


def half_a_request(client: Client) -> None:
    with client.raw() as connection:
        connection.sendall(
            b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nASK"[
                : random.randrange(5, 60)
            ]
        )
        time.sleep(random.random())


def no_http(client: Client) -> None:
    with client.raw() as connection:
        connection.sendall(random.randbytes(500) + b"\r\n\r\n")
        connection.recv(1000)


def nested(client: Client) -> None:
    depth = random.choice((300, 10_000, 100_000))
    text = f"ASK {{ FILTER{'(' * depth}true{')' * depth} }}"
    client.ask("/sparql", text.encode(), {"Content-Type": "application/sparql-query"})


def bomb(client: Client) -> None:
    body = gzip.compress(b" " * 10_000_000)
    told = {"Content-Type": "application/sparql-query", "Content-Encoding": "gzip"}
    client.ask("/sparql", body, told)


def oversized(client: Client) -> None:
    told = {"Content-Type": "application/sparql-query"}
    client.ask("/sparql", b"ASK {} #" + b"x" * 900_000, told)


def writes(client: Client) -> None:
    text = b"DELETE WHERE { ?s ?p ?o }"
    client.ask("/sparql", text, {"Content-Type": "application/sparql-update"})


def reaches_out(client: Client) -> None:
    client.query(f"ASK {{ SERVICE <http://127.0.0.1:{client.server.port}/sparql> {{ ?a ?b ?c }} }}")


HOSTILE_REQUESTS = (
    *(runaway, hungry, leaves, reads_little, half_a_request, no_http, nested, bomb),
    *(oversized, writes, reaches_out),
)
# One of each address: enough to hold every worker twice over.
NON_READERS = 2 * int(LIMITS["workers"])


def run(folder: Path, seconds: float) -> Soak:
    """Start a server below ``folder``, let everybody at it, stop it and see what is left."""
    done = threading.Event()
    report = Soak(seconds)
    temporary = folder / "temporary"
    temporary.mkdir()
    root = publish(folder / "store", [*numbers(NUMBERS), _mark(0)])
    script = str(Path(__file__).with_name("serve_store.py"))
    with mock.patch.dict(os.environ, TMPDIR=str(temporary)):
        arguments = [script, str(root), BASE, json.dumps(LIMITS)]
        server = start(arguments, folder / "log", folder / "cache")

    def good(client: Client) -> None:
        while not done.is_set():
            request = random.choice(GOOD_REQUESTS)
            began = time.monotonic()
            try:
                request(client)
            except Exception as error:
                report.failures.append(f"{request.__name__}: {type(error).__name__} {error}")
            report.good += 1
            report.took.append(time.monotonic() - began)
            done.wait(0.02)

    def hostile(client: Client, requests: tuple[Callable[[Client], None], ...]) -> None:
        while not done.is_set():
            request = random.choice(requests)
            # How they fare is not ours to say, but for those that the tests of attacks look at.
            with suppress(OSError, http.client.HTTPException):
                request(client)
            report.hostile[request.__name__] += 1
            done.wait(0.01)

    def publishing() -> None:
        while not done.wait(5):
            publish(folder / "store", [*numbers(NUMBERS), _mark(report.publications + 1)])
            report.publications += 1

    clients = [(good, (Client(server, f"127.0.1.{n + 1}"),)) for n in range(GOOD)]
    # Two addresses that together could hold every worker, several connections each.
    others = [
        (hostile, (Client(server, f"127.0.2.{n % 2 + 1}"), HOSTILE_REQUESTS)) for n in range(6)
    ]
    others += [
        (hostile, (Client(server, f"127.0.3.{n + 1}"), (never_reads,))) for n in range(NON_READERS)
    ]
    threads = [
        threading.Thread(target=target, args=arguments)
        for target, arguments in [*clients, *others, (publishing, ())]
    ]
    try:
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and server.process.poll() is None:
            report.workers.update(server.workers())
            report.resident.append(_resident(server.process.pid))
            time.sleep(1)
    finally:
        done.set()
        for thread in threads:
            thread.join(2 * PATIENCE)
        report.workers.update(server.workers())
        report.status = server.stop()
    waited = time.monotonic() + PATIENCE
    while (strays := [*filter(_still_works, report.workers)]) and time.monotonic() < waited:
        time.sleep(0.1)
    report.strays = strays
    report.left = [path.name for path in temporary.iterdir()]
    return report


def _still_works(pid: int) -> bool:
    # After minutes on a busy machine the number may be another's.
    return alive(pid) and named(pid) == "kg-worker"


def _mark(number: int) -> ox.Quad:
    name, graph = ox.NamedNode(f"{BASE}publication"), ox.NamedNode(f"{BASE}graph/publication")
    return ox.Quad(name, name, ox.Literal(number), graph)


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("seconds", type=float, nargs="?", default=300)
    with tempfile.TemporaryDirectory() as folder:
        report = run(Path(folder), parser.parse_args().seconds)
    print("\n".join(report.lines()))
    sys.exit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
