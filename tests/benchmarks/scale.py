"""Every figure of docs/scale.md, from one run of one command.

Each measurement runs in a process of its own, whose peak memory is reported. Times are those of
the processor, of all threads together, so that other work on the machine disturbs them little;
only ratios between rows of one run say anything about another machine.

Run from the checkout: python tests/benchmarks/scale.py --sizes 1000 10000 --peers 1000
With ``--write docs/scale.md`` the tables go there, too, in place of the ones before.
``--costs`` prints instead what each rule and each check costs, the dearest first.
pyshacl-turbo is measured too if its folder is in KG_TURBO (pip install --target FOLDER).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(CHECKOUT))

from tests.benchmarks.corpus import FOAF, KG, Corpus  # noqa: E402

SAMPLES = 10
REPEATS = 5
LIST_LIMIT = 30.0  # seconds of the processor that all list queries together may take
Figures = dict[str, Any]
Row = tuple[str, list[str]]
STAGES = ("load", "derive", "validate", "checking", "publishing")
START, END = "<!-- figures -->", "<!-- end of figures -->"

# What each parameter of a stored query is bound to: some of the things that fit it.
FITTING = {
    "source": f"?x a <{KG}CitedSource>",
    "request": f"?x a <{KG}PullRequest>",
    "place": f"?x a <{KG}PullRequest>",
    "statement": f"?any <{KG}relays> ?x . ?x <{KG}claimType> ?type",
}
PERSON = f"?x a <{FOAF}Person> . FILTER(CONTAINS(STR(?x), '/friend-'))"
DAYS = ("2023-03-10T00:00:00Z", "2023-03-10T23:59:59Z")


def spent(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


# Measurements; each is a function of the working folder of one size.


def raw(folder: Path, file: str = "corpus.nq") -> Figures:
    """Load a file of N-Quads by the store's own bulk loader: the limit for every other load."""
    import pyoxigraph as ox

    with tempfile.TemporaryDirectory(dir=folder) as place:
        store = ox.Store(place)
        path = folder / file
        seconds = spent(lambda: store.bulk_load(path=path, format=ox.RdfFormat.N_QUADS))
        return {"seconds": seconds, "quads": len(store)}


def raw_all(folder: Path) -> Figures:
    """The same for everything that a snapshot holds, derived statements too."""
    return raw(folder, "snapshot.nq")


def scan(folder: Path) -> Figures:
    """Read every quad of the snapshot once, without its terms."""
    engine = opened(folder)
    text = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"
    return {"seconds": spent(lambda: list(engine.query(text).rows))}


def build(folder: Path) -> Figures:
    """Build a dispute folder and publish it; ``stages`` divides the time."""
    from kg.dispute import read_dispute
    from kg.pipeline import build as build_dispute

    stages: dict[str, float] = {}
    at = ["load", time.process_time()]

    def progress(said: str) -> None:
        stage = {"loading": "load", "deriving": "derive", "validating": "validate"}.get(
            said.split()[0], said
        )
        now = time.process_time()
        stages[at[0]] = stages.get(at[0], 0.0) + now - at[1]
        at[:] = [stage, now]
        if said.startswith("deriving"):
            rules.append((said.split()[1], now))

    rules: list[tuple[str, float]] = []
    dispute = read_dispute(folder / "dispute")
    seconds = spent(lambda: build_dispute(dispute, progress))
    progress("done")
    ends = [moment for _, moment in rules[1:]]
    slow = {name: end - start for (name, start), end in zip(rules, ends, strict=False)}
    return {"seconds": seconds, "stages": stages, "rules": slow}


