"""Dates for people: an EDTF literal in words.

The levels of EDTF are those of the Library of Congress, now part of ISO 8601-2:2019.
"""

from __future__ import annotations

import re
from datetime import datetime

from kg.times import bounds

_MARKS = re.compile("[?~%]")
_SEASONS = {"21": "spring", "22": "summer", "23": "autumn", "24": "winter"}
_SEASON = re.compile(r"(\d{4})-(2[1-4])")


def spoken(edtf: str) -> str:
    """Return an EDTF date as people read it; a form that is not known stays as it is."""
    if "/" in edtf:
        start, _, end = edtf.partition("/")
        if end in ("..", ""):
            return f"from {spoken(start)}"
        if start in ("..", ""):
            return f"until {spoken(end)}"
        return f"{spoken(start)} to {spoken(end)}"
    bare = edtf.rstrip("?~%")
    marks = edtf[len(bare) :]
    season = _SEASON.fullmatch(bare)
    words = f"{_SEASONS[season[2]]} {season[1]}" if season else bare
    if "~" in marks or "%" in marks:
        words = f"about {words}"
    return f"perhaps {words}" if "?" in marks or "%" in marks else words


def days(edtf: str) -> tuple[str, str]:
    """Return the first and the last day of a date as written, ``2024-03-01``; "" if it is open.

    Marks of doubt are set aside: *about 2025* lies in 2025, where derived bounds go beyond.
    """
    try:
        first, last = bounds(_MARKS.sub("", edtf))
    except ValueError:
        return "", ""
    return _day(first), _day(last)


def _day(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment else ""
