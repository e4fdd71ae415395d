"""Rows for people: a drawn table on a terminal, aligned text in a pipe, a table in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import TextIO

import pyoxigraph as ox

from kg.engine import Rows, Term
from kg.namespaces import expand, shorten
from kg.plain_text import one_line
from kg.result_syntax import plain

# Widths are settled on so many rows; what follows streams with the same widths.
_SAMPLE = 1_000
# A drawn column narrower than this breaks most words; where not even that fits, a row is drawn
# as a block of lines, one for each column.
_READABLE = 16
# Where the last column begins farther right than this, a reader is lost; then rows are blocks in a
# pipe, too. How long the last column is does not matter.
_LONGEST = 200
_NUMBERS = frozenset(expand(f"xsd:{name}") for name in ("integer", "decimal", "double", "float"))
_MARKDOWN = re.compile(r"[\\`*\[\]|]|(?<![^\W_])_|_(?![^\W_])")


def cell(term: Term | None, base: str | None) -> str:
    """Return a term as a person wants to read it, on one line and without control characters."""
    text = shorten(term.value, base) if isinstance(term, ox.NamedNode) else plain(term)
    return one_line(text)


def write_table(rows: Rows, stream: TextIO, base: str | None = None) -> None:
    """Write rows as a table, drawn if ``stream`` is a terminal; the heading comes even if alone."""
    right = _Numeric()
    lines = (right.seen(row, base) for row in rows.rows)
    sample = list(islice(lines, _SAMPLE))
    if stream.isatty():
        while True:
            _draw(rows.columns, sample, right.columns(len(rows.columns)), stream)
            sample = list(islice(lines, _SAMPLE))
            if not sample:
                return
    for line in _aligned(rows.columns, sample, lines, right.columns(len(rows.columns))):
        _write(stream, line + "\n")


class _Numeric:
    """Finds out, while rows pass, which columns hold nothing but numbers."""

    def __init__(self) -> None:
        self._numbers: set[int] = set()
        self._others: set[int] = set()

    def seen(self, row: Sequence[Term | None], base: str | None) -> list[str]:
        """Return the cells of a row."""
        for index, term in enumerate(row):
            if isinstance(term, ox.Literal) and term.datatype.value in _NUMBERS:
                self._numbers.add(index)
            elif term is not None:
                self._others.add(index)
        return [cell(term, base) for term in row]

    def columns(self, count: int) -> list[bool]:
        """Say for each column whether only numbers passed."""
        return [index in self._numbers - self._others for index in range(count)]


def _aligned(
    columns: Sequence[str], sample: list[list[str]], rest: Iterator[list[str]], right: list[bool]
) -> Iterator[str]:
    from rich.cells import cell_len  # knows that some characters are two columns wide

    widths = [max(map(cell_len, cells)) for cells in zip(columns, *sample, strict=True)]
    if sample and sum(widths[:-1]) + 2 * (len(widths) - 1) > _LONGEST:
        yield from _blocks(columns, chain(sample, rest))
        return
    for row in chain([columns], sample, rest):
        padded = []
        for text, width, to_right in zip(row, widths, right, strict=True):
            space = " " * (width - cell_len(text))
            padded.append(space + text if to_right else text + space)
        yield "  ".join(padded).rstrip()


def _blocks(columns: Sequence[str], rows: Iterator[list[str]]) -> Iterator[str]:
    """Yield a block of lines for each row, one for each column that holds something."""
    width = max(map(len, columns))
    for number, row in enumerate(rows):
        if number:
            yield ""
        for name, text in zip(columns, row, strict=True):
            if text:
                yield f"{name.ljust(width)}  {text}"


def _draw(
    columns: Sequence[str], sample: list[list[str]], right: list[bool], stream: TextIO
) -> None:
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=stream)
    widths = [max(map(cell_len, cells)) for cells in zip(columns, *sample, strict=True)]
    if sum(min(width, _READABLE) + 3 for width in widths) > console.width:
        _draw_records(columns, sample, console)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name, width, to_right in zip(columns, widths, right, strict=True):
        table.add_column(
            name,
            justify="right" if to_right else "left",
            overflow="fold",
            min_width=min(width, _READABLE),
        )
    for row in sample:
        # As text, so that square brackets in a gloss are not taken for markup.
        table.add_row(*map(Text, row))
    console.print(table)


def _draw_records(columns: Sequence[str], sample: list[list[str]], console: object) -> None:
    from rich.console import Console
    from rich.rule import Rule
    from rich.table import Table
    from rich.text import Text

    assert isinstance(console, Console)
    for row in sample:
        record = Table.grid(padding=(0, 2))
        record.add_column(style="bold", no_wrap=True)
        record.add_column(overflow="fold")
        for name, text in zip(columns, row, strict=True):
            if text:
                record.add_row(name, Text(text))
        console.print(Rule(style="dim"))
        console.print(record)


def write_markdown(rows: Rows, stream: TextIO, base: str | None = None) -> None:
    """Write rows as a table of GitHub-flavoured Markdown, whatever its signs mean escaped."""
    _write(stream, f"| {' | '.join(map(_escaped, rows.columns))} |\n")
    _write(stream, f"|{' --- |' * len(rows.columns)}\n")
    for row in rows.rows:
        _write(stream, f"| {' | '.join(_escaped(cell(term, base)) for term in row)} |\n")


def _escaped(text: str) -> str:
    text = _MARKDOWN.sub(lambda sign: "\\" + sign.group(), text)
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _write(stream: TextIO, text: str) -> None:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    # A letter that a terminal lacks must not end the table.
    stream.write(text.encode(encoding, "replace").decode(encoding))
