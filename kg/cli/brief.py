"""``kg brief``: a report of a dispute that one can hand to somebody else."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kg.cli.common import Endpoint, dispute_of, endpoint_options, format_option


@click.command()
@format_option("md", "html", "pdf", default="md", help="What to write; pdf needs an extra.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead of standard output.",
)
@endpoint_options
@click.pass_context
def brief(ctx: click.Context, format: str, output: Path | None, endpoint: Endpoint | None) -> None:
    """Write a short, neutral, cited report of the dispute.

    Who says what, what both sides say, what contradicts what, what the record shows, what was
    never answered, what rests on unverified voices. Every sentence leads to what it stands on.

    Example: kg brief --format html -o brief.html
    """
    from kg.brief.gather import make_brief
    from kg.brief.write import rendered, write_file
    from kg.cli.query import engine_of

    if format == "pdf" and output is None and sys.stdout.isatty():
        raise click.UsageError("A PDF is not for a terminal: write it to a file with -o.")
    dispute = dispute_of(ctx)
    page = rendered(make_brief(engine_of(dispute, endpoint, build=True), dispute), format)
    if output is None:
        click.echo(page, nl=False)
        return
    write_file(page, output)
    click.echo(f"Wrote {output}.", err=True)
