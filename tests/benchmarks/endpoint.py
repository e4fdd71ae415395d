"""The endpoint beside other SPARQL servers: same run, same data, same queries, on loopback.

Run from the checkout, with ``wrk`` installed; it takes four or five minutes
for each size of the data, most of them for the slowest server:
python tests/benchmarks/endpoint.py

It prints a table in Markdown. A server that is not installed is left out, and the table's notes
say what would install it. All of them hold the shipped dispute in its graphs, with the union of
the graphs as the default graph; then ten copies of it (``--copies 1`` leaves those out).
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from urllib.parse import quote

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

import pyoxigraph as ox  # noqa: E402

from kg.dispute import Dispute, open_dispute  # noqa: E402
from kg.pipeline import open_current  # noqa: E402
from kg.sparql_text import significant  # noqa: E402
from kg.stored_query import bind, catalogue  # noqa: E402
from kg.workshop import workshop  # noqa: E402
from tests.copies import copies  # noqa: E402
from tests.remote import real  # noqa: E402

JSON = "application/sparql-results+json"
OURS, OXIGRAPH, RDFLIB, FUSEKI = "kg serve", "oxigraph", "rdflib-endpoint", "Fuseki"
RUNAWAYS = 8
# Seconds: of a rate, of the latencies, and how long one answer is waited for.
RATE, LATENCY, PATIENCE = 4, 4, 8.0
# What the stored queries that require something are given.
GIVEN = {"thing": "pr-613", "speaker": "slaren", "request": "pr-613"}
# Joins every triple to those about its object: some hundred milliseconds of nothing but work.
HEAVY = "SELECT ?p ?q (COUNT(*) AS ?n) WHERE { ?s ?p ?o . ?o ?q ?x } GROUP BY ?p ?q ORDER BY ?p ?q"
RUNAWAY = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?c > ?f) }"
FUSEKI_CONFIGURATION = """\
PREFIX fuseki: <http://jena.apache.org/fuseki#>
PREFIX tdb2: <http://jena.apache.org/2016/tdb#>
<#service> a fuseki:Service ; fuseki:name "ds" ; fuseki:dataset <#data> ;
  fuseki:endpoint [ fuseki:operation fuseki:query ; fuseki:name "query" ] ;
  fuseki:endpoint [ fuseki:operation fuseki:gsp-rw ; fuseki:name "data" ] .
