"""Processes that come and go: workers, the server itself, snapshots under it."""

from __future__ import annotations

import http.client
import json
import logging
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.dispute import Dispute
from kg.server.wire.log_writer import LogWriter
from kg.workshop import workshop

from .conftest import (
    BASE,
    PATIENCE,
    PROJECT,
    Reply,
    Serve,
    Server,
    alive,
    children,
    numbers,
    publish,
    wait_for,
)

ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


def fresh(server: Server) -> Reply:
    """A query that nobody has asked before."""
    return server.query(f"SELECT ({random.getrandbits(60)} AS ?x) {{}}")


def send(
    server: Server, text: str, source: str = "127.0.0.1", path: str = "/sparql"
) -> socket.socket:
    """Send a query and do not wait for its answer."""
    connection = socket.create_connection(
        ("127.0.0.1", server.port), PATIENCE, source_address=(source, 0)
    )
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\n"
        f"Content-Length: {len(text)}\r\n\r\n"
    )
    connection.sendall((head + text).encode())
    return connection


@pytest.fixture
def server(tmp_path: Path, serve_store: Serve) -> Server:
    return serve_store(publish(tmp_path / "store", numbers(1000)), timeout=PATIENCE)


def test_a_client_that_leaves_takes_its_query_along(server: Server) -> None:
    connection = send(server, ENDLESS)
    wait_for(lambda: server.metric("kg_workers_busy") == 1)
    connection.close()
    wait_for(lambda: 'kg_workers_ended_total{how="killed"} 1' in server.metrics())
    wait_for(lambda: server.metric("kg_workers_busy") == 0)
    assert 'outcome="client went away"' in server.metrics()
    assert fresh(server).status == 200


def test_a_killed_worker_is_an_error_and_is_replaced(server: Server) -> None:
    before = set(server.workers())
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(server.post, ENDLESS)
        wait_for(lambda: server.metric("kg_workers_busy") == 1)
        time.sleep(0.5)  # until it has begun; before that another would take it
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        assert asked.result().status == 500
    wait_for(lambda: fresh(server).status == 200)
    wait_for(lambda: len(server.workers()) == 3)
    assert not before & set(server.workers())


def test_workers_killed_while_idle_fail_no_request(server: Server) -> None:
    for _ in range(5):
        for pid in server.workers():
            os.kill(pid, signal.SIGKILL)
        assert fresh(server).status == 200


def test_workers_are_replaced_when_what_they_are_copies_of_has_been_killed(server: Server) -> None:
    for _ in range(2):
        wait_for(lambda: len(server.workers()) == 3)
        before = set(children(server.process.pid))
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        assert fresh(server).status == 200
        wait_for(lambda: len(server.workers()) == 3)
        assert not before & set(children(server.process.pid))


def test_workers_have_no_random_numbers_in_common(server: Server) -> None:
    wait_for(lambda: len(server.workers()) == 3)
    found = []
    for _ in range(6):
        found.append(server.query("SELECT (STRUUID() AS ?u) (RAND() AS ?r) {}").rows[0])
        killed = set(server.workers())  # the next is another's first
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda gone=killed: not gone & set(server.workers()))
        wait_for(lambda: server.query("ASK {}").status == 200)
    assert len({row["u"] for row in found}) == len({row["r"] for row in found}) == 6


def test_a_worker_killed_in_mid_stream_breaks_the_answer(
    tmp_path: Path, serve_store: Serve
) -> None:
    root = publish(tmp_path / "store", numbers(3000))
    server = serve_store(root, workers=1, timeout=PATIENCE)
    with server_connection(server) as response:
        assert response.status == 200
        response.read(1000)
        for pid in server.workers():
            os.kill(pid, signal.SIGKILL)
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            response.read()


class server_connection:  # noqa: N801
    """An answer of nine million rows that begins to come."""

    def __init__(self, server: Server) -> None:
        self.connection = server.connect()

    def __enter__(self) -> http.client.HTTPResponse:
        path = "/sparql?query=SELECT%20*%20%7B%3Fa%20%3Fb%20%3Fc.%3Fd%20%3Fe%20%3Ff%7D"
        self.connection.request("GET", path)
        return self.connection.getresponse()

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def test_no_worker_outlives_a_killed_server(tmp_path: Path, serve_store: Serve) -> None:
    server = serve_store(publish(tmp_path / "store", numbers(1000)), timeout=PATIENCE)
    with send(server, ENDLESS):
        wait_for(lambda: server.metric("kg_workers_busy") == 1)
        wait_for(lambda: len(server.workers()) == 3)
        others = children(server.process.pid)
        server.process.kill()
        server.process.wait()
        wait_for(lambda: not any(map(alive, others)))


