"""Import a git history: choose commits, read them, write them as Turtle.

``read_history`` and ``write_turtle`` are the two steps; ``import_git`` is both.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from kg.errors import ImportFailedError
from kg.imports import git_select, turtle
from kg.imports.git_log import read_commits
from kg.imports.git_model import Branch, History, Progress, PullRequest
from kg.imports.git_patch import combined_patch_id
from kg.imports.git_process import GitRepository
from kg.imports.git_rdf import RecordNames, write_turtle
from kg.imports.git_select import PullChoice, Selection, parse_pull
from kg.whole_file import write_whole

__all__ = [
    "History",
    "PullChoice",
    "RecordNames",
    "Selection",
    "command_line",
    "import_git",
    "parse_pull",
    "print_text",
    "read_history",
    "record_names",
    "write_text",
    "write_turtle",
]


def read_history(
    place: str | os.PathLike[str],
    selection: Selection,
    progress: Progress | None = None,
    *,
    least_lines: int | None = None,
) -> History:
    """Read the chosen commits, pull requests and branches of a repository.

    Pull requests are compared with the first chosen branch, else with the default branch. A
    branch lists those of the read commits that it contains. With ``least_lines``, blocks of at
    least so many added lines are described, and whose lines were removed. Raises
    ``ImportFailedError``.
    """
    notes: list[str] = []
    with GitRepository(place) as repository:
        # A dict, not a set: each commit once, in the order met.
        wanted = dict.fromkeys(git_select.resolve(repository, name) for name in selection.commits)
        for text in selection.ranges:
            start, end = (
                git_select.resolve(repository, name) for name in git_select.split_range(text)
            )
            listed = git_select.range_commits(repository, start, end)
            if not listed:
                notes.append(f"The range {text} holds no commit.")
            wanted |= dict.fromkeys(listed)
        tips = {name: git_select.branch_ref(repository, name) for name in selection.branches}
        pulls = []
        if selection.pulls:
            default = next((tip for _, tip in tips.values()), None) or git_select.default_branch(
                repository
            )
            pulls = [git_select.resolve_pull(repository, c, default) for c in selection.pulls]
        _refuse_repeats(pull.number for pull in pulls)
        for pull in pulls:
            if not pull.commits:
                notes.append(
                    f"Pull request {pull.number} adds no commit: the branch was moved onto its "
                    f"head. Where it began can be said: --pull {pull.number}=BASE..HEAD"
                )
            wanted |= dict.fromkeys((*pull.commits, pull.head))
        if not (selection.commits or selection.ranges or selection.pulls):
            ends = [tip for _, tip in tips.values()] or [git_select.default_branch(repository)]
            for tip in ends:
                wanted |= dict.fromkeys(git_select.range_commits(repository, None, tip))
        ordered = read_commits(repository, wanted, progress, least_lines)
        place_of = {commit.hash: index for index, commit in enumerate(ordered)}
        return History(
            commits=ordered,
            pulls=tuple(
                PullRequest(
                    pull.number,
                    pull.ref,
                    pull.head,
                    pull.merge_base,
                    tuple(sorted(pull.commits, key=place_of.__getitem__)),
                    combined_patch_id(repository, pull.merge_base, pull.head),
                )
                for pull in pulls
            ),
            branches=tuple(
                Branch(
                    ref.removeprefix("refs/heads/"),
                    ref,
                    tuple(
                        sorted(
                            git_select.contained(repository, tip, place_of),
                            key=place_of.__getitem__,
                        )
                    ),
                )
                for ref, tip in sorted(set(tips.values()))
            ),
            least_lines=least_lines,
            notes=tuple(notes),
        )


def _refuse_repeats(numbers: Iterable[int]) -> None:
    seen: set[int] = set()
    for number in numbers:
        if number in seen:
            raise ImportFailedError(
                f"Pull request {number} is named twice.", hint="Name each pull request once."
            )
        seen.add(number)


def record_names(
    place: str | os.PathLike[str],
    base: str,
    *,
    url: str | None = None,
    record: str | None = None,
    repository: str | None = None,
) -> RecordNames:
    """Name the record after its repository, unless short names are given.

    ``https://example.org/ana/parser`` gives ``record-parser-git`` and ``repo-parser``.
    """
    called = _called(place, url)
    stem = turtle.slug(called) or "repository"
    return RecordNames(
        base=base,
        record=record or f"record-{stem}-git",
        repository=repository or f"repo-{stem}",
        title=f"Git history of {called}",
        url=url,
    )


def _called(place: str | os.PathLike[str], url: str | None) -> str:
    """Return the repository's own name, from its address or else its folder."""
    if url:
        return url.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")
    folder = Path(place).resolve()
    return (folder.parent if folder.name == ".git" else folder).name.removesuffix(".git")


