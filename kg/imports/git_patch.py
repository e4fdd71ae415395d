"""Read every commit's difference once: its files, its counts of lines, its patch id, its lines.

``git diff-tree --raw -z -p`` gives, for each commit, its hash, its files and then their
differences. The latter pass through here to ``git patch-id``, so that git compares each two
files once. A file that only moved or changed its mode has no difference to count, and whether
it is text is asked for by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO

from kg.errors import ImportFailedError
from kg.imports.git_lines import Edit, FileEdits, Origins, edits_of
from kg.imports.git_model import FileChange
from kg.imports.git_process import GitRepository, is_hash, split_zero

# Written out although most are git's defaults: they go into numbers and patch ids. Renames are
# followed as `git show` and `git log` do, within a limit that keeps a large commit quick.
_COMPARED = (
    *("-r", "-M", "-l1000", "--no-ext-diff", "--no-textconv", "--no-color"),
    *("--diff-algorithm=default", "--indent-heuristic", "--src-prefix=a/", "--dst-prefix=b/"),
    "--submodule=short",
)
_DIFFERENCES = ("diff-tree", "--stdin", "--root", *_COMPARED)
_PATCH_ID = ("patch-id", "--stable")
_CHUNK = 1 << 18
# Where a file's difference ends: at the next file's, or at the next commit. Its own lines begin
# with a space or a sign, and paths in it are quoted, so that nothing in it looks like either.
_NEXT = re.compile(rb"\n(?=diff --git |[0-9a-f]{40}(?:[0-9a-f]{24})?\0)")
_LONGEST = 80


@dataclass(frozen=True)
class _File:
    """One file of a commit as ``--raw`` names it; ``same`` if its content is what it was."""

    status: str
    path: bytes
    previous: bytes | None
    same: bool


def read_differences(
    repository: GitRepository,
    parents: Mapping[str, Sequence[str]],
    step: Callable[[], None],
    least: int | None = None,
) -> tuple[dict[str, tuple[FileChange, ...]], dict[str, str]]:
    """Return the file changes and the patch ids of commits, which come after their parents.

    A commit that changes nothing, and a merge, is in neither. ``step`` is called for each
    commit that changes something. With ``least``, blocks of so many added lines are described,
    and the commits whose lines were removed. Raises ``ImportFailedError``.
    """
    listing = repository.scratch / "commits"
    listing.write_text("".join(f"{name}\n" for name in parents), "ascii")
    answer = repository.scratch / "patch-ids"
    origins = None if least is None else Origins(parents, least)
    waiting = iter(parents)
    found: dict[str, tuple[FileChange, ...]] = {}
    uncounted: list[str] = []
    command = (*_DIFFERENCES, "--raw", "-z", "-p", "-U3")
    misread: ImportFailedError | None = None
    with (
        repository.stream(command, given=listing) as stream,
        repository.sink(_PATCH_ID, answer) as patches,
    ):
        try:
            for commit, files, differences in _commits(_Pieces(stream)):
                patches.write(commit.encode("ascii") + b"\n")
                changes, edits = [], []
                for file, texts in _by_file(files, differences):
                    change, told = _read(file, texts, patches, lines=origins is not None)
                    changes.append(change)
                    edits.append(told)
                if origins is not None:
                    while (name := next(waiting)) != commit:  # it changes nothing, or merges
                        origins.enter(name)
                    described = zip(changes, origins.enter(commit, edits), strict=True)
                    changes = [replace(one, added=a, removed=r) for one, (a, r) in described]
                if any(file.same for file in files):
                    uncounted.append(commit)
                found[commit] = tuple(changes)
                step()
        except ImportFailedError as error:
            if stream.read(1):
                raise
            misread = error  # an answer cut short: git itself has the reason, on leaving
    if misread is not None:
        raise misread
    if uncounted:
        _mark_binaries(repository, uncounted, found)
    with answer.open("rb") as lines:
        return found, dict(_identifiers(lines))


def combined_patch_id(repository: GitRepository, start: str | None, end: str) -> str | None:
    """Return the patch id of the whole difference between two commits, given by full hash.

    ``None`` if there is no difference or ``start`` is not known. Raises ``ImportFailedError``.
    """
    if start is None:
        return None
    listing = repository.scratch / "nothing"
    listing.write_bytes(b"")
    command = ("diff-tree", *_COMPARED, "-p", "-U3", start, end)
    with repository.stream(command, _PATCH_ID, given=listing) as stream:
        return next((line.split()[0].decode("ascii") for line in stream), None)


def _read(
    file: _File, texts: Sequence[bytes], patches: IO[bytes], *, lines: bool
) -> tuple[FileChange, FileEdits]:
    added = removed = 0
    binary = False
    edits: list[Edit] = []
    for text in texts:
        patches.write(text)
        start = text.find(b"\n@@ -")
        if start >= 0:
            added += text.count(b"\n+", start)
            removed += text.count(b"\n-", start)
            if lines:
                edits += edits_of(text)
        elif b"\nBinary files " in text:
            binary = True
    change = FileChange(
        path=path_text(file.path),
        previous=None if file.previous is None else path_text(file.previous),
        additions=None if binary else added,
        deletions=None if binary else removed,
    )
    before = None if file.status == "A" else file.previous or file.path
    after = None if file.status == "D" else file.path
    return change, FileEdits(before, after, None if binary else tuple(edits))


def path_text(raw: bytes) -> str:
    """Return a path as text; one that is not UTF-8 as git quotes it: ``"caf\\351.txt"``.

    Git's own quoting (core.quotePath) is C's: octal escapes between double quotes.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        plain = {0x22: '\\"', 0x5C: "\\\\", 0x0A: "\\n", 0x09: "\\t"}
        quoted = (
            plain.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}")
            for byte in raw
        )
        return '"' + "".join(quoted) + '"'


