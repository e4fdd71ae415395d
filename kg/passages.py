"""Passages: the places in a document that statements stand on, and whether they still fit.

Offsets are Unicode code points, 0-based, end exclusive, over the UTF-8 text exactly as stored
(the positions of a TextPositionSelector, W3C Web Annotation Data Model, 4.2.5). A digest is the
SHA-256 of those characters in UTF-8.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kg.documents import AttachedText, Document
from kg.engine import Engine
from kg.rows import number, select, string

# How many characters one check may hash to say where a lost passage went: about a second's work.
SEARCH_BUDGET = 50_000_000

_PASSAGES = """
SELECT ?passage ?document ?start ?end ?sha256 ?owner ?kind WHERE {
  ?passage oa:hasSource ?document ; oa:hasSelector ?selector .
  ?selector oa:start ?start ; oa:end ?end .
  OPTIONAL { ?passage kg:sha256 ?sha256 }
  ?owner oa:hasTarget ?passage .
  ?owner a ?class .
  VALUES ?class { kg:Assertion kg:Withheld kg:NonStatement }
  BIND(IF(?class = kg:Withheld, "withheld", IF(?class = kg:NonStatement, "non-statement",
    IF(EXISTS { ?owner kg:relays ?relayed }, "relay", "statement"))) AS ?kind)
} ORDER BY ?document ?start ?end ?passage ?owner ?kind
"""


class Kind(StrEnum):
    """What stands on a passage."""

    STATEMENT = "statement"
    """An assertion that takes a stance."""
    RELAY = "relay"
    """An assertion that reports others; it covers all they say without showing it was read."""
    WITHHELD = "withheld"
    NON_STATEMENT = "non-statement"


@dataclass(frozen=True)
class Passage:
    """One passage as one owner uses it; a passage with two owners is two of these."""

    iri: str
    document: str
    start: int
    end: int
    sha256: str
    owner: str
    kind: Kind


class Fit(StrEnum):
    """How a passage, or a whole document, fits the attached text."""

    OK = "ok"
    MISMATCH = "mismatch"
    PAST_THE_END = "past the end"
    NOT_ATTACHED = "text not attached"
    OTHER_TEXT = "document differs"


@dataclass(frozen=True)
class Checked:
    """The verdict on a passage, or (``passage`` is ``None``) on a document's text."""

    document: str
    passage: Passage | None
    owners: tuple[str, ...]
    fit: Fit
    note: str = ""


def digest(text: str, start: int, end: int) -> str:
    """Return the SHA-256 of the UTF-8 of ``text[start:end]``, as 64 lower-case hex digits.

    Raises ``UnicodeEncodeError`` for a lone surrogate, which no decoded UTF-8 contains.
    """
    return hashlib.sha256(text[start:end].encode("utf-8")).hexdigest()


def read_passages(engine: Engine) -> list[Passage]:
    """Return every passage with its owner, in reading order within each document.

    A passage whose offsets are not whole numbers is left out; the shapes report it.
    """
    found = []
    for row in select(engine, _PASSAGES):
        start, end = number(row, "start"), number(row, "end")
        if start is None or end is None:
            continue
        found.append(
            Passage(
                string(row, "passage"),
                string(row, "document"),
                start,
                end,
                string(row, "sha256").lower(),
                string(row, "owner"),
                Kind(string(row, "kind")),
            )
        )
    return found


def check(
    documents: Sequence[Document],
    passages: Iterable[Passage],
    texts: Mapping[str, AttachedText],
    *,
    search_budget: int = SEARCH_BUDGET,
) -> list[Checked]:
    """Judge every passage, and every document's text, by the attached texts.

    A passage never moves: where its exact digest occurs elsewhere in the text is only said in the
    note, and looked for within ``search_budget`` hashed characters in all.
    """
    search = _Search(search_budget)
    verdicts: list[Checked] = []
    for document in documents:
        attached = texts.get(document.iri)
        if attached is None:
            verdicts.append(Checked(document.iri, None, (), Fit.NOT_ATTACHED))
        elif difference := _difference(document, attached):
            verdicts.append(Checked(document.iri, None, (), Fit.OTHER_TEXT, difference))
    for passage, owners in _by_place(passages).items():
        attached = texts.get(passage.document)
        if attached is None:
            fit, note = Fit.NOT_ATTACHED, ""
        else:
            fit, note = _judge(passage, attached.text, search)
        verdicts.append(Checked(passage.document, passage, owners, fit, note))
    return verdicts


def _by_place(passages: Iterable[Passage]) -> dict[Passage, tuple[str, ...]]:
    """Group the owners of one and the same passage under its first occurrence."""
    first: dict[tuple[str, str, int, int, str], Passage] = {}
    owners: dict[Passage, list[str]] = {}
    for one in passages:
        key = (one.iri, one.document, one.start, one.end, one.sha256)
        owners.setdefault(first.setdefault(key, one), []).append(one.owner)
    return {passage: tuple(names) for passage, names in owners.items()}


def _difference(document: Document, attached: AttachedText) -> str:
    """Say how the attached text is not the one the dispute describes, or nothing."""
    reasons = []
    if document.length is not None and document.length != len(attached.text):
        reasons.append(f"{len(attached.text)} characters, not {document.length}")
    if document.sha256 is None:
        reasons.append("the dispute states no digest for it")
    elif attached.sha256 != document.sha256:
        reasons.append(f"SHA-256 {attached.sha256}, not {document.sha256}")
    return f"{attached.path.name}: {'; '.join(reasons)}" if reasons else ""


def _judge(passage: Passage, text: str, search: _Search) -> tuple[Fit, str]:
    if not 0 <= passage.start < passage.end:
        return Fit.MISMATCH, "an empty or reversed range"
    if passage.end > len(text):
        found = search.elsewhere(passage, text)
        return Fit.PAST_THE_END, f"the text has {len(text)} characters" + (
            f"; {found}" if found else ""
        )
    if digest(text, passage.start, passage.end) == passage.sha256:
        return Fit.OK, ""
    return Fit.MISMATCH, search.elsewhere(passage, text)


class _Search:
    """Looks for lost passages by exact digest until its budget of characters is spent."""

    def __init__(self, budget: int) -> None:
        self.left = budget
        # Texts change by insertions, so the next passage likely moved as far as the last one.
        self.shift = 0

    def elsewhere(self, passage: Passage, text: str) -> str:
        """Say where the text with the passage's digest and length starts, nearest first."""
        length = passage.end - passage.start
        last = len(text) - length
        if last < 0 or not passage.sha256:
            return ""
        for start in _outward(min(max(passage.start + self.shift, 0), last), last):
            if self.left < length:
                return "not looked for elsewhere: too many do not match"
            self.left -= length
            if digest(text, start, start + length) == passage.sha256:
                self.shift = start - passage.start
                return f"text with this digest stands at {start}-{start + length}"
        return "no text of this length has this digest"


def _outward(middle: int, last: int) -> Iterable[int]:
    """Yield 0..last by distance from ``middle``."""
    yield middle
    for distance in range(1, last + 1):
        if middle + distance <= last:
            yield middle + distance
        if middle - distance >= 0:
            yield middle - distance
