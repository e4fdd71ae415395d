"""Where an assertion stands, in the words of the document if they are the ones that were read."""

from __future__ import annotations

from kg.passages import digest
from kg.rows import number, string
from kg.show.page import Line, Section
from kg.show.reader import Reader

LONG = 2000  # characters of a passage beyond which its middle is left out
KEPT = 600  # characters that are then shown of each end

_PASSAGES = """
SELECT ?owner ?document ?start ?end ?sha256 WHERE {
  VALUES ?owner { $about }
  ?owner oa:hasTarget ?passage .
  ?passage oa:hasSource ?document ; oa:hasSelector ?selector ; kg:sha256 ?sha256 .
  ?selector oa:start ?start ; oa:end ?end .
} ORDER BY ?document ?start ?end ?passage
"""

_WITHHELD = """
SELECT ?start ?end ?category WHERE {
  VALUES ?document { $about }
  ?passage oa:hasSource ?document ; oa:hasSelector ?selector .
  ?selector oa:start ?start ; oa:end ?end .
  ?withheld a kg:Withheld ; oa:hasTarget ?passage .
  OPTIONAL { ?withheld kg:withheldCategory ?category }
} ORDER BY ?start ?end ?category
"""


def passages(reader: Reader, owner: str) -> Section:
    """Return where an assertion stands, with the words themselves if their text is attached."""
    lines = []
    for row in reader.select(_PASSAGES, owner):
        document = string(row, "document")
        start, end = number(row, "start"), number(row, "end")
        if start is None or end is None:
            continue
        quote = _quote(reader, document, start, end, string(row, "sha256").lower())
        where = f"{reader.full_name(document)}, characters {start}-{end}"
        data: dict[str, str | int] = {"document": document, "start": start, "end": end}
        lines.append(Line(where, document, (quote,), data))
    return Section("Where it stands", tuple(lines))


def _quote(reader: Reader, document: str, start: int, end: int, sha256: str) -> Line:
    """Return the words of a passage, or why they cannot be shown."""
    if reader.texts is None:
        return Line("(the words are not shown here)")
    attached = reader.texts.get(document)
    if attached is None:
        return Line("(the text is not attached: kg documents attach FILE)")
    if digest(attached.text, start, end) != sha256:
        return Line("(the attached text differs here: kg passages check)")
    words = _without_withheld(reader, document, attached.text, start, end)
    if len(words) <= LONG:
        return Line(words, quoted=True)
    left_out = len(words) - 2 * KEPT
    shown = f"{words[:KEPT]}\n[... {left_out} characters ...]\n{words[-KEPT:]}"
    return Line(shown, quoted=True, data={"words": words})


def _without_withheld(reader: Reader, document: str, text: str, start: int, end: int) -> str:
    """Return ``text[start:end]`` with a note instead of each part that an encoder withheld.

    The relay of a quoted block covers withheld parts of it too; they are not shown by that door.
    """
    pieces = []
    at = start
    for row in reader.select(_WITHHELD, document):
        first, last = number(row, "start"), number(row, "end")
        if first is None or last is None or last <= at or first >= end:
            continue
        category = reader.name(string(row, "category")) if "category" in row else "no category"
        first, last = max(first, at), min(last, end)
        pieces += [text[at:first], f"[withheld: {category}, {last - first} characters]"]
        at = last
    return "".join([*pieces, text[at:end]])
