"""The parties, the documents and the records, and what stands for and against each in number."""

from __future__ import annotations

from kg.brief.dates import spoken
from kg.brief.model import Part, Run, Section, Sentence, sentence
from kg.brief.voices import Voices
from kg.in_words import counted
from kg.rows import number, select, string

_DOCUMENTS = """
SELECT ?document ?title ?creator ?published ?length ?side WHERE {
  ?dispute kg:hasDocument ?document .
  OPTIONAL { ?document dcterms:title ?title }
  OPTIONAL { ?document dcterms:creator ?creator }
  OPTIONAL { ?document kg:published ?published }
  OPTIONAL { ?document kg:length ?length }
  OPTIONAL { ?document kg:onSideOf ?side }
} ORDER BY ?document ?title ?creator ?published ?side
"""
_RECORDS = """
SELECT ?record (COUNT(DISTINCT ?commit) AS ?commits) (COUNT(DISTINCT ?request) AS ?requests) WHERE {
  ?dispute kg:hasRecord ?record .
  OPTIONAL { ?commit a kg:Commit ; kg:partOfRecord ?record }
  OPTIONAL { ?request a kg:PullRequest ; kg:hasCommit ?commit }
} GROUP BY ?record ORDER BY ?record
"""
_SPEAKERS = """
SELECT DISTINCT ?agent ?side WHERE {
  ?assertion kg:speaker ?agent .
  ?agent kg:onSideOf ?side .
  FILTER(?agent != ?side)
} ORDER BY ?side ?agent
"""
_CLAIMING = """
SELECT DISTINCT ?party ?persona WHERE { ?persona kg:claimsToBe ?party } ORDER BY ?party ?persona
"""
_NOTE = (
    "Whom and what the encoders took in, and on whose side they count a document or a voice: that "
    "of the party whose case it puts. That a voice is counted on a party's side does not mean that "
    "the party knows of it or backs it."
)


def parties(voices: Voices, dispute: str) -> Section:
    """Return the section on parties, documents and records. ``dispute`` is its IRI."""
    items: list[Sentence] = []
    if voices.parties:
        runs = [Run("The encoders count as parties, by name: ")]
        for place, party in enumerate(voices.parties):
            runs.append(Run(", " if place else "", ()))
            runs.append(Run(voices.name(party), (party,)))
        items.append(Sentence((*runs, Run(".", (dispute,)))))
    return Section(
        "parties",
        "The parties, the documents and the record",
        _NOTE,
        (
            Part("", (*items, *_sides(voices))),
            Part("Documents and records", (*_documents(voices), *_records(voices))),
        ),
    )


def _documents(voices: Voices) -> list[Sentence]:
    facts: dict[str, dict[str, str]] = {}
    for row in select(voices.engine, _DOCUMENTS):
        document = facts.setdefault(string(row, "document"), {})
        for key in ("title", "creator", "published", "side", "length"):
            document.setdefault(key, string(row, key))
    found = []
    for iri in voices.documents:
        fact = facts[iri]
        inside = [one for one, told in voices.told.items() if told.document == iri]
        relays = [one for one in inside if voices.reader.statements[one].relays]
        heard = [one for one in inside if voices.told[one].depth and one not in relays]
        title = f"“{fact['title']}”" if fact["title"] else "a document without a title"
        author = f" by {voices.name(fact['creator'])}" if fact["creator"] else ""
        date = f", dated {spoken(fact['published'])}" if fact["published"] else ", undated"
        side = f", on the side of {voices.name(fact['side'])}" if fact["side"] else ""
        length = f"{int(fact['length']):,} characters" if fact["length"] else "unknown length"
        text = (
            f"{voices.reader.short(iri)}: {title}{author}{date}{side}; {length}, in which the "
            f"encoders read {counted(len(inside) - len(relays), 'statement')}, {len(heard):,} of "
            f"them as words of others, passed on in {counted(len(relays), 'report')}."
        )
        found.append(sentence(text, (iri,)))
    return found


def _records(voices: Voices) -> list[Sentence]:
    return [
        sentence(
            f"{voices.reader.short(string(row, 'record'))}: the record "
            f"“{voices.name(string(row, 'record'))}”, with "
            f"{counted(number(row, 'commits') or 0, 'commit')} and "
            f"{counted(number(row, 'requests') or 0, 'pull request')}.",
            (string(row, "record"),),
        )
        for row in select(voices.engine, _RECORDS)
    ]


def _sides(voices: Voices) -> list[Sentence]:
    """Say who else is counted on a side, and which party no document is by."""
    others: dict[str, list[str]] = {}
    for row in select(voices.engine, _SPEAKERS):
        others.setdefault(string(row, "side"), []).append(string(row, "agent"))
    personas: dict[str, list[str]] = {}
    for row in select(voices.engine, _CLAIMING):
        personas.setdefault(string(row, "party"), []).append(string(row, "persona"))
    statements = voices.reader.statements
    authors = {string(row, "creator") for row in select(voices.engine, _DOCUMENTS)}
    found = []
    for party in voices.parties:
        if party not in authors:
            own = [one for one in voices.told if statements[one].speaker == party]
            posing = [
                one for one in voices.told if statements[one].speaker in personas.get(party, ())
            ]
            voiced = {statements[one].speaker for one in posing}
            text = f"No document is by {voices.name(party)}"
            if own:
                text += f"; {counted(len(own), 'statement')} of {voices.name(party)} "
                text += "is reported by others" if len(own) == 1 else "are reported by others"
            if posing:
                text += f"; {counted(len(posing), 'statement')} "
                text += "comes from " if len(posing) == 1 else "come from "
                text += f"{counted(len(voiced), 'voice')} that the encoders read as going by "
                text += "that name"
            found.append(sentence(f"{text}.", (party, *own, *sorted(voiced))))
        if party in others:
            names_there = voices.names(others[party])
            text = f"On the side of {voices.name(party)} the encoders also count {names_there}."
            found.append(sentence(text, (party,)))
    return found
