"""Real servers in processes of their own, on ports that the system chooses."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pyoxigraph as ox
import pytest

from kg.dispute import Dispute
from kg.workshop import workshop

pytest.importorskip("uvicorn", reason="the packages of the extra 'server' are not installed")

PROJECT = Path(__file__).resolve().parents[2]
SHARED = PROJECT.parent / "shared"
EXAMPLE = PROJECT / "tests" / "disputes" / "example"
BASE = "http://www.example/gsp/"
HOME = "http://localhost:1/"
# Generous: the machine may be slow and busy.
PATIENCE = 60.0


@dataclass
class Reply:
    """A response that was read to its end; ``broken`` if it ended before it should."""

    status: int
    headers: dict[str, str]
    body: bytes
    broken: bool = False

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows of a result in JSON, values alone."""
        found = self.json()["results"]["bindings"]
        return [{name: term["value"] for name, term in row.items()} for row in found]


class Server:
    """A running server."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sparql(self) -> str:
        return f"{self.url}/sparql"

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            match = re.search(r"is at http://[^:]+:([0-9]+)/", self.log.read_text())
            self.port = int(match[1]) if match else 0
            return bool(match)

        wait_for(ready)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def request(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send a request and read the response; nothing of ``path`` is changed."""
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            try:
                return Reply(response.status, told, response.read())
            except http.client.IncompleteRead as error:
                return Reply(response.status, told, error.partial, broken=True)
        finally:
            connection.close()

    def query(self, text: str, **headers: str) -> Reply:
        """Ask by GET; ``headers`` have underscores for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(f"/sparql?query={quote(text, safe='')}", headers=named)

    def post(self, text: str | bytes, **headers: str) -> Reply:
        """Ask by POST, the query itself as the content."""
        named = {"Content-Type": "application/sparql-query"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = text.encode() if isinstance(text, str) else text
        return self.request("/sparql", "POST", data, named)

    def form(self, **fields: str) -> Reply:
        """Ask by POST with a form."""
        named = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("/sparql", "POST", urlencode(fields).encode(), named)

    def workers(self) -> list[int]:
        """The process identifiers of the workers, from the system."""
        return [pid for pid in children(self.process.pid) if named(pid) == "kg-worker"]

    def metric(self, name: str) -> float:
        """A figure of ``/metrics``; those with labels are added up."""
        found = re.findall(rf"^{name}(?:\{{[^\n]*\}})? ([0-9.e+]+)$", self.metrics(), re.M)
        return sum(map(float, found))

    def metrics(self) -> str:
        return self.request("/metrics").text

    def stop(self) -> int:
        """Stop it as a system would, and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def wait_for(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until a condition holds, as long as a slow machine may need."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def children(parent: int) -> list[int]:
    """The living processes that another started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(folder.name))
    return found


def named(pid: int) -> str:
    """What the system calls a process, or nothing if it has gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def alive(pid: int) -> bool:
    """Say whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def publish(folder: Path, quads: Iterable[ox.Quad], base: str = BASE) -> Path:
    """Publish quads as the snapshot of a folder, and return where it lies."""
    folder.mkdir(exist_ok=True)
    with workshop(Dispute(folder, base, "A test", ())) as shop:
        shop.engine.add(quads)
        shop.publish({}, {})
    return folder / ".kg"


def numbers(count: int) -> Iterator[ox.Quad]:
    """Triples ``<…/n/i> <…/value> i`` in one graph."""
    value, graph = ox.NamedNode(f"{BASE}value"), ox.NamedNode(f"{BASE}graph/numbers")
    for i in range(count):
        yield ox.Quad(ox.NamedNode(f"{BASE}n/{i}"), value, ox.Literal(i), graph)


def start(arguments: list[str], log: Path, cache: Path) -> Server:
    """Start a process that serves, and wait until it does."""
    packages = str(PROJECT)
    environment = os.environ | {"KG_CACHE": str(cache), "PYTHONPATH": packages}
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env=environment,
            cwd=log.parent,
        )
    server = Server(process, log)
    try:
        server.wait_until_ready()
    except BaseException:
        process.kill()
        raise
    return server


def end(server: Server) -> None:
    """Stop a server after a test, whatever the test did to it."""
    others = children(server.process.pid)
    try:
        server.stop()
    except subprocess.TimeoutExpired:
        server.process.kill()
        raise
    wait_for(lambda: not any(map(alive, others)))


Serve = Callable[..., Server]


@pytest.fixture(scope="module")
def serve_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Start servers over the snapshot of a folder, with limits given by name."""
    running: list[Server] = []

    def serve(root: Path, base: str = BASE, **limits: Any) -> Server:
        folder = tmp_path_factory.mktemp("server")
        script = str(Path(__file__).with_name("serve_store.py"))
        told = json.dumps({"workers": 2, **limits})
        server = start([script, str(root), base, told], folder / "log", folder / "cache")
        running.append(server)
        return server

    yield serve
    for server in running:
        end(server)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, serve_store: Serve) -> Server:
    """A server over a thousand numbers, with a short deadline."""
    root = publish(tmp_path_factory.mktemp("small") / "store", numbers(1000))
    return serve_store(root, timeout=3.0, memory=700 * 1024 * 1024)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The command itself, over the example dispute."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(EXAMPLE, folder / "dispute", ignore=shutil.ignore_patterns(".kg"))
    arguments = ["-m", "kg.cli.main", "--dispute", str(folder / "dispute"), "serve"]
    arguments += ["--port", "0", "--workers", "2", "--base", "http://localhost:1/"]
    server = start(arguments, folder / "log", folder / "cache")
    yield server
    end(server)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The command over two disputes, below ``HOME``."""
    yield from several(tmp_path_factory.mktemp("several"), ["example", "tideline"], HOME, 30)


def several(folder: Path, names: list[str], base: str, timeout: int) -> Iterator[Server]:
    """The command over some of two disputes, ``example`` and ``tideline``, below a base."""
    for source in (EXAMPLE, PROJECT / "data" / "tideline"):
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns(".kg"))
    arguments = ["-m", "kg.cli.main", "serve", *(str(folder / name) for name in names)]
    arguments += ["--port", "0", "--workers", "2", "--timeout", str(timeout), "--base", base]
    server = start(arguments, folder / "log", folder / "cache")
    yield server
    end(server)