def costs(folder: Path) -> Figures:
    """Load and derive in a new store, then check; each rule and each check by itself.

    A rule that builds on others pays for loading what they gave.
    """
    from kg.derivation import derive
    from kg.dispute import read_dispute
    from kg.embedded import EmbeddedEngine
    from kg.pipeline import load
    from kg.stored_query import catalogue

    dispute = read_dispute(folder / "dispute")
    with tempfile.TemporaryDirectory(dir=folder) as place:
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
    seconds = spent(lambda: pyshacl.validate(data, shacl_graph=shapes, inplace=True))
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
    return {"seconds": spent(lambda: pyshacl_turbo.validate(data, shacl_graph=shapes))}


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
    """Ask each stored query: with each parameter bound, and without where that is allowed."""
    import pyoxigraph as ox

    from kg.dispute import read_dispute
    from kg.stored_query import bind, catalogue

    engine = opened(folder)
    bound: dict[str, float] = {}
    lists: dict[str, float | None] = {}
    budget = LIST_LIMIT
    for name, query in catalogue(read_dispute(folder / "dispute"), "ask").items():
        if query.params:
            values: Iterator[dict[str, Any]]
            if "after" in query.params:
                moments = [ox.Literal(d, datatype=ox.NamedNode(DATE_TIME)) for d in DAYS]
                values = iter([dict(zip(("after", "before"), moments, strict=True))] * 5)
            else:
                parameter = next(iter(query.params))  # of several, the first
                pattern = FITTING.get(parameter, PERSON)
                rows = engine.query(f"SELECT ?x {{ {pattern} }} LIMIT {SAMPLES}").rows
                values = ({parameter: row[0]} for row in rows)
            texts = [bind(query, value) for value in values]
            times = sorted(spent(lambda t=text: list(engine.query(t).rows)) for text in texts)
            bound[name] = times[min(len(times) - 1, int(len(times) * 0.95))]
        if not any(parameter.required for parameter in query.params.values()):
            text = bind(query, {})
            lists[name] = None
            if budget > 0:
                lists[name] = spent(lambda text=text: next(engine.query(text).rows, None))
                budget -= lists[name] or 0
    return {"seconds": 0.0, "bound": bound, "lists": lists}


DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
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


TASKS = {
    task.__name__: task
    for task in (
        raw,
        raw_all,
        scan,
        build,
        costs,
        dump,
        compiled,
        pyshacl,
        turbo,
        questions,
        commands,
    )
}


def measured(task: str, folder: Path, patience: float | None = None) -> Figures:
    """Run one task in a process of its own, which is ended after ``patience`` seconds."""
    command = [sys.executable, __file__, "--task", task, "--folder", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience)
    except subprocess.TimeoutExpired:
        print(f"{folder.name} {task}: given up after {patience} s", file=sys.stderr)
        return {}
    if done.returncode:
        print(f"{task}: failed\n{done.stderr[-800:]}", file=sys.stderr)
        return {}
    print(f"{folder.name} {task}: {done.stdout.strip()[:300]}", file=sys.stderr)
    figures: Figures = json.loads(done.stdout)
    return figures


def made(size: int, place: Path) -> Path:
    """Write a corpus, as N-Quads and as a dispute, and return its folder."""
    folder = place / str(size)
    folder.mkdir()
    corpus = Corpus(size)
    corpus.write_quads(folder / "corpus.nq")
    corpus.write_dispute(folder / "dispute")
    return folder


def tables(sizes: list[int], peers: int, patience: float, place: Path) -> Iterator[str]:
    """Measure, and yield the lines of the tables in Markdown."""
    all_figures: dict[int, dict[str, Figures]] = {}
    for size in sizes:
        folder = made(size, place)
        tasks = ["raw", "build", "dump", "raw_all", "scan", "compiled", "questions"]
        all_figures[size] = {task: measured(task, folder) for task in tasks}
        if size <= peers:
            for peer in ("pyshacl", *(["turbo"] if "KG_TURBO" in os.environ else [])):
                all_figures[size][peer] = measured(peer, folder, patience)
        shutil.rmtree(folder)  # a million assertions take tens of gigabytes
    yield from _by_size(sizes, all_figures)
    largest = sizes[-1]
    asked = {"bound": {}, "lists": {}, **all_figures[largest]["questions"]}
    yield f"\n| stored query, at {largest:,} assertions | bound, p95 ms | list, first row ms |"
    yield "| --- | ---: | ---: |"
    for name in sorted({*asked["bound"], *asked["lists"]}):
        one, first = asked["bound"].get(name), asked["lists"].get(name)
        yield f"| {name} | {_ms(one)} | {_ms(first)} |"
    processes = measured("commands", place)
    yield "\n| whole process | ratio | target |"
    yield "| --- | ---: | ---: |"
    for one, other, target in (
        ("kg query", "rdflib parse and query", 0.5),
        ("kg --help", "import click", 2.5),
    ):
        yield f"| `{one}` to {other} | {processes[one] / processes[other]:.2f} | {target} |"


def costs_table(sizes: list[int], place: Path) -> Iterator[str]:
    """Measure rules and checks, and yield the lines of a table, the dearest of them first."""
    by_size: list[Figures] = []
    for size in sizes:
        folder = made(size, place)
        load = measured("raw", folder)["seconds"]
        found = measured("costs", folder)["queries"]
        by_size.append({name: (s, rows, s / load) for name, (s, rows) in found.items()})
        shutil.rmtree(folder)
    yield "| query | " + " | ".join(f"{n:,}: rows | s | to raw load" for n in sizes) + " | growth |"
    yield "| --- |" + " ---: | ---: | ---: |" * len(sizes) + " ---: |"
    for name in sorted(by_size[-1], key=lambda name: -by_size[-1][name][0]):
        cells = [
            f"{rows:,} | {s:.2f} | {share:.3f}" for s, rows, share in (f[name] for f in by_size)
        ]
        growth = by_size[-1][name][0] / by_size[0][name][0]
        yield f"| {name} | {' | '.join(cells)} | {growth:.1f} |"


