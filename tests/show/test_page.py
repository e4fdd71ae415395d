from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from kg.plain_text import clean
from kg.show import Line, Page, Section, as_json, as_markdown, as_text

PAGE = Page(
    "urn:x",
    "x",
    "assertion",
    "Ana says so",
    (
        Section("First", (Line("one", "urn:one", (Line("two", data={"start": 3}),)),)),
        Section("Empty", ()),
        Section("Words", (Line("a *b*\n<c>", quoted=True),)),
    ),
)


def test_text_indents_what_hangs_below_and_leaves_out_empty_sections() -> None:
    assert as_text(PAGE, 80) == (
        "assertion x\nAna says so\n\nFirst\n  one\n    two\n\nWords\n  | a *b*\n  | <c>\n"
    )


def test_headings_can_be_styled() -> None:
    assert "[[First]]\n" in as_text(PAGE, 80, lambda text: f"[[{text}]]")


def test_long_lines_wrap_below_themselves() -> None:
    page = Page("urn:x", "x", "k", "", (Section("S", (Line("word " * 12),)),))
    lines = as_text(page, 40).splitlines()[4:]
    assert len(lines) > 1
    assert all(len(line) <= 40 for line in lines)
    assert lines[1].startswith("      word")


def test_markdown_escapes_what_would_be_markup() -> None:
    assert as_markdown(PAGE) == (
        "# assertion x\n\nAna says so\n\n## First\n\n- one\n  - two\n\n## Words\n\n\n"
        "> a \\*b\\*\n> \\<c\\>\n"
    )


def test_json_keeps_iris_and_values() -> None:
    first = json.loads(as_json(PAGE))["sections"][0]
    assert first == {
        "title": "First",
        "lines": [{"text": "one", "iri": "urn:one", "children": [{"text": "two", "start": 3}]}],
    }


@given(st.text())
def test_nothing_in_a_text_can_drive_a_terminal(text: str) -> None:
    page = Page("urn:x", text, "k", text, (Section(text, (Line(text), Line(text, quoted=True))),))
    for shown in (as_text(page, 60), clean(text)):
        assert not [c for c in shown if c != "\n" and (ord(c) < 32 or 0x7F <= ord(c) <= 0x9F)]
        assert "\u202e" not in shown
