"""Printing rows of plain values in every format that rows have."""

from __future__ import annotations

from collections.abc import Sequence

FORMATS = ("table", "csv", "tsv", "json", "xml", "md")
Value = str | int | None


def print_values(columns: Sequence[str], rows: Sequence[Sequence[Value]], format: str) -> None:
    """Print rows to standard output; numbers are aligned to the right, ``None`` is empty."""
    if format == "table":
        from kg.cli.common import print_table

        numbers = [
            column
            for index, column in enumerate(columns)
            if any(isinstance(row[index], int) for row in rows)
        ]
        cells = [["" if value is None else str(value) for value in row] for row in rows]
        print_table(columns, cells, right=numbers)
        return
    import sys

    import pyoxigraph as ox

    from kg.engine import Rows
    from kg.results import write_rows

    terms = (tuple(None if v is None else ox.Literal(v) for v in row) for row in rows)
    write_rows(Rows(columns, terms), format, sys.stdout)
