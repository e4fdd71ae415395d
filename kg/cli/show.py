"""``kg show``: one thing of the dispute, as a person wants to read it."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path

import click

from kg.cli.common import Endpoint, dispute_of, endpoint_options, format_option


@click.command()
@click.argument("name")
@click.option(
    "--documents",
    "folder",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder that holds texts under any names, besides the attached ones.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    help="How many entries a list shows; 0 shows all.",
)
@format_option("table", "md", "json")
@endpoint_options
@click.pass_context
def show(
    ctx: click.Context,
    name: str,
    folder: Path | None,
    limit: int,
    format: str,
    endpoint: Endpoint | None,
) -> None:
    """Show an assertion, proposition, agent, commit, pull request or contradiction.

    NAME is a short name, a prefixed name, an IRI, or the first digits of a commit.

    Example: kg show pr-613
    """
    from kg.cli.query import engine_of
    from kg.documents import texts_of
    from kg.names import resolve
    from kg.show import as_json, as_markdown, as_text
    from kg.show import show as page_of

    dispute = dispute_of(ctx)
    engine = engine_of(dispute, endpoint, build=True)
    node = resolve(engine, dispute.base, name)
    texts = texts_of(dispute, engine, folder)
    page = page_of(engine, dispute.base, node.value, texts=texts, limit=limit or None)
    if format == "json":
        click.echo(as_json(page), nl=False)
    elif format == "md":
        click.echo(as_markdown(page), nl=False)
    else:
        head = partial(click.style, bold=True) if sys.stdout.isatty() else str
        width = shutil.get_terminal_size((100, 24)).columns
        click.echo(as_text(page, width, head), nl=False)
