"""From EDTF to bounds: the examples of the specification, and what is no date."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg import times
from kg.dispute import open_dispute
from kg.embedded import EmbeddedEngine
from kg.errors import SourceError
from kg.preparing import load
from kg.times import bounds, time_bounds


def span(text: str) -> tuple[str | None, str | None]:
    early, late = (
        end.strftime("%Y-%m-%dT%H:%M:%S").lstrip("0") if end else None for end in bounds(text)
    )
    return early, late


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2023", "2023-01-01T00:00:00", "2023-12-31T23:59:59"),
        ("2024-02", "2024-02-01T00:00:00", "2024-02-29T23:59:59"),
        ("2023-03-13", "2023-03-13T00:00:00", "2023-03-13T23:59:59"),
        # Marked dates widen by one unit of their own precision, doubly marked ones by two.
        ("2023-03-27~", "2023-03-26T00:00:00", "2023-03-28T23:59:59"),
        ("2023-03-27%", "2023-03-25T00:00:00", "2023-03-29T23:59:59"),
        ("2023-03?", "2023-02-01T00:00:00", "2023-04-30T23:59:59"),
        ("2023-12~", "2023-11-01T00:00:00", "2024-01-31T23:59:59"),
        ("2023~", "2022-01-01T00:00:00", "2024-12-31T23:59:59"),
        ("2023%", "2021-01-01T00:00:00", "2025-12-31T23:59:59"),
        ("2023-21", "2023-03-01T00:00:00", "2023-05-31T23:59:59"),
        ("202X", "2020-01-01T00:00:00", "2029-12-31T23:59:59"),
        ("2023-03-XX", "2023-03-01T00:00:00", "2023-03-31T23:59:59"),
        ("2023-03/2023-05", "2023-03-01T00:00:00", "2023-05-31T23:59:59"),
        ("2023-03-27~/2023-04", "2023-03-26T00:00:00", "2023-04-30T23:59:59"),
        ("2023-03/..", "2023-03-01T00:00:00", None),
        ("../2023", None, "2023-12-31T23:59:59"),
        ("2023-03/", "2023-03-01T00:00:00", None),
        ("[2023-03,2023-05]", "2023-03-01T00:00:00", "2023-05-31T23:59:59"),
        ("2023-03-27T10:00:00Z", "2023-03-27T10:00:00", "2023-03-27T10:00:00"),
        ("2023-03-27T10:00:00+02:00", "2023-03-27T08:00:00", "2023-03-27T08:00:00"),
        ("2023-03-27T10:00:00", "2023-03-27T10:00:00", "2023-03-27T10:00:00"),
        ("Y170000002", None, None),
        ("-0100", None, None),
        ("0001~", None, "2-12-31T23:59:59"),
        ("9999?", "9998-01-01T00:00:00", None),
    ],
)
def test_bounds(text: str, earliest: str | None, latest: str | None) -> None:
    assert span(text) == (earliest, latest)


@pytest.mark.parametrize(
    "text",
    ["", "hello", "2023-13", "2023-02-30", "2023-05/2023-04", " 2023", "27.3.2023", "1/2/2023"],
)
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        bounds(text)


@given(
    st.datetimes(datetime(2, 1, 3), datetime(9998, 12, 29)), st.sampled_from(["", "~", "?", "%"])
)
def test_a_day_lies_within_its_bounds(moment: datetime, mark: str) -> None:
    day = moment.replace(microsecond=0, tzinfo=UTC)
    for form in ("{:04}-{:02}-{:02}", "{:04}-{:02}", "{:04}"):
        early, late = bounds(form.format(day.year, day.month, day.day) + mark)
        assert early is None or early <= day
        assert late is None or late >= day


@given(st.text(max_size=12))
def test_any_text_is_a_date_or_a_value_error(text: str) -> None:
    try:
        early, late = bounds(text)
    except ValueError:
        return
    assert early is None or late is None or early <= late


def loaded(folder: Path) -> tuple[EmbeddedEngine, list[str]]:
    engine, dispute = EmbeddedEngine.memory(), open_dispute(str(folder))
    load(engine, dispute)
    return engine, sorted(
        f"{q.subject} {q.predicate} {q.object}" for q in time_bounds(engine, dispute)
    )


def test_bounds_of_a_dispute(example_dispute: Path) -> None:
    _, lines = loaded(example_dispute)
    names = [
        line.replace("https://w3id.org/counterclaim/", "")
        for line in lines
        if "/example/date-" not in line
    ]
    stamp = "^^<http://www.w3.org/2001/XMLSchema#dateTime>"
    assert names == [
        f'<example/a3> <ns#utteredEarliest> "2023-04-02T00:00:00Z"{stamp}',
        f'<example/a3> <ns#utteredLatest> "2023-04-02T23:59:59Z"{stamp}',
        f'<example/doc> <ns#publishedEarliest> "2023-04-01T00:00:00Z"{stamp}',
        f'<example/doc> <ns#publishedLatest> "2023-04-30T23:59:59Z"{stamp}',
        f'<example/p1> <ns#eventEarliest> "2023-03-19T00:00:00Z"{stamp}',
        f'<example/p1> <ns#eventLatest> "2023-03-21T23:59:59Z"{stamp}',
    ]


COMMITS = """
@prefix : <https://w3id.org/counterclaim/example/> .
@prefix kg: <https://w3id.org/counterclaim/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
:one kg:commitTime "2024-03-02T01:00:00+03:00"^^xsd:dateTime .
:two kg:commitTime "2024-03-01T23:00:00Z"^^xsd:dateTime .
:three kg:commitTime "2024-03-02T01:00:00"^^xsd:dateTime .
:bad kg:commitTime "yesterday" .
"""


def test_a_date_has_one_span_and_a_commit_its_day(example_dispute: Path) -> None:
    (example_dispute / "records").mkdir(exist_ok=True)
    (example_dispute / "records" / "git.ttl").write_text(COMMITS, encoding="utf-8")
    _, lines = loaded(example_dispute)
    kg = "https://w3id.org/counterclaim/ns#"
    here = "https://w3id.org/counterclaim/example/"
    days = [line for line in lines if f"<{kg}commitDay>" in line]
    assert [line.split()[0].removeprefix(f"<{here}") for line in days] == ["one>", "three>", "two>"]
    assert ["2024-03-02" in line for line in days] == [False, True, False]
    spans = [line for line in lines if f"<{kg}ofDate>" in line]
    dates = ("2023-03-20~", "2023-04", "2023-04-02", "2024-03-01", "2024-03-02")
    assert {line.split()[0] for line in spans} == {f"<{here}date-{date}>" for date in dates}
    assert len(spans) == len(dates)
    assert f'<{here}date-2023-04> <{kg}spanLatest> "2023-04-30T23:59:59Z"' in "\n".join(lines)


@pytest.mark.parametrize(
    ("literal", "why"),
    [
        ('"2023-13"^^edtf:EDTF', "not an EDTF date"),
        ('"2023-04-02"', "not a literal of type edtf:EDTF"),
    ],
)
def test_a_malformed_date_is_named_with_its_line(
    example_dispute: Path, literal: str, why: str
) -> None:
    file = example_dispute / "statements" / "doc.ttl"
    text = file.read_text("utf-8").replace('"2023-04-02"^^edtf:EDTF', literal)
    file.write_text(text, "utf-8")
    with pytest.raises(SourceError, match=why) as caught:
        loaded(example_dispute)
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "utteredAt" in row)
    assert (caught.value.path, caught.value.line) == (file, line)


@settings(deadline=None, max_examples=60)
@given(
    st.dates(date(1, 1, 1), date(9999, 12, 31)),
    st.sampled_from([4, 7, 10]),
    st.sampled_from(["", "~", "?", "%"]),
)
def test_plain_dates_are_read_as_the_package_reads_them(day: date, length: int, mark: str) -> None:
    text = day.isoformat()[:length] + mark
    assert times._plain(text) == times._parsed(text)


@pytest.mark.parametrize("text", ["0000", "2023-02-30", "2023-21", "2023-04-31~", "2023-1", "٢٠٢٣"])
def test_what_is_no_plain_date_is_left_to_the_package(text: str) -> None:
    assert times._plain(text) is None
