"""What both sides say."""

from __future__ import annotations

from kg.brief.model import Claim, Part, Section
from kg.brief.voices import Voices
from kg.rows import select, string

_AGREEMENTS = """
SELECT DISTINCT ?proposition ?one WHERE {
  ?agreement a kg:Agreement ; kg:proposition ?proposition ; kg:between ?one .
} ORDER BY ?proposition ?one
"""
_NOTE = (
    "What speakers of different sides both put forward, in their own words or in words that they "
    "back (rule “agreement”), in the order of the older document. What one side is only said to "
    "have said is no agreement."
)


def agreements(voices: Voices) -> Section:
    """Return the section on common ground, one item for each proposition."""
    groups: dict[str, list[str]] = {}
    for row in select(voices.engine, _AGREEMENTS):
        groups.setdefault(string(row, "proposition"), []).append(string(row, "one"))
    ordered = sorted(groups.values(), key=lambda ones: min(map(voices.order, ones)))
    items: tuple[Claim, ...] = tuple(voices.claim(ones) for ones in ordered)
    return Section("agreements", "What both sides say", _NOTE, (Part("", items),))
