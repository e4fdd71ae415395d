"""A small dispute in which every kind of attack occurs once, and its engine.

Ann and Ben quarrel about a sluice gate. Ann's letter and Ben's reply:

- ann-1: Ben opened the gate. ben-1: I did not open it. (A denial, both ways.)
- ann-2: the mill stood still. ben-2: one cannot see the mill from Ann's house (attack-sight on
  ann-2). ann-3: I was at the mill (attack-place on attack-sight).
- ben-3 relays, neutrally, a wanderer who says he is Cal. wan-1, the wanderer: the mill ran all
  day. ann-4: the wanderer was never here (attack-witness on the wanderer).
- ben-4: I did not author commit 1. The log says that git-ben did, whom the encoder takes for Ben.
- ann-5: in the morning Ben held the key. ben-5: in the evening I did not.
- ann-6 asks whether Ben held the key in the evening. ben-6, for the sake of argument: I opened the
  gate. Neither is an argument.
- ann-7: the gate matters. Nothing attacks it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.derivation import derive
from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.namespaces import PREFIXES
from kg.sources import ontology_source, read_source

BASE = "https://w3id.org/counterclaim/gate/"
SAYING = """
:{name} a kg:Assertion ; kg:speaker :{speaker} ; {stance} ; oa:hasTarget :{name}-t .
:{name}-t oa:hasSource :{document} .
"""
GATE = """
:ann a foaf:Person . :ben a foaf:Person . :cal a foaf:Person . :reader a kg:Encoder .
:letter a kg:Document . :reply a kg:Document . :log a kg:Record .
:wanderer a kg:Persona ; kg:claimsToBe :cal .
:git-ben a kg:GitIdentity ; kg:claimsToBe :ben .
:judgement-ben a kg:IdentityJudgement ; kg:persona :git-ben ; kg:identity :ben ;
  kg:verdict kg:Same ; kg:judgedBy :reader .
:commit-1 a kg:Commit ; kg:author :git-ben ; kg:partOfRecord :log .
:opened a kg:Proposition ; rdf:subject :ben ; rdf:predicate kg:opened ; rdf:object :gate .
:still a kg:Proposition ; rdf:subject :mill ; rdf:predicate kg:hasQuality ; rdf:object :still-q .
:sight a kg:Proposition ; rdf:subject :house ; rdf:predicate kg:hasQuality ; rdf:object :far .
:there a kg:Proposition ; rdf:subject :ann ; rdf:predicate kg:attended ; rdf:object :mill .
:ran a kg:Proposition ; rdf:subject :mill ; rdf:predicate kg:hasQuality ; rdf:object :running .
:absent a kg:Proposition ; rdf:subject :wanderer ; rdf:predicate kg:attended ; rdf:object :fair .
:wrote a kg:Proposition ; rdf:subject :ben ; rdf:predicate kg:authored ; rdf:object :commit-1 .
:key-am a kg:Proposition ; rdf:subject :ben ; rdf:predicate kg:acknowledged ; rdf:object :key ;
  kg:scope :morning .
:key-pm a kg:Proposition ; rdf:subject :ben ; rdf:predicate kg:acknowledged ; rdf:object :key ;
  kg:scope :evening .
:matters a kg:Proposition ; rdf:subject :gate ; rdf:predicate kg:hasQuality ; rdf:object :weighty .
:attack-sight a kg:Attack ; kg:attacker :ben-2 ; kg:target :ann-2 .
:attack-place a kg:Attack ; kg:attacker :ann-3 ; kg:target :attack-sight .
:attack-witness a kg:Attack ; kg:attacker :ann-4 ; kg:target :wanderer .
"""
FACT, VALUE = "kg:claimType kg:Fact", "kg:claimType kg:Value"
SAID = {
    "ann-1": ("ann", f"kg:affirms :opened ; {FACT}"),
    "ben-1": ("ben", f"kg:denies :opened ; {FACT}"),
    "ann-2": ("ann", f"kg:affirms :still ; {FACT}"),
    "ben-2": ("ben", f"kg:affirms :sight ; {FACT}"),
    "ann-3": ("ann", f"kg:affirms :there ; {FACT}"),
    "ben-3": ("ben", "kg:relays :wan-1 ; kg:commitment kg:Neutral"),
    "wan-1": ("wanderer", f"kg:affirms :ran ; {FACT}"),
    "ann-4": ("ann", f"kg:denies :absent ; {FACT}"),
    "ben-4": ("ben", f"kg:denies :wrote ; {FACT}"),
    "ann-5": ("ann", f"kg:affirms :key-am ; {FACT}"),
    "ben-5": ("ben", f"kg:denies :key-pm ; {FACT}"),
    "ann-6": ("ann", "kg:asks :key-pm ; kg:claimType kg:Question"),
    "ben-6": ("ben", f"kg:concedes :opened ; kg:concessionMode kg:ForTheSakeOfArgument ; {FACT}"),
    "ann-7": ("ann", f"kg:affirms :matters ; {VALUE}"),
}


def engine_of(dispute: Dispute, turtle: str) -> EmbeddedEngine:
    """Return an engine with the vocabulary, some Turtle and everything derived from it."""
    prefixes = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
    engine = EmbeddedEngine.memory()
    engine.add(read_source(ontology_source()))
    text = f"{prefixes}@prefix : <{dispute.base}> .\n{turtle}"
    engine.load(text.encode(), f"{dispute.base}graph/all")
    derive(engine, dispute)
    return engine


def saying(name: str, speaker: str, stance: str) -> str:
    document = "letter" if name.startswith("ann") else "reply"
    return SAYING.format(name=name, speaker=speaker, stance=stance, document=document)


@pytest.fixture
def gate(tmp_path: Path) -> Dispute:
    return Dispute(tmp_path, BASE, "The gate", ())


@pytest.fixture
def gate_turtle() -> str:
    return GATE + "".join(saying(name, *said) for name, said in SAID.items())


@pytest.fixture
def engine(gate: Dispute, gate_turtle: str) -> EmbeddedEngine:
    return engine_of(gate, gate_turtle)
