"""Reading a git history beside git itself: `kg import git` to `git log` and `git patch-id`.

For the same ranges of a repository on this machine, what the import costs is compared with
``git log --numstat`` and ``git log -p | git patch-id --stable``, one after the other: they say less
than the record does, which has times, people and parents besides. Each is run several times in turn
and its smallest processor time is taken, of all its processes together. ``ratio`` is below 1 where
the import is the cheaper. Wall times say what a person waits; they depend on what else runs.

Run from the checkout, on any full clone: python tests/benchmarks/history.py REPO --range A..B
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REPEATS = 5
LEAST_LINES = 3


def measured(run: Callable[[], None]) -> tuple[float, float]:
    """Return processor and wall seconds of what a function starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    run()
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def git(repository: Path, *arguments: str) -> list[str]:
    folder = repository / ".git" if (repository / ".git").exists() else repository
    return ["git", f"--git-dir={folder}", *arguments]


def git_alone(repository: Path, ranges: list[str]) -> None:
    """Count lines and make patch ids, as one does by hand."""
    for one in ranges:
        subprocess.run(
            git(repository, "log", "--numstat", one), stdout=subprocess.DEVNULL, check=True
        )
        with subprocess.Popen(git(repository, "log", "-p", one), stdout=subprocess.PIPE) as log:
            subprocess.run(
                ["git", "patch-id", "--stable"],
                stdin=log.stdout,
                stdout=subprocess.DEVNULL,
                check=True,
            )
        if log.returncode:
            raise SystemExit("git log failed: a full clone is needed")


def imported(repository: Path, ranges: list[str], output: Path, *options: str) -> None:
    chosen = [word for one in ranges for word in ("--range", one)]
    command = [sys.executable, "-m", "kg.cli.main", "import", "git", str(repository), *chosen]
    command += ["--base", "https://example.org/", "-o", str(output), *options]
    subprocess.run(command, cwd=ROOT, env=os.environ, stderr=subprocess.DEVNULL, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--range", dest="ranges", action="append", required=True, metavar="A..B")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    given = parser.parse_args()
    repository = given.repository.resolve()
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "record.ttl"
        lines = ("--lines", str(LEAST_LINES))
        runs: dict[str, Callable[[], None]] = {
            "git": lambda: git_alone(repository, given.ranges),
            "import": lambda: imported(repository, given.ranges, output),
            "import --lines": lambda: imported(repository, given.ranges, output, *lines),
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
        for _ in range(given.repeats):  # in turn, so that what else runs meets all of them
            for name, run in runs.items():
                found[name].append(measured(run))
    commits = 0
    for one in given.ranges:
        counted = git(repository, "rev-list", "--count", one)
        commits += int(subprocess.run(counted, capture_output=True, check=True).stdout)
    report: dict[str, object] = {"commits": commits}
    for name, times in found.items():
        processor, wall = (min(column) for column in zip(*times, strict=True))
        report[name] = {"processor": round(processor, 2), "wall": round(wall, 2)}
    base_processor, base_wall = (min(column) for column in zip(*found["git"], strict=True))
    for name in ("import", "import --lines"):
        processor, wall = (min(column) for column in zip(*found[name], strict=True))
        report[f"ratio of {name}"] = {
            "processor": round(processor / base_processor, 2),
            "wall": round(wall / base_wall, 2),
        }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
