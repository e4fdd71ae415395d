"""What is said in a dispute, and who attacks whom, before any reader has chosen anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kg.namespaces import expand, shorten

REBUTTAL, ATTACK, RECORD, APPARENT = "rebuttal", "attack", "record", "apparent"
# The kind that an encoded attack on a conclusion is read as.
REBUT = "Rebut"


@dataclass
class Said:
    """An assertion as far as attacks and a reader's choices need it; every value is an IRI."""

    iri: str
    stance: str = ""
    proposition: str = ""
    claim_type: str = ""
    arguendo: bool = False
    speaker: str = ""
    holders: set[str] = field(default_factory=set)
    documents: set[str] = field(default_factory=set)
    relays: list[str] = field(default_factory=list)
    commitment: str = ""
    superseded_by: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Edge:
    """One attack: who, on whom (an argument or another attack), and why it counts as one.

    ``node`` is what states it in the graph: a contradiction, an attack, a finding. ``exclusive``
    says that the two cannot both hold. ``premises`` are the identity judgements it stands on, and
    ``rule`` the derivation that gave it, or the kind an attack was read as. ``turned`` is the
    choice (``accept``, ``prefer``) that turned the attack round, if one did.
    """

    source: str
    target: str
    kind: str
    node: str
    rule: str = ""
    exclusive: bool = False
    premises: tuple[str, ...] = ()
    turned: str = ""


@dataclass(frozen=True)
class Moves:
    """Everything a framework is made of, before a reader's choices.

    ``arguments`` are IRIs in the order of their names; ``facts`` gives the records of each
    argument that is a record fact; ``left_out`` says why something is no attack or argument.
    ``identified`` lists the agents that a persona counts as, and ``judgements`` by whose word.
    """

    base: str
    arguments: tuple[str, ...]
    edges: tuple[Edge, ...]
    said: Mapping[str, Said]
    facts: Mapping[str, frozenset[str]]
    identified: Mapping[str, frozenset[str]]
    judgements: Mapping[str, tuple[str, ...]]
    left_out: Mapping[str, str]

    @cached_property
    def put_forward(self) -> frozenset[str]:
        """The arguments, to look one up in."""
        return frozenset(self.arguments)

    @cached_property
    def _outermost(self) -> list[str]:
        relayed = {inner for one in self.said.values() for inner in one.relays}
        return [iri for iri in self.said if iri not in relayed]

    def name(self, iri: str) -> str:
        """Return the name an argument has in every output: its short name."""
        return shorten(iri, self.base)

    def who(self, speaker: str) -> frozenset[str]:
        """Return a speaker together with the agents they count as."""
        return self.identified.get(speaker, frozenset()) | {speaker}

    def only_through(self, closed: Iterable[str]) -> set[str]:
        """Return what no longer reaches the reader when some assertions are taken out.

        These themselves are among it. An assertion that nobody relays reaches the reader by
        itself; any other through at least one relay that does.
        """
        without = frozenset(closed)
        reached = self._reached(self._outermost, without)
        # A cycle of relays, which the shapes forbid, has no outermost one and is never reached.
        return {iri for iri in self.said if iri not in reached}

    def _reached(self, start: Iterable[str], without: frozenset[str]) -> set[str]:
        reached: set[str] = set()
        queue = list(start)
        while queue:
            iri = queue.pop()
            if iri in self.said and iri not in reached and iri not in without:
                reached.add(iri)
                queue += self.said[iri].relays
        return reached

    def word_of(self, agent: str) -> set[str]:
        """Return what rests on an agent's word alone: all they say, and all heard only of them."""
        return self.only_through(
            iri for iri, one in self.said.items() if agent in self.who(one.speaker)
        )

    def passed_on(self, iri: str) -> list[str]:
        """Return the arguments that an assertion passes on, at any distance, or that it is.

        A relay that rejects passes nothing on.
        """
        rejecting = {
            other
            for other, one in self.said.items()
            if one.relays and one.commitment == expand("kg:Rejects")
        }
        return sorted(self._reached([iri], frozenset(rejecting)) & self.put_forward)

    def held_by(self, agent: str) -> set[str]:
        """Return the arguments an agent stands behind: their own, and those they pass on so."""
        return {
            iri
            for iri in self.put_forward & self.said.keys()
            if agent in self.said[iri].holders or agent in self.who(self.said[iri].speaker)
        }

    def held_in(self, document: str) -> set[str]:
        """Return what a document itself says: its outermost assertions, and what they endorse."""
        start = [iri for iri in self._outermost if document in self.said[iri].documents]
        silent = {
            other
            for other, one in self.said.items()
            if one.relays and one.commitment != expand("kg:Endorses")
        }
        return self._reached(start, frozenset(silent)) & self.put_forward

    def lying_in(self, document: str) -> set[str]:
        """Return every assertion whose passage lies in a document."""
        return {iri for iri, one in self.said.items() if document in one.documents}


def in_order(name: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts ``a-2`` before ``a-10``."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]
