"""The order of conflicts, criterion by criterion, on a graph that has one of each kind."""

from __future__ import annotations

import pytest

from kg.brief.strength import Matter, matters_of, one_of_each_quarrel
from kg.brief.voices import Voices
from kg.embedded import EmbeddedEngine
from kg.namespaces import PREFIXES, shorten
from tests.brief.conftest import Made

BASE = "https://example.org/d/"
HEAD = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
HEAD += f"@prefix : <{BASE}> .\n"
AGENTS = """
:ana foaf:name "Ana" ; kg:onSideOf :ana .  :bo foaf:name "Bo" ; kg:onSideOf :bo .
:cy foaf:name "Cy" .
:s a kg:Dispute ; kg:party :ana, :bo .
"""


def conflict(
    name: str,
    *,
    speaker: str = "bo",
    depth: int = 0,
    declared: bool = False,
    backed: bool = False,
    confidence: str = "High",
) -> str:
    """Ana says that ``name`` is so, and somebody that it is not."""
    text = f"""
    :p-{name} a kg:Proposition ; rdfs:label "{name} holds" .
    :{name}-1 a kg:Assertion ; kg:speaker :ana ; kg:affirms :p-{name} ; kg:hearsayDepth 0 ;
      kg:encoderConfidence kg:High .
    :{name}-2 a kg:Assertion ; kg:speaker :{speaker} ; kg:denies :p-{name} ;
      kg:hearsayDepth {depth} ; kg:encoderConfidence kg:{confidence} .
    :{name} kg:between :{name}-1, :{name}-2 .
    """
    text += (
        f':{name} a kg:DeclaredContradiction ; kg:grounds "so" .'
        if declared
        else (f':{name} a kg:DerivedContradiction ; kg:rule "denial" .')
    )
    if backed:
        text += f"\n:f-{name} a kg:RecordFinding ; kg:assertion :{name}-1 ; "
        text += "kg:bearing kg:Conflicts ."
    return text


def order(*conflicts: str) -> list[str]:
    engine = EmbeddedEngine.memory()
    text = HEAD + AGENTS + "\n".join(conflicts)
    engine.load(text.encode(), f"{BASE}graph/all")
    voices = Voices(engine, BASE)
    return [shorten(one.conflicts[0].node, BASE) for one in matters_of(voices)]


# Each is stronger than the next, which is worse by one criterion and better by all that follow.
LADDER = {
    "z": conflict("z", backed=True),
    "y": conflict("y", backed=True, confidence="Medium"),
    "x": conflict("x", confidence="High"),
    "w": conflict("w", declared=True, backed=True),
    "v": conflict("v", depth=2, backed=True),
    "u": conflict("u", speaker="cy", backed=True),
}


@pytest.mark.parametrize("turned", [False, True])
def test_every_criterion_comes_before_the_next(turned: bool) -> None:
    given = list(LADDER.values())
    assert order(*(reversed(given) if turned else given)) == list(LADDER)


def test_fewer_mouths_before_more_and_names_decide_last() -> None:
    found = order(
        conflict("b", depth=2), conflict("a", depth=3), conflict("d", depth=2), conflict("c")
    )
    assert found == ["c", "b", "d", "a"]


def test_pairs_about_the_same_are_one_matter(tideline: Made) -> None:
    matters = matters_of(Voices(tideline.engine, tideline.dispute.base))
    assert sum(len(one.conflicts) for one in matters) == 14
    assert len(matters) == 9
    names = [shorten(one.claim[0], tideline.dispute.base) for one in matters[:3]]
    # All first hand, found by rules and with the record speaking to them: names decide.
    assert names == ["letter-04", "answer-03", "letter-08"]


def matter(*statements: str) -> Matter:
    return Matter(statements[:1], statements[1:], (), (False, False, False, False, 0, 0, []))


def test_a_quarrel_takes_one_place_and_its_strongest_matter_stands_for_it() -> None:
    first, second, apart, bridge = (
        matter("a", "b"),
        matter("c", "d"),
        matter("x", "y"),
        matter("b", "d"),
    )
    assert one_of_each_quarrel([first, second, apart]) == [first, second, apart]
    assert one_of_each_quarrel([first, second, bridge, apart]) == [first, apart]
    assert one_of_each_quarrel([apart, bridge, second, first]) == [apart, bridge]


def test_no_statement_takes_two_places_among_the_strongest(shipped_brief: Made) -> None:
    shown = [
        {
            link
            for claim in (one.claim, one.counterclaim)
            for voice in claim.voices
            for link in voice.links
        }
        for one in shipped_brief.brief.conflicts
    ]
    assert len(shown) == 5
    assert len(set().union(*shown)) == sum(map(len, shown))
