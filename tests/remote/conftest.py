"""Servers to ask: one that says what a test tells it to, and real ones, each started once."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.cli.conftest import kg  # noqa: F401
from tests.remote.real import NAMES, Server, missing, started
from tests.remote.scripted import Scripted


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    server = Scripted()
    thread = threading.Thread(target=server.httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.httpd.shutdown()
    server.httpd.server_close()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """The real servers that were asked for so far; each stops when the session ends."""
    running: dict[str, Server] = {}
    yield running
    for server in running.values():
        server.stop()


@pytest.fixture(params=NAMES)
def server(
    request: pytest.FixtureRequest,
    servers: dict[str, Server],
    tmp_path_factory: pytest.TempPathFactory,
) -> Server:
    """Each of the real servers, without any data of other tests."""
    name: str = request.param
    if reason := missing(name):
        pytest.skip(reason)
    if name not in servers:
        servers[name] = started(name, tmp_path_factory.mktemp(name))
    servers[name].empty()
    return servers[name]
