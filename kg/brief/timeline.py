"""The timeline as a picture: a line for each moment, from the top down, with the gaps between.

Rows do not lie at the scale of time, since a busy week beside a silent year could not be read:
each takes the room its words need, and a gap of more than six weeks is written on the line. What
is of which kind is told by the shape of its mark: a ring for what is said, a square for entries
of a record, a diamond for documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from kg.brief.model import Moment
from kg.brief.svg import Reference, line, picture, pieces, words_of, wrapped

WIDTH = 760
_AXIS, _TEXT, _SIZE, _LEADING, _ROW = 158, 178, 12.0, 16, 10
_TOP = 40
_TALLEST = 420  # no picture is taller, so that they break well between printed pages
_GAP_DAYS = 42
_LEGEND = (("said", "said to have happened"), ("record", "in a record"), ("document", "document"))


def timeline(moments: Sequence[Moment], reference: Reference | None = None) -> list[str]:
    """Return SVG pictures of the moments, in order, each short enough for a page.

    ``reference`` says where a link leads within the page and what is printed for it.
    """
    rows: list[list[_Row]] = [[]]
    height = float(_TOP)
    last = ""
    for moment in moments:
        start = moment.end if moment.lane == "document" else moment.start
        row = _Row(moment, _gap(last, start), reference)
        if rows[-1] and height + row.height > _TALLEST:
            rows.append([])
            height = _TOP
        rows[-1].append(row)
        height += row.height
        last = max(last, moment.end or moment.start)
    return [_drawn(part, page, len(rows)) for page, part in enumerate(rows, 1) if part]


class _Row:
    """A moment laid out: its lines, its date, and how tall it is."""

    def __init__(self, moment: Moment, gap: str, reference: Reference | None) -> None:
        self.moment = moment
        self.gap = gap
        words = pieces(moment.what.runs, reference)
        self.lines = wrapped(words, WIDTH - _TEXT - 12, _SIZE)
        self.dates = wrapped(words_of(moment.when), _AXIS - 34, _SIZE)
        self.room = 22.0 if gap else 0.0
        self.height = self.room + max(len(self.lines), len(self.dates)) * _LEADING + _ROW


def _drawn(rows: Sequence[_Row], page: int, pages: int) -> str:
    body = list(_legend()) if page == 1 else []
    top = float(_TOP) if page == 1 else 4.0
    for place, row in enumerate(rows):
        last = page == pages and place == len(rows) - 1
        end = top + row.room + 8 if last else top + row.height
        body += _axis(row, top, end)
        body += _marked(row, top + row.room)
        top += row.height
    title = "Timeline" if pages == 1 else f"Timeline, part {page} of {pages}"
    return picture(WIDTH, top, title, body)


def _axis(row: _Row, top: float, end: float) -> Iterator[str]:
    start = top - 4
    if row.gap:
        yield (
            f'<path d="M{_AXIS} {start:.1f}V{top + 16:.1f}" stroke="currentColor" '
            'stroke-dasharray="2 4"/>'
        )
        yield (
            f'<g fill-opacity="0.75" font-style="italic">'
            f"{line(_TEXT, top + 8, words_of(row.gap), 11)}</g>"
        )
        start = top + 16
    yield f'<path d="M{_AXIS} {start:.1f}V{end:.1f}" stroke="currentColor" stroke-opacity="0.5"/>'


def _marked(row: _Row, top: float) -> Iterator[str]:
    yield _mark(row.moment.lane, _AXIS, top + 8)
    for number, words in enumerate(row.dates):
        yield line(_AXIS - 16, top + 12 + number * _LEADING, words, _SIZE, anchor="end", bold=True)
    for number, words in enumerate(row.lines):
        yield line(_TEXT, top + 12 + number * _LEADING, words, _SIZE)


def _mark(lane: str, x: float, y: float) -> str:
    if lane == "record":
        return f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10"/>'
    if lane == "document":
        return f'<path d="M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7z"/>'
    # Two circles, so that the axis does not show through the ring whatever lies behind it.
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="hole" fill="white"/>'
    )


def _legend() -> Iterator[str]:
    x = float(_TEXT)
    for lane, words in _LEGEND:
        yield _mark(lane, x + 6, 14)
        yield line(x + 20, 18, words_of(words), 11)
        x += 40 + 7 * len(words)


def _gap(before: str, after: str) -> str:
    """Return how much later one day is than another, in words, if that is worth saying."""
    try:
        days = (date.fromisoformat(after) - date.fromisoformat(before)).days
    except ValueError:  # the first of all, or a year beyond what a date can hold
        return ""
    if days <= _GAP_DAYS:
        return ""
    months = round(days / 30.44)
    years = round(days / 365.25)
    months_in_words = 23
    return f"{years} years later" if months > months_in_words else f"{months} months later"
