"""The small dispute of ``conftest``: its attacks, positions and explanations, worked out by hand.

Without any choice of the reader:

- ann-1 and ben-1 deny each other and nothing else bears on them: undecided.
- ann-3 has no attacker. It defeats attack-sight, so ben-2 cannot bring down ann-2: ann-2 stands,
  and ben-2, which nothing attacks, stands beside it.
- ann-4 has no attacker and brings down all the wanderer says: wan-1 falls.
- The log's author is git-ben, and the encoder judged git-ben to be Ben; so the log has it that Ben
  authored commit 1, against ben-4, which falls.
- ann-5 and ben-5 speak of different times of day and do not touch; ann-7 is left alone.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kg.argumentation.explain import explain, falls, least_defences, rises
from kg.argumentation.explanation import explanation_json, explanation_page
from kg.argumentation.frame import Frame, frame_of
from kg.argumentation.framework import Framework
from kg.argumentation.from_graph import moves_of
from kg.argumentation.grounded import WORDS, grounded
from kg.argumentation.semantics import positions
from kg.argumentation.view import View, view_of
from kg.argumentation.withdrawal import without
from kg.argumentation.words import Words
from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.errors import QueryError
from kg.show.page import as_text
from tests.argumentation.conftest import BASE, engine_of, saying

FACT = "ben--record-authored--commit-1"
STANDING = {"ann-2", "ann-3", "ann-4", "ann-5", "ann-7", "ben-2", "ben-5", FACT}

Labelled = dict[str, set[str]]


def labelled(frame: Frame) -> Labelled:
    result = grounded(frame.framework)
    names = frame.framework.names
    return {
        word: {names[argument] for argument in result.having(label)}
        for label, word in enumerate(WORDS)
    }


@pytest.fixture
def see(engine: EmbeddedEngine) -> Callable[..., Labelled]:
    """Label the dispute under a view that is given as on the command line."""

    def run(*, ignore_scope: bool = False, **choices: list[str]) -> Labelled:
        moves = moves_of(engine, BASE, ignore_scope=ignore_scope)
        return labelled(frame_of(engine, moves, view_of(engine, BASE, **choices)))

    return run


def test_the_attacks_are_those_written_down(engine: EmbeddedEngine) -> None:
    moves = moves_of(engine, BASE)
    told = {(moves.name(e.source), moves.name(e.target), e.kind) for e in moves.edges}
    assert told == {
        ("ann-1", "ben-1", "rebuttal"),
        ("ben-1", "ann-1", "rebuttal"),
        ("ben-2", "ann-2", "attack"),
        ("ann-3", "attack-sight", "attack"),
        ("ann-4", "wan-1", "attack"),
        (FACT, "ben-4", "record"),
    }
    (finding,) = (edge for edge in moves.edges if edge.kind == "record")
    assert [moves.name(one) for one in finding.premises] == ["judgement-ben"]
    left_out = {moves.name(iri): reason for iri, reason in moves.left_out.items()}
    assert left_out == {
        "ann-6": "it asks, and puts nothing forward",
        "ben-6": "it is granted for the sake of argument only",
    }


def test_what_stands_falls_and_stays_open(see) -> None:
    assert see() == {
        "accepted": STANDING,
        "rejected": {"attack-sight", "wan-1", "ben-4"},
        "undecided": {"ann-1", "ben-1"},
    }


def test_the_alternatives_differ_in_the_denial_only(engine: EmbeddedEngine) -> None:
    frame = frame_of(engine, moves_of(engine, BASE))
    for semantics in ("preferred", "stable"):
        found = positions(frame.framework, semantics)
        names = frame.framework.names
        every = [{names[one] for one in held} for held in found.extensions()]
        assert every == [STANDING | {"ann-1"}, STANDING | {"ben-1"}]
    assert positions(frame.framework, "complete").count == 3


@pytest.mark.parametrize("by", ["ann", "letter", "ann-1"])
def test_accepting_settles_the_denial(see, by: str) -> None:
    found = see(accept=[by])
    assert "ann-1" in found["accepted"]
    assert "ben-1" in found["rejected"]


def test_accepting_withstands_a_record_and_turns_its_attack_round(see) -> None:
    found = see(accept=["ben-4"])
    assert "ben-4" in found["accepted"]
    assert FACT in found["rejected"]


def test_accepting_somebody_who_contradicts_themselves_settles_nothing(
    gate: Dispute, gate_turtle: str
) -> None:
    again = saying("ann-8", "ann", "kg:denies :opened ; kg:claimType kg:Fact")
    engine = engine_of(gate, gate_turtle + again)
    view = view_of(engine, BASE, accept=["ann"])
    found = labelled(frame_of(engine, moves_of(engine, BASE), view))
    assert {"ann-1", "ann-8"} <= found["undecided"]


def test_a_rebuttal_goes_both_ways_whoever_spoke_last(gate: Dispute, gate_turtle: str) -> None:
    rebuttal = ":attack-key a kg:Attack ; kg:attacker :ben-5 ; kg:target :ann-7 ."
    engine = engine_of(gate, gate_turtle + rebuttal)
    frame = frame_of(engine, moves_of(engine, BASE))
    assert {"ben-5", "ann-7"} <= labelled(frame)["undecided"]
    words, number = Words(engine, frame), frame.framework.names.index
    forth = words.grounds(number("ben-5"), number("ann-7"))
    back = words.grounds(number("ann-7"), number("ben-5"))
    assert forth == "a rebuttal, as the encoder reads it (attack-key)"
    assert back == "the two cannot both hold, as the encoder reads a rebuttal (attack-key)"


def test_what_its_speaker_replaced_attacks_nobody(gate: Dispute, gate_turtle: str) -> None:
    later = saying("ben-8", "ben", "kg:affirms :opened ; kg:claimType kg:Fact")
    engine = engine_of(gate, gate_turtle + later + ":ben-8 prov:wasRevisionOf :ben-1 .")
    moves = moves_of(engine, BASE)
    replaced = moves.left_out[f"{BASE}ben-1"]
    assert replaced == "its own speaker has replaced it by ben-8"
    assert "ann-1" in labelled(frame_of(engine, moves))["accepted"]


def test_nothing_is_both_accepted_and_left_out(engine: EmbeddedEngine) -> None:
    with pytest.raises(QueryError, match="'ann' cannot be both accepted and left out"):
        view_of(engine, BASE, accept=["ann"], exclude=["ben", "ann"])


@pytest.mark.parametrize("by", ["log", FACT])
def test_without_the_record_its_opponent_stands(see, by: str) -> None:
    found = see(exclude=[by])
    assert "ben-4" in found["accepted"]
    assert all(FACT not in names for names in found.values())


def test_leaving_out_a_speaker_takes_out_what_is_heard_through_them(see) -> None:
    found = see(exclude=["ben"])
    assert found["accepted"] == {"ann-1", "ann-2", "ann-3", "ann-4", "ann-5", "ann-7", FACT}
    assert not found["rejected"]
    assert not found["undecided"]


def test_leaving_out_a_persona_is_not_leaving_out_whom_it_claims_to_be(see) -> None:
    assert all("wan-1" not in names for names in see(exclude=["wanderer"]).values())
    assert "wan-1" in see(exclude=["ann-4"])["accepted"]


def test_leaving_out_a_relay_a_document_and_an_attack(see) -> None:
    assert all("wan-1" not in names for names in see(exclude=["ben-3"]).values())
    assert see(exclude=["reply"])["accepted"] == see(exclude=["ben"])["accepted"]
    assert "wan-1" in see(exclude=["attack-witness"])["accepted"]
    # Without the attack on the attack, the attack is none that needs a name, and succeeds.
    assert see(exclude=["attack-place"])["rejected"] == {"ann-2", "wan-1", "ben-4"}


def test_two_reports_of_one_thing_fall_only_together(gate: Dispute, gate_turtle: str) -> None:
    also = saying("ann-9", "ann", "kg:relays :wan-1 ; kg:commitment kg:Neutral")
    engine = engine_of(gate, gate_turtle + also)

    def arguments(*exclude: str) -> set[str]:
        view = view_of(engine, BASE, exclude=exclude)
        return set(frame_of(engine, moves_of(engine, BASE), view).framework.names)

    assert "wan-1" in arguments("ben-3")
    assert "wan-1" in arguments("ann-9")
    assert "wan-1" not in arguments("ben-3", "ann-9")


@pytest.mark.parametrize("prefer", ["ann>ben", "letter>reply", "ann-1>ben-1", "ann > ben"])
def test_preferring_lets_attacks_fail(see, prefer: str) -> None:
    found = see(prefer=[prefer])
    assert "ann-1" in found["accepted"]
    assert "ben-1" in found["rejected"]


def test_preferring_goes_over_several_steps(see) -> None:
    # Cal stands behind nothing here; as a step between the two he counts all the same.
    found = see(prefer=["ben-1>cal", "cal>ann-1"])
    assert "ben-1" in found["accepted"]
    assert "ann-1" in found["rejected"]
    assert {"ann-1", "ben-1"} <= see(prefer=["ben-1>cal"])["undecided"]


def test_what_cannot_both_hold_never_both_stands(see) -> None:
    """The record attacks one way; preferring its opponent turns that round."""
    found = see(prefer=["ben>log"])
    assert "ben-4" in found["accepted"]
    assert FACT in found["rejected"]
    # An attack on a witness says nothing that excludes what the witness says: both may stand.
    found = see(prefer=["wanderer>ann"])
    assert {"wan-1", "ann-4"} <= found["accepted"]


def test_what_is_accepted_stands_above_any_preference(see) -> None:
    found = see(accept=["ann-1"], prefer=["ben>ann"])
    assert "ann-1" in found["accepted"]
    assert "ben-1" in found["rejected"]


def test_preferences_reach_attacks_on_attacks(see) -> None:
    found = see(prefer=["ben>ann"])
    assert "attack-sight" not in found["rejected"]
    assert "ann-2" in found["rejected"]


@pytest.mark.parametrize("circle", [["ann>ben", "ben>ann"], ["ann>ann"]])
def test_preferences_in_a_circle_are_refused(see, circle: list[str]) -> None:
    with pytest.raises(QueryError, match="above itself"):
        see(prefer=circle)


@pytest.mark.parametrize("text", ["ann", "ann>", ">ben", "ann>ben>cal"])
def test_a_malformed_preference_is_refused(see, text: str) -> None:
    with pytest.raises(QueryError, match="no preference"):
        see(prefer=[text])


def test_what_a_view_cannot_choose_is_refused(see) -> None:
    with pytest.raises(QueryError, match="nothing a view can choose"):
        see(accept=["opened"])
    with pytest.raises(QueryError, match="Did you mean 'wanderer'"):
        see(exclude=["wandrer"])


def test_scopes_hold_apart_unless_one_ignores_them(see) -> None:
    found = see(ignore_scope=True)
    assert {"ann-5", "ben-5"} <= found["undecided"]


def test_explains_what_falls_and_what_defends(engine: EmbeddedEngine) -> None:
    moves = moves_of(engine, BASE)
    names = moves.name
    found = explain(engine, moves, f"{BASE}ann-3")
    assert [names(change.iri) for change in falls(found.changes)] == ["ann-2"]
    found = explain(engine, moves, f"{BASE}ann-2")
    assert found.defences is not None
    (defence,) = found.defences
    assert {found.frame.framework.names[one] for one in defence} == {"ann-2", "ann-3"}
    found = explain(engine, moves, f"{BASE}wan-1")
    assert found.defences == ()
    found = explain(engine, moves, f"{BASE}ben-1")
    assert [names(change.iri) for change in rises(found.changes)] == ["ann-1"]


def test_explains_what_hangs_on_an_identity(gate: Dispute, engine: EmbeddedEngine) -> None:
    moves = moves_of(engine, BASE)
    found = explain(engine, moves, f"{BASE}ben-4", withdraw=lambda one: without(engine, gate, one))
    (withdrawn,) = found.withdrawn
    assert moves.name(withdrawn.judgement) == "judgement-ben"
    assert WORDS[withdrawn.label or 0] == "accepted"
    assert [moves.name(edge.source) for edge in withdrawn.lost] == [FACT]
    assert not withdrawn.gained
    unmoved = explain(
        engine, moves, f"{BASE}ann-1", withdraw=lambda one: without(engine, gate, one)
    )
    assert not unmoved.withdrawn
    # Asking withdrew nothing from the engine itself.
    assert labelled(frame_of(engine, moves_of(engine, BASE)))["accepted"] == STANDING


def test_explains_what_a_scope_dissolves(engine: EmbeddedEngine) -> None:
    moves = moves_of(engine, BASE)
    (one,) = explain(engine, moves, f"{BASE}ann-5").dissolved
    assert moves.name(one.other) == "ben-5"
    assert {moves.name(scope) for scope in one.scopes} == {"morning", "evening"}
    assert WORDS[one.label or 0] == "undecided"


def test_an_explanation_as_a_page_and_as_json(gate: Dispute, engine: EmbeddedEngine) -> None:
    import json

    moves = moves_of(engine, BASE)
    found = explain(engine, moves, f"{BASE}ben-4", withdraw=lambda one: without(engine, gate, one))
    words = Words(engine, found.frame)
    text = as_text(explanation_page(found, words), 100)
    assert f"rejected: {FACT}, which is accepted, attacks it" in text
    assert "no position can hold it" in text
    assert "if judgement-ben is withdrawn" in text
    document = json.loads(explanation_json(found, words))
    assert (document["assertion"], document["label"]) == ("ben-4", "rejected")
    assert document["defences"] == []
    assert document["judgements"][0]["label"] == "accepted"


@pytest.mark.parametrize(
    ("name", "why"),
    [("ben-3", "it relays"), ("ann-6", "it asks"), ("ann", "is no argument")],
)
def test_what_is_no_argument_is_not_explained(engine: EmbeddedEngine, name: str, why: str) -> None:
    with pytest.raises(QueryError, match=why):
        explain(engine, moves_of(engine, BASE), f"{BASE}{name}")


def test_what_a_view_leaves_out_is_not_explained(engine: EmbeddedEngine) -> None:
    view = View(exclude=(f"{BASE}ben",))
    with pytest.raises(QueryError, match="leaves out 'ben-1'"):
        explain(engine, moves_of(engine, BASE), f"{BASE}ben-1", view=view)


def test_a_search_for_defences_that_grows_too_large_is_given_up() -> None:
    # Each of 12 attackers can be answered in 4 ways, none of which answers another.
    attacks, names = [], ["held"]
    for _ in range(12):
        attacker = len(names)
        names.append("attacker")
        attacks.append((attacker, 0))
        for _ in range(4):
            attacks += [(len(names), attacker)]
            names.append("defender")
    framework = Framework(names, attacks)
    assert least_defences(framework, 0, patience=500) is None
