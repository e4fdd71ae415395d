"""The git history of the invented dispute, and the record that is made of it.

``python -m tests.tideline_repository`` writes ``data/tideline/records/tideline-git.ttl`` anew; a
test fails when the file differs from what this gives.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from kg.imports import git
from kg.settings import shipped
from tests.imports.repositories import CommitSpec, make_repository

RECORD = shipped("data") / "tideline" / "records" / "tideline-git.ttl"
BASE = "https://w3id.org/counterclaim/tideline/"

ORLA = ("Orla Q.", "orla@quillfeather.example")
BRAM = ("bram", "bram@saltmarsh.example")

_CONSTANTS = "CONSTANTS = {'M2': 28.984, 'S2': 30.0}\n"
_SOLVER = """\
from math import cos, radians


def height(hour, waves):
    return sum(size * cos(radians(speed * hour)) for size, speed in waves)
"""
_CACHE = """\
from functools import cache

from solver import height

table = cache(lambda waves: [height(hour, waves) for hour in range(24)])
"""

# Pull request 4 and its two commits, made again for pull request 7 by another committer, who puts
# one of his own on top. The main branch was moved onto it.
COMMITS = [
    CommitSpec(
        "start",
        "Start tideline",
        {"README": "Tide tables.\n"},
        author=BRAM,
        author_time="2021-10-04T09:00:00+01:00",
    ),
    CommitSpec(
        "constants",
        "Name the constants",
        {"constants.py": _CONSTANTS},
        ("start",),
        author=ORLA,
        author_time="2024-03-02T20:10:00+00:00",
    ),
    CommitSpec(
        "solver",
        "Add up the waves",
        {"solver.py": _SOLVER},
        ("constants",),
        author=ORLA,
        author_time="2024-03-03T11:45:00+00:00",
    ),
    CommitSpec(
        "constants-again",
        "Name the constants",
        {"constants.py": _CONSTANTS},
        ("start",),
        author=ORLA,
        committer=BRAM,
        author_time="2024-03-02T20:10:00+00:00",
        commit_time="2024-04-10T08:30:00+01:00",
    ),
    CommitSpec(
        "solver-again",
        "Add up the waves",
        {"solver.py": _SOLVER},
        ("constants-again",),
        author=ORLA,
        committer=BRAM,
        author_time="2024-03-03T11:45:00+00:00",
        commit_time="2024-04-10T08:31:00+01:00",
    ),
    CommitSpec(
        "cache",
        "Cache the tables\n\nCo-authored-by: Ivo Sandpiper <ivo@sandpiper.example>\n",
        {"tables.py": _CACHE},
        ("solver-again",),
        author=BRAM,
        author_time="2024-04-11T17:05:00+01:00",
    ),
]


def write_record(folder: Path, path: Path) -> None:
    """Make the repository in a folder and write its record to a file."""
    repository = folder / "tideline.git"
    make_repository(
        repository, COMMITS, branches={"main": "cache"}, pulls={4: "solver", 7: "cache"}
    )
    names = git.record_names(repository, BASE, url="https://git.example/tideline")
    pulls = (git.parse_pull("4"), git.parse_pull("7=main~3..refs/pull/7/head"))
    selection = git.Selection((), (), pulls, ("main",))
    pieces, notes = git.import_git(repository, selection, names, least_lines=1)
    assert not notes
    git.write_text(pieces, path)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        write_record(Path(place), RECORD)