<#data> a tdb2:DatasetTDB2 ; tdb2:location "store" ; tdb2:unionDefaultGraph true .
"""
# Sends the queries of a file in turn; "fresh" makes each a text that was never sent before.
SCRIPT = """\
local paths, turn, fresh = {}, 0, false
function init(args)
  for line in io.lines(args[1]) do paths[#paths + 1] = line end
  fresh = args[2] == "fresh"
  turn = tonumber(args[3])
end
function request()
  turn = turn + 1
  local path = paths[turn % #paths + 1]
  if fresh then path = path .. "%0A%23" .. turn end
  return wrk.format("GET", path)
end
"""
_numbers = count(1_000_000_000, 1_000_000)


@dataclass
class Data:
    """What every server holds."""

    name: str
    file: Path
    quads: list[ox.Quad]
    mix: list[str]
    tiny: list[str]


@dataclass
class Target:
    """A running server, and what was measured of it."""

    port: int
    path: str
    process: subprocess.Popen[bytes]
    figures: dict[str, float | None] = field(default_factory=dict)

    def target(self, query: str) -> str:
        return f"{self.path}?query={quote(query, safe='')}"

    def connect(self, source: str = "127.0.0.1") -> http.client.HTTPConnection:
        there = ("127.0.0.1", self.port)
        return http.client.HTTPConnection(*there, timeout=PATIENCE, source_address=(source, 0))

    def ask(self, query: str) -> bytes:
        with closing(self.connect()) as connection:
            connection.request("GET", self.target(query), headers={"Accept": JSON})
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise OSError(f"{response.status}: {body[:200]!r}")
            return body


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def stripped(query: str) -> str:
    """Return a query without comments: not every server takes addresses as long as ours."""
    lines = (line for line in query.splitlines() if not line.lstrip().startswith("#"))
    text = " ".join(line.strip() for line in lines)
    assert [token.text for token in significant(text)] == [t.text for t in significant(query)]
    return text


def prepared(folder: Path, copied: int) -> Data:
    """Write the shipped dispute, so many times over, and the queries for it."""
    dispute = open_dispute("llama-mmap")
    engine = open_current(dispute)
    quads = list(copies(engine.quads(), dispute.base, copied))
    engine.close()
    file = folder / f"{copied}.nq"
    with file.open("wb") as stream:
        ox.serialize(quads, stream, format=ox.RdfFormat.N_QUADS)
    mix = []
    for query in catalogue(dispute, "ask").values():
        values = {
            name: ox.NamedNode(dispute.base + GIVEN[name])
            for name, parameter in query.params.items()
            if parameter.required
        }
        mix.append(stripped(bind(query, values)))
    subjects = sorted({quad.subject.value for quad in quads if _named(quad)})[::50][:100]
    tiny = ["ASK {}"] + [f"SELECT ?p ?o WHERE {{ <{iri}> ?p ?o }}" for iri in subjects]
    return Data(f"{len(quads):,} quads", file, quads, mix, tiny)


def _named(quad: ox.Quad) -> bool:
    return isinstance(quad.subject, ox.NamedNode)


Start = Callable[[Path, Data], tuple[Target, Callable[[], bool]]]


@contextmanager
def running(
    folder: Path, process: subprocess.Popen[bytes], port: int, path: str
) -> Iterator[Target]:
    """Wait until a server answers, and stop it in the end."""
    target = Target(port, path, process)
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                target.ask("ASK {}")
                break
            except (OSError, http.client.HTTPException):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(
                        (folder / "log").read_text(errors="replace")[-2000:]
                    ) from None
                time.sleep(0.2)
        yield target
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()  # busy with the runaways, which nobody waits for any more
            process.wait()


@contextmanager
def ours(folder: Path, data: Data) -> Iterator[Target]:
    """The endpoint with its own limits, as ``kg serve`` has them."""
    root = folder / ".kg"
    base = open_dispute("llama-mmap").base
    if not root.is_dir():
        with workshop(Dispute(folder, base, "A benchmark", ())) as shop:
            shop.engine.add(data.quads)
            shop.publish({}, {})
    script = str(PROJECT / "tests" / "server" / "serve_store.py")
    command = (sys.executable, script, str(root), base, "{}")
    process = real.spawn(folder, *command, PYTHONPATH=str(PROJECT))
    deadline = time.monotonic() + 60
    while not (found := re.search(r"is at http://[^:]+:(\d+)/", (folder / "log").read_text())):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError((folder / "log").read_text())
        time.sleep(0.1)
    with running(folder, process, int(found[1]), "/sparql") as target:
        yield target


@contextmanager
def oxigraph(folder: Path, data: Data) -> Iterator[Target]:
    """Oxigraph's own server, over a store that nobody writes.

    Without its --timeout-s: version 0.5.13 then keeps a thread for every query until the time is
    over, and aborts after a few seconds of tiny ones.
    """
    program, port = str(real._oxigraph()), real.free_port()
    for verb in (["load", "--file", str(data.file)], ["optimize"]):
        command = [program, verb[0], "--location", str(folder / "store"), *verb[1:]]
        subprocess.run(command, check=True, capture_output=True)
    process = real.spawn(
        folder,
        *(program, "serve-read-only", "--location", str(folder / "store")),
        *("--bind", f"127.0.0.1:{port}", "--union-default-graph"),
    )
    with running(folder, process, port, "/query") as target:
        yield target


@contextmanager
def rdflib_endpoint(folder: Path, data: Data, python: str) -> Iterator[Target]:
    """rdflib-endpoint as its command starts it, over rdflib's own store."""
    port = real.free_port()
    start = "from rdflib_endpoint.__main__ import cli; cli()"
    process = real.spawn(
        folder,
        *(python, "-c", start, "serve", "--host", "127.0.0.1", "--port", str(port)),
        str(data.file),
    )
    with running(folder, process, port, "/") as target:
        yield target


@contextmanager
def fuseki(folder: Path, data: Data) -> Iterator[Target]:
    """Fuseki over TDB2."""
    port = real.free_port()
    (folder / "config.ttl").write_text(FUSEKI_CONFIGURATION)
    process = real.spawn(
        folder,
        *("java", "-Xmx1500m", "-jar", str(real._fuseki()), "--localhost"),
        *("--port", str(port), "--config", str(folder / "config.ttl")),
        FUSEKI_BASE=str(folder / "run"),
    )
    with running(folder, process, port, "/ds/query") as target:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/ds/data",
            data.file.read_bytes(),
            {"Content-Type": "application/n-quads"},
        )
        urllib.request.urlopen(request, timeout=90).close()
        yield target


def rate(
    target: Target, folder: Path, queries: Iterable[str], fresh: bool, connections: int
) -> float | None:
    """Return good answers a second, or ``None`` if there was none."""
    paths = folder / "paths"
    paths.write_text("".join(target.target(query) + "\n" for query in queries))
    script = folder / "send.lua"
    script.write_text(SCRIPT)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{RATE}s", "--timeout", "60s"]
    command += ["-s", str(script), "-H", f"Accept: {JSON}", f"http://127.0.0.1:{target.port}"]
    command += ["--", str(paths), "fresh" if fresh else "same", str(next(_numbers))]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    good, seconds = re.search(r"(\d+) requests in ([0-9.]+)s", told).groups()  # type: ignore[union-attr]
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    if bad:
        say(f"  {bad[1]} of {good} answers were refusals or errors")
    number = int(good) - (int(bad[1]) if bad else 0)
    return number / float(seconds) if number else None


def rows_of(target: Target, queries: Sequence[str]) -> list[int | None]:
    """Ask every query once, for at most ten seconds, and count the rows."""
    counts: list[int | None] = []
    deadline = time.monotonic() + 10
    for query in queries:
        found: int | None = None
        if time.monotonic() < deadline:
            with suppress(OSError, http.client.HTTPException):
                found = len(json.loads(target.ask(query))["results"]["bindings"])
        counts.append(found)
    return counts


def latencies(target: Target, sources: Sequence[str]) -> tuple[float, float] | None:
    """Return median and 99th percentile of ``ASK {}`` in milliseconds while runaways run.

    Each runaway comes from one of ``sources`` and is sent again when it is answered. The texts of
    the questions differ, so that no cache answers. ``None``: no answer within the patience.
    """
    stop = threading.Event()
    sockets: list[socket.socket] = []

    def run_away(number: int) -> None:
        source = sources[number % len(sources)]
        while not stop.is_set():
            with suppress(OSError, http.client.HTTPException):
                connection = target.connect(source)
                connection.timeout = 60
                connection.connect()
                sockets.append(connection.sock)
                path = target.target(f"{RUNAWAY} #{next(_numbers)}")
                connection.request("GET", path, headers={"Accept": JSON})
                connection.getresponse().read()
            stop.wait(0.05)

    threads = [threading.Thread(target=run_away, args=(n,), daemon=True) for n in range(RUNAWAYS)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    took: list[float] = []
    deadline = time.monotonic() + LATENCY
    while time.monotonic() < deadline:
        began = time.monotonic()
        try:
            target.ask(f"ASK {{}} #{next(_numbers)}")
        except (OSError, http.client.HTTPException):
            took.append(float("inf"))
            break
        took.append(1000 * (time.monotonic() - began))
        time.sleep(0.01)
    stop.set()
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(5)
    took.sort()
    if took[-1] == float("inf") and len(took) < 3:
        return None
    return statistics.median(took), took[min(len(took) - 1, int(len(took) * 0.99))]


WARM = "stored queries, warm, requests/s"
COLD = "stored queries, never asked before, requests/s"
TINY = "tiny queries, never asked before, requests/s"
HEAVY_RATE = "a heavy query, never asked before, requests/s"
ONE_CLIENT = "`ASK {}` beside 8 runaways of another client, ms"
MANY_CLIENTS = "`ASK {}` beside 8 runaways of 8 other clients, ms"
SAME_CLIENT = "`ASK {}` beside 8 runaways of the same client, ms"
OTHER = ["127.0.0.2"]
OTHERS = [f"127.0.0.{number}" for number in range(2, 2 + RUNAWAYS)]

Figures = dict[str, "float | tuple[float, float] | None"]


def settled(target: Target) -> bool:
    """Wait for a server that still works for clients which have left, a quarter of a minute."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        with suppress(OSError, http.client.HTTPException):
            target.ask(f"ASK {{}} #{next(_numbers)}")
            return True
    return False


def measured(
    name: str, target: Target, folder: Path, data: Data, attacked: bool
) -> tuple[Figures, list[int | None]]:
    """Measure one server, the heaviest last; one that no longer answers is not asked for more."""
    found: Figures = {TINY: rate(target, folder, data.tiny, True, 8)}
    counts = rows_of(target, data.mix)
    found[WARM] = rate(target, folder, data.mix, False, 8) if settled(target) else None
    found[COLD] = rate(target, folder, data.mix, True, 2) if settled(target) else None
    found[HEAVY_RATE] = rate(target, folder, [HEAVY], True, 2) if settled(target) else None
    if attacked:
        found[ONE_CLIENT] = latencies(target, OTHER) if settled(target) else None
        if name == OURS:
            for what, sources in ((MANY_CLIENTS, OTHERS), (SAME_CLIENT, ["127.0.0.1"])):
                settled(target)
                found[what] = latencies(target, sources)
    return found, counts


def picked_up(target: Target, folder: Path) -> list[float]:
    """Return after how many milliseconds each of ten new snapshots was what we answered from."""
    name = ox.NamedNode("urn:example:number")
    took = []
    for number in range(10):
        with workshop(Dispute(folder, open_dispute("llama-mmap").base, "A benchmark", ())) as shop:
            shop.engine.add([ox.Quad(name, name, ox.Literal(number), name)])
            shop.publish({}, {})
        began = time.monotonic()
        wanted = f'"value":"{number}"'.encode()
        while wanted not in target.ask(f"SELECT ?n {{ ?s ?p ?n }} #{next(_numbers)}"):
            time.sleep(0.005)
        took.append(1000 * (time.monotonic() - began))
    return sorted(took)


def available(python: str) -> tuple[dict[str, Callable[..., object]], list[str]]:
    """Return how to start each server that is here, and what is missing of the others."""
    starts: dict[str, Callable[..., object]] = {OURS: ours}
    notes = []
    if reason := real.missing("oxigraph"):
        notes.append(reason)
    else:
        starts[OXIGRAPH] = oxigraph
    probe = [python, "-c", "import rdflib_endpoint, uvicorn"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        notes.append("no rdflib-endpoint: pip install 'counterclaim[bench]'")
    else:
        starts[RDFLIB] = lambda folder, data: rdflib_endpoint(folder, data, python)
    if real.missing("fuseki") and shutil.which("mvn") and shutil.which("java"):
        artifact = f"org.apache.jena:jena-fuseki-server:{real.FUSEKI}"
        plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get"
        command = ["mvn", "-q", "-B", plugin, f"-Dartifact={artifact}", "-Dtransitive=false"]
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(command, capture_output=True, check=False, timeout=120)
    if reason := real.missing("fuseki"):
        notes.append(reason)
    else:
        starts[FUSEKI] = fuseki
    return starts, notes


def shown(figure: object) -> str:
    if figure is None:
        return "no answer"
    if isinstance(figure, tuple):
        return " / ".join("no answer" if f == float("inf") else f"{f:,.0f}" for f in figure)
    assert isinstance(figure, float)
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def ratio(own: object, other: object) -> str:
    """Return how many times as good we are; latencies are compared by their 99th percentile."""
    if own is None:
        return "-"
    if other is None:
        return "answers at all" if isinstance(own, tuple) else f"> {own * RATE:,.0f}"  # type: ignore[operator]
    if isinstance(own, tuple):
        own, other = other[1], own[1]  # type: ignore[index]
    return f"{own / other:,.3g}" if own / other < 100 else f"{own / other:,.0f}"  # type: ignore[operator]


def table(results: dict[str, dict[str, Figures]]) -> Iterator[str]:
    """Yield the lines of the table: data, server, figures and ratios."""
    names = list(next(iter(results.values())))
    peers = names[1:]
    yield "| | " + " | ".join(names + [f"ours : {name}" for name in peers]) + " |"
    yield "| --- |" + " --- |" * (len(names) + len(peers))
    for data, figures in results.items():
        yield f"| **{data}** |" + " |" * (len(names) + len(peers))
        for what, own in figures[OURS].items():
            cells = [shown(own)]
            ratios = []
            for peer in peers:
                # Peers do not tell clients apart: one figure serves for all the attacks.
                key = (
                    ONE_CLIENT
                    if isinstance(own, tuple) or what in (MANY_CLIENTS, SAME_CLIENT)
                    else what
                )
                if peer not in figures:
                    cells.append("not measured")
                    ratios.append("-")
                    continue
                cells.append(shown(figures[peer][key]))
                ratios.append(ratio(own, figures[peer][key]))
            yield f"| {what} | " + " | ".join(cells + ratios) + " |"


def measure_all(
    copied_by: list[int],
    starts: dict[str, Callable[..., object]],
    notes: list[str],
    results: dict[str, dict[str, Figures]],
    rates: bool,
) -> None:
    """Measure every server with every size of data, into ``results``; ``rates`` alone, or all."""
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["KG_CACHE"] = f"{temporary}/cache"
        for number, copied in enumerate(copied_by):
            data = prepared(Path(temporary), copied)
            say(f"{data.name}")
            results[data.name] = {}
            expected: list[int | None] = []
            for name, start in starts.items():
                folder = Path(temporary) / f"{copied}-{name.replace(' ', '-')}"
                folder.mkdir()
                say(f" {name}")
                attacked = number == 0 and not rates
                with start(folder, data) as target:  # type: ignore[attr-defined]
                    found, counts = measured(name, target, folder, data, attacked)
                    if name == OURS and attacked and settled(target):
                        took = picked_up(target, folder)
                        notes.append(
                            f"A new snapshot was seen {statistics.median(took):.0f} ms after it "
                            f"was published, at most {took[-1]:.0f} ms, of ten"
                        )
                say("  " + "; ".join(f"{what}: {shown(figure)}" for what, figure in found.items()))
                results[data.name][name] = found
                expected = expected or counts
                missing = sum(c is None for c in counts)
                other = sum(c is not None and c != e for c, e in zip(counts, expected, strict=True))
                if missing or other:
                    notes.append(
                        f"{data.name}, {name}: of {len(counts)} stored queries {missing} were not "
                        f"answered in time, {other} gave another number of rows than ours"
                    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    python = os.environ.get("KG_RDFLIB_ENDPOINT_PYTHON", sys.executable)
    parser.add_argument("--rdflib-python", default=python, help="a Python that has rdflib-endpoint")
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--rates", action="store_true", help="no runaways, only rates")
    given = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("no wrk: apt-get install wrk")
    if find_spec("uvicorn") is None:
        sys.exit("no server: pip install 'counterclaim[server]'")
    starts, notes = available(given.rdflib_python)
    results: dict[str, dict[str, Figures]] = {}
    try:
        measure_all(given.copies, starts, notes, results, given.rates)
    except KeyboardInterrupt:
        notes.append("stopped before the end")
    print("\n".join(table(results)))
    for note in notes:
        print(f"\n{note}.")


if __name__ == "__main__":
    main()
