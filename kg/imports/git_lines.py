"""Which lines a commit adds, and which commit had added the lines that it removes.

Added lines are described in *blocks*: runs of consecutive lines without an empty one between
them. A block is known by its place and by a digest of its lines without their white space, so
that it is found again in another file, at another indentation, on another branch; its text is
kept nowhere. A block of few letters says nothing about who was first, so one with fewer than 40
letters and digits is left out: what ``git blame -C`` asks of lines before it believes that they
were copied (https://git-scm.com/docs/git-blame, "-C").

Removed lines are followed from parent to child by the differences alone, as ``git blame`` does
without ``-M`` and ``-C``: where they stand, not what they say. A merge has no single difference,
so nothing is known beyond it, nor of lines that are older than the commits read.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kg.imports.git_model import LineRange, RemovedLines

# Letters and digits of ASCII, and every byte of a character beyond it, count.
_NO_LETTER = bytes(set(range(128)) - set((string.ascii_letters + string.digits).encode()))
_FEWEST_LETTERS = 40
# What `git patch-id` leaves out as well.
_SPACE = b" \t\n\r\v\f"
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,\d+)? @@")

# Lines of a file, from its first: how many, and the commit that added them if that is known.
# What follows the last run is not known.
Runs = list[tuple[int, str | None]]
Files = dict[bytes, Runs]
Described = tuple[tuple[LineRange, ...], tuple[RemovedLines, ...]]


@dataclass(frozen=True)
class Edit:
    """Lines removed at one place of a file and the lines put there; counted from 1."""

    old: int
    removed: int
    new: int
    added: tuple[bytes, ...]


@dataclass(frozen=True)
class FileEdits:
    """What a commit does to a file: its path before and after, ``None`` where there is none.

    ``edits`` is ``None`` where no lines are told, as for a binary file.
    """

    before: bytes | None
    after: bytes | None
    edits: tuple[Edit, ...] | None


def edits_of(difference: bytes) -> Iterator[Edit]:
    """Read the edits of a file's difference (``git diff -p``), in the order of its lines."""
    start = difference.find(b"\n@@ -")
    if start < 0:
        return
    old = new = removed = 0
    added: list[bytes] = []
    for line in (*difference[start + 1 :].split(b"\n"), b"@@"):
        mark = line[:1]
        if mark == b"+":
            added.append(line[1:])
            continue
        if mark == b"\\":  # no line feed at the end of the file
            continue
        # git writes what is removed first: after added lines it belongs to the next edit.
        if (removed or added) and (mark != b"-" or (removed and added)):
            yield Edit(old - removed, removed, new, tuple(added))
            new += len(added)
            removed, added = 0, []
        if mark == b"-":
            old += 1
            removed += 1
        elif mark == b" ":
            old += 1
            new += 1
        elif hunk := _HUNK.match(line):
            old, new = int(hunk[1]), int(hunk[3])
            if hunk[2] == b"0":  # names the line before which there is nothing to remove
                old += 1


def blocks(edits: Sequence[Edit], least: int) -> Iterator[LineRange]:
    """Give the blocks of at least ``least`` lines among added lines, by place."""
    for edit in edits:
        held: list[bytes] = []
        for number, line in enumerate((*edit.added, b""), edit.new):
            bare = line.translate(None, _SPACE)
            if bare:
                held.append(bare)
                continue
            if len(held) >= least:
                text = b"\n".join(held)
                if len(text.translate(None, _NO_LETTER)) >= _FEWEST_LETTERS:
                    digest = hashlib.sha256(text).hexdigest()
                    yield LineRange(number - len(held), len(held), digest)
            held = []


class Origins:
    """Follows lines from parent to child, over commits that come after their parents."""

    def __init__(self, parents: Mapping[str, Sequence[str]], least: int) -> None:
        self._parents = parents
        self._least = least
        self._waiting = Counter(
            parent for name in parents for parent in parents[name] if parent in parents
        )
        self._files: dict[str, Files] = {}

    def enter(self, commit: str, changes: Sequence[FileEdits] = ()) -> list[Described]:
        """Go on to a commit; return the blocks and removed lines of each change it makes."""
        taken = [self._take(parent) for parent in self._parents[commit]]
        files = taken[0] if len(taken) == 1 else {}
        sources = [None if c.before is None else files.get(c.before) for c in changes]
        for change in changes:
            if change.before is not None:
                files.pop(change.before, None)
        found: list[Described] = []
        for change, source in zip(changes, sources, strict=True):
            if change.edits is None:
                found.append(((), ()))
                continue
            runs, gone = _apply(source or [], change.edits, commit)
            if change.after is not None and runs:
                files[change.after] = runs
            found.append((tuple(blocks(change.edits, self._least)), gone))
        if self._waiting[commit]:
            self._files[commit] = files
        return found

    def _take(self, parent: str) -> Files:
        """Return what is known of a parent; the last child to ask need not copy it."""
        self._waiting[parent] -= 1
        if self._waiting[parent] > 0:
            return dict(self._files[parent])
        return self._files.pop(parent, {})


def _apply(runs: Runs, edits: Sequence[Edit], commit: str) -> tuple[Runs, tuple[RemovedLines, ...]]:
    """Return who added the lines of a file after some edits, and who those now gone."""
    result: Runs = []
    gone: Counter[str] = Counter()
    source = iter(runs)
    left, origin = 0, None
    place = 1  # the next line of the old file

    def advance(count: int) -> Iterator[tuple[int, str | None]]:
        nonlocal left, origin, place
        place += count
        while count:
            if not left:
                left, origin = next(source, (count, None))
            step = min(left, count)
            left -= step
            count -= step
            yield step, origin

    for edit in edits:
        for step, who in advance(max(0, edit.old - place)):
            _append(result, step, who)
        for step, who in advance(edit.removed):
            if who is not None:
                gone[who] += step
        _append(result, len(edit.added), commit)
    _append(result, left, origin)
    for step, who in source:
        _append(result, step, who)
    while result and result[-1][1] is None:
        result.pop()
    return result, tuple(RemovedLines(name, count) for name, count in sorted(gone.items()))


def _append(runs: Runs, count: int, origin: str | None) -> None:
    if not count:
        return
    if runs and runs[-1][1] == origin:
        runs[-1] = (runs[-1][0] + count, origin)
    else:
        runs.append((count, origin))
