"""Every figure of docs/scale.md, from one run of one command.

Each measurement runs in a process of its own, whose peak memory is reported, with that of its
children. Times are those of the processor, of all threads and children together, so that other
work on the machine disturbs them little; only ratios between rows of one run say anything about
another machine.

Run from the checkout: python tests/benchmarks/scale.py --sizes 1000 10000 --peers 1000
With ``--write docs/scale.md`` the tables go there, too, in place of the ones before.
``--figures FILE`` keeps what was measured, and does not measure again what it holds.
``--costs`` prints instead what each rule and each check costs, the dearest first.
pyshacl-turbo is measured too if its folder is in KG_TURBO (pip install --target FOLDER).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(CHECKOUT))

from tests.benchmarks.corpus import Corpus  # noqa: E402
from tests.benchmarks.measurements import Figures, measured  # noqa: E402

Row = tuple[str, list[str]]
Cell = Callable[[dict[str, Figures]], float | str]
STAGES = ("load", "derive", "validate", "checking", "publishing")
PEERS = ("pyshacl", "turbo")
START, END = "<!-- figures -->", "<!-- end of figures -->"
# Another validator is ended when it has taken so many times the time of the compiled shapes.
PATIENCE = 40.0
# A list is given up when it has no row after so many seconds; one is wanted.
LIST_SECONDS = 5.0


def made(size: int, place: Path) -> Path:
    """Write a corpus, as N-Quads and as a dispute, and return its folder."""
    folder = place / str(size)
    folder.mkdir()
    corpus = Corpus(size)
    corpus.write_quads(folder / "corpus.nq")
    corpus.write_dispute(folder / "dispute")
    return folder


class Kept:
    """The figures of each size, kept in a file if there is one."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.sizes: dict[str, dict[str, Figures]] = {}
        if path and path.exists():
            self.sizes = json.loads(path.read_text("utf-8"))

    def of(self, size: int) -> dict[str, Figures]:
        """Return the figures of a size, by task."""
        return self.sizes.setdefault(str(size), {})

    def add(self, size: int, name: str, figures: Figures) -> None:
        """Take the figures of a task."""
        self.of(size)[name] = figures
        if self._path:
            self._path.write_text(json.dumps(self.sizes, indent=1), "utf-8")


def measure(size: int, peers: bool, patience: float, place: Path, kept: Kept) -> None:
    """Measure everything at one size, unless that is known."""
    if "done" in kept.of(size):
        return
    folder = made(size, place)
    # Without others beside it, judging the shapes is what building has of it.
    judging = ["compiled"] if peers else []
    builds = ["build_on_disk", "build"] if _fits_in_memory(folder) else ["build"]
    for task in ("raw", *builds, "dump", "raw_all", "scan", *judging, "questions"):
        kept.add(size, task, measured(task, folder))
        if task in ("raw", "raw_all"):  # a million assertions take tens of gigabytes
            used = folder / "corpus.nq" if task == "raw" else folder / "snapshot.nq"
            if task == "raw" or not peers:
                used.unlink()
    for name in _lists(folder):
        for kind, task in (("list", "first_row"), ("found", "first_found")):
            kept.add(size, f"{kind} {name}", measured(task, folder, name, allowance=LIST_SECONDS))
    if peers:
        bound = max(1.0, patience * kept.of(size)["compiled"]["seconds"])
        for peer in PEERS if "KG_TURBO" in os.environ else PEERS[:1]:
            kept.add(size, peer, measured(peer, folder, allowance=bound))
    shutil.rmtree(folder)
    kept.add(size, "done", {})


def _fits_in_memory(folder: Path) -> bool:
    from kg.dispute import read_dispute
    from kg.staging import fits_in_memory

    return fits_in_memory(read_dispute(folder / "dispute"))


def _lists(folder: Path) -> list[str]:
    from kg.dispute import read_dispute
    from kg.stored_query import catalogue

    asked = catalogue(read_dispute(folder / "dispute"), "ask")
    return [
        name
        for name, query in asked.items()
        if not any(parameter.required for parameter in query.params.values())
    ]


def tables(sizes: list[int], peers: int, patience: float, place: Path, kept: Kept) -> Iterator[str]:
    """Measure, and yield the lines of the tables in Markdown."""
    for size in sizes:
        measure(size, size <= peers, patience, place, kept)
    all_figures = {size: kept.of(size) for size in sizes}
    yield from _by_size(sizes, all_figures)
    for title, cells in (
        ("stored query, bound: all rows, p95 ms", _bound),
        ("list in order: first row, ms", partial(_first, "list")),
        ("list as found: first row, ms", partial(_first, "found")),
    ):
        yield f"\n| {title} | " + " | ".join(f"{size:,}" for size in sizes) + " |"
        yield "| --- |" + " ---: |" * len(sizes)
        yield from _questions(sizes, all_figures, cells)
    processes = measured("commands", place)
    yield "\n| whole process | ratio | target |"
    yield "| --- | ---: | ---: |"
    for one, other, target in (
        ("kg query", "rdflib parse and query", 0.5),
        ("kg --help", "import click", 2.5),
    ):
        ratio = f"{processes[one] / processes[other]:.2f}" if one in processes else "-"
        yield f"| `{one}` to {other} | {ratio} | {target} |"


