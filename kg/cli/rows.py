"""Printing rows of plain values in every format that rows have."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pyoxigraph as ox

from kg.engine import Rows
from kg.results import write_rows

Value = str | int | None


def print_values(columns: Sequence[str], rows: Sequence[Sequence[Value]], format: str) -> None:
    """Print rows to standard output in one of ``kg.results.ROW_FORMATS``; ``None`` is empty."""
    terms = (tuple(None if v is None else ox.Literal(v) for v in row) for row in rows)
    write_rows(Rows(columns, terms), format, sys.stdout)
