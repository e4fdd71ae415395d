"""What scale.py measures, each in a process of its own: ``python measurements.py TASK FOLDER``.

A task is a function of the working folder of one size; it prints its figures as JSON. Times are
those of the processor, of all threads and child processes together, in seconds; ``wall`` is that of
the clock.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

CHECKOUT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(CHECKOUT))

REPEATS = 5
Figures = dict[str, Any]
# Processor seconds that a task may spend on what it measures, if a bound was given.
_allowance: float | None = None


def processor_time() -> float:
    """Return the processor time of this process and its children, the living ones too."""
    done = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = time.process_time() + done.ru_utime + done.ru_stime
    for pid in children_of(os.getpid()):
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def children_of(parent: int) -> list[int]:
    """Return the processes that a process has started and that live."""
    found: list[int] = []
    for thread in Path(f"/proc/{parent}/task").glob("*"):
        with suppress(OSError):
            found += map(int, (thread / "children").read_text().split())
    return found


def spent(work: Callable[[], object]) -> float:
    """Return the processor time of some work."""
    before = processor_time()
    work()
    return processor_time() - before


def timed(work: Callable[[], object]) -> Figures:
    """Return the processor time of some work and that of the clock."""
    began = time.monotonic()
    return {"seconds": spent(work), "wall": time.monotonic() - began}


def allowed(work: Callable[[], object]) -> float:
    """Return the processor time of some work, at which the process ends if it passes the bound."""
    if _allowance is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        end = math.ceil(time.process_time() + _allowance)
        resource.setrlimit(resource.RLIMIT_CPU, (end, most))
    return spent(work)


def raw(folder: Path, file: str = "corpus.nq") -> Figures:
    """Load a file of N-Quads by the store's own bulk loader: the limit for every other load."""
    import pyoxigraph as ox

    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as place:
        store = ox.Store(place)
        path = folder / file
        figures = timed(lambda: store.bulk_load(path=path, format=ox.RdfFormat.N_QUADS))
        return {**figures, "quads": len(store)}


def raw_all(folder: Path) -> Figures:
    """The same for everything that a snapshot holds, derived statements too."""
    return raw(folder, "snapshot.nq")


def scan(folder: Path) -> Figures:
    """Read every quad of the snapshot once, without its terms."""
    engine = opened(folder)
    text = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"
    return {"seconds": spent(lambda: list(engine.query(text).rows))}


def build(folder: Path) -> Figures:
    """Build a dispute folder and publish it; ``stages`` divides the time of the processor.

    What several processes do at once counts for the stage in which they do it: they check while
    the shapes are judged.
    """
    from kg.dispute import read_dispute
    from kg.machine import usual_jobs
    from kg.pipeline import build as build_dispute

    stages: dict[str, float] = {}
    at = ["load", processor_time()]

    def progress(said: str) -> None:
        stage = {"loading": "load", "deriving": "derive", "validating": "validate"}.get(
            said.split()[0], said
        )
        now = processor_time()
        stages[at[0]] = stages.get(at[0], 0.0) + now - at[1]
        at[:] = [stage, now]

    shutil.rmtree(folder / "dispute" / ".kg", ignore_errors=True)
    dispute = read_dispute(folder / "dispute")
    figures = timed(lambda: build_dispute(dispute, progress))
    progress("done")
    return {**figures, "stages": stages, "jobs": usual_jobs()}


def build_on_disk(folder: Path) -> Figures:
    """The same, as a dispute is built that does not fit in memory."""
    with mock.patch("kg.pipeline.fits_in_memory", return_value=False):
        return build(folder)


def costs(folder: Path) -> Figures:
    """Load and derive in a new store, then check; each rule and each check by itself.

    A rule that builds on others pays for loading what they gave.
    """
    from kg.derivation import derive
    from kg.dispute import read_dispute
    from kg.embedded import EmbeddedEngine
    from kg.preparing import load
    from kg.stored_query import catalogue

    dispute = read_dispute(folder / "dispute")
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as place:
        engine = EmbeddedEngine.create(Path(place) / "store")
        figures: Figures = {"seconds": spent(lambda: load(engine, dispute)), "queries": {}}
        began: list[tuple[str, float]] = []
        given = derive(engine, dispute, lambda rule: began.append((rule, time.process_time())))
        began.append(("", time.process_time()))
        for (rule, start), (_, end) in itertools.pairwise(began):
            figures["queries"][f"derive/{rule}"] = (end - start, given[rule])
        for name, check in catalogue(dispute, "check").items():
            found: list[Any] = []
            seconds = spent(lambda c=check, f=found: f.extend(engine.query(c.text).rows))
            figures["queries"][f"check/{name}"] = (seconds, len(found))
        engine.close()
    return figures


