"""Who says what in a brief: voices with everyone through whom they are heard, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kg.brief.model import Claim, Sentence, sentence
from kg.engine import Engine
from kg.in_words import listed
from kg.namespaces import expand
from kg.rows import number, select, string
from kg.show.reader import Reader

_ASSERTIONS = """
SELECT ?assertion ?document ?start ?end ?depth ?confidence WHERE {
  ?assertion a kg:Assertion .
  OPTIONAL { ?assertion kg:hearsayDepth ?depth }
  OPTIONAL { ?assertion kg:encoderConfidence ?confidence }
  OPTIONAL {
    ?assertion oa:hasTarget ?passage .
    ?passage oa:hasSource ?document ; oa:hasSelector ?selector .
    ?selector oa:start ?start ; oa:end ?end .
  }
} ORDER BY ?assertion ?document ?start ?end
"""
_DOCUMENTS = """
SELECT ?document WHERE {
  ?dispute kg:hasDocument ?document .
  OPTIONAL { ?document kg:publishedEarliest ?from }
} ORDER BY COALESCE(STR(?from), "9999") ?document
"""
_SIDES = """
SELECT DISTINCT ?agent ?side WHERE {
  { ?agent kg:onSideOf ?side } UNION { ?agent kg:identifiedWith/kg:onSideOf ?side }
} ORDER BY ?agent ?side
"""
_PARTIES = """
SELECT DISTINCT ?party ?name WHERE {
  ?dispute a kg:Dispute ; kg:party ?party . ?party foaf:name|rdfs:label ?name
} ORDER BY LCASE(STR(?name)) ?party
"""

STANCES = {
    "affirms": "says that it is so",
    "denies": "says that it is not so",
    "doubts": "doubts that it is so",
    "asks": "asks whether or why it is so",
    "concedes": "grants that it is so",
}
_ASIDE = "takes for granted that it is so"
_FOR_NOW = "grants for the sake of argument that it is so"
_OTHERWISE = "speaks of it"
# For several voices: the verb is the first word.
_PLURAL = {
    stance: f"{stance.split()[0].removesuffix('s')} {stance.partition(' ')[2]}"
    for stance in (*STANCES.values(), _ASIDE, _FOR_NOW, _OTHERWISE)
}
# By commitment: on what is said, and on somebody else's report of it.
_STANDS = {
    "Endorses": ("backing it", "backing the report"),
    "Rejects": ("rejecting it", "rejecting the report"),
    "Neutral": ("taking no stand", "taking no stand on the report"),
}
_SHOWN_PLACES = 3


@dataclass(frozen=True)
class Told:
    """Where an assertion stands, over how many mouths it comes, and how sure the reading is.

    ``start`` and ``end`` are code points of ``document``; ``confidence`` is ``High``, ``Medium``,
    ``Low`` or nothing.
    """

    document: str = ""
    start: int = 0
    end: int = 0
    depth: int = 0
    confidence: str = ""


class Voices:
    """Every assertion of a dispute, to be put into sentences."""

    def __init__(self, engine: Engine, base: str) -> None:
        """Fetch all assertions in a few questions. Raises ``EngineError``."""
        self.engine = engine
        self.base = base
        self.reader = Reader(engine, base, {})
        self.told: dict[str, Told] = {}
        for row in select(engine, _ASSERTIONS):
            self.told.setdefault(
                string(row, "assertion"),
                Told(
                    string(row, "document"),
                    number(row, "start") or 0,
                    number(row, "end") or 0,
                    number(row, "depth") or 0,
                    string(row, "confidence").removeprefix(expand("kg:")),
                ),
            )
        self.reader.learn(self.told)
        self.documents = [string(row, "document") for row in select(engine, _DOCUMENTS)]
        self.parties = list(dict.fromkeys(string(row, "party") for row in select(engine, _PARTIES)))
        self._sides: dict[str, set[str]] = {}
        for row in select(engine, _SIDES):
            self._sides.setdefault(string(row, "agent"), set()).add(string(row, "side"))

    def name(self, iri: str) -> str:
        """Return what a thing is called."""
        return self.reader.name(iri)

    def quoted(self, proposition: str) -> str:
        """Return a proposition's gloss as something that is mentioned and not said."""
        return f"“{self.name(proposition).rstrip('.')}”"

    def sides(self, assertion: str) -> frozenset[str]:
        """Return the parties on whose side an assertion's speaker is."""
        return frozenset(self._sides.get(self.reader.statements[assertion].speaker, ()))

    def order(self, assertion: str) -> tuple[int, int, int, str]:
        """Return a key that sorts assertions by document, older ones first, and place in it."""
        told = self.told[assertion]
        known = told.document in self.documents
        place = self.documents.index(told.document) if known else len(self.documents)
        return place, told.start, told.end, assertion

    def carriers(self, assertions: Iterable[str]) -> list[str]:
        """Return the outermost relays through which assertions reach the reader, in order."""
        return sorted({self.reader.path(one)[0] for one in assertions}, key=self.order)

    def reports(self, assertion: str) -> str:
        """Return through whom an assertion is heard, from the inside out, and where they stand.

        Nothing for what is told first hand, else a clause such as ``, as Ana reports, backing it``.
        Whoever backs or rejects somebody else's report takes that stand on the report.
        """
        groups: list[tuple[str, list[str]]] = []
        for outer in reversed(self.reader.path(assertion)[:-1]):
            stand = self.reader.statements[outer].commitment
            stand = stand if stand in _STANDS else "Neutral"
            # Of several who back it each backs it; who rejects a rejection does not reject it.
            if not groups or groups[-1][0] != stand or stand == "Rejects":
                groups.append((stand, []))
            groups[-1][1].append(self._speaker(outer))
        clauses: list[str] = []
        for stand, names in groups:
            verb = "" if clauses else " reports" if len(names) == 1 else " report"
            clauses.append(f"{listed(names)}{verb}, {_STANDS[stand][bool(clauses)]}")
        return f", as {', and '.join(clauses)}" if clauses else ""

    def _speaker(self, assertion: str) -> str:
        speaker = self.reader.statements[assertion].speaker
        return self.name(speaker) if speaker else "somebody unnamed"

    def stance(self, assertion: str) -> str:
        """Return the verb of an assertion: ``says that it is so``."""
        statement = self.reader.statements[assertion]
        if statement.presupposed and statement.stance == "affirms":
            return _ASIDE
        if statement.arguendo and statement.stance == "concedes":
            return _FOR_NOW
        return STANCES.get(statement.stance, _OTHERWISE)

    def place(self, assertion: str) -> str:
        """Return where an assertion stands: ``letter 12-40``."""
        told = self.told[assertion]
        document = self.reader.short(told.document) if told.document else "no document"
        return f"{document} {told.start}-{told.end}"

    def voices(self, assertions: Iterable[str]) -> tuple[Sentence, ...]:
        """Return a sentence for each voice and stance; what one voice repeats is told once.

        Voices that take the same stance and are heard through the same others share a sentence.
        """
        groups: dict[tuple[str, str, str], dict[str, list[str]]] = {}
        for one in sorted(set(assertions), key=self.order):
            reports, speaker = self.reports(one), self._speaker(one)
            alone = "" if reports else speaker
            who = groups.setdefault((self.stance(one), reports, alone), {})
            who.setdefault(speaker, []).append(one)
        found = []
        for (stance, reports, _), who in groups.items():
            ones = [one for own in who.values() for one in own]
            verb = stance if len(who) == 1 else _PLURAL.get(stance, stance)
            text = f"{listed(who)} {verb}{reports} ({self.places(ones)})."
            found.append(sentence(text, ones))
        return tuple(found)

    def places(self, assertions: list[str]) -> str:
        """Return the places of assertions that are told as one, the first few by name."""
        most = len(assertions) if len(assertions) == _SHOWN_PLACES + 1 else _SHOWN_PLACES
        shown: dict[str, list[str]] = {}
        for one in assertions[:most]:
            document, _, span = self.place(one).rpartition(" ")
            shown.setdefault(document, []).append(span)
        text = "; ".join(f"{document} {', '.join(spans)}" for document, spans in shown.items())
        more = len(assertions) - most
        return f"{text} and {more} more places" if more > 0 else text

    def claim(self, assertions: Iterable[str], *, beside: bool = False) -> Claim:
        """Return what assertions on one proposition say, and a sentence for each voice.

        ``beside`` says that a denial of it stands beside it, from which it must be told apart.
        """
        every = sorted(set(assertions), key=self.order)
        statements = [self.reader.statements[one] for one in every]
        words = self.quoted(statements[0].proposition)
        if all(statement.stance == "denies" for statement in statements):
            words = f"Said not to be so: {words}"
        elif beside:
            words = f"Said to be so: {words}"
        who = dict.fromkeys(
            self._speaker(one) + (" (as reported)" if self.told[one].depth else "") for one in every
        )
        return Claim(words, self.voices(every), tuple(who))

    def claims(self, assertions: Iterable[str]) -> list[Claim]:
        """Return a claim for each proposition, in the order in which they are first given."""
        groups: dict[str, list[str]] = {}
        for one in assertions:
            groups.setdefault(self.reader.statements[one].proposition, []).append(one)
        return [self.claim(group) for group in groups.values()]

    def names(self, things: Iterable[str]) -> str:
        """Return the names of things as a list in words."""
        return listed(map(self.name, things))
