"""The page of one proposition: what it says, who takes which stance on it, what a record shows."""

from __future__ import annotations

from kg.rows import string
from kg.show.links import findings, node_sections
from kg.show.page import Line, Page, Section
from kg.show.reader import Reader

_PARTS = """
SELECT ?subject ?predicate ?object ?time WHERE {
  VALUES ?about { $about }
  OPTIONAL { ?about rdf:subject ?subject }
  OPTIONAL { ?about rdf:predicate ?predicate }
  OPTIONAL { ?about rdf:object ?object }
  OPTIONAL { ?about kg:eventTime ?time }
} ORDER BY ?subject ?predicate ?object ?time
LIMIT 1
"""

_NOTES = """
SELECT ?property ?value WHERE {
  VALUES ?about { $about }
  VALUES ?property { kg:scope rdfs:comment }
  ?about ?property ?value .
} ORDER BY ?property ?value
"""

_STANCES = """
SELECT ?stance ?assertion WHERE {
  VALUES ?about { $about }
  VALUES ?stance { kg:affirms kg:denies kg:doubts kg:asks kg:concedes }
  ?assertion ?stance ?about .
} ORDER BY ?stance ?assertion
"""

_RECORD_FACTS = """
SELECT ?fact ?rule WHERE {
  VALUES ?about { $about }
  ?about rdf:subject ?subject ; rdf:predicate ?predicate ; rdf:object ?object .
  ?fact a kg:RecordFact ;
    rdf:subject ?subject ; rdf:predicate ?predicate ; rdf:object ?object .
  OPTIONAL { ?fact kg:rule ?rule }
} ORDER BY ?fact ?rule
"""

_STRENGTH = """
SELECT ?direction ?other WHERE {
  VALUES ?about { $about }
  { ?about kg:strongerThan ?other . BIND("stronger than" AS ?direction) }
  UNION { ?other kg:strongerThan ?about . BIND("weaker than" AS ?direction) }
} ORDER BY ?direction ?other
"""

_STANCE_TITLES = {
    "affirms": "Affirmed",
    "denies": "Denied",
    "doubts": "Doubted",
    "asks": "Asked about",
    "concedes": "Conceded",
}


def proposition_page(reader: Reader, iri: str, limit: int | None) -> Page:
    """Return the page of a proposition."""
    stances: dict[str, list[str]] = {}
    for row in reader.select(_STANCES, iri):
        local = string(row, "stance").rpartition("#")[2]
        stances.setdefault(local, []).append(string(row, "assertion"))
    assertions = [one for group in stances.values() for one in group]
    reader.learn(assertions)
    spoken = [
        Section(f"{title} ({len(stances[local])})", reader.lines(stances[local], limit))
        for local, title in _STANCE_TITLES.items()
        if local in stances
    ]
    if not spoken:
        spoken = [Section("Spoken to by", (Line("nobody in this dispute"),))]
    lead = f'What may be true or false, and is nobody\'s word by itself: "{reader.name(iri)}"'
    sections = (
        Section("In its parts", tuple(_parts(reader, iri))),
        *spoken,
        *node_sections(reader, *assertions, limit=limit),
        _record_facts(reader, iri),
        findings(reader, *assertions, limit=limit),
        _strength(reader, iri),
    )
    return Page(iri, reader.short(iri), "proposition", lead, sections)


def _parts(reader: Reader, iri: str) -> list[Line]:
    lines = []
    for row in reader.select(_PARTS, iri):
        reader.learn_names(string(row, key) for key in row if key != "time")
        lines += [
            Line(f"{key}: {reader.full_name(string(row, key))}", string(row, key))
            for key in ("subject", "predicate", "object")
            if key in row
        ]
        if "time" in row:
            lines.append(Line(f"said to have happened: {string(row, 'time')}"))
    for row in reader.select(_NOTES, iri):
        value = string(row, "value")
        if string(row, "property").endswith("scope"):
            lines.append(Line(f"meant within: {reader.full_name(value)}", value))
        else:
            lines.append(Line(f"comment of the encoder: {value}"))
    return lines


def _record_facts(reader: Reader, iri: str) -> Section:
    lines = [
        Line(
            f"the record amounts to the same (rule '{string(row, 'rule', 'unnamed')}'): "
            f"{reader.short(string(row, 'fact'))}",
            string(row, "fact"),
        )
        for row in reader.select(_RECORD_FACTS, iri)
    ]
    return Section("In the record", tuple(lines))


def _strength(reader: Reader, iri: str) -> Section:
    rows = reader.select(_STRENGTH, iri)
    reader.learn_names(string(row, "other") for row in rows)
    lines = [
        Line(
            f"{string(row, 'direction')} {reader.short(string(row, 'other'))}: "
            f'"{reader.name(string(row, "other"))}"',
            string(row, "other"),
        )
        for row in rows
    ]
    return Section("Beside stronger and weaker ones", tuple(lines))
