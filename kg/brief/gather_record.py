"""What the records show beside what is said: for it, against it, or nothing."""

from __future__ import annotations

from kg.brief.model import Claim, Part, Run, Section, Sentence
from kg.brief.stored import ask
from kg.brief.voices import Voices
from kg.dispute import Dispute
from kg.namespaces import expand
from kg.rows import select, string

_FINDINGS = """
SELECT DISTINCT ?assertion ?fact ?bearing WHERE {
  ?finding a kg:RecordFinding ; kg:assertion ?assertion ; kg:recordFact ?fact ;
    kg:bearing ?bearing .
} ORDER BY ?assertion ?fact ?bearing
"""
FACTS = """
SELECT DISTINCT ?fact ?rule ?subject ?predicate ?object ?record WHERE {
  VALUES ?fact { $about }
  ?fact rdf:subject ?subject ; rdf:predicate ?predicate ; rdf:object ?object .
  OPTIONAL { ?fact kg:rule ?rule }
  OPTIONAL { ?fact prov:wasDerivedFrom/(kg:hasCommit?)/kg:partOfRecord ?record }
} ORDER BY ?fact ?rule ?subject ?predicate ?object ?record
"""
_SHOWN_FACTS = 2
_SHOWN_SILENT = 10
_NOTE = (
    "A record is no judge: it shows what its entries amount to under a named rule (rule "
    "“record-finding”), and not who had an idea. It is silent where it could speak to what is "
    "said and holds nothing on it."
)


def told_facts(voices: Voices, facts: list[str]) -> dict[str, str]:
    """Return what each record fact says, in the name of its record."""
    rows = select(voices.engine, FACTS, facts)
    columns = ("subject", "predicate", "object")
    voices.reader.learn_names(string(row, key) for row in rows for key in columns)
    found: dict[str, str] = {}
    for row in rows:
        subject, predicate, value = (voices.name(string(row, key)) for key in columns)
        record = voices.name(string(row, "record")) if "record" in row else "the record"
        rule = f", by the rule “{string(row, 'rule')}”," if "rule" in row else ""
        text = f"{record} amounts{rule} to: “{subject}” {predicate} “{value}”"
        found.setdefault(string(row, "fact"), text)
    return found


def record(voices: Voices, dispute: Dispute) -> Section:
    """Return the section on the records."""
    bearings: dict[str, dict[str, list[str]]] = {"Corroborates": {}, "Conflicts": {}}
    for row in select(voices.engine, _FINDINGS):
        local = string(row, "bearing").removeprefix(expand("kg:"))
        found = bearings.setdefault(local, {}).setdefault(string(row, "assertion"), [])
        found.append(string(row, "fact"))
    facts = {fact for group in bearings.values() for found in group.values() for fact in found}
    words = told_facts(voices, sorted(facts))
    silent = [
        string(row, "statement")
        for row in ask(voices.engine, dispute, "record-check")
        if string(row, "record") == "silent"
    ]
    return Section(
        "record",
        "What the record shows",
        _NOTE,
        (
            Part("It corroborates", tuple(_claims(voices, bearings["Corroborates"], words))),
            Part("It conflicts with", tuple(_claims(voices, bearings["Conflicts"], words))),
            Part("It is silent on", tuple(_silent(voices, silent))),
        ),
    )


def _stances(voices: Voices, assertions: list[str]) -> list[list[str]]:
    """Return assertions by what they say, so or not so, in the order of the documents."""
    groups: dict[tuple[str, bool], list[str]] = {}
    for one in sorted(set(assertions), key=voices.order):
        statement = voices.reader.statements[one]
        groups.setdefault((statement.proposition, statement.stance == "denies"), []).append(one)
    return list(groups.values())


def _claims(voices: Voices, found: dict[str, list[str]], words: dict[str, str]) -> list[Claim]:
    claims = []
    for group in _stances(voices, list(found)):
        claim = voices.claim(group)
        facts = sorted({fact for one in group for fact in found[one]}, key=voices.reader.short)
        shown = [_fact(fact, words) for fact in facts[:_SHOWN_FACTS]]
        if rest := facts[_SHOWN_FACTS:]:
            text = f"So do {len(rest)} more of its facts." if len(rest) > 1 else "So does one more."
            shown.append(Sentence((Run(text, tuple(rest)),)))
        claims.append(Claim(claim.words, (*claim.voices, *shown)))
    return claims


def _fact(fact: str, words: dict[str, str]) -> Sentence:
    return Sentence((Run(f"{words.get(fact, 'The record shows it')}.", (fact,)),))


def _silent(voices: Voices, assertions: list[str]) -> list[Sentence | Claim]:
    groups = _stances(voices, assertions)
    items: list[Sentence | Claim] = [voices.claim(group) for group in groups[:_SHOWN_SILENT]]
    if rest := groups[_SHOWN_SILENT:]:
        text = f"It is as silent on {len(rest)} more things that are said."
        items.append(Sentence((Run(text, tuple(one for group in rest for one in group)),)))
    return items
