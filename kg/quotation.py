"""From a quotation to a passage: where a text stands in a document, as Turtle ready to paste."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from kg.documents import Document, choose
from kg.errors import NonConformanceError, PassageError
from kg.passages import Passage, digest
from kg.reading import Reading
from kg.text_difference import longest_start, nearest

SNIPPET = 80  # characters of a document that a message may show
MANY = 50  # blocks beyond which a quotation is too short to mean one place
_LOCAL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?")


def find_blocks(
    reading: Reading,
    wanted: str,
    *,
    document: str | None = None,
    assertion: str | None = None,
    nth: int | None = None,
) -> list[str]:
    """Return the Turtle block of each place where ``wanted`` stands, or of the ``nth`` (from 1).

    It is looked for in ``document`` (a short name or IRI), else in every attached text. The
    passage belongs to ``assertion``, else to the next free name.

    Raises ``PassageError`` if there is no text to look in, or no ``nth`` place, or too many to
    print; ``NonConformanceError`` if ``wanted`` stands nowhere, saying what comes nearest.
    """
    searched = _searched(reading, document)
    places = [(one, start) for one, text in searched.items() for start in occurrences(text, wanted)]
    if not places:
        raise NonConformanceError(
            f"this text does not stand in {_names(searched)}",
            hint="\n  ".join(
                f"{one.name}: {why_absent(text, wanted)}" for one, text in searched.items()
            ),
        )
    if nth is not None and nth > len(places):
        raise PassageError(f"this text stands in {_names(searched)} {len(places)} times, not {nth}")
    if nth is None and len(places) > MANY:
        raise PassageError(
            f"this text stands in {_names(searched)} {len(places)} times",
            hint="Give more of it, or choose one with --nth.",
        )
    blocks = []
    for count, (one, start) in enumerate(places, 1):
        if nth in (None, count):
            comment = f"# {one.name} {start}-{start + len(wanted)}, {count} of {len(places)}"
            same = _passages_at(reading, one, start, start + len(wanted))
            if same:
                comment += f"; already {same}"
            name = assertion or next_name(one, reading.passages, reading.dispute.base)
            block = turtle_block(
                one, searched[one], start, start + len(wanted), name, reading.dispute.base
            )
            blocks.append(f"{comment}\n{block}")
    return blocks


def _searched(reading: Reading, name: str | None) -> dict[Document, str]:
    """Return the texts to look in. Raises ``PassageError`` if the named one is not at hand."""
    chosen = [choose(reading.documents, name)] if name else reading.documents
    texts: dict[Document, str] = {}
    for one in chosen:
        attached = reading.texts.get(one.iri)
        if attached and attached.intact:
            texts[one] = attached.text
        elif attached and name:
            raise PassageError(
                f"this is not '{one.name}': its SHA-256 is another",
                path=attached.path,
                hint=f"Offsets in it would be wrong. Expected {one.sha256}.",
            )
    if not texts:
        raise PassageError(
            f"the text of '{name}' is not attached" if name else "no text is attached",
            hint="Attach it with 'kg documents attach FILE', or name its folder with --documents.",
        )
    return texts


def _names(searched: Iterable[Document]) -> str:
    return " or ".join(f"'{one.name}'" for one in searched)


def _passages_at(reading: Reading, document: Document, start: int, end: int) -> str:
    base = reading.dispute.base
    return ", ".join(
        dict.fromkeys(
            f":{one.iri.removeprefix(base)}"
            for one in reading.passages
            if (one.document, one.start, one.end) == (document.iri, start, end)
        )
    )


def occurrences(text: str, wanted: str) -> list[int]:
    """Return where ``wanted`` starts in ``text``, overlapping ones included, in code points.

    Raises ``PassageError`` for an empty text.
    """
    if not wanted:
        raise PassageError("there is no text to find", hint="Give it, or pipe it in with '-'.")
    starts = []
    at = text.find(wanted)
    while at >= 0:
        starts.append(at)
        at = text.find(wanted, at + 1)
    return starts


def why_absent(text: str, wanted: str) -> str:
    """Say what comes nearest to a text that does not occur, showing at most ``SNIPPET`` of it."""
    near = nearest(text, wanted)
    if near:
        return (
            f"it differs only in {near.reason} from {near.start}-{near.end}, which reads: "
            f"{snippet(text[near.start : near.end])}"
        )
    length, at = longest_start(text, wanted)
    # A word or two can stand anywhere by chance.
    if length < min(8, len(wanted)):
        return "nothing like it"
    return (
        f"its first {length} characters stand at {at}-{at + length}; there the document goes on "
        f"with {snippet(text[at + length : at + length + 30])}, "
        f"and yours with {snippet(wanted[length : length + 30])}"
    )


def snippet(text: str, limit: int = SNIPPET) -> str:
    """Return a text on one line in quotation marks, escaped, its middle left out if it is long."""
    if len(text) > limit:
        half = (limit - 3) // 2
        text = f"{text[:half]}...{text[-half:]}"
    return repr(text)


def next_name(document: Document, passages: Iterable[Passage], base: str) -> str:
    """Suggest the short name of the next assertion: the document's commonest pattern, counted up.

    ``jarted-017`` of a passage ``jarted-017-t`` suggests ``jarted-018``.
    """
    stems: Counter[str] = Counter()
    numbers: dict[str, list[str]] = {}
    for passage in passages:
        local = passage.owner.removeprefix(base)
        match = re.fullmatch(r"(.*?)(\d+)", local)
        if passage.document == document.iri and match:
            stems[match[1]] += 1
            numbers.setdefault(match[1], []).append(match[2])
    if not stems:
        return f"{document.name}-001"
    stem = stems.most_common(1)[0][0]
    highest = max(numbers[stem], key=int)
    return f"{stem}{int(highest) + 1:0{len(highest)}d}"


def turtle_block(document: Document, text: str, start: int, end: int, name: str, base: str) -> str:
    """Return the passage of the assertion ``name`` (as ``name-t``) in Turtle, ready to paste.

    It uses the prefixes ``:`` (the dispute), ``oa:`` and ``kg:``. Raises ``PassageError`` for a
    name that Turtle cannot hold after the colon.
    """
    if not _LOCAL.fullmatch(name):
        raise PassageError(
            f"'{name}' cannot be a short name.",
            hint="Letters, digits, '-' and '_', neither starting nor ending with '-'.",
        )
    local = document.iri.removeprefix(base)
    source = f":{local}" if _LOCAL.fullmatch(local) else f"<{document.iri}>"
    return (
        f":{name}-t a oa:SpecificResource ; oa:hasSource {source} ;\n"
        f'  kg:sha256 "{digest(text, start, end)}" ;\n'
        f"  oa:hasSelector [ a oa:TextPositionSelector ; oa:start {start} ; oa:end {end} ] .\n"
    )
