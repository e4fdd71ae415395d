"""Why an argument is accepted, rejected or undecided, in words.

Every sentence says who says what, as the pages of ``kg show`` do; none says who is right.
"""

from __future__ import annotations

from collections.abc import Iterable

from kg.argumentation.frame import Frame
from kg.argumentation.grounded import ACCEPTED, REJECTED, WORDS, Grounded
from kg.argumentation.moves import APPARENT, ATTACK, REBUT, RECORD, Edge
from kg.argumentation.semantics import Positions
from kg.argumentation.standing import Standing
from kg.engine import Engine
from kg.show.facts import facts_of
from kg.show.page import Line
from kg.show.reader import Reader

_KINDS = {
    "Rebut": "a rebuttal",
    "Undercut": "an undercut of the testimony",
    "Undermine": "an attack on a premise",
    "UtteranceDenial": "a denial that it was said",
}


class Words:
    """Puts the arguments and attacks of a frame into words."""

    def __init__(self, engine: Engine, frame: Frame) -> None:
        self.frame = frame
        self.moves = frame.moves
        self._reader = Reader(engine, frame.moves.base, {})
        self._facts: dict[str, str] = {}
        self._learn_facts(iri for iri in frame.iris if iri in frame.moves.facts)

    def learn(self, arguments: Iterable[int]) -> None:
        """Fetch what is needed to put these arguments into words, in a few questions."""
        iris = [self.frame.iris[argument] for argument in arguments]
        self._reader.learn(iri for iri in iris if iri in self.moves.said)

    def _learn_facts(self, facts: Iterable[str]) -> None:
        for iri, fact in facts_of(self._reader, facts).items():
            rule = f"by the rule '{fact.rule}'" if fact.rule else "by no named rule"
            records = self.moves.facts[iri]
            record = ", ".join(map(self._reader.name, sorted(records))) or "the record"
            self._facts[iri] = f"{record} amounts, {rule}, to: {fact.words()}"

    def thing(self, iri: str) -> str:
        """Return what anything is called, with the name one can pass on to a command."""
        return self._reader.full_name(iri)

    def name(self, argument: int) -> str:
        """Return an argument's short name."""
        return self.frame.framework.names[argument]

    def says(self, iri: str) -> str:
        """Return what an argument or an assertion says, and who says it."""
        if iri in self._facts:
            return self._facts[iri]
        if iri in self.frame.attacks:
            source, targets = self.frame.attacks[iri]
            aims = ", ".join(map(self.moves.name, targets))
            return f"that {self.moves.name(source)} speaks against {aims}, as the encoder reads it"
        return self._reader.sentence(iri)

    def line(self, iri: str, *children: Line, lead: str = "", mark: str = "") -> Line:
        """Return an argument as a line: its name, between ``lead`` and ``mark``, and its words."""
        marked = f" [{mark}]" if mark else ""
        return Line(f"{lead}{self.moves.name(iri)}{marked}: {self.says(iri)}", iri, children)

    def of(self, iri: str) -> dict[str, str]:
        """Return what programs want to know of an argument."""
        if iri in self._facts:
            return {"kind": "record fact", "iri": iri, "says": self._facts[iri]}
        if iri in self.frame.attacks:
            return {"kind": "attack", "iri": iri, "says": self.says(iri)}
        one = self.moves.said[iri]
        return {
            "kind": "assertion",
            "iri": iri,
            "speaker": self.moves.name(one.speaker),
            "stance": one.stance,
            "proposition": self.moves.name(one.proposition),
            "says": self.says(iri),
        }

    def how(self, edge: Edge) -> str:
        """Return on what ground one argument attacks another."""
        node = self.moves.name(edge.node)
        if edge.kind == ATTACK:
            text = f"{_KINDS.get(edge.rule, 'an attack')}, as the encoder reads it ({node})"
        elif edge.kind == RECORD:
            text = f"what the record shows conflicts with it ({node})"
        elif edge.kind == APPARENT:
            text = f"the two conflict if their scopes and times are ignored ({node})"
        elif edge.rule == REBUT:
            text = f"the two cannot both hold, as the encoder reads a rebuttal ({node})"
        else:
            by = f"by the rule '{edge.rule}'" if edge.rule else "as an encoder declares"
            text = f"the two cannot both hold, {by} ({node})"
        if edge.premises:
            text += f", on the premise {', '.join(map(self.moves.name, edge.premises))}"
        if edge.turned:
            text += f"; your view turns this attack round (--{edge.turned})"
        return text

    def grounds(self, attacker: int, target: int) -> str:
        """Return all grounds on which one argument attacks another."""
        edges = self.frame.edges.get((attacker, target), ())
        return "; ".join(dict.fromkeys(map(self.how, edges)))

    def why(self, result: Grounded, argument: int) -> str:
        """Return in one sentence why the grounded position labels an argument as it does."""
        step = result.step(argument)
        by = self._names(step.by)
        if step.label == ACCEPTED:
            if not step.by:
                return "accepted: nothing attacks it"
            return f"accepted: every attack on it fails, since {by} {_are(step.by)} rejected"
        if step.label == REJECTED:
            return f"rejected: {by}, which {_are(step.by)} accepted, {_attack(step.by)} it"
        if step.by == (argument,):
            return "undecided: it attacks itself"
        return f"undecided: {by} {_attack(step.by)} it, and nothing settles that"

    def stands(self, found: Positions, argument: int, standing: Standing) -> str:
        """Return in one sentence where an argument stands among several positions, and why."""
        if not standing.knot:
            told = self.why(found.grounded, argument)
            return told if found.count else f"{told}; but there is no {found.semantics} position"
        knot = found.knots[standing.knot - 1]
        ways = f"{'the first ' if knot.more else ''}{len(knot.extensions)}"
        text = (
            f"undecided by itself: of {ways} ways to decide knot {standing.knot}, it is held in "
            f"{standing.held}, attacked in {standing.attacked} and left open in {standing.open}"
        )
        if standing.by:
            text += f"; {self._names(standing.by)} {_attack(standing.by)} it"
        return text if found.count else f"{text}; but there is no {found.semantics} position"

    def chain(self, result: Grounded, argument: int, told: set[int] | None = None) -> Line:
        """Return an argument, why it has its label, and so on down to what nothing attacks.

        What ``told`` holds has been told before, and is only named again.
        """
        told = set() if told is None else told
        step = result.step(argument)
        label = WORDS[step.label]
        iri = self.frame.iris[argument]
        if argument in told:
            return self.line(iri, mark=f"{label}, as told above")
        told.add(argument)
        below = []
        for one in step.by:
            ground = Line(self.grounds(one, argument))
            if step.label in (ACCEPTED, REJECTED) and one != argument:
                inner = self.chain(result, one, told)
            else:
                inner = self.line(self.frame.iris[one], mark=WORDS[result.labels[one]])
            below.append(Line(f"attacked by {inner.text}", inner.iri, (ground, *inner.children)))
        return self.line(iri, Line(self.why(result, argument)), *below)

    def _names(self, arguments: Iterable[int]) -> str:
        names = [self.name(argument) for argument in arguments]
        return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)

    def left_out(self) -> list[Line]:
        """Return, by reason, what is no argument and which attacks hit nothing."""
        reasons: dict[str, list[str]] = {}
        for iri, reason in self.moves.left_out.items():
            reasons.setdefault(reason, []).append(self.moves.name(iri))
        return [Line(f"{', '.join(names)}: {reason}") for reason, names in sorted(reasons.items())]


def _are(several: tuple[int, ...]) -> str:
    return "are" if len(several) > 1 else "is"


def _attack(several: tuple[int, ...]) -> str:
    return "attack" if len(several) > 1 else "attacks"
