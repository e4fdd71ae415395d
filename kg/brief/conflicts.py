"""The strongest conflicts as pictures: who says what, against whom who says what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kg.brief.model import Claim, Contrast
from kg.brief.svg import Piece, Reference, line, picture, pieces, words_of, wrapped

WIDTH = 760
_BOX, _GAP, _PAD, _SIZE, _LEADING, _EDGE = 316, 128, 12, 12.0, 16, 6
_SHOWN_NAMES = 3


def conflicts(contrasts: Sequence[Contrast], reference: Reference | None = None) -> list[str]:
    """Return an SVG picture of each contrast, so that they break well between printed pages.

    ``reference`` says where a link leads within the page and what is printed for it.
    """
    found = []
    for place, contrast in enumerate(contrasts, 1):
        sides = [_laid_out(one, reference) for one in (contrast.claim, contrast.counterclaim)]
        height = max(len(who) + len(words) for who, words in sides) * _LEADING + 2 * _PAD
        # The label hangs below the arrow, which is halfway down.
        height = max(height, 2 * (16 + 14 * len(_label(contrast.label))))
        body = [
            *_box(2, _EDGE, height, *sides[0]),
            *_box(_BOX + _GAP - 2, _EDGE, height, *sides[1]),
            *_arrow(contrast.label, _EDGE + height / 2),
        ]
        title = f"The strongest conflicts, {place} of {len(contrasts)}"
        found.append(picture(WIDTH, height + 2 * _EDGE, title, body))
    return found


Lines = list[list[Piece]]


def _laid_out(claim: Claim, reference: Reference | None) -> tuple[Lines, Lines]:
    names = list(claim.who)
    more = len(names) - _SHOWN_NAMES
    if more > 0:
        names = [*names[:_SHOWN_NAMES], f"{more} more"]
    room = _BOX - 2 * _PAD
    # Bold letters are wider.
    who = wrapped(words_of(", ".join(names)), room * 0.88, _SIZE)
    return who, wrapped(pieces(claim.heading.runs, reference), room, _SIZE)


def _box(x: float, top: float, height: float, who: Lines, words: Lines) -> Iterator[str]:
    yield (
        f'<rect x="{x:.1f}" y="{top:.1f}" width="{_BOX}" height="{height:.1f}" rx="6" '
        'fill="none" stroke="currentColor" stroke-opacity="0.6"/>'
    )
    y = top + _PAD + 11
    for lines, bold in ((who, True), (words, False)):
        for one in lines:
            yield line(x + _PAD, y, one, _SIZE, bold=bold)
            y += _LEADING


def _label(label: str) -> Lines:
    return wrapped(words_of(label), _GAP - 20.0, 11)


def _arrow(label: str, y: float) -> Iterator[str]:
    left, right = _BOX + 10.0, _BOX + _GAP - 10.0
    yield f'<path d="M{left + 6:.1f} {y:.1f}H{right - 6:.1f}" stroke="currentColor"/>'
    yield f'<path d="M{left:.1f} {y:.1f}l9 -5v10z"/>'
    yield f'<path d="M{right:.1f} {y:.1f}l-9 -5v10z"/>'
    middle = (left + right) / 2
    for number, one in enumerate(_label(label)):
        yield line(middle, y + 16 + 14 * number, one, 11, anchor="middle")
