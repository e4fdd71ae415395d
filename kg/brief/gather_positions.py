"""The grounded position: what the attacks as encoded let stand, strike out or leave open."""

from __future__ import annotations

from collections import Counter

from kg.argumentation.frame import Frame, frame_of
from kg.argumentation.framework import Framework
from kg.argumentation.from_graph import moves_of
from kg.argumentation.grounded import ACCEPTED, REJECTED, UNDECIDED, Grounded, grounded
from kg.argumentation.moves import ATTACK
from kg.brief.gather_conflicts import contrast
from kg.brief.gather_told import told_facts
from kg.brief.model import Claim, Item, Part, Run, Section, Sentence, sentence
from kg.brief.strength import Matter, one_of_each_quarrel
from kg.brief.voices import Voices
from kg.engine import Engine
from kg.in_words import counted

_SHOWN = 5
_ATTACKED = "An accepted argument attacks it: "
_NOTE = (
    "Which statements can be held together follows from the attacks as encoded (grounded "
    "semantics, no reader's choices: “kg positions”), and not from which are true: what nobody "
    "attacks stands here. Two that attack each other, with nothing to settle it, are both "
    "undecided."
)


def positions(voices: Voices, engine: Engine, dispute: str, matters: list[Matter]) -> Section:
    """Return the section on the grounded position. ``dispute`` is its IRI."""
    frame = frame_of(engine, moves_of(engine, voices.base))
    result = grounded(frame.framework)
    return Section(
        "positions",
        "Which statements can be held together",
        _NOTE,
        (
            Part("", tuple(_counts(frame, result, dispute))),
            Part("Rejected", tuple(_rejected(voices, frame, result))),
            Part(
                "The strongest pairs left undecided", tuple(_pairs(voices, frame, result, matters))
            ),
            Part(
                "Undecided because a witness is attacked", tuple(_witnesses(voices, frame, result))
            ),
        ),
        "There are no statements to weigh.",
    )


def _counts(frame: Frame, result: Grounded, dispute: str) -> list[Sentence]:
    framework: Framework = frame.framework
    if not len(framework):
        return []
    accepted = result.having(ACCEPTED)
    attacked = [one for one in accepted if framework.attackers(one)]
    counts = [len(result.having(label)) for label in (ACCEPTED, REJECTED, UNDECIDED)]
    arguments = counted(len(framework), "argument")
    text = (
        f"Of {arguments} with {counted(framework.attack_count, 'attack')} "
        f"among them, the attacks leave {counts[0]} accepted ({len(attacked)} of them attacked), "
        f"{counts[1]} rejected and {counts[2]} undecided."
    )
    return [sentence(text, (dispute,))]


def _rejected(voices: Voices, frame: Frame, result: Grounded) -> list[Item]:
    """Return each rejected statement beside what attacks it and is accepted."""
    items: list[Item] = []
    groups: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for argument in result.having(REJECTED):
        iri = frame.iris[argument]
        if iri in frame.moves.said:
            step = result.step(argument)
            key = (frame.moves.said[iri].proposition, step.by)
            groups.setdefault(key, []).append(iri)
    for (_, by), ones in groups.items():
        claim = voices.claim(ones)
        grounds = []
        attackers = [frame.iris[one] for one in by]
        said = [iri for iri in attackers if iri in frame.moves.said]
        facts = told_facts(voices, [iri for iri in attackers if iri in frame.moves.facts])
        for counter in voices.claims(said):
            grounds += [
                Sentence((Run(f"{_ATTACKED}{counter.words}; "), *voice.runs))
                for voice in counter.voices
            ]
        grounds += [sentence(f"{_ATTACKED}{text}.", (iri,)) for iri, text in facts.items()]
        items.append(Claim(claim.words, (*claim.voices, *grounds)))
    return items


def _pairs(voices: Voices, frame: Frame, result: Grounded, matters: list[Matter]) -> list[Sentence]:
    """Return the strongest matters of which a claim and a counterclaim are both undecided."""
    undecided = {frame.iris[one] for one in result.having(UNDECIDED)}
    found = []
    for matter in one_of_each_quarrel(matters):
        pairs = [one.between for one in matter.conflicts if undecided.issuperset(one.between)]
        ends = {end for pair in pairs for end in pair}
        if ends:
            claim = [one for one in matter.claim if one in ends]
            against = [one for one in matter.counterclaim if one in ends]
            beside = contrast(voices, claim, against)
            runs = [
                Run(f"{', '.join(side.who)}: {side.words}", tuple(ones))
                for side, ones in ((beside.claim, claim), (beside.counterclaim, against))
            ]
            found.append(Sentence((runs[0], Run("; against that, "), runs[1], Run("."))))
    return found[:_SHOWN]


def _witnesses(voices: Voices, frame: Frame, result: Grounded) -> list[Sentence]:
    """Return which attack on a witness leaves how many of that witness's statements open."""
    labels = result.labels
    hit: dict[tuple[str, str], list[str]] = {}
    for (source, target), edges in sorted(frame.edges.items()):
        if labels[target] == UNDECIDED and frame.iris[target] in frame.moves.said:
            for edge in edges:
                if edge.kind == ATTACK and edge.source in frame.moves.said:
                    hit.setdefault((frame.iris[source], edge.node), []).append(frame.iris[target])
    found = []
    for (attacker, _), targets in sorted(hit.items(), key=lambda item: (-len(item[1]), item[0])):
        speakers = Counter(voices.reader.statements[one].speaker for one in targets)
        if len(targets) == 1 or attacker not in frame.moves.said:
            continue
        speaker, _ = speakers.most_common(1)[0]
        claim = voices.claim([attacker])
        runs = [
            Run(
                f"{counted(len(targets), 'statement')} of {voices.name(speaker)} are undecided",
                tuple(voices.carriers(targets)),
            ),
            Run(
                ", since the encoders read a statement as an attack on the witness: "
                f"{claim.words}; "
            ),
            *claim.voices[0].runs,
        ]
        found.append(Sentence(tuple(runs)))
    return found
