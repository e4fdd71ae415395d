"""From an Extended Date/Time Format literal to the span of time it can mean.

Format: https://www.loc.gov/standards/datetime/ (levels 0 to 2, as ISO 8601-2:2019). The package
``edtf`` parses it; what is added here is the time of day, and how far *approximate* reaches.
"""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from time import struct_time
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox

from kg.dispute import Dispute
from kg.engine import Engine, Rows, Triples
from kg.errors import SourceError
from kg.namespaces import expand

EDTF = ox.NamedNode(expand("edtf:EDTF"))
DATE_TIME = ox.NamedNode(expand("xsd:dateTime"))

# property with an EDTF literal -> properties for its bounds
BOUNDED = {
    expand("kg:utteredAt"): (expand("kg:utteredEarliest"), expand("kg:utteredLatest")),
    expand("kg:eventTime"): (expand("kg:eventEarliest"), expand("kg:eventLatest")),
    expand("kg:published"): (expand("kg:publishedEarliest"), expand("kg:publishedLatest")),
}

COMMIT_TIME = expand("kg:commitTime")
# The properties whose values the spans and the bounds are made of.
DATED = (*BOUNDED, COMMIT_TIME)
COMMIT_DAY, OF_DATE, SPAN_EARLIEST, SPAN_LATEST = (
    ox.NamedNode(expand(f"kg:{name}"))
    for name in ("commitDay", "ofDate", "spanEarliest", "spanLatest")
)
# What is derived from them and a source may not state.
MADE = frozenset(
    {
        *(name for pair in BOUNDED.values() for name in pair),
        *(node.value for node in (COMMIT_DAY, OF_DATE, SPAN_EARLIEST, SPAN_LATEST)),
    }
)
_SPAN, _RULE, _TYPE = (
    ox.NamedNode(expand(name)) for name in ("kg:TimeSpan", "kg:rule", "rdf:type")
)
RULE = "time-bounds"

# How many bounds one query puts in place.
_AT_ONCE = 5_000

Bounds = tuple[datetime | None, datetime | None]


@lru_cache(maxsize=4096)
def bounds(text: str) -> Bounds:
    """Return the earliest and latest moment (UTC, to the second) that an EDTF text can mean.

    A date covers its whole day, month or year. ``~`` or ``?`` widens by one unit of the date's
    own precision at either end (``2023-03-27~``: a day each way), ``%`` by two: the standard
    leaves the extent open. An end that is open or unknown (``2023-03/..``), or outside the years
    1 to 9999, is ``None``. A time of day without a zone is taken as UTC.

    Raises ``ValueError`` for text that is not EDTF, or that ends before it begins.
    """
    return _plain(text) or _parsed(text)


# Nearly every date is one of these, and the package's parser takes milliseconds for each.
_PLAIN = re.compile(r"([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-([0-3][0-9]))?)?[~?%]?")


def _plain(text: str) -> Bounds | None:
    """Read a year, month or day with at most one mark; return nothing for all else."""
    match = _PLAIN.fullmatch(text)
    if not match:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        first = datetime(year or 0, month or 1, day or 1, tzinfo=UTC)
        last_month, last_day = month or 12, day or monthrange(first.year, month or 12)[1]
        last = datetime(first.year, last_month, last_day, 23, 59, 59, tzinfo=UTC)
    except ValueError:  # no such day, or the year 0
        return None
    return _widened(text, first, "lower"), _widened(text, last, "upper")


def _parsed(text: str) -> Bounds:
    from edtf import parse_edtf
    from edtf.parser.edtf_exceptions import EDTFParseException

    if text != text.strip():
        raise ValueError("white space around the date")
    try:
        parsed = parse_edtf(text)
    except EDTFParseException:
        raise ValueError("not an EDTF date") from None
    earliest, latest = _end(parsed, "lower"), _end(parsed, "upper")
    if earliest and latest and latest < earliest:
        raise ValueError("ends before it begins")
    return earliest, latest


def time_bounds(engine: Engine, dispute: Dispute) -> Iterator[ox.Triple]:
    """Yield the bounds of every ``kg:utteredAt``, ``kg:eventTime`` and ``kg:published``.

    Beside them one ``kg:TimeSpan`` for each date that is given, however often, and for each day
    (UTC) on which a commit was made, which the commit names as its ``kg:commitDay``: no store has
    an index of ranges, but dates are few, and what bears one is looked up by it.

    They belong in the derived graph. Raises ``SourceError`` with file and line for a literal that
    is no EDTF date, before it yields anything.
    """
    # A large dispute has few dates beside statements: each is read once, and the engine finds
    # where it stands.
    ends: list[str] = []
    spans: dict[str, Bounds] = {}
    for predicate, value in _dates(engine):
        try:
            if not isinstance(value, ox.Literal) or value.datatype != EDTF:
                raise ValueError("not a literal of type edtf:EDTF")
            found = spans[value.value] = bounds(value.value)
        except ValueError as error:
            subject = _one_with(engine, predicate, value)
            raise _malformed(dispute, subject, value, str(error)) from None
        for name, moment in zip(BOUNDED[predicate.value], found, strict=True):
            if moment is not None:
                ends.append(f"({predicate} {value} <{name}> {_stamp(moment)})")
    days = list(_days_of_commits(engine))
    spans.update((day, bounds(day)) for _, day in days)
    return chain(
        _where_dated(engine, ends),
        (ox.Triple(commit, COMMIT_DAY, ox.Literal(day, datatype=EDTF)) for commit, day in days),
        _spans(spans, dispute),
    )