def command_line(
    selection: Selection,
    record: RecordNames,
    *,
    emails: bool = False,
    messages: bool = False,
    least_lines: int | None = None,
) -> str:
    """Return the command that makes this record, wrapped, with a path that fits everywhere."""
    called = _called("repository", record.url)
    options = [("--commit", name) for name in selection.commits]
    options += [("--range", text) for text in selection.ranges]
    options += [("--pull", _pull_text(choice)) for choice in selection.pulls]
    options += [("--branch", name) for name in selection.branches]
    options += [] if least_lines is None else [("--lines", str(least_lines))]
    options += [("--url", record.url)] if record.url else []
    options += [("--repository", record.repository), ("--record", record.record)]
    options += [("--base", record.base)]
    words = [f"{option} {shlex.quote(value)}" for option, value in options]
    words += ["--emails"] if emails else []
    words += ["--messages"] if messages else []
    start = f"kg import git {shlex.quote(f'path/to/{called}')}"
    return " \\\n    ".join([start, *words])


def _pull_text(choice: PullChoice) -> str:
    if choice.base is not None:
        return f"{choice.number}={choice.base}..{choice.head}"
    return str(choice.number) if choice.head is None else f"{choice.number}={choice.head}"


_NO_ADDRESS = (
    "The record does not say where it can be read again, which 'kg validate' asks of it: give the "
    "repository's address with --url."
)


def import_git(
    place: str | os.PathLike[str],
    selection: Selection,
    record: RecordNames,
    *,
    emails: bool = False,
    messages: bool = False,
    least_lines: int | None = None,
    progress: Progress | None = None,
) -> tuple[Iterator[str], tuple[str, ...]]:
    """Read a repository and return its record as Turtle, in pieces, and notes for the person.

    Everything is read before the first piece. Raises ``ImportFailedError``.
    """
    history = read_history(place, selection, progress, least_lines=least_lines)
    made_by = command_line(
        selection, record, emails=emails, messages=messages, least_lines=least_lines
    )
    notes = history.notes if record.url else (*history.notes, _NO_ADDRESS)
    return (
        write_turtle(history, record, emails=emails, messages=messages, made_by=made_by),
        notes,
    )


def write_text(pieces: Iterable[str], path: Path) -> None:
    """Write a file whole or not at all, as UTF-8.

    Raises ``ImportFailedError`` if the folder or the disk does not allow it.
    """
    try:
        write_whole((piece.encode("utf-8") for piece in pieces), path)
    except OSError as error:
        raise ImportFailedError(
            f"Cannot write: {error.strerror or error}.",
            path=path,
            hint="Choose another file with -o, or free some space.",
        ) from None


def print_text(pieces: Iterable[str]) -> None:
    """Write to standard output as UTF-8, which Turtle always is.

    Raises ``ImportFailedError`` if it cannot be written to, ``BrokenPipeError`` if its reader
    has gone.
    """
    try:
        for piece in pieces:
            sys.stdout.buffer.write(piece.encode("utf-8"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ImportFailedError(
            f"Cannot write to standard output: {error.strerror or error}."
        ) from None
