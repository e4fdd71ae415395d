"""What the records show beside what is said: for it, against it, or nothing."""

from __future__ import annotations

from kg.brief.gather_told import told
from kg.brief.model import Claim, Part, Run, Section, Sentence, sentence
from kg.brief.record_words import in_words, names_only, plain
from kg.brief.stored import ask
from kg.brief.voices import Voices
from kg.dispute import Dispute
from kg.in_words import listed
from kg.namespaces import expand
from kg.rows import select, string
from kg.show.facts import Fact, facts_of

_FINDINGS = """
SELECT DISTINCT ?assertion ?fact ?bearing WHERE {
  ?finding a kg:RecordFinding ; kg:assertion ?assertion ; kg:recordFact ?fact ;
    kg:bearing ?bearing .
} ORDER BY ?assertion ?fact ?bearing
"""
# Where a record names everybody who stands in a relation, and somebody else than is spoken of.
_OTHERS = """
SELECT DISTINCT ?assertion ?fact ?asked WHERE {
  ?finding a kg:RecordFinding ; kg:assertion ?assertion ; kg:recordFact ?fact .
  ?assertion kg:maintains|kg:denies ?proposition .
  ?proposition rdf:predicate ?relation ; rdf:subject ?named .
  ?relation kg:recordComplete true .
  ?fact rdf:predicate ?relation ; rdf:subject ?other .
  OPTIONAL { ?named kg:identifiedWith ?known }
  BIND(COALESCE(?known, ?named) AS ?asked)
  FILTER(?other != ?asked)
} ORDER BY ?assertion ?fact
"""
_SCOPES = """
SELECT DISTINCT ?proposition ?scope WHERE {
  ?proposition a kg:Proposition ; kg:scope ?scope
} ORDER BY ?proposition ?scope
"""
_SHOWN_FACTS = 2
_SHOWN_SILENT = 10
_NOTE = (
    "A record is no judge: it shows what its entries amount to under a named rule (rule "
    "“record-finding”), and not who had an idea. Times are as whoever made a commit set them. "
    "Lines are counted in more than one way, and each sentence says how: numbers of different ones "
    "are no shares of each other. It does not say why lines were removed or changed. What commits "
    "name is no word on whether credit was given. It is silent where it could "
    "speak to what is said and holds nothing on it."
)


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
    shown = _Shown(voices, facts_of(voices.reader, sorted(facts)))
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
            Part("It corroborates", tuple(_claims(shown, bearings["Corroborates"]))),
            Part("It conflicts with", tuple(_claims(shown, bearings["Conflicts"]))),
            Part(
                "It counts, and does not settle",
                tuple(_claims(shown, bearings["Measures"])),
            ),
            Part("It is silent on", tuple(_silent(voices, silent))),
            *told(voices),
        ),
    )


def _stances(voices: Voices, assertions: list[str]) -> list[list[str]]:
    """Return assertions by what they say, so or not so, in the order of the documents."""
    groups: dict[tuple[str, bool], list[str]] = {}
    for one in sorted(set(assertions), key=voices.order):
        statement = voices.reader.statements[one]
        groups.setdefault((statement.proposition, statement.stance == "denies"), []).append(one)
    return list(groups.values())


class _Shown:
    """Facts beside what is said, and within what it is said."""

    def __init__(self, voices: Voices, facts: dict[str, Fact]) -> None:
        self.voices = voices
        self.facts = facts
        self.others: dict[tuple[str, str], str] = {}
        for row in select(voices.engine, _OTHERS):
            self.others[string(row, "assertion"), string(row, "fact")] = string(row, "asked")
        self.scopes: dict[str, list[str]] = {}
        for row in select(voices.engine, _SCOPES):
            self.scopes.setdefault(string(row, "proposition"), []).append(string(row, "scope"))
        things = {*self.others.values(), *(one for group in self.scopes.values() for one in group)}
        voices.reader.learn_names(sorted(things))

    def scope(self, proposition: str, gloss: str) -> str:
        """Return within what a proposition is encoded, unless its gloss names it."""
        names = (plain(self.voices.name(one)) for one in self.scopes.get(proposition, ()))
        told = [name for name in names if name.lower() not in gloss.lower()]
        return f" (as encoded, within {listed(told)})" if told else ""

    def sentences(self, assertions: list[str], facts: list[str]) -> list[Sentence]:
        """Return what facts show of assertions; who is named instead of somebody, as one."""
        groups: dict[tuple[str, ...], list[str]] = {}
        for one in facts:
            asked = next((self.others[a, one] for a in assertions if (a, one) in self.others), "")
            fact = self.facts.get(one)
            instead = (asked, fact.predicate, fact.object) if fact and asked else (one,)
            groups.setdefault(instead, []).append(one)
        found = []
        for key, group in groups.items():
            known = [self.facts[one] for one in group if one in self.facts]
            text = in_words(known[0]) if known else ""
            if known and len(key) > 1:
                text = names_only(known, self.voices.name(key[0]))
            found.append(_fact(text, tuple(group)))
        return found


def _claims(shown: _Shown, found: dict[str, list[str]]) -> list[Claim]:
    claims = []
    voices = shown.voices
    for group in _stances(voices, list(found)):
        claim = voices.claim(group)
        facts = sorted({fact for one in group for fact in found[one]}, key=voices.reader.short)
        every = shown.sentences(group, facts)
        notes = every[:_SHOWN_FACTS]
        if rest := every[_SHOWN_FACTS:]:
            text = f"So do {len(rest)} more of its facts." if len(rest) > 1 else "So does one more."
            notes.append(sentence(text, (link for one in rest for link in one.links)))
        words = claim.words + shown.scope(
            voices.reader.statements[group[0]].proposition, claim.words
        )
        claims.append(Claim(words, (*claim.voices, *notes)))
    return claims


def _fact(text: str, facts: tuple[str, ...]) -> Sentence:
    return sentence(f"{text or 'The record shows it'}.", facts)


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