def test_a_stop_lets_requests_finish(tmp_path: Path, serve_store: Serve) -> None:
    server = serve_store(publish(tmp_path / "store", numbers(2000)), timeout=PATIENCE)
    # Long enough to be running when the signal comes, on a quick machine too.
    text = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f FILTER(?c < ?f) }"
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(server.post, text)
        wait_for(lambda: server.metric("kg_workers_busy") == 1 or asked.done())
        others = children(server.process.pid)
        assert server.stop() == 0
        assert asked.result().rows == [{"n": str(2000 * 1999 // 2)}]
    assert not any(map(alive, others))


def test_a_stop_leaves_nothing_behind(tmp_path: Path, serve_store: Serve) -> None:
    root = publish(tmp_path / "store", numbers(10))
    before = sorted(path.relative_to(root) for path in root.rglob("*"))
    server = serve_store(root)
    assert fresh(server).status == 200
    others = children(server.process.pid)
    assert server.stop() == 0
    assert not any(map(alive, others))
    assert sorted(path.relative_to(root) for path in root.rglob("*")) == before
    assert sorted(path.name for path in server.log.parent.iterdir()) == ["log"]


def test_one_client_cannot_hold_all_workers(tmp_path: Path, serve_store: Serve) -> None:
    root = publish(tmp_path / "store", numbers(1000))
    server = serve_store(root, workers=4, timeout=PATIENCE)
    greedy = [send(server, f"{ENDLESS} # {n}", source="127.0.0.2") for n in range(10)]
    wait_for(lambda: server.metric("kg_workers_busy") == 3)
    wait_for(lambda: server.metric("kg_waiting") == 7)
    for _ in range(5):
        assert fresh(server).status == 200
    for connection in greedy:
        connection.close()
    wait_for(lambda: server.metric("kg_workers_busy") + server.metric("kg_waiting") == 0)


def test_no_more_queries_run_at_once_than_there_are_workers(
    tmp_path: Path, serve_store: Serve
) -> None:
    root = publish(tmp_path / "store", numbers(1000))
    server = serve_store(root, workers=3, timeout=PATIENCE)
    many = [
        send(server, f"{ENDLESS} # {n} {client}", source=f"127.0.0.{client}")
        for n in range(3)
        for client in range(2, 7)
    ]
    wait_for(lambda: server.metric("kg_waiting") == 12)
    for _ in range(20):
        assert server.metric("kg_workers_busy") == 3
        assert len(server.workers()) <= 4  # one is ready to replace another
        time.sleep(0.02)
    for connection in many:
        connection.close()
    wait_for(lambda: server.metric("kg_workers_busy") + server.metric("kg_waiting") == 0)


def test_a_full_queue_is_503_and_says_when_to_come_back(tmp_path: Path, serve_store: Serve) -> None:
    root = publish(tmp_path / "store", numbers(1000))
    server = serve_store(root, workers=1, timeout=PATIENCE, waiting=2, waiting_each=2)
    taken = [send(server, f"{ENDLESS} # {n}") for n in range(3)]
    wait_for(lambda: server.metric("kg_waiting") == 2)
    reply = fresh(server)
    assert reply.status == 503
    assert int(reply.headers["retry-after"]) > 0
    assert reply.headers["content-type"] == "application/problem+json"
    for connection in taken:
        connection.close()
    wait_for(lambda: fresh(server).status == 200)


@pytest.mark.parametrize("count", [1500, pytest.param(3200, marks=pytest.mark.server)])
def test_an_answer_of_millions_of_rows_leaves_the_server_small(
    tmp_path: Path, serve_store: Serve, count: int
) -> None:
    root = publish(tmp_path / "store", numbers(count))
    server = serve_store(root, timeout=600, patience=600)

    def resident() -> int:
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    assert fresh(server).status == 200
    before = resident()
    text = "SELECT ?c ?f { ?a ?b ?c . ?d ?e ?f }"
    connection = server.connect()
    connection.request(
        "POST",
        "/sparql",
        text.encode(),
        {"Content-Type": "application/sparql-query", "Accept": "text/tab-separated-values"},
    )
    response = connection.getresponse()
    rows, most = -1, 0  # the first line is the heading
    while data := response.read(1 << 20):
        rows += data.count(b"\n")
        most = max(most, resident())
    assert rows == count * count
    assert most - before < 30_000, "kilobytes"


def one(number: int) -> list[ox.Quad]:
    """Two triples that must always be seen together."""
    names = [ox.NamedNode(f"{BASE}{name}") for name in ("left", "right")]
    value, graph = ox.NamedNode(f"{BASE}value"), ox.NamedNode(f"{BASE}graph/one")
    return [ox.Quad(name, value, ox.Literal(number), graph) for name in names]


PAIR = f"SELECT ?l ?r {{ <{BASE}left> <{BASE}value> ?l . <{BASE}right> <{BASE}value> ?r }}"


def test_a_new_snapshot_is_picked_up(tmp_path: Path, serve_store: Serve) -> None:
    server = serve_store(publish(tmp_path / "store", one(1)))
    first = server.query(PAIR)
    assert first.rows == [{"l": "1", "r": "1"}]
    for number in map(str, range(2, 12)):
        publish(tmp_path / "store", one(int(number)))
        # A second is promised; a busy machine may take a little longer.
        wait_for(lambda new=number: server.query(PAIR).rows == [{"l": new, "r": new}], 10)
    assert server.query(PAIR).headers["etag"] != first.headers["etag"]


def test_a_new_snapshot_is_picked_up_within_a_second(tmp_path: Path, serve_store: Serve) -> None:
    server = serve_store(publish(tmp_path / "store", one(0)))
    took = []
    for number in range(1, 6):
        publish(tmp_path / "store", one(number))
        began, digest = time.monotonic(), (tmp_path / "store/.kg/current").readlink().name
        while server.request("/ready").json()["snapshot"] != digest:
            time.sleep(0.01)
        took.append(time.monotonic() - began)
        assert server.query(PAIR).rows == [{"l": str(number), "r": str(number)}]
    assert min(took) < 1, "a busy machine may delay some, but not every one"


@contextmanager
def asked_all_along(server: Server) -> Iterator[list[Reply]]:
    """Two clients ask until the block ends: none is refused, and none sees two snapshots.

    What they were answered is in the list after the block.
    """
    done = threading.Event()

    def ask() -> list[Reply]:
        replies = []
        while not done.is_set():
            replies.append(server.query(PAIR + f" #{random.getrandbits(60)}"))
        return replies

    replies: list[Reply] = []
    with ThreadPoolExecutor() as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        try:
            yield replies
        finally:
            done.set()
        replies += [reply for asked in asking for reply in asked.result()]
    assert {reply.status for reply in replies} == {200}
    assert all(row["l"] == row["r"] for reply in replies for row in reply.rows)


@pytest.mark.parametrize("times", [100, pytest.param(1000, marks=pytest.mark.server)])
def test_no_request_fails_or_sees_two_snapshots_while_many_are_published(
    tmp_path: Path, serve_store: Serve, times: int
) -> None:
    folder = tmp_path / "store"
    server = serve_store(publish(folder, one(0)), timeout=PATIENCE)
    with asked_all_along(server):
        for number in range(1, times + 1):
            with workshop(Dispute(folder, BASE, "A test", ())) as shop:
                shop.engine.add(one(number))
                shop.publish({}, {})
    wait_for(lambda: server.query(PAIR).rows == [{"l": str(times), "r": str(times)}])


def test_a_thousand_snapshots_in_a_row(tmp_path: Path, serve_store: Serve) -> None:
    """They are made ahead, and only the link is replaced, as fast as it goes."""
    folder = tmp_path / "store"
    made = []
    for number in range(5):
        root = publish(tmp_path / f"{number}", one(number))
        made.append(root / "snapshots" / (root / "current").readlink().name)
    root = publish(folder, one(0))
    for snapshot in made:
        shutil.copytree(snapshot, root / "snapshots" / snapshot.name, dirs_exist_ok=True)
    server = serve_store(root, timeout=PATIENCE)
    with asked_all_along(server) as replies:
        for number in range(1000):
            link = root / "next"
            link.symlink_to(f"snapshots/{made[number % len(made)].name}")
            link.replace(root / "current")
            time.sleep(0.005)
    assert len({row["l"] for reply in replies for row in reply.rows}) > 1


def test_an_answer_in_progress_survives_two_publications(
    tmp_path: Path, serve_store: Serve
) -> None:
    folder = tmp_path / "store"
    root = publish(folder, numbers(1000))
    server = serve_store(root, workers=1, timeout=10 * PATIENCE, patience=10 * PATIENCE)
    with server_connection(server) as response:
        response.read(1000)
        for number in range(3):
            publish(folder, one(number))
        rest = response.read()
    assert rest.endswith(b"]}}")


def test_a_damaged_snapshot_leaves_the_one_before(tmp_path: Path, serve_store: Serve) -> None:
    folder = tmp_path / "store"
    root = publish(folder, one(1))
    server = serve_store(root)
    assert server.query(PAIR).rows == [{"l": "1", "r": "1"}]
    broken = root / "snapshots" / "broken"
    shutil.copytree(root / "snapshots" / (root / "current").readlink().name, broken)
    for path in (broken / "store").iterdir():
        path.write_bytes(b"")
    link = root / "next"
    link.symlink_to("snapshots/broken")
    link.replace(root / "current")
    wait_for(lambda: "damaged" in str(server.request("/ready").json().get("problem")))
    assert server.query(PAIR + " # anew").rows == [{"l": "1", "r": "1"}]
    publish(folder, one(2))
    wait_for(lambda: server.query(PAIR).rows == [{"l": "2", "r": "2"}])


def test_without_a_snapshot_it_is_not_ready(tmp_path: Path, serve_store: Serve) -> None:
    server = serve_store(tmp_path / "nothing")
    assert server.request("/health").status == 200
    assert server.request("/ready").status == 503
    reply = server.query("ASK {}")
    assert reply.status == 503
    assert "kg build" in reply.json()["detail"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_stops_well_when_told_to_and_every_request_is_in_the_log(
    tmp_path: Path, serve_store: Serve, number: signal.Signals
) -> None:
    # Tests that nohup(1) runs ignore SIGHUP, and what they start would, too.
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        server = serve_store(publish(tmp_path / "store", numbers(10)))
    finally:
        signal.signal(signal.SIGHUP, before)
    for _ in range(50):
        assert fresh(server).status == 200
    server.process.send_signal(number)
    assert server.process.wait(PATIENCE) == 0
    lines = [line for line in server.log.read_text().splitlines() if line.startswith("{")]
    assert len([line for line in lines if json.loads(line)["path"] == "/sparql"]) == 50


def test_a_log_that_nobody_reads_holds_nothing_up(tmp_path: Path) -> None:
    """As with ``kg serve 2>&1 | less``: the pipe is full from the first line on."""
    root = publish(tmp_path / "store", numbers(10))
    script = str(Path(__file__).with_name("serve_store.py"))
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, script, str(root), BASE, "{}"],
        stdout=subprocess.DEVNULL,
        stderr=writing,
        env=os.environ | {"PYTHONPATH": str(PROJECT), "KG_CACHE": str(tmp_path / "cache")},
    )
    try:
        said = b""
        # With the end of the line, which is written on its own: in a full pipe it would wait.
        while b"/sparql\n" not in said:
            said += os.read(reading, 4096)
        os.set_blocking(writing, False)
        with suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * 4096)
        with suppress(BlockingIOError):
            while True:
                os.write(writing, b"x")
        os.set_blocking(writing, True)  # as it is for the server, which shares it
        server = Server(process, tmp_path / "log")
        server.port = int(re.search(rb"127.0.0.1:([0-9]+)/sparql", said)[1])  # type: ignore[index]
        for _ in range(20):
            assert fresh(server).status == 200
            time.sleep(0.05)  # for the log's lines to come one by one
        assert server.stop() == 0
    finally:
        process.kill()
        process.wait()
        os.close(reading)
        os.close(writing)


def test_lines_that_are_dropped_are_counted() -> None:
    reading, writing = os.pipe()
    writer = LogWriter(writing, kept=200_000)
    writer.setFormatter(logging.Formatter("%(message)s"))
    for number in range(1000):
        line = f"{number:04} " + "x" * 995
        writer.emit(logging.LogRecord("kg", logging.INFO, "", 0, line, None, None))
    said = ThreadPoolExecutor(1).submit(
        lambda: b"".join(iter(lambda: os.read(reading, 65536), b""))
    )
    writer.close()
    os.close(writing)
    lines = said.result(PATIENCE).decode().splitlines()
    whole = [line for line in lines if line.endswith("x")]
    told = [int(line.split()[0]) for line in lines if "dropped" in line]
    assert told
    assert len(whole) + sum(told) == 1000
    assert [int(line[:4]) for line in whole] == sorted(int(line[:4]) for line in whole)
    os.close(reading)
