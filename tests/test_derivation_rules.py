"""The rules on disputes that nobody would think of, beside a plain reading of each in Python.

``tests/queries/derive`` shows each rule by itself; here all of them run in order on small random
disputes, and what they find must be what the functions below find by going through all pairs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations, product
from pathlib import Path

import pyoxigraph as ox
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.derivation import derive
from kg.dispute import Dispute, open_dispute
from kg.embedded import EmbeddedEngine
from kg.namespaces import expand
from kg.preparing import load
from kg.sources import ontology_source, read_source
from tests.copies import copies

BASE = "https://w3id.org/counterclaim/example/"
STATED = ox.NamedNode(f"{BASE}graph/stated")
Pair = tuple[str, str]


# A dispute in a few words. Things are known by their short names.

PEOPLE = ["ana", "bo", "cy"]
PERSONAS = ["persona-1", "persona-2"]  # both claim to be bo
AGENTS = [*PEOPLE, *PERSONAS, "poster"]
SIDES = {"ana": "ana", "bo": "bo", "persona-1": "bo"}
# Relations as the vocabulary declares them.
FUNCTIONAL, INVERSE_FUNCTIONAL = "followerCount", "opened"
OPPOSITES = {"carriedOver": "squashed", "squashed": "carriedOver"}


@dataclass(frozen=True)
class Proposition:
    name: str
    subject: str
    relation: str
    object: str | int
    scopes: frozenset[str]
    months: tuple[int | None, int | None]  # of 2023, the first and the last; None where open
    stronger_than: tuple[str, ...]


@dataclass(frozen=True)
class Assertion:
    name: str
    speaker: str
    stance: str | None  # or it relays
    proposition: str
    mode: str  # of a concession
    claim: str
    relays: tuple[str, ...]
    commitment: str


@dataclass(frozen=True)
class Judgement:
    persona: str
    identity: str
    verdict: str
    judge: str


@dataclass(frozen=True)
class Matter:
    propositions: dict[str, Proposition]
    assertions: dict[str, Assertion]
    judgements: tuple[Judgement, ...]


@st.composite
def matters(draw: st.DrawFn) -> Matter:
    propositions: dict[str, Proposition] = {}
    for number in range(draw(st.integers(1, 6))):
        relation = draw(
            st.sampled_from([FUNCTIONAL, INVERSE_FUNCTIONAL, "carriedOver", "squashed", "liked"])
        )
        numbers = st.integers(1, 2)
        things = st.sampled_from(PEOPLE if relation == "liked" else ["pr-1", "pr-2"])
        months = draw(st.sampled_from([(None, None), (3, 3), (5, 5), (None, 3), (5, None), (3, 5)]))
        proposition = Proposition(
            name=f"p{number}",
            subject=draw(st.sampled_from(AGENTS)),
            relation=relation,
            object=draw(numbers if relation == FUNCTIONAL else things),
            scopes=frozenset(draw(st.sampled_from([[], [], ["s1"], ["s2"], ["s1", "s2"]]))),
            months=months,
            stronger_than=tuple(draw(st.lists(st.sampled_from([*propositions]), max_size=2)))
            if propositions
            else (),
        )
        propositions[proposition.name] = proposition
    assertions: dict[str, Assertion] = {}
    for number in range(draw(st.integers(1, 9))):
        relays = draw(st.booleans()) and assertions
        stances = ["affirms", "affirms", "denies", "denies", "concedes", "doubts", "asks"]
        assertion = Assertion(
            name=f"a{number}",
            speaker=draw(st.sampled_from(AGENTS)),
            stance=None if relays else draw(st.sampled_from(stances)),
            proposition=draw(st.sampled_from([*propositions])),
            mode=draw(st.sampled_from(["Admission", "ForTheSakeOfArgument"])),
            claim=draw(st.sampled_from(["Fact", "Fact", "Fact", "Value"])),
            # What is relayed was made before, so nothing relays itself.
            relays=tuple(draw(st.sets(st.sampled_from([*assertions]), min_size=1, max_size=3)))
            if relays
            else (),
            commitment=draw(st.sampled_from(["Endorses", "Endorses", "Neutral", "Rejects"])),
        )
        assertions[assertion.name] = assertion
    judgement = st.builds(
        Judgement,
        persona=st.sampled_from(PERSONAS),
        identity=st.sampled_from(["bo", "cy"]),
        verdict=st.sampled_from(["Same", "Same", "Different", "Unsure"]),
        judge=st.sampled_from(["encoder", "encoder-2", "bo"]),
    )
    return Matter(propositions, assertions, tuple(draw(st.lists(judgement, max_size=4))))


def quads_of(matter: Matter) -> Iterator[ox.Quad]:
    def quad(subject: str, predicate: str, value: object) -> ox.Quad:
        term = value if isinstance(value, ox.NamedNode | ox.Literal) else iri(str(value))
        name = predicate if ":" in predicate else f"kg:{predicate}"
        return ox.Quad(iri(subject), ox.NamedNode(expand(name)), term, STATED)

    for agent in AGENTS:
        persona = agent in PERSONAS
        kind = (
            "kg:Persona" if persona else "kg:UnnamedAgent" if agent == "poster" else "foaf:Person"
        )
        yield quad(agent, "rdf:type", named(kind))
        if persona:
            yield quad(agent, "claimsToBe", "bo")
        if agent in SIDES:
            yield quad(agent, "onSideOf", SIDES[agent])
    for encoder in ("encoder", "encoder-2"):
        yield quad(encoder, "rdf:type", named("kg:Encoder"))
    for p in matter.propositions.values():
        yield quad(p.name, "rdf:type", named("kg:Proposition"))
        yield quad(p.name, "rdf:subject", p.subject)
        yield quad(p.name, "rdf:predicate", named(f"kg:{p.relation}"))
        is_number = isinstance(p.object, int)
        yield quad(p.name, "rdf:object", ox.Literal(p.object) if is_number else p.object)
        first, last = ("" if month is None else f"2023-{month:02}" for month in p.months)
        if first or last:
            text = first if first == last else f"{first or '..'}/{last or '..'}"
            when = ox.Literal(text, datatype=named("edtf:EDTF"))
            yield quad(p.name, "eventTime", when)
        for scope in p.scopes:
            yield quad(p.name, "scope", scope)
        for weaker in p.stronger_than:
            yield quad(p.name, "strongerThan", weaker)
    for a in matter.assertions.values():
        yield quad(a.name, "rdf:type", named("kg:Assertion"))
        yield quad(a.name, "speaker", a.speaker)
        for relayed in a.relays:
            yield quad(a.name, "relays", relayed)
        if a.stance is None:
            yield quad(a.name, "commitment", named(f"kg:{a.commitment}"))
            continue
        yield quad(a.name, a.stance, a.proposition)
        yield quad(a.name, "claimType", named(f"kg:{a.claim}"))
        if a.stance == "concedes":
            yield quad(a.name, "concessionMode", named(f"kg:{a.mode}"))
    for number, j in enumerate(matter.judgements):
        name = f"judgement-{number}"
        yield quad(name, "rdf:type", named("kg:IdentityJudgement"))
        yield quad(name, "persona", j.persona)
        yield quad(name, "identity", j.identity)
        yield quad(name, "verdict", named(f"kg:{j.verdict}"))
        yield quad(name, "judgedBy", j.judge)


def iri(name: str) -> ox.NamedNode:
    return ox.NamedNode(BASE + name)


def named(name: str) -> ox.NamedNode:
    return ox.NamedNode(expand(name))


# Each rule, read plainly.


@dataclass
class Reading:
    """What follows from a matter, found by going through everything."""

    matter: Matter

    def identified(self, agent: str) -> set[str]:
        by_encoder = [j for j in self.matter.judgements if j.judge.startswith("encoder")]
        verdicts = {(j.identity, j.verdict) for j in by_encoder if j.persona == agent}
        return {who for who, v in verdicts if v == "Same" and (who, "Different") not in verdicts}

    def called(self, agent: str) -> set[str]:
        """Every name an agent has."""
        return {agent} | self.identified(agent)

    def who(self, agent: str) -> set[str]:
        """Who an agent is, as far as that is known."""
        return self.identified(agent) or {agent}

    def maintained(self, a: Assertion) -> bool:
        return a.stance == "affirms" or (a.stance == "concedes" and a.mode == "Admission")

    def facts(self) -> tuple[list[Assertion], list[Assertion]]:
        """The assertions of fact: those that maintain and those that deny."""
        stated = [a for a in self.matter.assertions.values() if a.stance and a.claim == "Fact"]
        return [a for a in stated if self.maintained(a)], [
            a for a in stated if a.stance == "denies"
        ]

    def of(self, a: Assertion) -> Proposition:
        return self.matter.propositions[a.proposition]

    def weaker(self, p: Proposition) -> set[str]:
        found: set[str] = set()
        for name in p.stronger_than:
            found |= {name} | self.weaker(self.matter.propositions[name])
        return found

    def opposed(self, p: Proposition, q: Proposition) -> bool:
        return (
            OPPOSITES.get(p.relation) == q.relation
            and bool(self.called(p.subject) & self.called(q.subject))
            and p.object == q.object
        )

    def exclusive(self, p: Proposition, q: Proposition) -> bool:
        if p.relation != q.relation:
            return False
        if p.relation == FUNCTIONAL:
            return bool(self.called(p.subject) & self.called(q.subject)) and p.object != q.object
        if p.relation == INVERSE_FUNCTIONAL and p.object == q.object:
            known = product(self.who(p.subject), self.who(q.subject))
            return any(x != y and {x, y} <= set(PEOPLE) for x, y in known)
        return False

    def apart(self, p: Proposition, q: Proposition) -> bool:
        def before(x: Proposition, y: Proposition) -> bool:
            end, start = x.months[1], y.months[0]
            return end is not None and start is not None and end < start

        return before(p, q) or before(q, p)

    def denials(self) -> set[Pair]:
        maintaining, denying = self.facts()
        return {
            (a.name, b.name)
            for a, b in product(maintaining, denying)
            if a.proposition == b.proposition
        }

    def entailed_denials(self) -> set[Pair]:
        maintaining, denying = self.facts()
        return {
            (a.name, b.name)
            for a, b in product(maintaining, denying)
            if b.proposition in self.weaker(self.of(a))
        }

    def conflicts(self, kind: str) -> Iterator[tuple[Assertion, Assertion]]:
        maintaining, _ = self.facts()
        for a, b in permutations(maintaining, 2):
            p, q = self.of(a), self.of(b)
            if p.name < q.name and getattr(self, kind)(p, q):
                yield a, b

    def real(self, kind: str) -> set[Pair]:
        return {
            (a.name, b.name)
            for a, b in self.conflicts(kind)
            if self.of(a).scopes == self.of(b).scopes and not self.apart(self.of(a), self.of(b))
        }

    def apparent(self) -> set[tuple[str, str, str, frozenset[str]]]:
        maintaining, denying = self.facts()
        pairs = [
            (a, b)
            for a, b in product(maintaining, denying)
            if (p := self.of(a), q := self.of(b))
            and (p.subject, p.relation, p.object) == (q.subject, q.relation, q.object)
        ]
        found = set()
        for a, b in [*pairs, *self.conflicts("opposed"), *self.conflicts("exclusive")]:
            differing = self.of(a).scopes ^ self.of(b).scopes
            if differing or self.apart(self.of(a), self.of(b)):
                found.add((a.name, b.name, "scope" if differing else "time", differing))
        return found

    def relayers(self, name: str) -> list[Assertion]:
        return [a for a in self.matter.assertions.values() if name in a.relays]

    def above(self, name: str) -> set[str]:
        return {name}.union(*(self.above(relay.name) for relay in self.relayers(name)))

    def holders(self, name: str) -> set[str]:
        holding = self.called(self.matter.assertions[name].speaker)
        for relay in self.relayers(name):
            if relay.commitment == "Endorses":
                holding |= self.holders(relay.name)
        return holding

    def tellers(self, name: str) -> set[str]:
        relayers = self.relayers(name)
        if not relayers:
            return {self.matter.assertions[name].speaker}
        endorsing = [relay.name for relay in relayers if relay.commitment == "Endorses"]
        return set().union(*map(self.tellers, endorsing))

    def depth(self, name: str) -> int:
        relayers = [relay.name for relay in self.relayers(name)]
        shortest = 1 + min(map(self.depth, relayers)) if relayers else 0
        if shortest <= 4:
            return shortest
        # The rule spells out four steps; beyond, it counts whoever lies between.
        outermost = [a for a in self.above(name) if not self.relayers(a)]
        return min(
            len([r for r in self.above(name) - {name} if top in self.above(r)]) for top in outermost
        )

    def sides(self, name: str) -> set[str]:
        named = set().union(*map(self.called, self.tellers(name)))
        return {SIDES[agent] for agent in named if agent in SIDES}

    def maintaining_pairs(self) -> Iterator[Pair]:
        stated = [a for a in self.matter.assertions.values() if a.stance]
        for a, b in combinations(stated, 2):
            if a.proposition == b.proposition and self.maintained(a) and self.maintained(b):
                yield a.name, b.name

    def agreements(self) -> set[Pair]:
        return {
            (a, b)
            for a, b in self.maintaining_pairs()
            if any(x != y for x, y in product(self.sides(a), self.sides(b)))
        }

    def voices(self, name: str) -> set[str]:
        found = set()
        for relay in self.above(name):
            speaker = self.matter.assertions[relay].speaker
            found |= self.called(speaker) | ({"bo"} if speaker in PERSONAS else set())
        return found

    def corroborations(self) -> set[Pair]:
        every = [a for a in self.matter.assertions.values() if a.stance == "denies"]
        denials = [
            (a.name, b.name) for a, b in combinations(every, 2) if a.proposition == b.proposition
        ]
        pairs = [*self.maintaining_pairs(), *denials]
        return {(a, b) for a, b in pairs if not self.voices(a) & self.voices(b)}

    def against_oneself(self) -> set[tuple[str, str, str]]:
        pairs = self.denials() | self.entailed_denials()
        pairs |= self.real("opposed") | self.real("exclusive")
        return {(a, b, agent) for a, b in pairs for agent in self.holders(a) & self.holders(b)}


# What the rules gave.


@dataclass
class Derived:
    """What stands in the derived graph, in the same words as ``Reading``."""

    quads: list[ox.Quad]

    def values(self, predicate: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for quad in self.quads:
            if quad.predicate == named(predicate):
                found.setdefault(short(quad.subject), set()).add(short(quad.object))
        return found

    def pairs(self, rule: str) -> set[Pair]:
        """The two ends of each node of a rule, in the order of its name, and both ``between``."""
        between, rules = self.values("kg:between"), self.values("kg:rule")
        found = set()
        for node in (node for node, names in rules.items() if names == {rule}):
            first, named_rule, second = node.split("--")
            assert (named_rule, between[node]) == (rule, {first, second})
            assert {first, second} <= self.values("prov:wasDerivedFrom")[node]
            found.add((first, second))
        return found


def short(term: object) -> str:
    assert isinstance(term, ox.NamedNode | ox.Literal)
    return term.value.removeprefix(BASE)


VOCABULARY = read_source(ontology_source())
NOWHERE = Dispute(Path("/nonexistent"), BASE, "Random", ())


def derived(matter: Matter) -> Derived:
    engine = EmbeddedEngine.memory()
    engine.add(VOCABULARY)
    engine.add(quads_of(matter))
    derive(engine, NOWHERE)
    return Derived(list(engine.quads(graph=NOWHERE.derived_graph)))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(matters())
def test_the_rules_find_what_a_plain_reading_finds(matter: Matter) -> None:
    reading, rules = Reading(matter), derived(matter)
    assert rules.pairs("denial") == reading.denials()
    assert rules.pairs("entailed-denial") == reading.entailed_denials()
    assert rules.pairs("opposite-relation") == reading.real("opposed")
    assert rules.pairs("exclusive-value") == reading.real("exclusive")
    assert rules.pairs("agreement") == reading.agreements()
    assert rules.pairs("corroboration") == reading.corroborations()

    dissolution, scopes = rules.values("kg:dissolution"), rules.values("kg:dissolvedBy")
    apparent = {
        (a, b, *dissolution[node], frozenset(scopes.get(node, ())))
        for a, b in rules.pairs("apparent-contradiction")
        if (node := f"{a}--apparent-contradiction--{b}")
    }
    assert apparent == reading.apparent()

    every = matter.assertions
    assert rules.values("kg:heldBy") == {a: reading.holders(a) for a in every}
    assert rules.values("kg:toldBy") == {a: who for a in every if (who := reading.tellers(a))}
    assert rules.values("kg:hearsayDepth") == {a: {str(reading.depth(a))} for a in every}
    assert rules.values("kg:identifiedWith") == {
        agent: who for agent in PERSONAS if (who := reading.identified(agent))
    }
    against_oneself = {
        (*node.split("--")[::2], agent)
        for node, agents in rules.values("kg:selfContradictionOf").items()
        for agent in agents
    }
    assert against_oneself == reading.against_oneself()


@given(matters())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_is_joined_that_no_encoder_judged_the_same(matter: Matter) -> None:
    """Without judgements, a persona is nobody but itself, in every rule."""
    unjudged = Matter(matter.propositions, matter.assertions, ())
    rules = derived(unjudged)
    assert not rules.values("kg:identifiedWith")
    for name, assertion in matter.assertions.items():
        if assertion.speaker == "bo" or "bo" in {
            matter.assertions[above].speaker for above in Reading(matter).above(name)
        }:
            continue
        assert "bo" not in rules.values("kg:heldBy")[name]


def test_the_example_is_read_as_the_design_says(example_dispute: Path) -> None:
    engine, dispute = EmbeddedEngine.memory(), open_dispute(str(example_dispute))
    load(engine, dispute)
    derive(engine, dispute)
    rules = Derived(list(engine.quads(graph=dispute.derived_graph)))
    # Bo's word against Bo's word.
    assert rules.pairs("denial") == {("a2", "a3")}
    assert rules.values("kg:selfContradictionOf") == {"a2--denial--a3": {"bo"}}
    # What Ana reports reaches the reader over the author and her, and is not her own claim.
    assert rules.values("kg:hearsayDepth") == {"n1": {"0"}, "a1": {"1"}, "a2": {"2"}, "a3": {"1"}}
    assert rules.values("kg:heldBy")["a2"] == {"bo"}
    assert "a2" not in rules.values("kg:toldBy")


def test_ten_times_as_much_takes_about_ten_times_as_long() -> None:
    dispute = open_dispute("llama-mmap")
    engine = EmbeddedEngine.memory()
    load(engine, dispute)
    stated = list(engine.quads())

    def seconds(count: int) -> float:
        engine = EmbeddedEngine.memory()
        engine.add(copies(stated, dispute.base, count))
        started = time.perf_counter()
        derive(engine, NOWHERE)
        return time.perf_counter() - started

    once = min(seconds(1) for _ in range(2))
    # Rules that went through all pairs would take a hundred times as long.
    assert seconds(10) < 40 * once
