"""``kg passages``: check, count and find the places that statements stand on."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kg.cli.common import Command, Endpoint, endpoint_options, format_option, reading_of
from kg.cli.rows import Value, print_values
from kg.results import ROW_FORMATS

if TYPE_CHECKING:
    from kg.coverage import Coverage
    from kg.passages import Checked
    from kg.reading import Reading


def documents_option(command: Command) -> Command:
    """Add ``--documents DIR``, passed as ``folder``."""
    return click.option(
        "--documents",
        "folder",
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="A folder that holds texts under any names, recognised by their SHA-256; what it "
        "lacks is looked for among the attached texts.",
    )(command)


@click.group()
def passages() -> None:
    """Check, count and find the passages that statements stand on.

    Example: kg passages coverage
    """


@passages.command()
@documents_option
@click.option("--require-all", is_flag=True, help="Fail if a document's text is not at hand.")
@format_option(*ROW_FORMATS)
@endpoint_options
@click.pass_context
def check(
    ctx: click.Context,
    folder: Path | None,
    require_all: bool,
    format: str,
    endpoint: Endpoint | None,
) -> None:
    """Hold every passage's digest against the attached texts; list those that do not fit.

    Exit code 1 if one does not fit; 2 if no text is at hand.

    Example: kg passages check --documents ../texts
    """
    from kg.errors import NonConformanceError, PassageError
    from kg.passages import Fit
    from kg.passages import check as judge

    reading = reading_of(ctx, folder, endpoint)
    if reading.documents and not reading.texts:
        raise PassageError(
            "no text of this dispute is at hand",
            path=folder,
            hint="Attach the texts with 'kg documents attach FILE...', or name their folder with "
            "--documents DIR; 'kg documents list' says what is missing.",
        )
    verdicts = judge(reading.documents, reading.passages, reading.texts)
    wrong = [one for one in verdicts if one.fit not in (Fit.OK, Fit.NOT_ATTACHED)]
    missing = [one for one in verdicts if one.fit is Fit.NOT_ATTACHED and one.passage is None]
    columns = ("document", "passage", "owner", "start", "end", "fit", "where", "note")
    rows = _verdict_rows(reading, wrong + missing)
    if rows or format != "table":
        print_values(columns, rows, format)
    fitting = sum(one.fit is Fit.OK for one in verdicts)
    judged = sum(one.passage is not None and one.fit is not Fit.NOT_ATTACHED for one in verdicts)
    click.echo(
        f"{fitting} of {judged} passages fit; {len(missing)} of {len(reading.documents)} texts "
        "not at hand",
        err=True,
    )
    if wrong:
        raise NonConformanceError(
            f"{len(wrong)} passages or texts do not fit",
            hint="Passages never move by themselves: 'kg passages find' prints the right block.",
        )
    if require_all and missing:
        raise NonConformanceError(f"{len(missing)} texts are not at hand")


def _verdict_rows(reading: Reading, verdicts: list[Checked]) -> list[list[Value]]:
    from kg.locations import Locations
    from kg.namespaces import shorten

    locations = Locations(reading.dispute)
    rows: list[list[Value]] = []
    for one in verdicts:
        place = locations.find(one.passage.iri if one.passage else one.document)
        where = f"{os.path.relpath(place[0])}:{place[1]}" if place else None
        base = reading.dispute.base
        row: list[Value] = [shorten(one.document, base)]
        if one.passage:
            owners = ", ".join(shorten(owner, base) for owner in one.owners)
            row += [shorten(one.passage.iri, base), owners, one.passage.start, one.passage.end]
        else:
            row += [None] * 4
        rows.append([*row, str(one.fit), where, one.note or None])
    return rows


@passages.command()
@documents_option
@click.option("--gaps", is_flag=True, help="Print the gaps as rows, and nothing else.")
@format_option(*ROW_FORMATS)
@endpoint_options
@click.pass_context
def coverage(
    ctx: click.Context,
    folder: Path | None,
    gaps: bool,
    format: str,
    endpoint: Endpoint | None,
) -> None:
    """Print how much of each document is accounted for, by kind, and every gap.

    Lengths suffice; with texts attached a gap shows what it leaves out. A character that only a
    relay covers is a gap too: the relay of a quoted block covers all of it, read or not. Exit
    code 1 if there is a gap.

    Example: kg passages coverage
    """
    from kg.coverage import coverage as count
    from kg.errors import NonConformanceError

    reading = reading_of(ctx, folder, endpoint)
    counted = count(reading.documents, reading.passages, reading.texts)
    if not gaps:
        print_values(_COUNTS, [_count_row(one, format) for one in counted], format)
        if format == "table":
            _draw(counted)
    rows = _gap_rows(reading, counted)
    if gaps or (rows and format == "table"):
        if not gaps:
            click.echo()
        print_values(_GAPS, rows, format)
    if rows:
        raise NonConformanceError(
            f"{len(rows)} stretches are not accounted for",
            hint="Give each to an assertion, a kg:Withheld or a kg:NonStatement; "
            "'kg passages find' prints the block of a passage.",
        )


_COUNTS = (
    "document",
    "characters",
    "accounted",
    "by_statement",
    "assertion",
    "relay_only",
    "withheld",
    "non_statement",
    "gaps",
)
_GAPS = ("document", "start", "end", "length", "covered_by", "text")


def _count_row(one: Coverage, format: str) -> list[Value]:
    """Return a document's numbers: characters for programs, shares for people."""
    from kg.passages import Kind

    def share(characters: int) -> Value:
        if format not in ("table", "md"):
            return characters
        # Rounded down: 100 % must mean every character.
        tenths = characters * 1000 // one.length if one.length else 1000
        return f"{tenths // 10}.{tenths % 10} %"

    return [
        one.document.name,
        one.length,
        share(one.accounted),
        share(one.read),
        share(one.covered_by(Kind.STATEMENT, Kind.RELAY)),
        share(one.relay_only),
        share(one.covered_by(Kind.WITHHELD)),
        share(one.covered_by(Kind.NON_STATEMENT)),
        len(one.gaps),
    ]


