"""A page about one thing, as sections of lines; and the same page as text, Markdown and JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from kg.plain_text import clean


@dataclass(frozen=True)
class Line:
    """One thing to say, with what hangs below it.

    ``iri`` is what the line is about; ``data`` holds values for programs (JSON only); ``quoted``
    marks words of a document, which are shown as they stand.
    """

    text: str
    iri: str | None = None
    children: tuple[Line, ...] = ()
    data: Mapping[str, str | int] = field(default_factory=dict)
    quoted: bool = False


# What the line for the rest of a list tells whoever types a command.
TO_SHOW_ALL = " (--limit 0 shows all)"


def left_out(count: int) -> tuple[Line, ...]:
    """Return the line that says how many more a list has than it shows, if it has."""
    return (Line(f"... and {count} more{TO_SHOW_ALL}"),) if count else ()


@dataclass(frozen=True)
class Section:
    """A heading and its lines; a section without lines is not printed."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Page:
    """What there is to know about one thing: ``kind`` and ``name`` head it, ``lead`` sums it up."""

    iri: str
    name: str
    kind: str
    lead: str
    sections: tuple[Section, ...]


def as_text(page: Page, width: int, head: Callable[[str], str] = str) -> str:
    """Return the page for a terminal ``width`` columns wide; ``head`` styles a heading."""
    blocks = [head(clean(f"{page.kind} {page.name}")), *_wrap(page.lead, width, "", "")]
    for section in page.sections:
        if section.lines:
            blocks += ["", head(clean(section.title))]
            for line in section.lines:
                blocks += _text_lines(line, width, "  ")
    return "\n".join(blocks) + "\n"


def _text_lines(line: Line, width: int, indent: str) -> Iterator[str]:
    if line.quoted:
        for piece in line.text.split("\n"):
            yield from _wrap(piece, width, indent + "| ", indent + "| ")
    else:
        yield from _wrap(line.text, width, indent, indent + "    ")
    for child in line.children:
        yield from _text_lines(child, width, indent + "  ")


def _wrap(text: str, width: int, first: str, rest: str) -> list[str]:
    wrapped = textwrap.wrap(
        clean(text),
        # However deep the tree, keep a column one can read.
        max(width, len(rest) + 30),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapped or [first.rstrip()]


def as_markdown(page: Page) -> str:
    """Return the page as Markdown."""
    blocks = [f"# {_escape(f'{page.kind} {page.name}')}", "", _escape(page.lead)]
    for section in page.sections:
        if section.lines:
            blocks += ["", f"## {_escape(section.title)}", ""]
            for line in section.lines:
                blocks += _markdown_lines(line, "")
    return "\n".join(blocks) + "\n"


def _markdown_lines(line: Line, indent: str) -> Iterator[str]:
    if line.quoted:
        yield ""
        for piece in line.text.split("\n"):
            yield f"{indent}> {_escape(piece)}"
    else:
        yield f"{indent}- {_escape(line.text)}"
    for child in line.children:
        yield from _markdown_lines(child, indent + "  ")


def _escape(text: str) -> str:
    marked = "".join("\\" + c if c in "\\`*_[]<>#|" else c for c in clean(text))
    return marked.replace("\n", " ")


def as_json(page: Page) -> str:
    """Return the page as JSON: iri, name, kind, lead, sections of lines with their children."""
    document = {
        "iri": page.iri,
        "name": page.name,
        "kind": page.kind,
        "lead": page.lead,
        "sections": [
            {"title": section.title, "lines": [_json_line(line) for line in section.lines]}
            for section in page.sections
            if section.lines
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _json_line(line: Line) -> dict[str, object]:
    entry: dict[str, object] = {"text": line.text}
    if line.iri:
        entry["iri"] = line.iri
    if line.quoted:
        entry["quoted"] = True
    entry.update(line.data)
    if line.children:
        entry["children"] = [_json_line(child) for child in line.children]
    return entry
