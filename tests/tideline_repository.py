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
IVO = ("Ivo Sandpiper", "ivo@sandpiper.example")

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

_HARBOURS = """\
aldwick = Harbour('Port Aldwick', datum=2.31, zone='Europe/London')
mire = Harbour('Mire estuary', datum=0.87, zone='Europe/London')
"""
_HARBOUR = """\
from dataclasses import dataclass


@dataclass
class Harbour:
    name: str
    datum: float
    zone: str


"""
_SHORTER = """\
aldwick = Harbour('Port Aldwick', datum=2.31, zone=HERE)
mire = Harbour('Mire estuary', datum=0.87, zone=HERE)
"""

# Pull request 4 and its two commits, made again for pull request 7 by another committer, who puts
# one of his own on top. The main branch was moved onto it. Pull request 2, of which nobody speaks,
# is on an older branch as one commit, of which another author changes two lines.
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
    CommitSpec(
        "harbours",
        "List the harbours",
        {"harbours.py": _HARBOURS},
        ("start",),
        author=IVO,
        author_time="2022-05-06T10:00:00+01:00",
    ),
    CommitSpec(
        "harbour",
        "Say what a harbour is",
        {"harbours.py": _HARBOUR + _HARBOURS},
        ("harbours",),
        author=IVO,
        author_time="2022-05-07T09:15:00+01:00",
    ),
    CommitSpec(
        "squashed",
        "List the harbours (#2)",
        {"harbours.py": _HARBOUR + _HARBOURS},
        ("start",),
        author=IVO,
        committer=BRAM,
        author_time="2022-05-09T18:00:00+01:00",
    ),
    CommitSpec(
        "zone",
        "Name the time zone once",
        {"harbours.py": f"{_HARBOUR}HERE = 'Europe/London'\n{_SHORTER}"},
        ("squashed",),
        author=BRAM,
        author_time="2022-06-01T08:00:00+01:00",
    ),
]


def write_record(folder: Path, path: Path) -> None:
    """Make the repository in a folder and write its record to a file."""
    repository = folder / "tideline.git"
    make_repository(
        repository,
        COMMITS,
        branches={"main": "cache", "release-1": "zone"},
        pulls={2: "harbour", 4: "solver", 7: "cache"},
    )
    names = git.record_names(repository, BASE, url="https://git.example/tideline")
    pulls = tuple(map(git.parse_pull, ("2", "4", "7=main~3..refs/pull/7/head")))
    selection = git.Selection((), ("main~3..release-1",), pulls, ("main", "release-1"))
    pieces, notes = git.import_git(repository, selection, names, least_lines=1)
    assert not notes
    git.write_text(pieces, path)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        write_record(Path(place), RECORD)
