"""``kg positions``: which statements can be held together, and why."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kg.cli.common import Endpoint, dispute_of, endpoint_options, format_option

if TYPE_CHECKING:
    from kg.argumentation.frame import Frame

Command = TypeVar("Command", bound=Callable[..., Any])

# As in kg.argumentation.semantics, which is not imported before it is needed.
SEMANTICS = ("grounded", "preferred", "stable", "complete")


def view_options(command: Command) -> Command:
    """Add the options of a reader's view: ``accept``, ``exclude``, ``prefer``, ``ignore_scope``."""
    for option in (
        click.option(
            "--ignore-scope",
            is_flag=True,
            help="Let apparent contradictions attack, as if scopes and times were the same.",
        ),
        click.option(
            "--prefer",
            metavar="A>B",
            multiple=True,
            help="Attacks by what B stands behind on what A stands behind fail (in quotes).",
        ),
        click.option(
            "--exclude",
            metavar="X",
            multiple=True,
            help="Leave out what rests on the word of X alone; also a record, or one attack.",
        ),
        click.option(
            "--accept",
            metavar="X",
            multiple=True,
            help="Take what X stands behind as given: an agent, persona, document, record or "
            "assertion.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.option(
    "--semantics",
    type=click.Choice(SEMANTICS),
    default="grounded",
    show_default=True,
    help="What counts as a position; all but the first need the extra 'positions'.",
)
@view_options
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10_000,
    show_default=True,
    help="How many ways to decide each knot are searched; 0 is all.",
)
@click.option(
    "--extensions",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="How many positions JSON writes out whole, besides the ways to decide each knot; 0 is "
    "all, which may be many megabytes.",
)
@click.option("--all", "every", is_flag=True, help="List also what nothing attacks.")
@format_option("table", "json", "md", "apx", "af", "mermaid", "dot", "svg")
@endpoint_options
@click.pass_context
def positions(
    ctx: click.Context,
    semantics: str,
    accept: tuple[str, ...],
    exclude: tuple[str, ...],
    prefer: tuple[str, ...],
    ignore_scope: bool,
    limit: int,
    extensions: int,
    every: bool,
    format: str,
    endpoint: Endpoint | None,
) -> None:
    """Show which statements can be held together, and why the others cannot.

    Nothing is judged and nothing stored: the answer follows from the attacks as encoded and from
    the view that the options give.

    Example: kg positions --exclude record-llama-cpp-git
    """
    from kg.argumentation.as_json import as_json
    from kg.argumentation.frame import frame_of
    from kg.argumentation.from_graph import moves_of
    from kg.argumentation.report import Report
    from kg.argumentation.semantics import positions as search
    from kg.argumentation.view import view_of
    from kg.argumentation.words import Words
    from kg.cli.query import engine_of

    dispute = dispute_of(ctx)
    engine = engine_of(dispute, endpoint, build=True)
    view = view_of(engine, dispute.base, accept=accept, exclude=exclude, prefer=prefer)
    moves = moves_of(engine, dispute.base, ignore_scope=ignore_scope)
    frame = frame_of(engine, moves, view)
    if format not in ("table", "json", "md"):
        _print_framework(frame, format)
        return
    found = search(frame.framework, semantics, limit or None)
    words = Words(engine, frame)
    report = Report(frame, found, words, every)
    if format == "json":
        click.echo(as_json(frame, found, words, extensions or None), nl=False)
    elif format == "md":
        click.echo(report.markdown(), nl=False)
    else:
        head = partial(click.style, bold=True) if sys.stdout.isatty() else str
        width = shutil.get_terminal_size((100, 24)).columns
        click.echo(report.text(width, head), nl=False)
    if format == "json" and semantics != "grounded" and 0 < extensions < found.count:
        click.echo(
            f"wrote {extensions:,} of {found.count:,} positions whole, and every knot; "
            "--extensions 0 writes all",
            err=True,
        )
    if found.more:
        click.echo("stopped at the limit in some knot; --limit 0 searches all", err=True)


def _print_framework(frame: Frame, format: str) -> None:
    """Print the framework for other programs, or as a picture with its grounded labels."""
    from kg.argumentation.formats import to_af, to_apx
    from kg.argumentation.grounded import grounded
    from kg.argumentation.pictures import to_dot, to_mermaid, to_svg

    if format in ("apx", "af"):
        lines = (to_apx if format == "apx" else to_af)(frame.framework)
    else:
        draw = {"mermaid": to_mermaid, "dot": to_dot, "svg": to_svg}[format]
        lines = draw(frame.framework, grounded(frame.framework).labels)
    for line in lines:
        click.echo(line)
