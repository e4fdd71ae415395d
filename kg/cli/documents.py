"""``kg documents``: attach and list the texts of documents."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.common import Endpoint, dispute_of, endpoint_options, format_option, reading_of
from kg.cli.rows import print_values
from kg.results import ROW_FORMATS


@click.group()
def documents() -> None:
    """Attach and list the texts of documents.

    A dispute cites its documents by length and SHA-256; whoever has a text attaches it, and
    every passage can then be checked and shown.

    Example: kg documents list
    """


@documents.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--document", metavar="NAME", help="The document that the files must be.")
@click.pass_context
def attach(ctx: click.Context, files: tuple[Path, ...], document: str | None) -> None:
    """Copy texts to where the dispute looks for them, recognised by their SHA-256.

    A file that is no document of the dispute is refused, saying what differs where that can be
    seen; nothing is copied unless every file is recognised.

    Example: kg documents attach page.txt
    """
    from kg import documents as library
    from kg.reading import Reading

    reading = Reading(dispute_of(ctx))
    for found, path in library.attach(reading.dispute, reading.documents, files, document):
        click.echo(f"{found.name}: {path}")


@documents.command("list")
@click.option(
    "--documents",
    "folder",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder that holds texts under any names, besides the attached ones.",
)
@format_option(*ROW_FORMATS)
@endpoint_options
@click.pass_context
def list_(ctx: click.Context, folder: Path | None, format: str, endpoint: Endpoint | None) -> None:
    """List the documents: title, length, and whether the right text is attached.

    Example: kg documents list
    """
    reading = reading_of(ctx, folder, endpoint)
    rows = []
    for document in reading.documents:
        attached = reading.texts.get(document.iri)
        state = "no" if attached is None else "yes" if attached.intact else "another text"
        length = len(attached.text) if attached else None
        path = str(attached.path) if attached else None
        rows.append((document.name, document.title, document.length, state, length, path))
    columns = ("document", "title", "length", "attached", "attached_length", "file")
    print_values(columns, rows, format)
