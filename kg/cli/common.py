"""What the verbs share: the dispute they work on, the format option, tables, progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from kg.dispute import Dispute

Command = TypeVar("Command", bound=Callable[..., Any])


def dispute_of(ctx: click.Context) -> Dispute:
    """Open the dispute that ``kg --dispute`` names. Raises ``DisputeError``, ``SourceError``."""
    from kg.dispute import open_dispute

    return open_dispute(ctx.find_root().obj)


def format_option(
    *formats: str, default: str = "table", help: str = "How to print the result."
) -> Callable[[Command], Command]:
    """Return a decorator that adds ``--format`` with these choices, passed as ``format``."""
    return click.option(
        "--format",
        "format",
        type=click.Choice(formats),
        default=default,
        show_default=True,
        help=help,
    )


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str | None = None,
    right: Sequence[str] = (),
) -> None:
    """Print rows to standard output: a drawn table on a terminal, else plain aligned text.

    ``right`` names the columns that are aligned to the right, such as numbers.
    """
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title, title_justify="left")
        for column in columns:
            table.add_column(column, justify="right" if column in right else "left")
        for row in rows:
            # As text, so that square brackets in a gloss are not taken for markup.
            table.add_row(*(Text(cell) for cell in row))
        Console().print(table)
        return
    if title:
        click.echo(title)
    for line in plain_table(columns, rows, right):
        click.echo(line)


def plain_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()
) -> Iterator[str]:
    """Yield the lines of an aligned table without decoration, its heading first."""
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        cells = (
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, cell, width in zip(columns, row, widths, strict=True)
        )
        yield "  ".join(cells).rstrip()


@contextmanager
def progress_bar(total: int) -> Iterator[Callable[[str], None] | None]:
    """Give a function that moves a bar by one step and says what is being done.

    The bar stands on standard error, is gone when the work is done, and is ``None`` if nobody
    looks at a terminal.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("", total=total)
        done = -1

        def say(what: str) -> None:
            nonlocal done
            done += 1
            bar.update(task, description=what, completed=min(done, total))

        yield say