def dump(folder: Path) -> Figures:
    """Write the snapshot out, for the measurements that load it again."""
    engine = opened(folder)
    with (folder / "snapshot.nq").open("wb") as stream:
        return {"seconds": spent(lambda: engine.dump(stream))}


def compiled(folder: Path) -> Figures:
    """Judge the snapshot by the project's shapes where it lies."""
    from kg.dispute import read_dispute
    from kg.shacl import validate_dispute

    engine, dispute = opened(folder), read_dispute(folder / "dispute")
    found: list[int] = []
    seconds = spent(lambda: found.append(len(validate_dispute(engine, dispute).results)))
    return {"seconds": seconds, "results": found[0]}


def pyshacl(folder: Path) -> Figures:
    """Judge the same statements by pySHACL, in rdflib's memory; ``load`` fills that."""
    import pyshacl
    import rdflib

    from kg.shacl.validation import shape_files

    data, shapes = rdflib.Graph(), rdflib.Graph()

    def load() -> None:
        for context in rdflib.Dataset().parse(folder / "snapshot.nq", format="nquads").graphs():
            for triple in context:
                data.add(triple)

    loading = spent(load)
    for path in shape_files():
        shapes.parse(path)
    seconds = allowed(lambda: pyshacl.validate(data, shacl_graph=shapes, inplace=True))
    return {"seconds": seconds, "load": loading}


def turbo(folder: Path) -> Figures:
    """Judge the same statements by pyshacl-turbo, loaded as its documentation advises."""
    sys.path.insert(0, os.environ["KG_TURBO"])
    import pyshacl_turbo
    import rdflib

    from kg.shacl.validation import shape_files

    data, shapes = rdflib.Graph(), rdflib.Graph()
    for context in rdflib.Dataset().parse(folder / "snapshot.nq", format="nquads").graphs():
        for triple in context:
            data.add(triple)
    for path in shape_files():
        shapes.parse(path)
    write_prefixes_out(shapes)
    return {"seconds": allowed(lambda: pyshacl_turbo.validate(data, shacl_graph=shapes))}


def write_prefixes_out(shapes: Any) -> None:
    """Put the prefixes of queries into their text: pyshacl-turbo does not know sh:declare."""
    from rdflib import SH, Literal

    for node, declared in list(shapes.subject_objects(SH.prefixes)):
        lines = [
            f"PREFIX {shapes.value(one, SH.prefix)}: <{shapes.value(one, SH.namespace)}>"
            for one in shapes.objects(declared, SH.declare)
        ]
        text = shapes.value(node, SH.select)
        shapes.set((node, SH.select, Literal("\n".join([*lines, str(text)]))))
    for pattern in ((None, SH.prefixes, None), (None, SH.declare, None)):
        shapes.remove(pattern)


def questions(folder: Path) -> Figures:
    """Ask each stored query with each parameter bound to several things, and all their rows."""
    from kg.dispute import read_dispute
    from kg.stored_query import catalogue
    from tests.benchmarks.questions import measure

    asked = catalogue(read_dispute(folder / "dispute"), "ask")
    return {"bound": measure(opened(folder), asked, list_limit=None)["bound"]}


def first_row(folder: Path, name: str) -> Figures:
    """Ask one stored query without a parameter, until its first row."""
    from kg.dispute import read_dispute
    from kg.stored_query import bind, catalogue

    text = bind(catalogue(read_dispute(folder / "dispute"), "ask")[name], {})
    engine = opened(folder)
    return {"seconds": allowed(lambda: next(engine.query(text).rows, None))}


