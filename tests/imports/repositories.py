"""Make small git repositories from a plain description, always with the same hashes.

::

    hashes = make_repository(
        tmp_path / "parser.git",
        [
            CommitSpec("first", "Write the parser", {"parser.py": "pass\n"}, author=("Bo", "bo@x")),
            CommitSpec("second", "Fix the parser", {"parser.py": "return\n"}),
        ],
        branches={"main": "second"},
        pulls={7: "second"},
    )

Names, times and contents come from the description alone, and git's configuration is not read, so
``hashes`` ({label: commit hash}) is the same on every machine. Use it as
``from tests.imports.repositories import CommitSpec, make_repository``.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

ANA = ("Ana", "ana@example.org")
BO = ("Bo", "bo@example.org")
_START = datetime(2023, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class CommitSpec:
    """One commit.

    ``files`` maps paths to contents, ``None`` to delete; ``renames`` old paths to new ones.
    ``parents`` are labels: ``None`` means the commit described before, ``()`` a root.
    People are (name, address); ``committer`` is the author unless given. Times are ISO 8601 with
    an offset; without one, commits are a day apart from 1 March 2023, noon, UTC.
    """

    label: str
    message: str | bytes = "Change something"
    files: Mapping[str | bytes, str | bytes | None] = field(default_factory=dict)
    parents: Sequence[str] | None = None
    author: tuple[str | bytes, str] = ANA
    committer: tuple[str | bytes, str] | None = None
    author_time: str | None = None
    commit_time: str | None = None
    encoding: str | None = None
    renames: Mapping[str, str] = field(default_factory=dict)


def clean_environment() -> dict[str, str]:
    """The environment without anything that steers git."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return kept | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "LC_ALL": "C",
    }


def git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    """Run git in a folder and return its output; a failure fails the test."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        env=clean_environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout


def make_repository(
    folder: Path,
    commits: Sequence[CommitSpec],
    *,
    branches: Mapping[str, str] | None = None,
    pulls: Mapping[int, str] | None = None,
) -> dict[str, str]:
    """Make a bare repository; return the hash of each label.

    ``branches`` maps names to labels, the first being where HEAD points; without it, ``main`` is
    the last commit. ``pulls`` maps numbers to the labels of their heads.
    """
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", "--template=", "--object-format=sha1")
    marks = {commit.label: number for number, commit in enumerate(commits, 1)}
    assert len(marks) == len(commits), "two commits have one label"
    stream = b"".join(
        _commit(commit, number, marks, commits[number - 2].label if number > 1 else None)
        for number, commit in enumerate(commits, 1)
    )
    git(folder, "fast-import", "--quiet", f"--export-marks={folder / 'marks'}", given=stream)
    lines = (folder / "marks").read_text("ascii").split("\n")
    by_mark = dict(line.removeprefix(":").split(" ") for line in lines if line)
    (folder / "marks").unlink()
    hashes = {label: by_mark[str(number)] for label, number in marks.items()}

    heads = dict(branches or {"main": commits[-1].label})
    refs = {f"refs/heads/{name}": hashes[label] for name, label in heads.items()}
    refs |= {f"refs/pull/{number}/head": hashes[label] for number, label in (pulls or {}).items()}
    changes = [f"create {ref} {name}\n" for ref, name in refs.items()]
    changes += [f"delete refs/made/{number}\n" for number in marks.values()]
    git(folder, "update-ref", "--stdin", given="".join(changes).encode())
    git(folder, "symbolic-ref", "HEAD", f"refs/heads/{next(iter(heads))}")
    return hashes


def _commit(
    commit: CommitSpec, number: int, marks: Mapping[str, int], previous: str | None
) -> bytes:
    """One commit of a ``git fast-import`` stream, on a ref of its own so that it may be a root."""
    noon = (_START + timedelta(days=number - 1)).isoformat()
    author_time = commit.author_time or noon
    committer = commit.committer or commit.author
    parents = commit.parents
    if parents is None:
        parents = () if previous is None else (previous,)
    parts = [
        f"commit refs/made/{number}\nmark :{number}\n".encode(),
        _person(b"author", commit.author, author_time),
        _person(b"committer", committer, commit.commit_time or author_time),
    ]
    if commit.encoding:
        parts.append(f"encoding {commit.encoding}\n".encode())
    parts.append(_data(commit.message))
    parts += [
        f"{'merge' if index else 'from'} :{marks[label]}\n".encode()
        for index, label in enumerate(parents)
    ]
    parts += [b"R " + _path(old) + b" " + _path(new) + b"\n" for old, new in commit.renames.items()]
    for path, content in commit.files.items():
        if content is None:
            parts.append(b"D " + _path(path) + b"\n")
        else:
            parts += [b"M 100644 inline " + _path(path) + b"\n", _data(content)]
    return b"".join([*parts, b"\n"])


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8")


def _data(text: str | bytes) -> bytes:
    raw = _bytes(text)
    return f"data {len(raw)}\n".encode() + raw + b"\n"


def _path(path: str | bytes) -> bytes:
    return b'"' + b"".join(f"\\{byte:03o}".encode() for byte in _bytes(path)) + b'"'


def _person(role: bytes, person: tuple[str | bytes, str], time: str) -> bytes:
    moment = datetime.fromisoformat(time)
    seconds = int(moment.timestamp())
    # Written by hand: strftime cannot keep "-00:00".
    offset = "+0000" if time.endswith("Z") else time[-6:].replace(":", "")
    name, address = person
    return role + b" " + _bytes(name) + f" <{address}> {seconds} {offset}\n".encode()