def _stamp(moment: datetime) -> ox.Literal:
    return ox.Literal(moment.replace(tzinfo=None).isoformat() + "Z", datatype=DATE_TIME)


def _days_of_commits(engine: Engine) -> Iterator[tuple[Any, str]]:
    """Yield each commit with the day on which it was made; one without a usable time has none."""
    answer = engine.query(f"SELECT ?commit ?time {{ ?commit <{COMMIT_TIME}> ?time }}")
    assert isinstance(answer, Rows)
    for commit, time in answer.rows:
        try:
            moment = datetime.fromisoformat(time.value)  # type: ignore[union-attr]
            moment = moment.astimezone(UTC) if moment.tzinfo else moment
        except (ValueError, OverflowError):
            continue  # a shape says so
        yield commit, moment.date().isoformat()


def _spans(spans: Mapping[str, Bounds], dispute: Dispute) -> Iterator[ox.Triple]:
    for text, (earliest, latest) in sorted(spans.items()):
        span = ox.NamedNode(f"{dispute.base}date-{quote(text, safe='')}")
        yield ox.Triple(span, _TYPE, _SPAN)
        yield ox.Triple(span, _RULE, ox.Literal(RULE))
        yield ox.Triple(span, OF_DATE, ox.Literal(text, datatype=EDTF))
        if earliest:
            yield ox.Triple(span, SPAN_EARLIEST, _stamp(earliest))
        if latest:
            yield ox.Triple(span, SPAN_LATEST, _stamp(latest))


def _where_dated(engine: Engine, ends: list[str]) -> Iterator[ox.Triple]:
    for first in range(0, len(ends), _AT_ONCE):
        rows = "\n".join(ends[first : first + _AT_ONCE])
        answer = engine.query(
            f"CONSTRUCT {{ ?s ?bound ?end }} WHERE "
            f"{{ VALUES (?p ?o ?bound ?end) {{ {rows} }} ?s ?p ?o }}"
        )
        assert isinstance(answer, Triples)
        yield from answer.triples


def _dates(engine: Engine) -> list[tuple[Any, Any]]:
    properties = " ".join(f"<{name}>" for name in BOUNDED)
    answer = engine.query(f"SELECT DISTINCT ?p ?o {{ VALUES ?p {{ {properties} }} ?s ?p ?o }}")
    assert isinstance(answer, Rows)
    # To put them in order, an engine would read every date as often as it compares it.
    return sorted(answer.rows, key=str)  # type: ignore[arg-type]  # two columns, neither unbound


def _one_with(engine: Engine, predicate: Any, value: Any) -> Any:
    """Return the first subject by name that has a value, which may be a blank node."""
    answer = engine.query(f"SELECT ?s ?o {{ ?s {predicate} ?o }} ORDER BY ?s")
    assert isinstance(answer, Rows)
    return next(subject for subject, other in answer.rows if other == value)


def _malformed(dispute: Dispute, subject: Any, value: Any, why: str) -> SourceError:
    from kg.locations import Locations

    place = Locations(dispute).find(subject.value, near=f'"{value.value}"')
    path, line = place if place else (None, None)
    return SourceError(
        f"'{value.value}': {why}",
        path=path,
        line=line,
        hint='Write for example "2023-03-13", "2024-12", "2023-03-27~" or "2023-03/2023-05", '
        "with ^^edtf:EDTF.",
    )


def _end(parsed: Any, side: str) -> datetime | None:
    """Return one end ('lower' or 'upper') of a parsed date, padded if it is approximate."""
    from edtf.parser import parser_classes as classes

    if isinstance(parsed, classes.Interval):
        return _end(parsed.lower if side == "lower" else parsed.upper, side)
    if isinstance(parsed, classes.UnspecifiedIntervalSection):
        return None  # open, or unknown: the package would guess ten years
    if isinstance(parsed, classes.DateAndTime):
        return _moment(parsed)
    return _widened(parsed, _day(getattr(parsed, f"{side}_strict")(), side), side)


def _day(value: struct_time | float, side: str) -> datetime | None:
    if isinstance(value, float) and math.isinf(value):
        return None
    assert isinstance(value, struct_time)
    if not 1 <= value.tm_year <= 9999:
        return None
    day = datetime(value.tm_year, value.tm_mon, value.tm_mday, tzinfo=UTC)
    return day if side == "lower" else day.replace(hour=23, minute=59, second=59)


def _moment(parsed: Any) -> datetime:
    # Python's ISO 8601 parser reads exactly the form that EDTF level 0 allows here.
    moment = datetime.fromisoformat(str(parsed))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _widened(parsed: Any, day: datetime | None, side: str) -> datetime | None:
    """Widen one end of a date that is marked approximate or uncertain, by its own precision.

    The package's own fuzzy bounds add a year, a month and a day to a date given to the day.
    """
    marks = str(parsed)
    units = 2 if "%" in marks or ("~" in marks and "?" in marks) else 1
    if day is None or not any(mark in marks for mark in "~?%"):
        return day
    sign = -1 if side == "lower" else 1
    precision = marks.strip("-~?%").count("-")
    try:
        if precision >= 2:
            return day + sign * units * timedelta(days=1)
        months = day.year * 12 + day.month - 1 + sign * units * (1 if precision == 1 else 12)
        first = datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)
        if side == "lower":
            return first
        after = months + 1
        return datetime(after // 12, after % 12 + 1, 1, tzinfo=UTC) - timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None  # beyond the years 1 to 9999
