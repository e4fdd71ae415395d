"""``kg import``: registers kept by machines, written as Turtle."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kg.cli.common import dispute_of

if TYPE_CHECKING:
    from kg.imports.git_model import Progress

# Fewer commits than this are read before a bar could be seen.
_WORTH_A_BAR = 500


@click.group(name="import")
def import_() -> None:
    """Import a register, such as a git history, as the Turtle of a record.

    Example: kg import git .
    """


@import_.command(name="git")
@click.argument("repo")
@click.option("--commit", "commits", multiple=True, metavar="REV", help="One commit.")
@click.option("--range", "ranges", multiple=True, metavar="A..B", help="What B has and A has not.")
@click.option(
    "--pull",
    "pulls",
    multiple=True,
    metavar="NUMBER[=REF]",
    help="A pull request, from its ref or from REF. NUMBER=BASE..HEAD says where it began.",
)
@click.option(
    "--branch",
    "branches",
    multiple=True,
    metavar="NAME",
    help="A branch to describe by those of the record's commits that it contains. Pull requests "
    "are compared with the first one (default: where HEAD points). With no commit, range or pull "
    "request chosen, its whole history is read.",
)
@click.option("--url", metavar="URL", help="The repository's address, to be cited.")
@click.option("--repository", metavar="NAME", help="Short name of the repository.")
@click.option("--record", metavar="NAME", help="Short name of the record.")
@click.option("--base", metavar="IRI", help="What short names are appended to [the dispute's IRI].")
@click.option(
    "--emails",
    is_flag=True,
    help="Include e-mail addresses: for your own use, not for publishing.",
)
@click.option(
    "--lines",
    "least_lines",
    type=click.IntRange(1),
    metavar="COUNT",
    help="Describe blocks of at least COUNT added lines, by place and digest and not by text, and "
    "whose lines each commit removes. A long history gets fewer with a larger COUNT.",
)
@click.option("--messages", is_flag=True, help="Include what follows the subject of a message.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead of standard output.",
)
@click.pass_context
def git(
    ctx: click.Context,
    repo: str,
    commits: tuple[str, ...],
    ranges: tuple[str, ...],
    pulls: tuple[str, ...],
    branches: tuple[str, ...],
    url: str | None,
    repository: str | None,
    record: str | None,
    base: str | None,
    emails: bool,
    messages: bool,
    least_lines: int | None,
    output: Path | None,
) -> None:
    """Read commits, pull requests and branches of the git repository REPO.

    REPO is a folder on this machine; nothing is fetched and nothing in it is run.

    Example: kg import git . --range HEAD~3..HEAD
    """
    from kg.imports import git as library

    if base is None:
        base = dispute_of(ctx).base
    names = library.record_names(repo, base, url=url, record=record, repository=repository)
    selection = library.Selection(
        commits, ranges, tuple(library.parse_pull(text) for text in pulls), branches
    )
    with _bar() as progress:
        pieces, notes = library.import_git(
            repo,
            selection,
            names,
            emails=emails,
            messages=messages,
            least_lines=least_lines,
            progress=progress,
        )
    for note in notes:
        click.echo(note, err=True)
    if output is None:
        library.print_text(pieces)
    else:
        library.write_text(pieces, output)
        click.echo(f"Wrote {output}.", err=True)


@contextmanager
def _bar() -> Iterator[Progress | None]:
    """A progress bar on a terminal, for a history that takes a while."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Reading commits", visible=False)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=total > _WORTH_A_BAR)

        yield advance
