"""Who a client is: the address of the connection, or, behind a proxy, the one that it names."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator

import pytest

from kg.server.wire.notes import client_of

from .conftest import EXAMPLE, PATIENCE, Server, end, start, wait_for
from .test_processes import ENDLESS, fresh


def scope(address: str, *forwarded: str) -> dict[str, object]:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return {"client": (address, 1), "headers": [(b"host", b"x"), *headers]}


@pytest.mark.parametrize(
    ("address", "forwarded", "direct", "proxied"),
    [
        ("192.0.2.1", (), "192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.7",), "192.0.2.1", "198.51.100.7"),
        # What the proxy saw comes last; what is before it was sent by the client.
        ("192.0.2.1", ("203.0.113.9, 198.51.100.7",), "192.0.2.1", "198.51.100.7"),
        ("192.0.2.1", ("203.0.113.9", "198.51.100.7"), "192.0.2.1", "198.51.100.7"),
        ("2001:db8:1:2:3::4", (), "2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("::1", ("2001:db8:1:2:a::b",), "::/64", "2001:db8:1:2::/64"),
        ("::1", ("fe80::1%eth0",), "::/64", "fe80::/64"),
        ("192.0.2.1", ("198.51.100.7:40123",), "192.0.2.1", "198.51.100.7"),
        ("192.0.2.1", ("[2001:db8:1:2:a::b]:443",), "192.0.2.1", "2001:db8:1:2::/64"),
        ("192.0.2.1", ("unknown",), "192.0.2.1", "unknown"),
        ("192.0.2.1", ("1:2:nonsense",), "192.0.2.1", "1:2:nonsense"),
    ],
)
def test_who_asks(address: str, forwarded: tuple[str, ...], direct: str, proxied: str) -> None:
    asked = scope(address, *forwarded)
    assert client_of(asked) == direct
    assert client_of(asked, proxied=True) == proxied


@pytest.fixture(scope="module", params=[False, True], ids=["direct", "proxied"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, bool]]:
    """The command, and whether it is told that it is behind a proxy."""
    folder = tmp_path_factory.mktemp("proxy")
    shutil.copytree(EXAMPLE, folder / "dispute", ignore=shutil.ignore_patterns(".kg"))
    arguments = ["-m", "kg.cli.main", "--dispute", str(folder / "dispute"), "serve", "--port", "0"]
    arguments += ["--workers", "4", "--timeout", str(PATIENCE)]
    arguments += ["--behind-proxy"] if request.param else []
    server = start(arguments, folder / "log", folder / "cache")
    yield server, request.param
    end(server)


def send(server: Server, text: str, forwarded: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
    head = (
        "POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\n"
        f"X-Forwarded-For: {forwarded}\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    connection.sendall((head + text).encode())
    return connection


def test_one_client_is_held_to_its_share_whatever_it_claims(served: tuple[Server, bool]) -> None:
    server, proxied = served
    # As a client writes it who would be many, and what a proxy adds.
    greedy = [send(server, f"{ENDLESS} # {n}", f"203.0.113.{n}, 198.51.100.7") for n in range(6)]
    try:
        wait_for(lambda: server.metric("kg_workers_busy") == 3)
        wait_for(lambda: server.metric("kg_waiting") == 3)
        if proxied:
            for _ in range(3):
                reply = server.query("SELECT (1 AS ?x) {}", X_Forwarded_For="198.51.100.8")
                assert reply.status == 200
            wait_for(lambda: '"client": "198.51.100.8"' in server.log.read_text())
        else:
            with send(server, "ASK {}", "198.51.100.8"):
                wait_for(lambda: server.metric("kg_waiting") == 4)
            assert "198.51" not in server.log.read_text()
    finally:
        for connection in greedy:
            connection.close()
    wait_for(lambda: server.metric("kg_workers_busy") + server.metric("kg_waiting") == 0)
    assert fresh(server).status == 200
