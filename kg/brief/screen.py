"""The report of a dispute as text for one screen, and as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence

from kg.brief.markdown import escape
from kg.brief.summary import Conflict, Summary
from kg.plain_text import clean

_SCREEN, _MOST_SIDES = 40, 12
_COLUMNS = (
    "side",
    "statements",
    "of them hearsay",
    "said of it, answered",
    "said of it, unanswered",
)
_HOW = (
    "side of X: X and whoever the encoders count there, unverified voices too; X need neither know "
    "nor back them. hearsay: reaches the reader only as somebody reports it. said of it: what the "
    "other side says of this one, by whether any statement of this one speaks to it."
)


def as_text(report: Summary, width: int, head: Callable[[str], str] = str) -> str:
    """Return the report for a terminal: at 100 columns no more than 40 lines.

    ``head`` styles a heading.
    """
    lines = [head(clean(report.title)), *_counts(report), ""]
    rows = [_COLUMNS, *_rows(report)]
    more = len(rows) - 1 - _MOST_SIDES
    rows = rows[: _MOST_SIDES + 1]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for place, row in enumerate(rows):
        first = row[0].ljust(widths[0])
        rest = (cell.rjust(size) for cell, size in zip(row[1:], widths[1:], strict=True))
        line = clean("  ".join([first, *rest])).rstrip()
        lines.append(line if place else head(line))
    if more > 0:
        lines.append(f"and {more} more sides (--format json)")
    lines += textwrap.wrap(_HOW, width)
    if report.conflicts:
        lines += ["", head("The strongest conflicts")]
        room = (_SCREEN - len(lines)) // (2 * len(report.conflicts))
        for conflict in report.conflicts:
            lines += _conflict(conflict, width, max(room, 1))
    return "\n".join(lines) + "\n"


def as_markdown(report: Summary) -> str:
    """Return the report as Markdown."""
    lines = [f"# {escape(report.title)}", "", "| | |", "| --- | ---: |"]
    lines += [f"| {escape(name)} | {count:,} |" for name, count in report.counts.items()]
    lines += ["", f"| {' | '.join(_COLUMNS)} |", "| --- | ---: | ---: | ---: | ---: |"]
    lines += [f"| {' | '.join(map(escape, row))} |" for row in _rows(report)]
    lines += ["", f"*{escape(_HOW)}*"]
    if report.conflicts:
        lines += ["", "## The strongest conflicts", ""]
    for one in report.conflicts:
        lines.append(f"- {escape(_side(one.who, one.claim, one.statements))}")
        against = _side(one.counter_who, one.counterclaim, one.against)
        lines.append(f"  - {escape(f'against ({one.rule}): {against}')}")
    return "\n".join(lines) + "\n"


def _counts(report: Summary) -> Iterator[str]:
    """Yield the counts in two columns."""
    cells = [f"{count:>6,}  {name}" for name, count in report.counts.items()]
    half = (len(cells) + 1) // 2
    for left, right in zip(cells[:half], [*cells[half:], ""], strict=False):
        yield f"{left:<40}{right}".rstrip()


def _rows(report: Summary) -> list[tuple[str, ...]]:
    return [
        (
            f"side of {one.name}" if one.side else one.name,
            f"{one.statements:,}",
            f"{one.hearsay:,}",
            "" if one.answered is None else f"{one.answered:,}",
            "" if one.unanswered is None else f"{one.unanswered:,}",
        )
        for one in report.balance
    ]


def _conflict(conflict: Conflict, width: int, most: int) -> Iterator[str]:
    """Yield a conflict, each side of it on no more than ``most`` lines."""
    claim = _side(conflict.who, conflict.claim, conflict.statements)
    against = _side(conflict.counter_who, conflict.counterclaim, conflict.against)
    for lead, text in (("- ", claim), (f"  against ({conflict.rule}): ", against)):
        yield from textwrap.wrap(
            clean(text),
            width,
            initial_indent=lead,
            subsequent_indent="    ",
            max_lines=most,
            placeholder=" ...",
            break_on_hyphens=False,
        )


def _side(who: Sequence[str], words: str, statements: Sequence[str]) -> str:
    """Return one side of a conflict, the first of its voices and statements by name."""
    voices = who[0] if len(who) == 1 else f"{who[0]} and {len(who) - 1} more"
    return f"[{statements[0]}] {voices}: {words}"
