"""The pictures: no label runs over another or out of the picture, whatever it says."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.brief.conflicts import conflicts
from kg.brief.dates import days, spoken
from kg.brief.model import Claim, Contrast, Moment, Run, sentence
from kg.brief.svg import Piece, pieces, width, words_of, wrapped
from kg.brief.timeline import timeline
from tests.brief.conftest import Made

SVG = "{http://www.w3.org/2000/svg}"


def boxes(svg: str) -> list[tuple[float, float, float, float]]:
    """Where each line of text stands: left, top, right, bottom."""
    found = []
    for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        size = float(text.attrib["font-size"])
        wide = width("".join(text.itertext()), size)
        left = float(text.attrib["x"])
        left -= {"end": wide, "middle": wide / 2}.get(text.attrib.get("text-anchor", ""), 0)
        base = float(text.attrib["y"])
        found.append((left, base - 0.75 * size, left + wide, base + 0.25 * size))
    return found


def check(svg: str) -> None:
    root = ElementTree.fromstring(svg)
    whole = [float(number) for number in root.attrib["viewBox"].split()]
    found = boxes(svg)
    for one in found:
        assert one[0] >= 0, one
        assert one[1] >= 0, one
        assert one[2] <= whole[2], one
        assert one[3] <= whole[3] + 1, one
    for one, other in itertools.combinations(found, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)


def test_the_timelines_of_the_shipped_disputes(shipped_brief: Made) -> None:
    parts = timeline(shipped_brief.brief.timeline, lambda link: ("ref-x", "123"))
    assert parts
    for part in parts:
        check(part)
    marks = "".join(parts)
    assert marks.count("<circle") >= 2
    assert marks.count("<rect") >= 2


def test_the_conflicts_of_the_shipped_disputes(shipped_brief: Made) -> None:
    assert len(shipped_brief.brief.conflicts) == 5
    pictures = conflicts(shipped_brief.brief.conflicts, lambda link: ("ref-x", "123"))
    assert len(pictures) == 5
    for picture in pictures:
        check(picture)
        assert picture.count('href="#ref-x"') == 2


def test_no_conflicts_make_no_picture() -> None:
    assert conflicts(()) == []
    assert timeline(()) == []


@given(st.lists(st.tuples(st.text(max_size=200), st.sampled_from(["said", "record", "document"]))))
def test_a_timeline_of_anything(moments: list[tuple[str, str]]) -> None:
    rows = [
        Moment(f"20{place:02}", f"20{place % 100:02}-01-01", "", lane, sentence(text, ("urn:x",)))
        for place, (text, lane) in enumerate(moments)
    ]
    parts = timeline(rows, lambda link: ("a", "1"))
    for part in parts:
        check(part)
    assert bool(parts) == bool(rows)


@given(st.text(max_size=300), st.lists(st.text(max_size=80), max_size=6), st.text(max_size=40))
def test_a_conflict_of_anything(words: str, who: list[str], label: str) -> None:
    side = Claim(words, (), tuple(who))
    [picture] = conflicts([Contrast(side, side, (), label)])
    check(picture)


@given(st.text(), st.floats(30, 400))
def test_wrapping_loses_nothing_and_keeps_within_the_limit(text: str, limit: float) -> None:
    lines = wrapped(words_of(text), limit, 12)
    joined = "".join(piece.text for line in lines for piece in line)
    assert joined == "".join(piece.text for piece in words_of(text))
    for line in lines:
        wide = width(" ".join(piece.text for piece in line), 12)
        assert wide <= limit + 1e-6 or len(line) == 1 == len(line[0].text)


def test_a_sign_after_a_reference_stays_with_it() -> None:
    runs = [Run("so says Ana", ("urn:1",)), Run(", and Bo", ("urn:2",)), Run(".")]
    found = list(pieces(runs, lambda link: ("x", link[-1])))
    assert found[3:5] == [Piece("1", "x", glued=True), Piece(",", glued=True)]
    assert found[-1] == Piece(".", glued=True)


def test_pictures_take_the_colour_of_the_page(shipped_brief: Made) -> None:
    drawn = [*timeline(shipped_brief.brief.timeline), *conflicts(shipped_brief.brief.conflicts)]
    for picture in drawn:
        assert picture.startswith("<svg ")
        colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', picture))
        assert colours <= {"currentColor", "none", "white"}


@pytest.mark.parametrize(
    ("edtf", "words", "span"),
    [
        ("2024-03-03", "2024-03-03", ("2024-03-03", "2024-03-03")),
        ("2024-03", "2024-03", ("2024-03-01", "2024-03-31")),
        ("2025~", "about 2025", ("2025-01-01", "2025-12-31")),
        ("2023-03-27?", "perhaps 2023-03-27", ("2023-03-27", "2023-03-27")),
        ("2023%", "perhaps about 2023", ("2023-01-01", "2023-12-31")),
        ("2023-21", "spring 2023", ("2023-03-01", "2023-05-31")),
        ("2024-04-12/..", "from 2024-04-12", ("2024-04-12", "")),
        ("../2024", "until 2024", ("", "2024-12-31")),
        ("2024-01/2024-02", "2024-01 to 2024-02", ("2024-01-01", "2024-02-29")),
        ("no date", "no date", ("", "")),
    ],
)
def test_dates_in_words(edtf: str, words: str, span: tuple[str, str]) -> None:
    assert spoken(edtf) == words
    assert days(edtf) == span


def test_a_document_stands_at_the_end_of_its_date(made: object) -> None:
    """A page dated 'spring' may tell of April; it does not come before what it tells of."""
    assert callable(made)
    lanes = [(one.lane, one.when) for one in made("llama-mmap").brief.timeline]
    assert lanes.index(("document", "spring 2023")) > lanes.index(("record", "2023-04-13"))
    assert lanes[-1] == ("document", "about 2025")
