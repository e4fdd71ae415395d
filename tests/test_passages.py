from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kg.dispute import read_dispute
from kg.documents import AttachedText, Document, decode
from kg.passages import Checked, Fit, Kind, Passage, check, digest
from kg.quotation import occurrences
from kg.reading import Reading

# What makes counting go wrong: beyond the basic plane, combining, invisible, every line ending.
AWKWARD = st.sampled_from(
    [
        "a",
        "b",
        " ",
        "\n",
        "\r\n",
        "\r",
        "\ufeff",
        "\u0301",
        "é",
        "e\u0301",
        "😀",
        "\U00010400",
        "\u200d",
        "\x00",
    ]
)
TEXTS = st.lists(AWKWARD | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).map(
    "".join
)

DOCUMENT = "https://example.org/doc"


def attached(text: str) -> dict[str, AttachedText]:
    sha256 = digest(text, 0, len(text))
    return {DOCUMENT: AttachedText(Path("doc.txt"), text, sha256, intact=True)}


def described(text: str) -> Document:
    return Document(DOCUMENT, "doc", "Doc", len(text), digest(text, 0, len(text)))


def passage(text: str, start: int, end: int) -> Passage:
    sha256 = digest(text, start, end)
    return Passage("urn:p", DOCUMENT, start, end, sha256, "urn:a", Kind.STATEMENT)


def verdict(text: str, one: Passage, **options: int) -> Checked:
    (only,) = check([described(text)], [one], attached(text), **options)
    return only


def test_a_digest_is_the_sha256_of_the_utf8_of_code_points() -> None:
    # Of the bytes f0 9f 98 80 ("😀"), by coreutils' sha256sum.
    assert (
        digest("a😀b", 1, 2) == "f0443a342c5ef54783a111b51ba56c938e474c32324d90c3a60c9c8e3a37e2d9"
    )


def test_reading_touches_no_newline_and_no_mark() -> None:
    raw = b"\xef\xbb\xbfone\r\ntwo\rthree\n"
    assert decode(raw, Path("x")) == "\ufeffone\r\ntwo\rthree\n"


@given(TEXTS, st.data())
def test_what_is_found_always_fits(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    # Through bytes, as an attached file goes.
    read = decode(text.encode("utf-8"), Path("x"))
    found = occurrences(read, text[start:end])
    assert start in found
    for at in found:
        assert verdict(read, passage(read, at, at + end - start)).fit is Fit.OK


@given(TEXTS, st.data())
def test_any_change_of_one_character_is_caught(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    at = data.draw(st.integers(start, end - 1))
    other = data.draw(st.characters(exclude_categories=["Cs"]))
    assume(other != text[at])
    changed = text[:at] + other + text[at + 1 :]
    (whole, one) = check([described(text)], [passage(text, start, end)], attached(changed))
    assert whole.fit is Fit.OTHER_TEXT
    assert one.fit is Fit.MISMATCH


def test_a_lost_passage_is_reported_where_it_went_but_stays_an_error() -> None:
    text = "one two three"
    moved = "zero " + text
    one = verdict(moved, passage(text, 4, 7))
    assert one.fit is Fit.MISMATCH
    assert one.note == "text with this digest stands at 9-12"


def test_where_nothing_has_the_digest_that_is_said() -> None:
    one = verdict("one two three", replace(passage("xxx", 0, 3), start=4, end=7))
    assert (one.fit, one.note) == (Fit.MISMATCH, "no text of this length has this digest")


def test_a_passage_past_the_end_says_how_long_the_text_is() -> None:
    one = verdict("short", replace(passage("x", 0, 1), start=3, end=9))
    assert one.fit is Fit.PAST_THE_END
    assert "5 characters" in one.note


@pytest.mark.parametrize(("start", "end"), [(2, 2), (3, 1), (-1, 2)])
def test_an_empty_reversed_or_negative_range_never_fits(start: int, end: int) -> None:
    one = verdict("short", replace(passage("short", 0, 5), start=start, end=end))
    assert one.fit is Fit.MISMATCH


def test_the_search_for_lost_passages_stops_at_its_budget() -> None:
    lost = replace(passage("y" * 10, 0, 10), start=5, end=15)
    one = verdict("x" * 5000, lost, search_budget=1000)
    assert one.note == "not looked for elsewhere: too many do not match"


def test_without_its_text_a_document_and_its_passages_are_not_judged() -> None:
    verdicts = check([described("text")], [passage("text", 0, 2)], {})
    assert [one.fit for one in verdicts] == [Fit.NOT_ATTACHED, Fit.NOT_ATTACHED]


def test_another_length_or_digest_of_the_document_is_its_own_finding() -> None:
    document = replace(described("text"), length=7, sha256=None)
    (one,) = check([document], [], attached("text"))
    assert one.fit is Fit.OTHER_TEXT
    assert "4 characters, not 7" in one.note
    assert "no digest" in one.note


def test_owners_of_one_passage_share_its_verdict() -> None:
    first = passage("text", 0, 2)
    second = replace(first, owner="urn:b", kind=Kind.RELAY)
    (one,) = check([described("text")], [first, second], attached("text"))
    assert one.owners == ("urn:a", "urn:b")


def test_passages_are_read_in_order_with_their_kind(example_dispute: Path) -> None:
    dispute = read_dispute(example_dispute)
    read = [
        (one.iri.removeprefix(dispute.base), one.start, one.end, one.kind)
        for one in Reading(dispute).passages
    ]
    assert read == [
        ("t1", 0, 41, Kind.RELAY),
        ("t0", 0, 68, Kind.RELAY),
        ("t2", 9, 40, Kind.STATEMENT),
        ("t3", 42, 68, Kind.STATEMENT),
    ]


def test_the_example_fits_its_text(example_dispute: Path) -> None:
    reading = Reading(read_dispute(example_dispute))
    verdicts = check(reading.documents, reading.passages, reading.texts)
    assert len(verdicts) == 4
    assert {one.fit for one in verdicts} == {Fit.OK}


def test_withheld_and_non_statements_are_passages_too(example_dispute: Path) -> None:
    with (example_dispute / "statements" / "doc.ttl").open("a", encoding="utf-8") as stream:
        stream.write(
            """
:w1 a kg:Withheld ; oa:hasTarget :w1-t .
:w1-t oa:hasSource :doc ; kg:sha256 "ab" ; oa:hasSelector [ oa:start 0 ; oa:end 3 ] .
:x1 a kg:NonStatement ; oa:hasTarget :x1-t .
:x1-t oa:hasSource :doc ; kg:sha256 "ab" ; oa:hasSelector [ oa:start 3 ; oa:end "x" ] .
:x2 a kg:NonStatement ; oa:hasTarget :x2-t .
:x2-t oa:hasSource :doc ; oa:hasSelector [ oa:start 3 ; oa:end 4 ] .
"""
        )
    kinds = {one.owner[-2:]: one.kind for one in Reading(read_dispute(example_dispute)).passages}
    assert kinds["w1"] is Kind.WITHHELD
    assert kinds["x2"] is Kind.NON_STATEMENT
    assert "x1" not in kinds  # its end is no number; the shapes report that
