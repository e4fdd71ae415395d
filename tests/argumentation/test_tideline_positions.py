"""The positions of the invented dispute, worked out by hand from its two texts.

*Whose tide is it?* (letter) against *What happened to tideline* (answer), and tideline's history.

The history shows two commits in pull request 4, so the letter's three (letter-04) falls, and with
it the only attack on the answer's two (answer-02), which stands. It shows the commits carried over
one by one, so the letter's squashing (letter-08) falls and the answer's carrying over (answer-04)
stands. It names Orla as author of the solver in pull request 4, so the board's poster, who says
that it is Bram's work (answer-18), falls. Each of these rests on who an encoder takes a git
identity for, or on counting.

Bram's doubt that Petra checked Port Aldwick (answer-24) is itself attacked by nothing, so the
letter's word that she did (letter-22) falls.

Nothing settles these pairs, each of which is one against the other: who rewrote the solver
(letter-06, answer-03; the poster's attack on letter-06 has fallen), who took the credit (letter-10,
answer-09), whether the notes name Orla (letter-11, answer-10), who closed pull request 4
(letter-07, answer-12), and whether Bram replied or ignored her (letter-14, answer-13).

Whether Bram knew of the branch in March is one knot of four: that he knew say letter-17, tidewatch
(letter-20) and Bram's own admission (answer-14); that he did not says Ivo, whom he contradicts
(answer-16). His mail, as the letter quotes it (letter-16), denied it, too, but his admission
replaces that, so it is not weighed. There are two ways to hold it, and both sides' texts have Bram
knowing.

That makes 2 x 2 x 2 x 2 x 2 x 2 = 64 preferred positions, all of them stable, and 3 ways for each
knot in a complete one: 729.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kg.argumentation.frame import Frame, frame_of
from kg.argumentation.from_graph import moves_of
from kg.argumentation.grounded import ACCEPTED, REJECTED, UNDECIDED, grounded
from kg.argumentation.semantics import positions
from kg.argumentation.view import view_of
from kg.dispute import Dispute, read_dispute
from kg.embedded import EmbeddedEngine
from kg.preparing import staged
from kg.settings import shipped

FALLEN = {"letter-04", "letter-08", "letter-22", "answer-18"}
PAIRS = [
    {"answer-03", "letter-06"},
    {"answer-09", "letter-10"},
    {"answer-10", "letter-11"},
    {"answer-12", "letter-07"},
    {"answer-13", "letter-14"},
]
KNEW, KNEW_NOT = {"letter-17", "letter-20", "answer-14"}, {"answer-16"}


@pytest.fixture(scope="module")
def dispute(tmp_path_factory: pytest.TempPathFactory) -> Dispute:
    folder = tmp_path_factory.mktemp("disputes") / "tideline"
    shutil.copytree(shipped("data") / "tideline", folder, ignore=shutil.ignore_patterns(".kg"))
    return read_dispute(folder)


@pytest.fixture(scope="module")
def engine(dispute: Dispute) -> EmbeddedEngine:
    return staged(dispute)


def frame(engine: EmbeddedEngine, dispute: Dispute, **choices: list[str]) -> Frame:
    view = view_of(engine, dispute.base, **choices)
    return frame_of(engine, moves_of(engine, dispute.base), view)


def having(frame: Frame, label: int) -> set[str]:
    return {frame.framework.names[one] for one in grounded(frame.framework).having(label)}


def test_what_the_record_and_unanswered_attacks_settle(
    engine: EmbeddedEngine, dispute: Dispute
) -> None:
    found = frame(engine, dispute)
    assert having(found, REJECTED) == FALLEN
    assert {"answer-02", "answer-04", "answer-24"} <= having(found, ACCEPTED)
    assert having(found, UNDECIDED) == set.union(*PAIRS, KNEW, KNEW_NOT)


def test_what_its_speaker_replaced_is_not_weighed(engine: EmbeddedEngine, dispute: Dispute) -> None:
    moves = moves_of(engine, dispute.base)
    (replaced,) = (iri for iri in moves.said if moves.name(iri) == "letter-16")
    assert replaced not in moves.arguments
    assert moves.left_out[replaced] == "its own speaker has replaced it by answer-14"


def test_the_alternatives_are_one_choice_from_six_knots(
    engine: EmbeddedEngine, dispute: Dispute
) -> None:
    found = frame(engine, dispute)
    names = found.framework.names
    for semantics, count in (("preferred", 64), ("stable", 64), ("complete", 729)):
        result = positions(found.framework, semantics)
        assert result.count == count
        assert len({tuple(one) for one in result.extensions()}) == count
    result = positions(found.framework, "preferred")
    ways = [[{names[one] for one in held} for held in knot.extensions] for knot in result.knots]
    expected = [[{one} for one in sorted(pair)] for pair in PAIRS] + [[KNEW, KNEW_NOT]]
    assert sorted(map(_key, ways)) == sorted(map(_key, expected))


def _key(ways: list[set[str]]) -> list[list[str]]:
    return sorted(map(sorted, ways))


def test_without_the_record_what_it_settled_is_open(
    engine: EmbeddedEngine, dispute: Dispute
) -> None:
    (record,) = {
        dispute.base and name.removeprefix(dispute.base)
        for records in moves_of(engine, dispute.base).facts.values()
        for name in records
    }
    found = frame(engine, dispute, exclude=[record])
    assert having(found, REJECTED) == {"letter-22"}
    open_ = having(found, UNDECIDED)
    assert {"letter-04", "answer-02", "letter-08", "answer-04", "answer-18"} <= open_


def test_taking_one_sides_word(engine: EmbeddedEngine, dispute: Dispute) -> None:
    """Preferring a side decides the pairs, and leaves what the record shows as it is."""
    for side, other in (("letter", "answer"), ("answer", "letter")):
        speakers = {"letter": "orla-quillfeather", "answer": "bram-saltmarsh"}
        choice = f"{speakers[side]}>{speakers[other]}"
        found = frame(engine, dispute, prefer=[choice])
        for pair in PAIRS:
            (mine,) = (one for one in pair if one.startswith(side))
            assert mine in having(found, ACCEPTED)
            assert pair - {mine} <= having(found, REJECTED)
        assert {"letter-04", "letter-08"} <= having(found, REJECTED)


def test_files_are_left_alone(dispute: Dispute) -> None:
    assert not list(Path(dispute.folder).rglob(".kg"))
