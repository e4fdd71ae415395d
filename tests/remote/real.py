"""Real SPARQL servers on the loopback interface: Oxigraph, Fuseki and Virtuoso."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from kg.remote import RemoteEngine
from kg.remote_auth import Credentials

NAMES = ("oxigraph", "fuseki", "virtuoso")
FUSEKI = "5.6.0"  # the last that runs on Java 17 has the number 5
_SECONDS = 60


@dataclass
class Server:
    """A running server: its addresses, what gets one in, and its process."""

    name: str
    query: str
    update: str
    store: str
    credentials: Credentials | None
    process: subprocess.Popen[bytes]

    def engine(self, timeout: float = 60, store: bool = True) -> RemoteEngine:
        return RemoteEngine(
            self.query, self.update, self.store if store else None, self.credentials, timeout
        )

    def options(self) -> list[str]:
        """What ``kg`` needs on its command line to write here."""
        given = self.credentials
        who = ["--user", given.user, "--password", given.password] if given else []
        return [*who, "--auth", given.scheme] if given else []

    def empty(self) -> None:
        """Drop every graph but those that the server made for itself."""
        engine = self.engine()
        for start in ("https://w3id.org/counterclaim/", "https://example.org/", "urn:"):
            for graph in engine.graphs(start):
                if "openlinksw" not in graph:
                    engine.drop_graph(graph)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def missing(name: str) -> str | None:
    """Say why a server cannot be started here, and what would help; ``None`` if it can."""
    if name == "oxigraph":
        return None if _oxigraph() else "no oxigraph: pip install 'counterclaim[servers]'"
    if name == "virtuoso":
        found = shutil.which("virtuoso-t")
        return None if found else "no virtuoso-t: apt-get install virtuoso-opensource-7"
    if not shutil.which("java"):
        return "no java: apt-get install default-jre-headless"
    artifact = f"org.apache.jena:jena-fuseki-server:{FUSEKI}"
    return None if _fuseki().is_file() else f"no Fuseki: mvn dependency:get -Dartifact={artifact}"


def started(name: str, folder: Path) -> Server:
    """Start a server with an empty store below ``folder`` and wait until it answers."""
    server = {"oxigraph": _start_oxigraph, "fuseki": _start_fuseki, "virtuoso": _start_virtuoso}[
        name
    ](folder)
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{server.query}?query=ASK%7B%7D", timeout=5).close()
            return server
        except OSError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                server.stop()
                log = (folder / "log").read_text("utf-8", "replace")[-2000:]
                raise RuntimeError(f"{name} did not start:\n{log}") from None
            time.sleep(0.1)


def spawn(folder: Path, *command: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start a command in a folder; what it says goes to the file ``log`` there."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _oxigraph() -> str | None:
    beside = str(Path(sys.executable).parent)
    return shutil.which("oxigraph", path=beside) or shutil.which("oxigraph")


def _start_oxigraph(folder: Path) -> Server:
    address = f"127.0.0.1:{free_port()}"
    process = spawn(folder, str(_oxigraph()), "serve", "--bind", address)
    base = f"http://{address}"
    return Server("oxigraph", f"{base}/query", f"{base}/update", f"{base}/store", None, process)


def _fuseki() -> Path:
    if given := os.environ.get("KG_FUSEKI"):
        return Path(given)
    folder = Path.home() / ".m2/repository/org/apache/jena/jena-fuseki-server" / FUSEKI
    return folder / f"jena-fuseki-server-{FUSEKI}.jar"


def _start_fuseki(folder: Path) -> Server:
    port = str(free_port())
    # --localhost: nobody else on the network is to see it.
    process = spawn(
        folder,
        *("java", "-Xmx400m", "-jar", str(_fuseki())),
        *("--localhost", "--port", port, "--update", "--mem", "/ds"),
        FUSEKI_BASE=str(folder / "run"),
    )
    base = f"http://127.0.0.1:{port}/ds"
    return Server("fuseki", f"{base}/query", f"{base}/update", f"{base}/data", None, process)


_VIRTUOSO = """\
[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
FileExtend = 200
MaxCheckpointRemap = 2000
[TempDatabase]
DatabaseFile = {folder}/temporary.db
TransactionFile = {folder}/temporary.trx
MaxCheckpointRemap = 2000
[Parameters]
ServerPort = 127.0.0.1:{port}
DisableUnixSocket = 1
CheckpointInterval = 0
CaseMode = 2
SchedulerInterval = 10
DirsAllowed = {folder}
NumberOfBuffers = 10000
MaxDirtyBuffers = 6000
ThreadsPerQuery = 2
[HTTPServer]
ServerPort = 127.0.0.1:{web_port}
ServerRoot = {folder}
ServerThreads = 8
MaxKeepAlives = 10
KeepAliveTimeout = 10
Charset = UTF-8
[SPARQL]
ResultSetMaxRows = 10000
MaxQueryExecutionTime = 60
"""


def _start_virtuoso(folder: Path) -> Server:
    web_port = free_port()
    configuration = _VIRTUOSO.format(folder=folder, port=free_port(), web_port=web_port)
    (folder / "virtuoso.ini").write_text(configuration)
    process = spawn(folder, "virtuoso-t", "+configfile", "virtuoso.ini", "+foreground")
    base = f"http://127.0.0.1:{web_port}"
    return Server(
        "virtuoso",
        f"{base}/sparql",
        f"{base}/sparql-auth",
        f"{base}/sparql-graph-crud-auth",
        Credentials("dba", "dba", "digest"),  # as it comes
        process,
    )
