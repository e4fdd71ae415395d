"""Which conflicts are the strongest: an order that can be looked up, and no weighing.

A conflict comes before another, criterion by criterion:

1. between speakers of different sides, before any other;
2. first hand on both sides, before what is heard over mouths;
3. found by a rule, before declared by an encoder;
4. one that a record speaks to, for or against either statement, before one that it does not;
5. the encoder's confidence in the readings, high before medium before low, the lesser of the two;
6. how many mouths the two come over together, fewer before more;
7. the names of the statements.

Where several pairs of statements conflict about the same two things, their strongest pair counts.
Where only the strongest few are shown, matters that share a statement are one quarrel and take one
place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from kg.brief.voices import Voices
from kg.namespaces import expand
from kg.rows import select, string

_CONTRADICTIONS = """
SELECT DISTINCT ?node ?one ?rule ?kind ?grounds ?judge ?confidence WHERE {
  VALUES ?type { kg:DerivedContradiction kg:DeclaredContradiction }
  ?node a ?type ; kg:between ?one .
  OPTIONAL { ?node kg:rule ?rule }
  OPTIONAL { ?node kg:kind/rdfs:label ?kind }
  OPTIONAL { ?node kg:grounds ?grounds }
  OPTIONAL { ?node prov:wasGeneratedBy/prov:wasAssociatedWith ?judge }
  OPTIONAL { ?node kg:encoderConfidence ?confidence }
} ORDER BY ?node ?one ?rule ?kind ?grounds ?judge
"""
_SELF = """
SELECT ?node ?agent WHERE { ?node kg:selfContradictionOf ?agent } ORDER BY ?node ?agent
"""
# A number beside a statement backs nobody.
_BACKED = """
SELECT DISTINCT ?assertion WHERE {
  ?f a kg:RecordFinding ; kg:assertion ?assertion ; kg:bearing ?bearing .
  FILTER(?bearing != kg:Measures)
}
"""

PAIR = 2
Node = TypeVar("Node")
_CONFIDENCE = {"High": 0, "Medium": 1, "Low": 2}


@dataclass
class Conflict:
    """A contradiction between two assertions: the rule that found it, or an encoder's grounds."""

    node: str
    between: list[str] = field(default_factory=list)
    rule: str = ""
    kind: str = ""
    grounds: str = ""
    judge: str = ""
    confidence: str = ""
    selves: list[str] = field(default_factory=list)

    @property
    def declared(self) -> bool:
        """Whether an encoder stated it, rather than a rule found it."""
        return not self.rule


Rank = tuple[bool, bool, bool, bool, int, int, list[str]]


@dataclass(frozen=True)
class Matter:
    """All conflicts over the same two stances, and the rank of the strongest of them."""

    claim: tuple[str, ...]
    counterclaim: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    rank: Rank

    @property
    def across(self) -> bool:
        """Whether a pair of speakers is of different sides."""
        return not self.rank[0]


def conflicts_of(voices: Voices) -> list[Conflict]:
    """Return every contradiction that joins two assertions."""
    found: dict[str, Conflict] = {}
    for row in select(voices.engine, _CONTRADICTIONS):
        node = string(row, "node")
        one = found.setdefault(node, Conflict(node))
        if string(row, "one") not in one.between:
            one.between.append(string(row, "one"))
        one.rule = one.rule or string(row, "rule")
        one.kind = one.kind or string(row, "kind")
        one.grounds = one.grounds or string(row, "grounds")
        one.judge = one.judge or string(row, "judge")
        local = string(row, "confidence").removeprefix(expand("kg:"))
        one.confidence = one.confidence or local
    for row in select(voices.engine, _SELF):
        if string(row, "node") in found:
            found[string(row, "node")].selves.append(string(row, "agent"))
    return [one for one in found.values() if len(one.between) == PAIR]


def matters_of(voices: Voices) -> list[Matter]:
    """Return the contradictions by what they are about, the strongest first."""
    backed = {string(row, "assertion") for row in select(voices.engine, _BACKED)}
    matters = [
        Matter(first, second, tuple(group), min(_rank(voices, one, backed) for one in group))
        for first, second, group in by_matter(
            voices, ((one, one.between) for one in conflicts_of(voices))
        )
    ]
    return sorted(matters, key=lambda matter: matter.rank)


def one_of_each_quarrel(matters: Sequence[Matter]) -> list[Matter]:
    """Return the strongest matter of each quarrel, in the order given, the strongest first.

    Matters are of one quarrel if they share a statement, or each does with a third.
    """
    quarrels: list[tuple[Matter, set[str]]] = []
    for matter in matters:
        statements = {*matter.claim, *matter.counterclaim}
        touched = [one for one in quarrels if not one[1].isdisjoint(statements)]
        first = touched[0] if touched else (matter, set())
        first[1].update(statements, *(held for _, held in touched))
        quarrels = [one for one in quarrels if one not in touched[1:]]
        if not touched:
            quarrels.append(first)
    return [matter for matter, _ in quarrels]


def by_matter(
    voices: Voices, nodes: Iterable[tuple[Node, Sequence[str]]]
) -> list[tuple[tuple[str, ...], tuple[str, ...], list[Node]]]:
    """Draw together what joins two assertions by what the two say: claim, counterclaim, nodes.

    What denies something is the counterclaim; of two that say different things, that is the one
    in the younger document, or in the same document the later one.
    """

    def said(assertion: str) -> tuple[bool, str]:
        statement = voices.reader.statements[assertion]
        return statement.stance == "denies", statement.proposition

    groups: dict[frozenset[tuple[bool, str]], list[tuple[Node, Sequence[str]]]] = {}
    for node, between in nodes:
        groups.setdefault(frozenset(map(said, between)), []).append((node, between))
    found = []
    for group in groups.values():
        every = sorted({one for _, between in group for one in between}, key=voices.order)
        first = min(every, key=lambda one: (said(one)[0], voices.order(one)))
        claim = tuple(one for one in every if said(one) == said(first))
        counterclaim = tuple(one for one in every if said(one) != said(first))
        if not counterclaim:  # the same stance on the same thing, which no rule would find
            claim, counterclaim = claim[:1], claim[1:]
        found.append((claim, counterclaim, [node for node, _ in group]))
    return found


def _rank(voices: Voices, conflict: Conflict, backed: set[str]) -> Rank:
    one, other = conflict.between
    sides, other_sides = voices.sides(one), voices.sides(other)
    across = bool(sides and other_sides and sides.isdisjoint(other_sides))
    depths = [voices.told[end].depth for end in (one, other)]
    readings = [voices.told[end].confidence for end in (one, other)]
    readings += [conflict.confidence] if conflict.declared else []
    return (
        not across,
        any(depths),
        conflict.declared,
        not backed & {one, other},
        max(_CONFIDENCE.get(reading, len(_CONFIDENCE)) for reading in readings),
        sum(depths),
        sorted(voices.reader.short(end) for end in (one, other)),
    )