def _by_size(sizes: list[int], figures: dict[int, dict[str, Figures]]) -> Iterator[str]:
    yield "| | " + " | ".join(f"{size:,} assertions" for size in sizes) + " |"
    yield "| --- |" + " ---: |" * len(sizes)

    def row(name: str, value: Callable[[dict[str, Figures]], float], form: str = ".2f") -> Row:
        cells = []
        for size in sizes:
            try:
                cells.append(format(value(figures[size]), form))
            except (KeyError, ZeroDivisionError):
                cells.append("-")
        return name, cells

    def growth(name: str, value: Callable[[dict[str, Figures]], float]) -> Row:
        cells = ["-"]
        for small, large in itertools.pairwise(sizes):
            try:
                one, other = (value(figures[n]) for n in (small, large))
                cells.append(f"{other / one:.1f} for {large / small:g}")
            except (KeyError, ZeroDivisionError):
                cells.append("-")
        return f"{name}, to the size before", cells

    of_all = "to raw bulk_load of all quads"
    rows = [
        row("quads stated", lambda f: f["raw"]["quads"], ","),
        row("quads stated and derived", lambda f: f["raw_all"]["quads"], ","),
        row("load, to raw bulk_load", lambda f: f["build"]["stages"]["load"] / f["raw"]["seconds"]),
        *(
            row(
                f"{stage}, {of_all}",
                lambda f, s=stage: f["build"]["stages"][s] / f["raw_all"]["seconds"],
            )
            for stage in STAGES
        ),
        row(f"build, {of_all}", lambda f: f["build"]["seconds"] / f["raw_all"]["seconds"]),
        row(f"raw scan, {of_all}", lambda f: f["scan"]["seconds"] / f["raw_all"]["seconds"]),
        *(
            row(
                f"{peer}, to compiled: time",
                lambda f, p=peer: f[p]["seconds"] / f["compiled"]["seconds"],
            )
            for peer in ("pyshacl", "turbo")
        ),
        *(
            row(
                f"compiled, to {peer}: peak memory",
                lambda f, p=peer: f["compiled"]["peak_mib"] / f[p]["peak_mib"],
            )
            for peer in ("pyshacl", "turbo")
        ),
        row("peak memory of raw bulk_load, MiB", lambda f: f["raw_all"]["peak_mib"], ",.0f"),
        row("peak memory of a build, MiB", lambda f: f["build"]["peak_mib"], ",.0f"),
        growth("raw bulk_load", lambda f: f["raw"]["seconds"]),
        *(
            growth(stage, lambda f, s=stage: f["build"]["stages"][s])
            for stage in ("load", "derive", "validate")
        ),
    ]
    for name, cells in rows:
        if any(cell != "-" for cell in cells):
            yield f"| {name} | " + " | ".join(cells) + " |"


def write_into(path: Path, lines: list[str]) -> None:
    """Put lines between the two marks of a file that stand for its figures."""
    text = path.read_text("utf-8")
    before, rest = text.split(f"{START}\n", 1)
    _, after = rest.split(END, 1)
    path.write_text(f"{before}{START}\n\n" + "\n".join(lines) + f"\n\n{END}{after}", "utf-8")


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how the work grows with a dispute.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument(
        "--peers", type=int, default=1_000, help="largest size for other validators"
    )
    parser.add_argument(
        "--patience", type=float, default=3600, help="seconds that another validator may take"
    )
    parser.add_argument("--costs", action="store_true", help="of each rule and each check")
    parser.add_argument("--write", type=Path, help="the file whose figures are replaced")
    parser.add_argument("--place", type=Path, help="where to work, if not in the temporary folder")
    parser.add_argument("--task", choices=sorted(TASKS))
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.task:
        figures = TASKS[options.task](options.folder)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps({**figures, "peak_mib": usage.ru_maxrss / 1024}))
        return
    sizes = sorted(options.sizes)
    with tempfile.TemporaryDirectory(dir=options.place) as place:
        if options.costs:
            lines = costs_table(sizes, Path(place))
        else:
            lines = tables(sizes, options.peers, options.patience, Path(place))
        said = []
        for line in lines:
            print(line, flush=True)
            said.append(line)
    if options.write:
        write_into(options.write, said)


if __name__ == "__main__":
    main()
