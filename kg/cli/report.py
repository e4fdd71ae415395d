"""``kg report``: a dispute on one screen."""

from __future__ import annotations

import shutil
import sys
from functools import partial

import click

from kg.cli.common import Endpoint, dispute_of, endpoint_options, format_option


@click.command()
@format_option("table", "json", "md")
@endpoint_options
@click.pass_context
def report(ctx: click.Context, format: str, endpoint: Endpoint | None) -> None:
    """Show the dispute on one screen: counts, balance by side, strongest conflicts.

    Conflicts between the sides come first, then first-hand ones, then those that a rule found,
    then those that a record speaks to, then by the encoder's confidence, then by name. Of
    those that share a statement the first alone is shown.

    Example: kg report --format md
    """
    from kg.brief.screen import as_markdown, as_text
    from kg.brief.summary import summary
    from kg.cli.query import engine_of

    dispute = dispute_of(ctx)
    found = summary(engine_of(dispute, endpoint, build=True), dispute)
    if format == "json":
        click.echo(found.as_json(), nl=False)
    elif format == "md":
        click.echo(as_markdown(found), nl=False)
    else:
        head = partial(click.style, bold=True) if sys.stdout.isatty() else str
        click.echo(as_text(found, shutil.get_terminal_size((100, 24)).columns, head), nl=False)
