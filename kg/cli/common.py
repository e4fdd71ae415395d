"""What the verbs share: the dispute they work on, the format option, tables, progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from kg.dispute import Dispute
    from kg.reading import Reading
    from kg.remote import RemoteEngine
    from kg.remote_auth import Credentials

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


def jobs_option(command: Command) -> Command:
    """Add ``--jobs``, passed as ``jobs``; ``None`` leaves it to the machine."""
    return click.option(
        "--jobs",
        type=click.IntRange(min=1),
        metavar="N",
        help="How many processes read a dispute at once that is too large for memory, in place of "
        "one for each processor and GiB of free memory, up to 4.",
    )(command)


@dataclass(frozen=True)
class Endpoint:
    """The server that a verb asks instead of the snapshot; ``timeout`` is in seconds."""

    url: str
    credentials: Credentials | None
    timeout: float
    whole: bool = False

    def engine(self, dispute: Dispute) -> RemoteEngine:
        """Return an engine that sees the dispute's graphs there. Raises ``EngineError``."""
        from kg.remote import RemoteEngine
        from kg.remote_dispute import see_dispute

        engine = RemoteEngine(self.url, credentials=self.credentials, timeout=self.timeout)
        if not self.whole:
            see_dispute(engine, dispute)
        return engine


def reading_of(ctx: click.Context, folder: Path | None, endpoint: Endpoint | None) -> Reading:
    """Return documents, passages and texts: as the sources say, or a server.

    Raises ``DisputeError``, ``SourceError``, ``EngineError``.
    """
    from kg.reading import Reading

    dispute = dispute_of(ctx)
    return Reading(dispute, folder, endpoint.engine(dispute) if endpoint else None)


class Seconds(click.FloatRange):
    """A time in seconds from ``min`` to a day; neither endless nor no number at all."""

    name = "seconds"

    def __init__(self, min: float) -> None:
        super().__init__(min=min, max=86_400)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read a time. Fails as an option of click does."""
        seconds = float(super().convert(value, param, ctx))
        if isnan(seconds):  # which is neither less nor more than any bound
            self.fail(f"{value!r} is no time.", param, ctx)
        return seconds


def access_options(command: Command) -> Command:
    """Add the options that get one into a server; passed as ``credentials`` and ``timeout``."""

    @wraps(command)
    def with_access(
        *args: Any, user: str | None, password: str | None, auth: str, **others: Any
    ) -> Any:
        return command(*args, credentials=_credentials(user, password, auth), **others)

    for option in (
        click.option(
            "--timeout",
            type=Seconds(min=0.001),
            default=60.0,
            show_default=True,
            envvar="KG_ENDPOINT_TIMEOUT",
            metavar="SECONDS",
            help="How long to wait for each answer of a server.",
        ),
        click.option(
            "--auth",
            type=click.Choice(("basic", "digest")),
            default="basic",
            show_default=True,
            envvar="KG_ENDPOINT_AUTH",
            help="How to show name and password.",
        ),
        click.option(
            "--password",
            envvar="KG_ENDPOINT_PASSWORD",
            metavar="TEXT",
            help="The password; others on this machine can see it here, but not in "
            "$KG_ENDPOINT_PASSWORD. Without either it is asked for.",
        ),
        click.option(
            "--user",
            envvar="KG_ENDPOINT_USER",
            metavar="NAME",
            help="The name to give to a server (or $KG_ENDPOINT_USER).",
        ),
    ):
        with_access = option(with_access)
    return with_access  # type: ignore[return-value]


def endpoint_options(command: Command) -> Command:
    """Add ``--endpoint`` and what gets one into it; passed as ``endpoint`` (or ``None``)."""

    @wraps(command)
    def with_endpoint(
        *args: Any,
        url: str | None,
        whole: bool,
        credentials: Credentials | None,
        timeout: float,
        **others: Any,
    ) -> Any:
        endpoint = Endpoint(url, credentials, timeout, whole) if url else None
        return command(*args, endpoint=endpoint, **others)

    for option in (
        access_options,
        click.option(
            "--whole-server",
            "whole",
            is_flag=True,
            help="Ask what the server shows by itself, not the graphs of the dispute.",
        ),
        click.option(
            "--endpoint",
            "url",
            envvar="KG_ENDPOINT",
            metavar="URL",
            help="Ask this SPARQL server instead of the snapshot (or $KG_ENDPOINT).",
        ),
    ):
        with_endpoint = option(with_endpoint)
    return with_endpoint  # type: ignore[return-value]


def _credentials(user: str | None, password: str | None, auth: str) -> Credentials | None:
    from kg.remote_auth import Credentials

    if user is None:
        return None
    if password is None:
        if not sys.stdin.isatty():
            raise click.UsageError("--user needs a password: set KG_ENDPOINT_PASSWORD.")
        password = click.prompt(f"Password of {user}", hide_input=True, err=True)
    return Credentials(user, password, auth)


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
