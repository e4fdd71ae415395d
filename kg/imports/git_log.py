"""Read commits with three streaming git processes, however many commits there are.

``git log`` gives the words, ``git diff-tree --numstat`` the changed files, and ``git diff-tree
-p | git patch-id --stable`` the patch ids; the last two run side by side.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from kg.errors import ImportFailedError
from kg.imports.git_model import Commit, FileChange, Identity, Progress
from kg.imports.git_process import GitRepository, is_hash, split_zero

# One field each, ended by a zero byte, which no commit message can hold.
_TRAILER = "%(trailers:key={},valueonly,unfold)"
_FIELDS = (
    *("%H", "%P", "%e", "%an", "%ae", "%ad", "%cn", "%ce", "%cd", "%s", "%B"),
    _TRAILER.format("Co-authored-by"),
    _TRAILER.format("Signed-off-by"),
)
# Written out although most are git's defaults: they go into numbers and patch ids. Renames are
# followed as `git show` and `git log` do, within a limit that keeps a large commit quick.
_DIFFERENCE = (
    *("diff-tree", "--stdin", "--root", "-r", "-M", "-l1000"),
    *("--no-ext-diff", "--no-textconv", "--no-color", "--diff-algorithm=default"),
    *("--indent-heuristic", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short"),
)
_TIME = re.compile(r"^(-?[0-9]+) ([+-])([0-9]{2})([0-9]{2})$")


def read_commits(
    repository: GitRepository, hashes: Iterable[str], progress: Progress | None = None
) -> dict[str, Commit]:
    """Read the commits with these full hashes, each once.

    The patch id is what ``git show COMMIT | git patch-id --stable`` prints for the commit in
    this repository. Where a commit changes a binary file, git puts the shortened names of its
    contents into the id, and how far it shortens them grows with the repository: such ids can
    be compared within one clone only.
    ``progress`` counts commits twice, once for their files and once for their patch ids.
    Raises ``ImportFailedError``, also for a commit whose parents a shallow clone left out:
    every file would look as if that commit had added it.
    """
    wanted = tuple(dict.fromkeys(hashes))
    if not wanted:
        return {}
    cut = repository.shallow_boundary().intersection(wanted)
    if cut:
        raise ImportFailedError(
            f"The clone is shallow: commit {min(cut)} has lost its parents.",
            path=repository.place,
            hint="Complete it with: git fetch --unshallow",
        )
    listing = repository.scratch / "commits"
    listing.write_text("".join(f"{name}\n" for name in wanted), "ascii")
    count = _Counter(2 * len(wanted), progress)
    with ThreadPoolExecutor(1) as pool:
        patches = pool.submit(_patch_ids, repository, listing, count)
        changes = _changes(repository, listing, count)
        identifiers = patches.result()
    count.finish()
    with repository.stream(_log_command(), given=listing) as stream:
        return {
            commit.hash: commit
            for commit in (
                _commit(fields, changes, identifiers) for fields in _records(split_zero(stream))
            )
        }


class _Counter:
    """Progress over two threads."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total, self._progress = total, progress
        self._done = 0
        self._lock = threading.Lock()

    def step(self) -> None:
        if self._progress is None:
            return
        with self._lock:
            self._done += 1
            if self._done % 25 == 0:  # a bar moves no faster, and drawing it takes time
                self._progress(self._done, self._total)

    def finish(self) -> None:
        """Count what gave no output: merges and empty commits."""
        if self._progress is not None:
            self._progress(self._total, self._total)


def _log_command() -> list[str]:
    return [
        "log",
        "--stdin",
        "--no-walk=unsorted",
        "-z",
        "--no-color",
        "--no-notes",
        "--encoding=UTF-8",
        "--date=raw",
        "--format=tformat:" + "%x00".join(_FIELDS),
    ]


def _records(pieces: Iterator[bytes]) -> Iterator[list[bytes]]:
    # zip() of one iterator with itself: as many pieces at a time as there are fields.
    yield from (list(fields) for fields in zip(*[pieces] * len(_FIELDS), strict=False))


