"""What the records show beside what is said: for it, against it, or nothing."""

from __future__ import annotations

from kg.brief.model import Claim, Part, Run, Section, Sentence
from kg.brief.stored import ask
from kg.brief.voices import Voices
from kg.dispute import Dispute
from kg.namespaces import expand
from kg.rows import select, string
from kg.show.facts import facts_of

_FINDINGS = """
SELECT DISTINCT ?assertion ?fact ?bearing WHERE {
  ?finding a kg:RecordFinding ; kg:assertion ?assertion ; kg:recordFact ?fact ;
    kg:bearing ?bearing .
} ORDER BY ?assertion ?fact ?bearing
"""
# What the records amount to on the pull requests and branches that somebody speaks of.
_TOLD = """
SELECT DISTINCT ?fact ?rule WHERE {
  {
    SELECT DISTINCT ?entry WHERE {
      ?proposition a kg:Proposition ; rdf:object|rdf:subject|kg:scope ?entry .
      ?entry a kg:PullRequest .
    }
  }
  { ?fact rdf:subject ?entry } UNION { ?fact rdf:object ?entry } UNION { ?fact kg:within ?entry }
  ?fact a kg:RecordFact ; kg:rule ?rule .
  VALUES ?rule { $rules }
} ORDER BY ?rule ?fact
"""
_TIMES = ("record-started-before", "record-wait", "record-span")
_LINES = ("record-lines-of", "record-lines-removed", "record-kept")
_SHOWN_FACTS = 2
_SHOWN_SILENT = 10
_NOTE = (
    "A record is no judge: it shows what its entries amount to under a named rule (rule "
    "“record-finding”), and not who had an idea. Times are as whoever made a commit set them. "
    "Lines are compared in blocks, without white space and without blocks of few letters; it "
    "counts them and does not say why they were removed or changed. It is silent where it could "
    "speak to what is said and holds nothing on it."
)


def told_facts(voices: Voices, facts: list[str]) -> dict[str, str]:
    """Return what each record fact says, in the name of its record."""
    found: dict[str, str] = {}
    for iri, fact in facts_of(voices.reader, facts).items():
        rule = f", by the rule “{fact.rule}”," if fact.rule else ""
        found[iri] = f"{fact.record or 'the record'} amounts{rule} to: {fact.words('“', '”')}"
    return found


def record(voices: Voices, dispute: Dispute) -> Section:
    """Return the section on the records."""
    bearings: dict[str, dict[str, list[str]]] = {
        "Corroborates": {},
        "Conflicts": {},
        "Measures": {},
    }
    for row in select(voices.engine, _FINDINGS):
        local = string(row, "bearing").removeprefix(expand("kg:"))
        found = bearings.setdefault(local, {}).setdefault(string(row, "assertion"), [])
        found.append(string(row, "fact"))
    facts = {fact for group in bearings.values() for found in group.values() for fact in found}
    words = told_facts(voices, sorted(facts))
    silent = {
        string(row, "statement"): string(row, "shown")
        for row in ask(voices.engine, dispute, "record-check")
        if string(row, "record") == "silent"
    }
    return Section(
        "record",
        "What the record shows",
        _NOTE,
        (
            Part("It corroborates", tuple(_claims(voices, bearings["Corroborates"], words))),
            Part("It conflicts with", tuple(_claims(voices, bearings["Conflicts"], words))),
            Part(
                "It counts, and does not settle",
                tuple(_claims(voices, bearings["Measures"], words)),
            ),
            Part("It is silent on", tuple(_silent(voices, silent))),
            Part("What it holds of times", tuple(_told(voices, _TIMES))),
            Part("What it holds of lines", tuple(_told(voices, _LINES))),
        ),
    )


def _told(voices: Voices, rules: tuple[str, ...]) -> list[Sentence]:
    """Return what some rules found of pull requests that are spoken of, rule by rule."""
    rows = select(voices.engine, _TOLD.replace("$rules", " ".join(f'"{one}"' for one in rules)))
    found = {string(row, "fact"): rules.index(string(row, "rule")) for row in rows}
    facts = sorted(found, key=lambda one: (found[one], voices.reader.short(one)))
    words = told_facts(voices, facts)
    return [_fact(one, words) for one in facts]


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


def _silent(voices: Voices, reasons: dict[str, str]) -> list[Sentence | Claim]:
    groups = _stances(voices, list(reasons))
    items: list[Sentence | Claim] = []
    for group in groups[:_SHOWN_SILENT]:
        claim = voices.claim(group)
        why = dict.fromkeys(reasons[one] for one in group if reasons[one])
        notes = (Sentence((Run(f"The record is silent: {one}.", tuple(group)),)) for one in why)
        items.append(Claim(claim.words, (*claim.voices, *notes), claim.who))
    if rest := groups[_SHOWN_SILENT:]:
        text = f"It is as silent on {len(rest)} more things that are said."
        items.append(Sentence((Run(text, tuple(one for group in rest for one in group)),)))
    return items
