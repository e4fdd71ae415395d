"""What a git history says, as plain values: commits, pull requests, branches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

# Called with the work done and the work there is, in the same unit (any thread may call it).
Progress = Callable[[int, int], None]


@dataclass(frozen=True, order=True)
class Identity:
    """A name and an e-mail address as a commit carries them; either may be empty."""

    name: str
    email: str


@dataclass(frozen=True)
class LineRange:
    """Consecutive lines that a commit adds, none of them empty.

    ``first`` is the line in the new file, from 1. ``digest`` is the SHA-256, in hexadecimal, of
    the lines' bytes without white space, joined by line feeds.
    """

    first: int
    count: int
    digest: str


@dataclass(frozen=True)
class RemovedLines:
    """How many of the lines that a commit removes from a file ``commit`` had added."""

    commit: str
    count: int


@dataclass(frozen=True)
class FileChange:
    """One file that a commit changed against its only parent.

    ``additions`` and ``deletions`` count lines and are ``None`` for a binary file. ``previous``
    is the path before a rename. A path that is not UTF-8 is given as git quotes it. ``added``
    and ``removed`` are empty unless lines were asked for.
    """

    path: str
    previous: str | None
    additions: int | None
    deletions: int | None
    added: tuple[LineRange, ...] = ()
    removed: tuple[RemovedLines, ...] = ()

    @property
    def binary(self) -> bool:
        """Whether git counts no lines in this file."""
        return self.additions is None


@dataclass(frozen=True)
class Commit:
    """One commit object.

    Times are ``xsd:dateTime`` with the offset as written, or ``None`` where the object carries
    no readable time. ``parents`` keeps git's order. ``changes`` is empty and ``patch_id`` is
    ``None`` for a merge and for a commit that changes nothing.
    """

    hash: str
    parents: tuple[str, ...]
    author: Identity
    author_time: str | None
    committer: Identity
    commit_time: str | None
    # Seconds since 1970-01-01 UTC of the commit time, to sort by; 0 where unreadable.
    seconds: int
    subject: str
    body: str
    co_authors: tuple[Identity, ...] = ()
    signed_off_by: tuple[Identity, ...] = ()
    changes: tuple[FileChange, ...] = ()
    patch_id: str | None = None


@dataclass(frozen=True)
class PullRequest:
    """A pull request as its ref tells it: its head and what it adds to the default branch.

    ``commits`` are hashes, oldest first. ``merge_base`` is ``None`` for unrelated histories.
    ``combined_patch_id`` is the patch id of all its commits as one difference, from where it
    began to its head; ``None`` where that is not known or there is no difference.
    """

    number: int
    ref: str
    head: str
    merge_base: str | None
    commits: tuple[str, ...]
    combined_patch_id: str | None = None


@dataclass(frozen=True)
class Branch:
    """A branch and those of the record's commits that it contains, oldest first."""

    name: str
    ref: str
    commits: tuple[str, ...]


@dataclass(frozen=True)
class History:
    """Everything read from one repository; commits stand after their parents."""

    commits: tuple[Commit, ...]
    pulls: tuple[PullRequest, ...] = ()
    branches: tuple[Branch, ...] = ()
    # The fewest lines of a described block; None if lines were not asked for.
    least_lines: int | None = None
    # What the person should know although nothing failed.
    notes: tuple[str, ...] = field(default=(), compare=False)