class _Pieces:
    """Git's answer, taken apart from its beginning, with one file's difference in memory."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._held = bytearray()

    def _more(self) -> bool:
        chunk = self._stream.read(_CHUNK)
        self._held += chunk
        return bool(chunk)

    def starts_with(self, words: bytes) -> bool:
        while len(self._held) < len(words) and self._more():
            pass
        return self._held.startswith(words)

    def field(self) -> bytes | None:
        """Take what stands before the next zero byte; ``None`` at the end."""
        seen = 0
        while (end := self._held.find(b"\0", seen)) < 0:
            seen = len(self._held)
            if not self._more():
                return None
        return self._taken(end, 1)

    def difference(self) -> bytes:
        """Take one file's difference, with the line feed that ends it."""
        seen = 0
        while (match := _NEXT.search(self._held, seen)) is None:
            seen = max(0, len(self._held) - _LONGEST)
            if not self._more():
                return self._taken(len(self._held), 0)
        return self._taken(match.start() + 1, 0)

    def _taken(self, end: int, dropped: int) -> bytes:
        piece = bytes(memoryview(self._held)[:end])
        del self._held[: end + dropped]
        return piece


def _commits(pieces: _Pieces) -> Iterator[tuple[str, list[_File], Iterator[bytes]]]:
    """Give each commit, its files, and their differences, to be taken before the next."""
    while (name := pieces.field()) is not None:
        commit = name.decode("ascii", "replace")
        if not is_hash(commit):
            raise _not_understood(commit)
        files = []
        while description := pieces.field():
            _, _, old, new, status = description.split(b" ")
            path = pieces.field() or b""
            previous = None
            if status[:1] == b"R":
                previous, path = path, pieces.field() or b""
            files.append(_File(status[:1].decode("ascii"), path, previous, old == new))
        yield commit, files, _differences(pieces)


def _differences(pieces: _Pieces) -> Iterator[bytes]:
    while pieces.starts_with(b"diff --git "):
        yield pieces.difference()


def _by_file(
    files: Sequence[_File], differences: Iterator[bytes]
) -> Iterator[tuple[_File, list[bytes]]]:
    """Give each file its difference: two where it turned into another kind of thing."""
    for file in files:
        count = 2 if file.status == "T" else 1
        texts = [text for _, text in zip(range(count), differences, strict=False)]
        if len(texts) != count:
            raise _not_understood(path_text(file.path))
        yield file, texts
    if next(differences, None) is not None:
        raise _not_understood("too many differences")


def _mark_binaries(
    repository: GitRepository, commits: Sequence[str], found: dict[str, tuple[FileChange, ...]]
) -> None:
    """Take the counts from files without a difference that git holds to be no text."""
    listing = repository.scratch / "uncounted"
    listing.write_text("".join(f"{name}\n" for name in commits), "ascii")
    binary: set[str] = set()

    def mark(commit: str) -> None:
        found[commit] = tuple(
            replace(one, additions=None, deletions=None) if one.path in binary else one
            for one in found[commit]
        )
        binary.clear()

    commit = ""
    with repository.stream((*_DIFFERENCES, "--numstat", "-z"), given=listing) as stream:
        pieces = split_zero(stream)
        for piece in pieces:
            added, tab, rest = piece.partition(b"\t")
            if not tab:  # a commit's hash; its files follow
                if commit:
                    mark(commit)
                commit = piece.decode("ascii")
                continue
            path = rest.partition(b"\t")[2]
            if not path:  # a rename: both paths come after it
                next(pieces)
                path = next(pieces)
            if added == b"-":
                binary.add(path_text(path))
    if commit:
        mark(commit)


def _identifiers(lines: IO[bytes]) -> Iterator[tuple[str, str]]:
    for line in lines:
        identifier, commit = line.decode("ascii").split()
        if is_hash(identifier):
            yield commit, identifier


def _not_understood(what: str) -> ImportFailedError:
    return ImportFailedError(
        f"git's answer was not understood (at {what[:80]!r}).",
        hint="Use git 2.31 or newer, or report this with the output of git --version.",
    )