def _bound(figures: dict[str, Figures]) -> dict[str, str]:
    found: dict[str, float] = figures["questions"]["bound"]
    return {name: f"{1000 * seconds:.0f}" for name, seconds in found.items()}


def _first(wanted: str, figures: dict[str, Figures]) -> dict[str, str]:
    found = {}
    for task, one in figures.items():
        kind, _, name = task.partition(" ")
        if kind == wanted:
            over = f"> {1000 * LIST_SECONDS:.0f}"
            found[name] = over if "over" in one else f"{1000 * one['seconds']:.0f}"
    return found


def _questions(
    sizes: list[int],
    figures: dict[int, dict[str, Figures]],
    cells: Callable[[dict[str, Figures]], dict[str, str]],
) -> Iterator[str]:
    by_size = [cells(figures[size]) for size in sizes]
    for name in sorted(by_size[0]):
        yield f"| {name} | " + " | ".join(found.get(name, "-") for found in by_size) + " |"


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

    def row(
        name: str, value: Callable[[dict[str, Figures]], float | str], form: str = ".2f"
    ) -> Row:
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

    def times(peer: str) -> Cell:
        def value(found: dict[str, Figures]) -> str:
            ours, theirs = found["compiled"]["seconds"], found[peer]
            if "over" in theirs:
                return f"> {theirs['over'] / ours:.0f}"
            return f"{theirs['seconds'] / ours:.1f}"

        return value

    def memory(peer: str) -> Cell:
        def value(found: dict[str, Figures]) -> str:
            share = found["compiled"]["peak_mib"] / found[peer]["peak_mib"]
            return f"{'< ' if 'over' in found[peer] else ''}{share:.2f}"

        return value

    def on_disk(found: dict[str, Figures]) -> Figures:
        return found.get("build_on_disk", found["build"])

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
        row(
            f"build on disk, {of_all}",
            lambda f: on_disk(f)["seconds"] / f["raw_all"]["seconds"],
        ),
        *(
            row(
                f"build{how}, time of the clock, {of_all}",
                lambda f, b=built: b(f)["wall"] / f["raw_all"]["wall"],
            )
            for how, built in (("", lambda f: f["build"]), (" on disk", on_disk))
        ),
        row(f"raw scan, {of_all}", lambda f: f["scan"]["seconds"] / f["raw_all"]["seconds"]),
        *(row(f"{peer}, to compiled: time", times(peer), "") for peer in PEERS),
        *(row(f"compiled, to {peer}: peak memory", memory(peer), "") for peer in PEERS),
        row("peak memory of raw bulk_load, MiB", lambda f: f["raw_all"]["peak_mib"], ",.0f"),
        row("peak memory of a build, MiB", lambda f: f["build"]["peak_mib"], ",.0f"),
        row("peak memory of a build on disk, MiB", lambda f: on_disk(f)["peak_mib"], ",.0f"),
        growth("raw bulk_load", lambda f: f["raw"]["seconds"]),
        *(
            growth(f"{stage}{how}", lambda f, s=stage, b=built: b(f)["stages"][s])
            for how, built in (("", lambda f: f["build"]), (" on disk", on_disk))
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


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description="Measure how the work grows with a dispute.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument(
        "--peers", type=int, default=1_000, help="largest size for other validators"
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE,
        help="another validator is ended after so many times the time of the compiled shapes",
    )
    parser.add_argument("--costs", action="store_true", help="of each rule and each check")
    parser.add_argument("--write", type=Path, help="the file whose figures are replaced")
    parser.add_argument("--figures", type=Path, help="where figures are kept, and taken from")
    parser.add_argument("--place", type=Path, help="where to work, if not in the temporary folder")
    options = parser.parse_args()
    sizes = sorted(options.sizes)
    with tempfile.TemporaryDirectory(dir=options.place) as name:
        place = Path(name)
        if options.costs:
            lines = costs_table(sizes, place)
        else:
            kept = Kept(options.figures)
            lines = tables(sizes, options.peers, options.patience, place, kept)
        said = []
        for line in lines:
            print(line, flush=True)
            said.append(line)
    if options.write:
        write_into(options.write, said)


if __name__ == "__main__":
    main()
