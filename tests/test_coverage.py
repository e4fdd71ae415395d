from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.coverage import Coverage, Gap, coverage, picture
from kg.documents import Document
from kg.errors import PassageError
from kg.passages import Kind, Passage


def covered(length: int, *spans: tuple[int, int, Kind]) -> Coverage:
    passages = [
        Passage(f"urn:p{n}", "urn:d", start, end, "", f"urn:a{n}", kind)
        for n, (start, end, kind) in enumerate(spans)
    ]
    (one,) = coverage([Document("urn:d", "d", "D", length, None)], passages)
    return one


def test_counts_each_kind_and_every_gap() -> None:
    one = covered(
        20,
        (2, 10, Kind.RELAY),
        (4, 6, Kind.STATEMENT),
        (5, 8, Kind.WITHHELD),
        (12, 13, Kind.NON_STATEMENT),
    )
    assert one.accounted == 9
    assert one.read == 5
    assert one.relay_only == 4
    assert one.covered_by(Kind.WITHHELD) == 3
    assert one.gaps == [
        Gap(0, 2, relay_only=False),
        Gap(2, 4, relay_only=True),
        Gap(8, 10, relay_only=True),
        Gap(10, 12, relay_only=False),
        Gap(13, 20, relay_only=False),
    ]


def test_a_relay_accounts_for_a_block_without_showing_that_it_was_read() -> None:
    one = covered(5, (0, 5, Kind.RELAY))
    assert (one.accounted, one.read) == (5, 0)
    assert one.gaps == [Gap(0, 5, relay_only=True)]


def test_a_relay_inside_a_relay_reads_nothing_either() -> None:
    assert covered(5, (0, 5, Kind.RELAY), (1, 3, Kind.RELAY)).gaps == [Gap(0, 5, relay_only=True)]


def test_passages_beyond_the_document_or_reversed_count_for_nothing() -> None:
    one = covered(5, (3, 9, Kind.STATEMENT), (4, 2, Kind.STATEMENT), (7, 8, Kind.STATEMENT))
    assert one.accounted == 2


def test_an_empty_document_has_no_gap() -> None:
    assert covered(0).gaps == []


def test_a_document_of_unknown_length_is_an_error() -> None:
    with pytest.raises(PassageError, match="length of 'd'"):
        coverage([Document("urn:d", "d", "D", None, None)], [])


@given(
    st.integers(0, 30),
    st.lists(
        st.tuples(st.integers(-2, 35), st.integers(-2, 35), st.sampled_from(Kind)), max_size=8
    ),
)
def test_agrees_with_counting_character_by_character(
    length: int, spans: list[tuple[int, int, Kind]]
) -> None:
    one = covered(length, *spans)
    kinds = [{kind for a, b, kind in spans if a <= at < b} for at in range(length)]
    assert one.accounted == sum(bool(found) for found in kinds)
    assert one.read == sum(bool(found - {Kind.RELAY}) for found in kinds)
    in_gaps = [at for gap in one.gaps for at in range(gap.start, gap.end)]
    assert in_gaps == [at for at in range(length) if kinds[at] <= {Kind.RELAY}]
    assert all(a[2] != b[2] for a, b in zip(one.runs, one.runs[1:], strict=False))


def test_the_smallest_gap_shows_in_the_picture() -> None:
    one = covered(1000, (0, 500, Kind.STATEMENT), (501, 1000, Kind.WITHHELD))
    drawn = picture(one, 10)
    assert drawn == [Kind.STATEMENT] * 5 + [None] + [Kind.WITHHELD] * 4


def test_a_short_document_is_drawn_a_cell_a_character() -> None:
    drawn = picture(covered(3, (0, 1, Kind.RELAY), (1, 2, Kind.NON_STATEMENT)), 40)
    assert drawn == [Kind.RELAY, Kind.NON_STATEMENT, None]
