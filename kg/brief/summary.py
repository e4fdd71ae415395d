"""A dispute on one screen: counts, the balance by side, and the strongest conflicts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from kg.brief.gather_conflicts import contrast_of
from kg.brief.stored import ask
from kg.brief.strength import Matter, matters_of, one_of_each_quarrel
from kg.brief.voices import Voices
from kg.dispute import Dispute
from kg.engine import Engine
from kg.rows import number, select, string

# The matters that one side raises about the other, which the query 'unanswered' starts from.
_RAISED = """
SELECT DISTINCT ?side ?proposition ?stance WHERE {
  ?proposition rdf:subject|rdf:object ?about .
  ?about kg:onSideOf ?side .
  ?each ?stance ?proposition ; kg:claimType ?type ; kg:heldBy/kg:onSideOf ?otherSide .
  FILTER(?side != ?otherSide)
  FILTER NOT EXISTS { ?each kg:inDocument/kg:onSideOf ?side }
  VALUES ?stance { kg:affirms kg:denies }
} ORDER BY ?side ?proposition ?stance
"""
_SIDE_OF = "SELECT DISTINCT ?about ?side WHERE { ?about kg:onSideOf ?side } ORDER BY ?about ?side"
_COUNTS = """
SELECT (COUNT(DISTINCT ?d) AS ?documents) (COUNT(DISTINCT ?r) AS ?records)
  (COUNT(DISTINCT ?p) AS ?propositions) (COUNT(DISTINCT ?agreed) AS ?agreements)
  (COUNT(DISTINCT ?f) AS ?findings) (COUNT(DISTINCT ?w) AS ?withheld) WHERE {
  { ?any kg:hasDocument ?d } UNION { ?any kg:hasRecord ?r } UNION { ?p a kg:Proposition }
  UNION { ?agreement a kg:Agreement ; kg:proposition ?agreed }
  UNION { ?f a kg:RecordFinding } UNION { ?w a kg:Withheld }
}
"""
OTHERS = "others"
_STRONGEST = 5


@dataclass(frozen=True)
class Balance:
    """What one side says and is said of it.

    ``statements`` are those whose speaker is counted on the side, whether or not the party knows
    or backs that voice; ``hearsay`` those of them that reach the reader only as somebody reports
    them. ``answered`` and ``unanswered`` count matters that the
    other side raises about this one, by whether a statement of this one speaks to them; ``None``
    for those who are on no side.
    """

    side: str
    name: str
    statements: int
    hearsay: int
    answered: int | None
    unanswered: int | None


@dataclass(frozen=True)
class Conflict:
    """A conflict: who says what, against whom who says what, by which rule."""

    rule: str
    statements: tuple[str, ...]
    who: tuple[str, ...]
    claim: str
    against: tuple[str, ...]
    counter_who: tuple[str, ...]
    counterclaim: str


@dataclass(frozen=True)
class Summary:
    """The whole report; ``counts`` are by name, in the order in which they are shown."""

    title: str
    iri: str
    counts: dict[str, int]
    balance: tuple[Balance, ...]
    conflicts: tuple[Conflict, ...]

    def as_json(self) -> str:
        """Return the report as a JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"


def summary(engine: Engine, dispute: Dispute) -> Summary:
    """Return the report of a dispute. Raises ``QueryError`` and ``EngineError``."""
    voices = Voices(engine, dispute.base)
    matters = matters_of(voices)
    return Summary(
        dispute.title,
        dispute.iri,
        _counts(voices, matters),
        tuple(_balance(voices, dispute)),
        tuple(_conflict(voices, one) for one in one_of_each_quarrel(matters)[:_STRONGEST]),
    )


def _counts(voices: Voices, matters: list[Matter]) -> dict[str, int]:
    [row] = select(voices.engine, _COUNTS)
    statements = voices.reader.statements.values()
    relays = sum(bool(one.relays) for one in statements)
    return {
        "documents": number(row, "documents") or 0,
        "records": number(row, "records") or 0,
        "statements": len(statements) - relays,
        "reports of others' words": relays,
        "propositions": number(row, "propositions") or 0,
        "both sides say": number(row, "agreements") or 0,
        "contradictions": sum(len(one.conflicts) for one in matters),
        "matters contradicted": len(matters),
        "findings of records": number(row, "findings") or 0,
        "passages withheld": number(row, "withheld") or 0,
    }


def _balance(voices: Voices, dispute: Dispute) -> Iterator[Balance]:
    side_of = {string(row, "about"): string(row, "side") for row in select(voices.engine, _SIDE_OF)}
    raised: dict[str, int] = {}
    for row in select(voices.engine, _RAISED):
        raised[string(row, "side")] = raised.get(string(row, "side"), 0) + 1
    open_: dict[str, set[tuple[str, str]]] = {}
    for row in ask(voices.engine, dispute, "unanswered"):
        matter = string(row, "proposition"), string(row, "stance")
        open_.setdefault(side_of[string(row, "about")], set()).add(matter)
    statements = voices.reader.statements
    spoken = [one for one in voices.told if not statements[one].relays]
    for side in voices.parties:
        own = [one for one in spoken if side in voices.sides(one)]
        unanswered = len(open_.get(side, ()))
        answered = raised.get(side, 0) - unanswered
        heard = sum(voices.told[one].depth > 0 for one in own)
        yield Balance(side, voices.name(side), len(own), heard, answered, unanswered)
    others = [one for one in spoken if not voices.sides(one)]
    if others:
        heard = sum(voices.told[one].depth > 0 for one in others)
        yield Balance("", OTHERS, len(others), heard, None, None)


def _conflict(voices: Voices, matter: Matter) -> Conflict:
    beside = contrast_of(voices, matter)
    return Conflict(
        beside.label,
        tuple(map(voices.reader.short, matter.claim)),
        beside.claim.who,
        beside.claim.words,
        tuple(map(voices.reader.short, matter.counterclaim)),
        beside.counterclaim.who,
        beside.counterclaim.words,
    )