def _commit(
    fields: Sequence[bytes], changes: dict[str, list[FileChange]], patches: dict[str, str]
) -> Commit:
    encoding = fields[2].decode("ascii", "replace")
    text = [decode(field, encoding) for field in fields]
    author_time, _ = written_time(text[5])
    commit_time, seconds = written_time(text[8])
    parents = tuple(text[1].split())
    # A merge has no single difference, and git patch-id is not given one.
    alone = len(parents) < 2
    return Commit(
        hash=text[0],
        parents=parents,
        author=Identity(text[3].strip(), text[4].strip()),
        author_time=author_time,
        committer=Identity(text[6].strip(), text[7].strip()),
        commit_time=commit_time,
        seconds=seconds,
        subject=text[9].strip(),
        body=_body(text[10]),
        co_authors=_people(text[11]),
        signed_off_by=_people(text[12]),
        changes=tuple(changes.get(text[0], ())) if alone else (),
        patch_id=patches.get(text[0]) if alone else None,
    )


def decode(raw: bytes, encoding: str) -> str:
    """Decode what git printed of a commit, whose ``encoding`` header is given.

    Git has turned it into UTF-8 where it could and left it as it is where it could not: then
    the header decides, and UTF-8 without one. What cannot be decoded, or not be written in
    RDF, becomes U+FFFD.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        try:
            text = raw.decode(encoding or "utf-8", "replace")
        except (LookupError, ValueError):  # no encoding that Python knows
            text = raw.decode("utf-8", "replace")
    return re.sub("[\x00\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)


def written_time(raw: str) -> tuple[str | None, int]:
    """Turn git's ``SECONDS ±HHMM`` into an ``xsd:dateTime`` and the seconds since 1970.

    The offset stays as written, ``+00:00`` included. One that XML Schema does not allow (beyond
    14 hours, or 60 minutes and more) is replaced by UTC. ``(None, 0)`` if there is no time, or
    one outside the years 1 to 9999.
    Source: XML Schema Definition Language 1.1 Part 2, section 3.3.7 (dateTime).
    """
    match = _TIME.match(raw.strip())
    if match is None:
        return None, 0
    seconds, sign = int(match[1]), match[2]
    hours, minutes = int(match[3]), int(match[4])
    if minutes > 59 or hours * 60 + minutes > 14 * 60:
        sign, hours, minutes = "+", 0, 0
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        local = moment.astimezone(timezone(offset)).replace(tzinfo=None)
    except OverflowError:
        return None, 0
    return f"{local.isoformat(timespec='seconds')}{sign}{hours:02}:{minutes:02}", seconds


def _body(message: str) -> str:
    """Return what follows a message's first paragraph, which is its subject."""
    lines = (line.rstrip() for line in message.strip().replace("\r\n", "\n").split("\n"))
    _, _, rest = "\n".join(lines).partition("\n\n")
    return rest.strip("\n")


def _people(trailers: str) -> tuple[Identity, ...]:
    """Read ``Name <address>``, one a line, without repeats and sorted."""
    found = set()
    for line in trailers.splitlines():
        name, bracket, rest = line.strip().partition("<")
        if name or bracket:
            found.add(Identity(" ".join(name.split()), rest.partition(">")[0].strip()))
    return tuple(sorted(found))


def _changes(
    repository: GitRepository, listing: Path, count: _Counter
) -> dict[str, list[FileChange]]:
    command = [*_DIFFERENCE, "--numstat", "-z"]
    found: dict[str, list[FileChange]] = {}
    with repository.stream(command, given=listing) as stream:
        pieces = split_zero(stream)
        files: list[FileChange] = []
        for piece in pieces:
            added, tab, rest = piece.partition(b"\t")
            if not tab:  # a commit's hash; its files follow
                files = found.setdefault(piece.decode("ascii"), [])
                count.step()
                continue
            removed, _, path = rest.partition(b"\t")
            # A rename leaves the path empty and gives both after it.
            previous = None if path else next(pieces)
            binary = added == b"-"
            files.append(
                FileChange(
                    path=path_text(path or next(pieces)),
                    previous=None if previous is None else path_text(previous),
                    additions=None if binary else int(added),
                    deletions=None if binary else int(removed),
                )
            )
    return found


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


def _patch_ids(repository: GitRepository, listing: Path, count: _Counter) -> dict[str, str]:
    found: dict[str, str] = {}
    commands = ([*_DIFFERENCE, "-p", "-U3"], ["patch-id", "--stable"])
    with repository.stream(*commands, given=listing) as stream:
        for line in stream:
            identifier, commit = line.decode("ascii").split()
            if is_hash(identifier):
                found[commit] = identifier
            count.step()
    return found
