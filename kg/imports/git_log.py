"""Read commits with three streaming git processes, however many commits there are.

``git log`` gives the words; then ``git diff-tree`` compares each commit with its parent, and
``git patch-id`` reads what it gives.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from kg.errors import ImportFailedError
from kg.imports.git_model import Commit, Identity, Progress
from kg.imports.git_patch import read_differences
from kg.imports.git_process import GitRepository, split_zero

# One field each, ended by a zero byte, which no commit message can hold.
_TRAILER = "%(trailers:key={},valueonly,unfold)"
_FIELDS = (
    *("%H", "%P", "%e", "%an", "%ae", "%ad", "%cn", "%ce", "%cd", "%s", "%B"),
    _TRAILER.format("Co-authored-by"),
    _TRAILER.format("Signed-off-by"),
)
_TIME = re.compile(r"^(-?[0-9]+) ([+-])([0-9]{2})([0-9]{2})$")


def read_commits(
    repository: GitRepository,
    hashes: Iterable[str],
    progress: Progress | None = None,
    least_lines: int | None = None,
) -> tuple[Commit, ...]:
    """Read the commits with these full hashes, each once and after its parents.

    The patch id is what ``git show COMMIT | git patch-id --stable`` prints for the commit in
    this repository. Where a commit changes a binary file, git puts the shortened names of its
    contents into the id, and how far it shortens them grows with the repository: such ids can
    be compared within one clone only.
    ``progress`` counts commits. With ``least_lines``, blocks of so many added lines are
    described, and whose lines were removed.
    Raises ``ImportFailedError``, also for a commit whose parents a shallow clone left out:
    every file would look as if that commit had added it.
    """
    wanted = tuple(dict.fromkeys(hashes))
    if not wanted:
        return ()
    cut = repository.shallow_boundary().intersection(wanted)
    if cut:
        raise ImportFailedError(
            f"The clone is shallow: commit {min(cut)} has lost its parents.",
            path=repository.place,
            hint="Complete it with: git fetch --unshallow",
        )
    listing = repository.scratch / "named"
    listing.write_text("".join(f"{name}\n" for name in wanted), "ascii")
    with repository.stream(_log_command(), given=listing) as stream:
        commits = parents_first(
            {one.hash: one for one in map(_commit, _records(split_zero(stream)))}
        )
    count = _Counter(len(commits), progress)
    parents = {commit.hash: commit.parents for commit in commits}
    changes, patches = read_differences(repository, parents, count.step, least_lines)
    count.finish()
    return tuple(
        replace(one, changes=changes.get(one.hash, ()), patch_id=patches.get(one.hash))
        for one in commits
    )


def parents_first(commits: Mapping[str, Commit]) -> tuple[Commit, ...]:
    """Order commits so that parents come first, and otherwise by commit time, then by hash."""
    waiting = {
        name: sum(parent in commits for parent in set(commit.parents))
        for name, commit in commits.items()
    }
    children: dict[str, list[str]] = {}
    for name, commit in commits.items():
        for parent in set(commit.parents):
            children.setdefault(parent, []).append(name)
    ready = [(commits[name].seconds, name) for name, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    ordered = []
    while ready:
        _, name = heapq.heappop(ready)
        ordered.append(commits[name])
        for child in children.get(name, ()):
            waiting[child] -= 1
            if waiting[child] == 0:
                heapq.heappush(ready, (commits[child].seconds, child))
    return tuple(ordered)


class _Counter:
    """Progress over many small steps."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total, self._progress = total, progress
        self._done = 0

    def step(self) -> None:
        self._done += 1
        # A bar moves no faster, and drawing it takes time.
        if self._progress is not None and self._done % 25 == 0:
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


def _commit(fields: Sequence[bytes]) -> Commit:
    encoding = fields[2].decode("ascii", "replace")
    text = [decode(field, encoding) for field in fields]
    author_time, _ = written_time(text[5])
    commit_time, seconds = written_time(text[8])
    return Commit(
        hash=text[0],
        parents=tuple(text[1].split()),
        author=Identity(text[3].strip(), text[4].strip()),
        author_time=author_time,
        committer=Identity(text[6].strip(), text[7].strip()),
        commit_time=commit_time,
        seconds=seconds,
        subject=text[9].strip(),
        body=_body(text[10]),
        co_authors=_people(text[11]),
        signed_off_by=_people(text[12]),
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