def _gap_rows(reading: Reading, counted: list[Coverage]) -> list[list[Value]]:
    from kg.quotation import snippet

    rows: list[list[Value]] = []
    for one in counted:
        attached = reading.texts.get(one.document.iri)
        for gap in one.gaps:
            text = snippet(attached.text[gap.start : gap.end]) if attached else None
            cover = "a relay only" if gap.relay_only else "nothing"
            rows.append([one.document.name, gap.start, gap.end, gap.end - gap.start, cover, text])
    return rows


def _draw(counted: list[Coverage]) -> None:
    """Draw each document as one line, if somebody looks at a terminal."""
    if not sys.stdout.isatty():
        return
    from rich.console import Console
    from rich.text import Text

    from kg.coverage import picture
    from kg.passages import Kind

    marks = {
        Kind.STATEMENT: ("█", "green"),
        Kind.RELAY: ("▒", "yellow"),
        Kind.WITHHELD: ("▓", "magenta"),
        Kind.NON_STATEMENT: ("░", "bright_black"),
        None: ("·", "bold red"),
    }
    console = Console()
    widest = max((len(one.document.name) for one in counted), default=0)
    for one in counted:
        bar = Text(one.document.name.ljust(widest) + " ")
        for kind in picture(one, max(console.width - widest - 2, 10)):
            bar.append(*marks[kind])
        console.print(bar, no_wrap=True)
    legend = Text()
    for kind, (mark, style) in marks.items():
        meaning = {None: "nothing", Kind.RELAY: "relay only"}.get(kind) or str(kind)
        legend.append(mark, style).append(f" {meaning}  ")
    console.print(legend)


@passages.command()
@documents_option
@click.option("--document", "name", metavar="D", help="The document; needed if there are several.")
@click.option("--nth", type=click.IntRange(min=1), help="Which occurrence, counted from 1.")
@click.option(
    "--name", "assertion", metavar="NAME", help="The assertion's short name; '-t' is added to it."
)
@click.argument("text")
@endpoint_options
@click.pass_context
def find(
    ctx: click.Context,
    folder: Path | None,
    name: str | None,
    nth: int | None,
    assertion: str | None,
    text: str,
    endpoint: Endpoint | None,
) -> None:
    """Print the Turtle of each passage that reads exactly TEXT ('-': as piped in).

    Exit code 1 if it does not occur, saying what comes nearest.

    Example: kg --dispute tests/disputes/example passages find "Bo answers"
    """
    from kg.documents import decode
    from kg.errors import NonConformanceError
    from kg.quotation import find_blocks

    reading = reading_of(ctx, folder, endpoint)
    piped = text == "-"
    if piped:
        text = decode(sys.stdin.buffer.read(), "standard input")
    try:
        blocks = find_blocks(reading, text, document=name, assertion=assertion, nth=nth)
    except NonConformanceError:
        # Most programs end what they print with a newline that is no part of the quotation.
        if not (piped and text.endswith("\n")):
            raise
        click.echo("not with its last newline; without:", err=True)
        blocks = find_blocks(
            reading, text.removesuffix("\n"), document=name, assertion=assertion, nth=nth
        )
    click.echo("\n".join(blocks), nl=False)
