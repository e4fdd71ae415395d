"""Text in SVG: how wide it is, how it wraps, and how it is written so that nothing is markup.

Everything is drawn in ``currentColor``, so that a picture is dark on light and light on dark as
the page around it is, and in black where it stands alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from kg.brief.model import Run
from kg.plain_text import clean

FONT = "DejaVu Sans, Verdana, sans-serif"
# The widest of the fonts above takes this share of its size for a letter, on average; capitals,
# figures and wide characters take more.
_LETTER, _CAPITAL, _WIDE, _NARROW = 0.6, 0.74, 1.05, 0.36

# Where a link leads within the page, and what is printed for it.
Reference = Callable[[str], tuple[str, str]]


@dataclass(frozen=True)
class Piece:
    """A word, or a reference if it has a ``target`` within the page.

    ``glued`` says that no space stands before it, and no line may end there.
    """

    text: str
    target: str = ""
    glued: bool = False


def width(text: str, size: float) -> float:
    """Return about how wide a text is in a font of a size, rather too wide than too narrow."""
    return size * sum(map(_share, text))


def _share(character: str) -> float:
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in "WF" or ord(character) > 0xFFFF:
        return _WIDE
    if character in " .,:;'|!iljtfI()[]":
        return _NARROW
    return _CAPITAL if character.isupper() or character in "mwMW—…%@" else _LETTER


def pieces(runs: Iterable[Run], reference: Reference | None) -> Iterator[Piece]:
    """Yield the words of runs, and the references after each where there is a ``reference``."""
    spaced = True
    for run in runs:
        text = clean(run.text)
        for place, word in enumerate(text.split()):
            yield Piece(word, glued=not (place or spaced or text[:1].isspace()))
        spaced = text[-1:].isspace() if text else spaced
        if reference is not None:
            for place, link in enumerate(run.links):
                target, label = reference(link)
                yield Piece(label, target, glued=not (place or spaced))
                spaced = False


def wrapped(words: Iterable[Piece], limit: float, size: float) -> list[list[Piece]]:
    """Return words in lines no wider than ``limit``; a word wider than a line is cut."""
    lines: list[list[Piece]] = [[]]
    used = 0.0
    space = width(" ", size)
    for group in _groups(words):
        wide = sum(width(piece.text, size) + space * bool(piece.target) for piece in group)
        if lines[-1] and used + space + wide > limit:
            lines.append([])
            used = 0.0
        used += wide + (space if lines[-1] else 0)
        if wide <= limit:
            lines[-1] += group
            continue
        for piece in group:
            for part in _cut(piece, limit, size):
                if lines[-1]:
                    lines.append([])
                lines[-1].append(part)
        used = width(lines[-1][-1].text, size)
    return lines


def _groups(words: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Yield what must stay on one line."""
    group: list[Piece] = []
    for word in words:
        if group and not word.glued:
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _cut(word: Piece, limit: float, size: float) -> Iterator[Piece]:
    rest = word.text
    while width(rest, size) > limit and len(rest) > 1:
        end = len(rest) - 1
        while end > 1 and width(rest[:end], size) > limit:
            end -= 1
        yield Piece(rest[:end], word.target)
        rest = rest[end:]
    yield Piece(rest, word.target)


def words_of(text: str) -> list[Piece]:
    """Return the words of a plain text."""
    return list(pieces([Run(text)], None))


def line(
    x: float,
    y: float,
    words: Iterable[Piece],
    size: float,
    *,
    anchor: str = "start",
    bold: bool = False,
) -> str:
    """Return a line of text as an SVG element, its references as links within the page."""
    parts: list[str] = []
    for word in words:
        text = escape(word.text)
        if word.target:
            small = f'<tspan font-size="{size * 0.75:.4g}" fill-opacity="0.75">\u00a0{text}</tspan>'
            text = f"<a href={quoteattr('#' + word.target)}>{small}</a>"
            parts.append(text)
            continue
        parts.append(text if word.glued or not parts else f" {text}")
    weight = ' font-weight="bold"' if bold else ""
    place = f' text-anchor="{anchor}"' if anchor != "start" else ""
    words_ = "".join(parts)
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}"{weight}{place}>{words_}</text>'


def picture(width_: float, height: float, title: str, body: Iterable[str]) -> str:
    """Return an SVG picture of a size in user units, with a title for those who cannot see it."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width_:.0f} {height:.0f}" '
        f'width="{width_:.0f}" height="{height:.0f}" role="img" font-family={quoteattr(FONT)} '
        'fill="currentColor">'
    )
    return "\n".join([head, f"<title>{escape(clean(title))}</title>", *body, "</svg>"])
