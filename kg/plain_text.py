"""Text that others wrote, made fit to be printed: nothing in it can drive a terminal."""

from __future__ import annotations

import re

# Control characters but the line feed, other ends of lines, and marks that turn the direction of a
# text. A cursor that moves, or a line that reads backwards, could make an answer say anything.
_POWER = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_REPLACEMENT = "\ufffd"


def clean(text: str) -> str:
    """Return a text of one or more lines as it may be printed.

    A tab becomes a space; every other character that could drive a terminal becomes U+FFFD.
    """
    return _POWER.sub(_REPLACEMENT, text.replace("\r\n", "\n").replace("\t", " "))


def one_line(text: str) -> str:
    """Return a text as it may be printed on one line: tabs and line ends become a space."""
    return clean(re.sub(r"[\t\r\n]+", " ", text))
