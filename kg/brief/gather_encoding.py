"""What was withheld, by category; and how the documents were encoded, and by whom."""

from __future__ import annotations

from collections import Counter

from kg.brief.model import Part, Run, Section, Sentence, sentence
from kg.brief.voices import Voices
from kg.engine import Term
from kg.in_words import counted
from kg.rows import number, select, string

_WITHHELD = """
SELECT DISTINCT ?withheld ?document ?label ?meaning ?start ?end WHERE {
  ?withheld a kg:Withheld ; kg:withheldCategory ?category ; oa:hasTarget ?passage .
  ?category rdfs:label ?label .
  OPTIONAL { ?category rdfs:comment ?meaning }
  ?passage oa:hasSource ?document ; oa:hasSelector ?selector .
  ?selector oa:start ?start ; oa:end ?end .
} ORDER BY ?document ?label ?start ?withheld
"""
_ENCODING = """
SELECT ?activity ?encoder (COUNT(DISTINCT ?assertion) AS ?assertions) WHERE {
  ?assertion a kg:Assertion ; prov:wasGeneratedBy ?activity .
  OPTIONAL { ?activity prov:wasAssociatedWith ?encoder }
} GROUP BY ?activity ?encoder ORDER BY ?activity ?encoder
"""
_COUNTS = """
SELECT (COUNT(DISTINCT ?p) AS ?propositions) (COUNT(DISTINCT ?a) AS ?attacks)
  (COUNT(DISTINCT ?s) AS ?supports) (COUNT(DISTINCT ?n) AS ?passages) WHERE {
  { ?p a kg:Proposition } UNION { ?a a kg:Attack } UNION { ?s a kg:Support }
  UNION { ?n a kg:NonStatement }
}
"""
_WITHHELD_NOTE = (
    "Passages whose content is not encoded, and is not in this brief. Only place, length and "
    "category are given."
)
_ENCODING_NOTE = (
    "The encoders' confidence is in their reading of the words, and says nothing of what the words "
    "say. What a rule found names the rule; rules read the statements and nothing else."
)


def withheld(voices: Voices) -> Section:
    """Return the section on what was withheld: by document and category, with no word of it."""
    groups: dict[tuple[str, str], list[dict[str, Term]]] = {}
    meanings: dict[str, str] = {}
    for row in select(voices.engine, _WITHHELD):
        groups.setdefault((string(row, "document"), string(row, "label")), []).append(row)
        meanings[string(row, "label")] = string(row, "meaning")
    items = []
    for (document, label), rows in groups.items():
        length = sum((number(row, "end") or 0) - (number(row, "start") or 0) for row in rows)
        meaning = meanings[label].rstrip(".")
        meaning = f" ({meaning[:1].lower()}{meaning[1:]})" if meaning else ""
        text = (
            f"The encoders withheld {counted(len(rows), 'passage')} of "
            f"{voices.reader.short(document)}, {length:,} characters, as {label}{meaning}."
        )
        items.append(sentence(text, (string(row, "withheld") for row in rows)))
    return Section(
        "withheld",
        "What was withheld",
        _WITHHELD_NOTE,
        (Part("", tuple(items)),),
        "The encoders withheld nothing.",
    )


def encoding(voices: Voices, dispute: str) -> Section:
    """Return the section on the encoding. ``dispute`` is its IRI."""
    items: list[Sentence] = []
    for row in select(voices.engine, _ENCODING):
        who = voices.name(string(row, "encoder")) if "encoder" in row else "an unnamed encoder"
        activity = string(row, "activity")
        count = number(row, "assertions") or 0
        what = "statement or report comes" if count == 1 else "statements and reports come"
        text = f"{count:,} {what} from the “{voices.name(activity)}” by {who}."
        items.append(sentence(text, (activity, *filter(None, [string(row, "encoder")]))))
    items += _counts(voices, dispute)
    readings = Counter(told.confidence for told in voices.told.values())
    if readings.total():
        low = [one for one, told in voices.told.items() if told.confidence == "Low"]
        links = {"Low": tuple(sorted(low, key=voices.order))}
        levels = [level for level in ("High", "Medium", "Low", "") if readings[level]]
        runs = [Run("By the encoders' own account the readings are: ")]
        for place, level in enumerate(levels):
            lead = "" if not place else " and " if place == len(levels) - 1 else ", "
            sure = f"of {level.lower()} confidence" if level else "of a confidence not stated"
            runs.append(Run(f"{lead}{readings[level]:,} {sure}", links.get(level, ())))
        items.append(Sentence((*runs, Run(".", (dispute,)))))
    return Section(
        "encoding", "How it was encoded, and by whom", _ENCODING_NOTE, (Part("", tuple(items)),)
    )


def _counts(voices: Voices, dispute: str) -> list[Sentence]:
    [row] = select(voices.engine, _COUNTS)
    propositions, attacks, supports, silent = (
        counted(number(row, f"{one}s") or 0, one)
        for one in ("proposition", "attack", "support", "passage")
    )
    text = (
        f"The statements speak to {propositions}; between them the encoders read {attacks} and "
        f"{supports}, and {silent} as stating nothing."
    )
    return [sentence(text, (dispute,))]
