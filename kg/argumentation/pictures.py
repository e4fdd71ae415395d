"""Pictures of a framework: Mermaid, DOT, and SVG without any program to draw it.

What neither attacks nor is attacked is left out of a picture, and a caption says how many that
are. Labels are told by word and by line, not by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from kg.argumentation.framework import Framework
from kg.argumentation.grounded import WORDS

_DASHES = ("1 4", "", "7 4")  # by label: undecided dotted, accepted drawn through, rejected dashed
_STYLES = ("dotted", "solid", "dashed")
_BOX, _GAP, _LETTER, _HEIGHT = 24, 40, 7.2, 26  # in user units; a letter of the font used


def _drawn(framework: Framework) -> list[int]:
    return [
        argument
        for argument in range(len(framework))
        if framework.targets(argument) or framework.attackers(argument)
    ]


def _caption(framework: Framework, drawn: Sequence[int]) -> str:
    alone = len(framework) - len(drawn)
    return f"{alone} more arguments neither attack nor are attacked" if alone else ""


def to_mermaid(framework: Framework, labels: Sequence[int]) -> Iterator[str]:
    """Yield the lines of a Mermaid flow chart; ``labels`` are those of the grounded position."""
    drawn = _drawn(framework)
    yield "flowchart LR"
    if caption := _caption(framework, drawn):
        yield f"  %% {caption}"
    for argument in drawn:
        name = framework.names[argument].replace("&", "#amp;").replace('"', "#quot;")
        name = name.replace("<", "#lt;").replace(">", "#gt;")
        word = WORDS[labels[argument]]
        yield f'  n{argument}["{name}<br/>{word}"]:::{word}'
    for source, target in framework.attacks():
        yield f"  n{source} --> n{target}"
    yield "  classDef accepted stroke-width:3px"
    yield "  classDef rejected stroke-dasharray:7 4"
    yield "  classDef undecided stroke-dasharray:1 4"


def to_dot(framework: Framework, labels: Sequence[int]) -> Iterator[str]:
    """Yield the lines of a graph in the DOT language of Graphviz."""
    drawn = _drawn(framework)
    yield "digraph positions {"
    if caption := _caption(framework, drawn):
        yield f'  label="{caption}";'
    yield '  node [shape=box, fontname="sans-serif"];'
    for argument in drawn:
        name = framework.names[argument].replace("\\", "\\\\").replace('"', '\\"')
        label = labels[argument]
        yield f'  n{argument} [label="{name}\\n{WORDS[label]}", style={_STYLES[label]}];'
    for source, target in framework.attacks():
        yield f"  n{source} -> n{target};"
    yield "}"


def to_svg(framework: Framework, labels: Sequence[int]) -> Iterator[str]:
    """Yield the lines of an SVG picture, the same for the same framework.

    Each part that no attack joins to another is a ring, and the rings stand in rows.
    """
    drawn = _drawn(framework)
    places, width, height = _layout(framework, framework.components(drawn))
    caption = _caption(framework, drawn)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" font-family="sans-serif" '
        'font-size="12">'
    )
    yield f"<title>{len(drawn)} arguments and {framework.attack_count} attacks</title>"
    yield (
        '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z"/></marker></defs>'
    )
    yield f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>'
    for source, target in framework.attacks():
        if source == target:
            x, y = places[source]
            top = y - _HEIGHT / 2
            path = f"M{x - 8:.1f} {top:.1f}c-10 -26 26 -26 16 0"
        elif source > target and source in framework.targets(target):
            continue  # one line with two heads stands for both
        else:
            path = _line(framework, places, source, target)
        both = source != target and source in framework.targets(target)
        start = ' marker-start="url(#head)"' if both else ""
        yield f'<path d="{path}" fill="none" stroke="#444"{start} marker-end="url(#head)"/>'
    for argument in drawn:
        yield from _box(framework.names[argument], places[argument], labels[argument])
    if caption:
        yield f'<text x="{_BOX}" y="{height - 8:.0f}" fill="#444">{escape(caption)}</text>'
    yield "</svg>"


def _size(name: str) -> float:
    return max(len(name), len("undecided")) * _LETTER + 14


def _box(name: str, place: tuple[float, float], label: int) -> Iterator[str]:
    x, y = place
    width = _size(name)
    thick = 2.5 if WORDS[label] == "accepted" else 1.2
    dash = f" stroke-dasharray={quoteattr(_DASHES[label])}" if _DASHES[label] else ""
    yield f"<g><title>{escape(name)}: {WORDS[label]}</title>"
    yield (
        f'<rect x="{x - width / 2:.1f}" y="{y - _HEIGHT / 2:.1f}" width="{width:.1f}" '
        f'height="{_HEIGHT}" rx="4" fill="white" stroke="black" stroke-width="{thick}"{dash}/>'
    )
    yield f'<text x="{x:.1f}" y="{y - 1:.1f}" text-anchor="middle">{escape(name)}</text>'
    yield (
        f'<text x="{x:.1f}" y="{y + 10:.1f}" text-anchor="middle" font-size="9" '
        f'fill="#444">{WORDS[label]}</text></g>'
    )


def _line(
    framework: Framework, places: dict[int, tuple[float, float]], source: int, target: int
) -> str:
    """Return a straight path from the edge of one box to the edge of another."""
    (x1, y1), (x2, y2) = places[source], places[target]
    dx, dy = x2 - x1, y2 - y1
    ends = []
    for argument, sign in ((source, 1), (target, -1)):
        half = _size(framework.names[argument]) / 2
        reach = min(
            half / abs(dx) if dx else math.inf,
            _HEIGHT / 2 / abs(dy) if dy else math.inf,
        )
        x, y = places[argument]
        ends.append((x + sign * dx * reach, y + sign * dy * reach))
    return f"M{ends[0][0]:.1f} {ends[0][1]:.1f}L{ends[1][0]:.1f} {ends[1][1]:.1f}"


def _layout(
    framework: Framework, parts: list[list[int]]
) -> tuple[dict[int, tuple[float, float]], float, float]:
    """Place each part in a ring, and the rings in rows about as wide as high."""
    rings = []
    for part in parts:
        ring = _ring(framework, part)
        box = max(_size(framework.names[argument]) for argument in part)
        width = 2 * max(abs(x) for x, _ in ring) + box + _GAP
        height = 2 * max(abs(y) for _, y in ring) + _HEIGHT + 2 * _GAP
        rings.append((part, ring, width, height))
    area = sum(width * height for *_, width, height in rings)
    row_width = max([math.sqrt(area) * 1.3, *(width for *_, width, _ in rings)], default=0.0)
    places: dict[int, tuple[float, float]] = {}
    left, top, row_height, widest = 0.0, 0.0, 0.0, 0.0
    for part, ring, width, height in rings:
        if left and left + width > row_width:
            left, top, row_height = 0.0, top + row_height, 0.0
        for argument, (x, y) in zip(part, ring, strict=True):
            places[argument] = (left + width / 2 + x, top + height / 2 + y)
        left, row_height = left + width, max(row_height, height)
        widest = max(widest, left)
    return places, max(widest, 420.0), top + row_height + 2 * _BOX


def _ring(framework: Framework, part: list[int]) -> list[tuple[float, float]]:
    """Return places about the origin: down the left of a ring and up its right, without overlap.

    Even steps down, rather than even angles, keep boxes apart that are much wider than high.
    """
    if len(part) == 1:
        return [(0.0, 0.0)]
    rows = math.ceil(len(part) / 2)
    step = _HEIGHT + 18
    box = max(_size(framework.names[argument]) for argument in part)
    places = []
    for place in range(len(part)):
        on_left = place < rows
        row = place if on_left else len(part) - 1 - place
        y = (row - (rows - 1) / 2) * step
        bulge = rows * step / 4 * math.sqrt(max(0.0, 1 - (2 * y / (rows * step)) ** 2))
        x = (box + _GAP) / 2 + bulge
        places.append((-x if on_left else x, y))
    return places
