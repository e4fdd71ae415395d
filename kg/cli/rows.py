"""Printing rows of plain values in every format that rows have."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
import pyoxigraph as ox

from kg.engine import Rows
from kg.results import Written, write_rows

Value = str | int | None


def print_values(columns: Sequence[str], rows: Sequence[Sequence[Value]], format: str) -> None:
    """Print rows to standard output in one of ``kg.results.ROW_FORMATS``; ``None`` is empty."""
    terms = (tuple(None if v is None else ox.Literal(v) for v in row) for row in rows)
    warn(write_rows(Rows(columns, terms), format, sys.stdout))


def warn(written: Written) -> None:
    """Say on standard error that not everything could be written as it is, if so."""
    if written.unfit:
        sys.stdout.flush()
        click.echo(
            f"kg: XML cannot hold {written.unfit}: U+FFFD stands there. JSON can hold all of it.",
            err=True,
        )
