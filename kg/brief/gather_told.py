"""What the records hold of names, times and lines, beside nothing in particular that is said."""

from __future__ import annotations

from itertools import groupby

from kg.brief.model import Part, Run, Sentence, Told, sentence
from kg.brief.record_words import by_rule, counted_how, in_words, plain, span, what
from kg.brief.voices import Voices
from kg.in_words import listed
from kg.rows import number, select, string
from kg.show.facts import SPANS, Fact, facts_of

# What the records amount to on the pull requests and branches that somebody speaks of.
_TOLD = """
SELECT DISTINCT ?fact ?rule ?entry WHERE {
  {
    SELECT DISTINCT ?entry WHERE {
      ?proposition a kg:Proposition ; rdf:object|rdf:subject|kg:scope ?entry .
      ?entry a kg:PullRequest .
    }
  }
  { ?fact rdf:subject ?entry } UNION { ?fact rdf:object ?entry } UNION { ?fact kg:within ?entry }
  UNION {
    ?entry kg:hasCommit ?commit . ?fact prov:wasDerivedFrom ?commit ; kg:rule "record-credit-kept" .
  }
  ?fact a kg:RecordFact ; kg:rule ?rule .
  VALUES ?rule { $rules }
} ORDER BY ?rule ?fact ?entry
"""
_SPOKEN_OF = """
SELECT ?entry (COUNT(DISTINCT ?proposition) AS ?times) WHERE {
  ?proposition a kg:Proposition ; rdf:object|rdf:subject|kg:scope ?entry .
  ?entry a kg:PullRequest .
} GROUP BY ?entry ORDER BY DESC(?times) ?entry
"""
# Rule by rule, with the stored query that lists all it found.
_NAMES = {"record-credit-kept": "commits-carried-over"}
_TIMES = dict.fromkeys(("record-started-before", "record-wait", "record-span"), "record-times")
_LINES = {
    "record-lines-of": "record-lines",
    "record-lines-removed": "record-lines",
    "record-kept": "commits-carried-over",
}
# What is on none of the so many that most is said of is counted and cited, not spelled out.
_SPELLED_OUT = 2


def told_facts(voices: Voices, facts: list[str]) -> dict[str, str]:
    """Return what each record fact says, in the name of its record."""
    return {iri: in_words(fact) for iri, fact in facts_of(voices.reader, facts).items()}


def told(voices: Voices) -> tuple[Part, ...]:
    """Return what the records hold of the pull requests that are spoken of."""
    spoken = [
        (string(row, "entry"), number(row, "times") or 0)
        for row in select(voices.engine, _SPOKEN_OF)
    ]
    least = min((times for _, times in spoken[:_SPELLED_OUT]), default=0)
    foremost = {entry for entry, times in spoken if times >= least}
    return (
        Part("What it holds of names", _told(voices, _NAMES, {entry for entry, _ in spoken})),
        Part("What it holds of times", _told(voices, _TIMES, foremost)),
        Part("What it holds of lines", _told(voices, _LINES, foremost)),
    )


def _told(voices: Voices, rules: dict[str, str], foremost: set[str]) -> tuple[Told | Sentence, ...]:
    """Return what some rules found, rule by rule: on the foremost in words, the rest counted."""
    about: dict[str, set[str]] = {}
    rows = select(voices.engine, _TOLD.replace("$rules", " ".join(f'"{one}"' for one in rules)))
    for row in rows:
        about.setdefault(string(row, "fact"), set()).add(string(row, "entry"))
    facts = facts_of(voices.reader, sorted(about))
    about = {iri: entries for iri, entries in about.items() if iri in facts}
    order = list(rules)

    def key(iri: str) -> tuple[int, str]:
        return order.index(facts[iri].rule), facts[iri].record

    def placed(iri: str) -> tuple[int, str, str]:
        return *key(iri), voices.reader.short(iri)

    shown = [iri for iri in about if about[iri] & foremost]
    shown.sort(key=placed)
    items: list[Told | Sentence] = []
    for _, group in groupby(shown, key):
        known = list(group)
        if len(known) == 1:
            items.append(sentence(f"{in_words(facts[known[0]])}.", known))
            continue
        first = facts[known[0]]
        how = f"; {counted_how(first)}" if counted_how(first) else ""
        items.append(Told(f"{by_rule(first)}{how}:", tuple(_sentences(facts, known))))
    left: dict[str, list[str]] = {}
    for iri in sorted(about.keys() - set(shown), key=placed):
        left.setdefault(rules[facts[iri].rule], []).append(iri)
    voices.reader.learn_names(sorted({entry for entries in about.values() for entry in entries}))
    items.extend(_counted(voices, query, rest, about) for query, rest in left.items())
    return tuple(items)


def _sentences(facts: dict[str, Fact], known: list[str]) -> list[Sentence]:
    """Return what facts of one rule say; the spans of one pull request as one sentence."""
    found = []
    spans = {iri: facts[iri].subject for iri in known if facts[iri].predicate in SPANS}
    for _, group in groupby(known, lambda iri: spans.get(iri, iri)):
        first, *more = group
        parts = [what(facts[first]), *(f", {span(facts[iri])}" for iri in more)]
        parts[-1] += "."
        runs = zip(parts, (first, *more), strict=True)
        found.append(Sentence(tuple(Run(text, (iri,)) for text, iri in runs)))
    return found


def _counted(voices: Voices, query: str, facts: list[str], about: dict[str, set[str]]) -> Sentence:
    """Return how many facts are left out, on what, and which stored query lists them."""
    entries = sorted({entry for iri in facts for entry in about[iri]}, key=voices.reader.short)
    names = listed(plain(voices.name(entry)) for entry in entries)
    text = f"On {names}, of which less is said, it holds {len(facts)} more (query “{query}”)."
    return sentence(text, facts)
