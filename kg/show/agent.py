"""The page of one agent or persona: names, who is judged to be whom, what they and others said."""

from __future__ import annotations

from kg.in_words import counted
from kg.namespaces import expand
from kg.rows import number, string
from kg.show.page import Line, Page, Section
from kg.show.reader import Reader
from kg.show.record import ABOUT

_NAMES = """
SELECT ?property ?value WHERE {
  VALUES ?about { $about }
  VALUES ?property {
    rdf:type foaf:name foaf:nick rdfs:label skos:altLabel foaf:page foaf:homepage kg:url
    rdfs:comment
  }
  ?about ?property ?value .
} ORDER BY ?property ?value
"""

_CLAIMED = """
SELECT ?persona ?identity ?rule WHERE {
  VALUES ?about { $about }
  VALUES (?property ?rule) { (kg:claimsToBe 0) (kg:identifiedWith 1) }
  ?persona ?property ?identity .
  FILTER(?persona = ?about || ?identity = ?about)
} ORDER BY ?rule ?persona ?identity
"""

_JUDGEMENTS = """
SELECT ?judgement ?persona ?identity ?verdict ?judge ?grounds ?when WHERE {
  VALUES ?about { $about }
  ?judgement a kg:IdentityJudgement ; kg:persona ?persona ; kg:verdict ?verdict .
  OPTIONAL { ?judgement kg:identity ?identity }
  FILTER(?persona = ?about || ?identity = ?about)
  OPTIONAL { ?judgement kg:judgedBy ?judge }
  OPTIONAL { ?judgement kg:grounds ?grounds }
  OPTIONAL { ?judgement kg:judgedAt ?when }
} ORDER BY ?judgement ?persona ?identity ?verdict ?judge ?grounds ?when
"""

_SAID = """
SELECT ?assertion WHERE {
  VALUES ?about { $about }
  ?assertion kg:speaker ?about ; a kg:Assertion .
} ORDER BY ?assertion
"""

_SAID_BY_PERSONAS = """
SELECT ?assertion WHERE {
  VALUES ?about { $about }
  ?persona kg:claimsToBe ?about .
  ?assertion kg:speaker ?persona ; a kg:Assertion .
} ORDER BY ?assertion
"""

_HELD = """
SELECT ?assertion WHERE {
  VALUES ?about { $about }
  ?assertion kg:heldBy ?about .
  FILTER NOT EXISTS { ?assertion kg:speaker ?about }
} ORDER BY ?assertion
"""

_NAMED_IN_COMMITS = """
SELECT ?record ?as (COUNT(DISTINCT ?commit) AS ?commits) WHERE {
  VALUES ?about { $about }
  VALUES (?property ?as) {
    (kg:author "author") (kg:committer "committer") (kg:coAuthor "co-author")
    (kg:signedOffBy "signing off")
  }
  ?commit ?property ?about .
  OPTIONAL { ?commit kg:partOfRecord ?record }
} GROUP BY ?record ?as ORDER BY ?record ?as
"""


def agent_page(reader: Reader, iri: str, limit: int | None) -> Page:
    """Return the page of an agent, a persona or a git identity."""
    said = reader.column(_SAID, "assertion", iri)
    about = reader.column(ABOUT, "assertion", iri)
    claimed = reader.column(_SAID_BY_PERSONAS, "assertion", iri)
    held = reader.column(_HELD, "assertion", iri)
    kind = "persona" if _is_persona(reader, iri) else "agent"
    lead = f"{reader.name(iri)}: {counted(len(said), 'assertion')} by, {len(about)} about"
    sections = (
        Section("Names", tuple(_names(reader, iri))),
        Section("Who is who", tuple(_identities(reader, iri))),
        Section(f"Said by {reader.name(iri)} ({len(said)})", reader.lines(said, limit)),
        Section(
            f"Said by whoever describes themselves as {reader.name(iri)} ({len(claimed)})",
            reader.lines(claimed, limit),
        ),
        Section(
            f"Said by others, with {reader.name(iri)} behind it by the rules ({len(held)})",
            reader.lines(held, limit),
        ),
        Section(f"Said about {reader.name(iri)} ({len(about)})", reader.lines(about, limit)),
        Section("Named in commits", tuple(_commits(reader, iri))),
    )
    return Page(iri, reader.short(iri), kind, lead, sections)


def _is_persona(reader: Reader, iri: str) -> bool:
    return any(
        string(row, "value").endswith(("#Persona", "#GitIdentity"))
        for row in reader.select(_NAMES, iri)
    )


def _names(reader: Reader, iri: str) -> list[Line]:
    rows = reader.select(_NAMES, iri)
    reader.learn_names(string(row, key) for row in rows for key in ("property", "value"))
    return [
        Line(f"{_property(reader, string(row, 'property'))}: {reader.name(string(row, 'value'))}")
        for row in rows
    ]


def _property(reader: Reader, iri: str) -> str:
    return "comment of the encoder" if iri == expand("rdfs:comment") else reader.name(iri)


def _identities(reader: Reader, iri: str) -> list[Line]:
    lines = []
    for row in reader.select(_CLAIMED, iri):
        persona, identity = string(row, "persona"), string(row, "identity")
        if number(row, "rule"):
            joined = f"by the rules, {reader.full_name(persona)} counts as"
        else:
            joined = f"{reader.full_name(persona)} describes itself as"
        other = identity if persona == iri else persona
        lines.append(Line(f"{joined} {reader.full_name(identity)}", other))
    for row in reader.select(_JUDGEMENTS, iri):
        judge = reader.name(string(row, "judge")) if "judge" in row else "somebody unnamed"
        persona = reader.full_name(string(row, "persona"))
        identity = reader.full_name(string(row, "identity")) if "identity" in row else "somebody"
        when = f" ({string(row, 'when')})" if "when" in row else ""
        grounds = f", on the grounds: {string(row, 'grounds')}" if "grounds" in row else ""
        verdict = reader.name(string(row, "verdict"))
        text = f"{judge}{when} on whether {persona} is {identity}: {verdict}{grounds}"
        lines.append(Line(text, string(row, "judgement")))
    return lines


def _commits(reader: Reader, iri: str) -> list[Line]:
    lines = []
    for row in reader.select(_NAMED_IN_COMMITS, iri):
        count = number(row, "commits") or 0
        if count:
            record = reader.name(string(row, "record")) if "record" in row else "an unnamed record"
            lines.append(
                Line(f"{record} names this as {string(row, 'as')} of {counted(count, 'commit')}")
            )
    return lines