def first_found(folder: Path, name: str) -> Figures:
    """Ask the same for its rows as they are found."""
    from kg.as_found import as_found
    from kg.dispute import read_dispute
    from kg.stored_query import catalogue

    query = catalogue(read_dispute(folder / "dispute"), "ask")[name]
    engine = opened(folder)
    return {"seconds": allowed(lambda: next(as_found(engine, query, {}).rows, None))}


RDFLIB = """
import sys, rdflib
graph = rdflib.Graph()
for path in sys.argv[2:]:
    graph.parse(path)
for row in graph.query(open(sys.argv[1], encoding="utf-8").read()):
    print(row)
"""


def commands(folder: Path) -> Figures:
    """Whole processes, on the shipped dispute: kg against rdflib, and kg against click."""
    environment = {**os.environ, "KG_CACHE": str(folder / "cache"), "PYTHONPATH": str(CHECKOUT)}
    kg = [sys.executable, "-m", "kg.cli.main"]
    query = CHECKOUT / "queries" / "ask" / "withheld.rq"
    shipped = sorted((CHECKOUT / "data" / "llama-mmap").rglob("*.ttl"))
    sources = [str(p) for p in (*shipped, CHECKOUT / "ontology" / "kg.ttl") if ".kg" not in p.parts]
    chosen = {
        "kg query": [*kg, "query", "withheld"],
        "rdflib parse and query": [sys.executable, "-c", RDFLIB, str(query), *sources],
        "kg --help": [*kg, "--help"],
        "import click": [sys.executable, "-c", "import click"],
    }
    figures: Figures = {"seconds": 0.0}
    for name, command in chosen.items():
        times = []
        for _ in range(REPEATS + 1):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, check=True, capture_output=True, env=environment)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        figures[name] = min(times[1:])  # the first may build a snapshot
    return figures


def opened(folder: Path) -> Any:
    from kg.embedded import EmbeddedEngine

    return EmbeddedEngine.open_read_only(folder / "dispute" / ".kg" / "current" / "store")


TASKS: dict[str, Callable[..., Figures]] = {
    task.__name__: task
    for task in (
        raw,
        raw_all,
        scan,
        build,
        build_on_disk,
        costs,
        dump,
        compiled,
        pyshacl,
        turbo,
        questions,
        first_row,
        first_found,
        commands,
    )
}


class Watch:
    """Looks how much memory a process and its children have together, until it is ended."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.25):
            pids = [self._pid, *children_of(self._pid)]
            self._peak = max(self._peak, sum(map(_memory, pids)))

    def ended(self) -> float:
        """Stop looking, and return the most that was seen, in MiB."""
        self._over.set()
        self._thread.join()
        return self._peak / 1024


def _memory(pid: int) -> int:
    """Return the KiB of a process; what several share is divided among them."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def measured(task: str, folder: Path, *arguments: str, allowance: float | None = None) -> Figures:
    """Run one task and return its figures and ``peak_mib``, the most memory that it had.

    What passes its allowance (seconds) has ``over`` in place of its time; what fails has neither.
    """
    command = [sys.executable, __file__, task, str(folder), *arguments]
    if allowance is not None:
        command += ["--allowance", str(allowance)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        running = subprocess.Popen(command, stdout=out, stderr=errors)
        watch = Watch(running.pid)
        _, status, usage = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        said = _text(out)
        if running.returncode == -signal.SIGXCPU:
            figures: Figures = {"over": allowance}
        elif running.returncode:
            print(f"{task}: failed\n{_text(errors)[-800:]}", file=sys.stderr)
            figures = {}
        else:
            figures = json.loads(said)
    # A process that lives but a moment is not seen by the watch.
    figures["peak_mib"] = max(usage.ru_maxrss / 1024, watch.ended())
    named = " ".join([folder.name, task, *arguments])
    print(f"{named}: {json.dumps(figures)[:300]}", file=sys.stderr, flush=True)
    return figures


def _text(stream: Any) -> str:
    stream.seek(0)
    return str(stream.read().decode(errors="replace"))


def main() -> None:
    """Run one task."""
    global _allowance
    parser = argparse.ArgumentParser(description="Measure one thing.")
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("arguments", nargs="*")
    parser.add_argument("--allowance", type=float)
    options = parser.parse_args()
    _allowance = options.allowance
    print(json.dumps(TASKS[options.task](options.folder, *options.arguments)))


if __name__ == "__main__":
    main()
