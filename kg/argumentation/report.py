"""The positions of a dispute as text and Markdown.

What nothing attacks is counted and not listed, and statements that stand or fall on the same
ground are told once; ``every`` lists them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kg.argumentation.frame import Frame
from kg.argumentation.grounded import ACCEPTED, REJECTED, UNDECIDED, WORDS
from kg.argumentation.semantics import Knot, Positions
from kg.argumentation.words import Words
from kg.show.page import Line, Page, Section, as_markdown, as_text

# How many positions of a knot stand side by side, and how many statements on one ground are named.
_COLUMNS = 8
_NAMED = 3
_NO_VERDICT = (
    "This follows from the attacks as they were encoded and from your view. It says which "
    "statements can be held together, and not which are true: a statement that nobody answered "
    "stands here."
)


@dataclass(frozen=True)
class Report:
    """What was asked and what was found, ready to be printed."""

    frame: Frame
    found: Positions
    words: Words
    every: bool = False

    def text(self, width: int, head: Callable[[str], str] = str) -> str:
        """Return the report for a terminal ``width`` columns wide."""
        blocks = [as_text(self._page(), width, head)]
        for number, knot in enumerate(self.found.knots, 1):
            page = self._knot_page(number, knot)
            table = "\n".join(_aligned(self._matrix(knot)))
            top, _, rest = as_text(page, width, head).partition("\n\n")
            blocks.append(f"{top.rstrip()}\n\n{table}\n" + (f"\n{rest}" if rest else ""))
        return "\n".join(blocks)

    def markdown(self) -> str:
        """Return the report as Markdown."""
        blocks = [as_markdown(self._page())]
        for number, knot in enumerate(self.found.knots, 1):
            page = as_markdown(self._knot_page(number, knot)).replace("\n## ", "\n### ")
            top, sign, rest = page.partition("\n### ")
            table = "\n".join(_piped(self._matrix(knot)))
            blocks.append(f"#{top.rstrip()}\n\n{table}\n" + (f"\n### {rest}" if sign else ""))
        return "\n".join(blocks)

    def _page(self) -> Page:
        name = self.frame.moves.base
        semantics = self.found.semantics
        if semantics == "grounded":
            sections = self._grounded_sections()
            lead = f"{self._counts()} {_NO_VERDICT}"
        else:
            sections = self._shared_sections()
            lead = f"{self._counts()} {self._how_many()} {_NO_VERDICT}"
        sections += (
            Section("Your view", tuple(self._view())),
            Section("Not weighed", tuple(self.words.left_out())),
        )
        return Page(name, semantics, "positions,", lead, sections)

    def _counts(self) -> str:
        framework, result = self.frame.framework, self.found.grounded
        counts = f"{len(framework)} arguments, {framework.attack_count} attacks"
        if self.found.semantics != "grounded":
            return f"{counts}."
        labels = ", ".join(
            f"{len(result.having(label))} {WORDS[label]}"
            for label in (ACCEPTED, REJECTED, UNDECIDED)
        )
        return f"{counts}: {labels}."

    def _how_many(self) -> str:
        found = self.found
        if not found.count:
            return (
                f"There is no {found.semantics} position: some statement can be neither held nor "
                "attacked by what is held. The knots without one are below."
            )
        number = f"at least {found.count:,}" if found.more else f"{found.count:,}"
        if not found.knots:
            return f"There is one {found.semantics} position."
        return (
            f"There are {number} {found.semantics} positions: one choice from each of the "
            f"{len(found.knots)} knots below, together with what every position accepts."
        )

    def _grounded_sections(self) -> tuple[Section, ...]:
        result = self.found.grounded
        attacked = [a for a in result.having(ACCEPTED) if self.frame.framework.attackers(a)]
        alone = [a for a in result.having(ACCEPTED) if not self.frame.framework.attackers(a)]
        return (
            self._explained("Undecided", result.having(UNDECIDED)),
            self._explained("Rejected", result.having(REJECTED)),
            self._explained("Accepted, although attacked", attacked),
            self._unattacked(alone),
        )

    def _explained(self, title: str, arguments: list[int]) -> Section:
        result, words = self.found.grounded, self.words
        self.words.learn(self._with_neighbours(arguments))
        lines = []
        for group in self._groups(arguments):
            first, *others = group
            line = words.chain(result, first)
            if others:
                names = ", ".join(words.name(one) for one in others)
                more = Line(f"on the same ground {len(others)} more: {names}")
                line = Line(line.text, line.iri, (*line.children, more))
            lines.append(line)
        return Section(f"{title} ({len(arguments)})", tuple(lines))

    def _with_neighbours(self, arguments: Iterable[int]) -> set[int]:
        """Return arguments with all that their chains can lead to."""
        found = set(arguments)
        queue = list(found)
        while queue:
            near = set(self.frame.framework.attackers(queue.pop())) - found
            found |= near
            queue += near
        return found

    def _groups(self, arguments: list[int]) -> list[list[int]]:
        """Draw together what attacks nobody and is attacked by the same on the same ground."""
        groups: dict[object, list[int]] = {}
        for argument in arguments:
            attackers = self.frame.framework.attackers(argument)
            nodes = tuple(
                (one, edge.node) for one in attackers for edge in self.frame.edges[one, argument]
            )
            alike = nodes if nodes and not self.frame.framework.targets(argument) else argument
            groups.setdefault(alike, []).append(argument)
        return [
            part
            for group in groups.values()
            for part in ([group] if len(group) > _NAMED and not self.every else _each(group))
        ]

    def _unattacked(self, arguments: list[int]) -> Section:
        title = f"Accepted: nothing attacks them ({len(arguments)})"
        if not arguments:
            return Section(title, ())
        if not self.every:
            return Section(title, (Line("They are not listed here; --all lists them."),))
        self.words.learn(arguments)
        return Section(title, tuple(self.words.line(self.frame.iris[one]) for one in arguments))

    def _shared_sections(self) -> tuple[Section, ...]:
        shared = self.found.shared()[0]
        framework = self.frame.framework
        attacked = [one for one in shared if framework.attackers(one)]
        alone = [one for one in shared if not framework.attackers(one)]
        rejected = self.found.grounded.having(REJECTED)
        self.words.learn({*attacked, *rejected})
        return (
            Section(
                f"Every position accepts, although attacked ({len(attacked)})",
                tuple(self.words.line(self.frame.iris[one]) for one in attacked),
            ),
            Section(
                f"Every position rejects, as the grounded one does ({len(rejected)})",
                tuple(self.words.line(self.frame.iris[one]) for one in rejected),
            ),
            self._unattacked(alone),
        )

    def _rows(self, knot: Knot) -> list[tuple[tuple[str, ...], list[int]]]:
        """Return the arguments of a knot by what the positions make of them."""
        patterns: dict[tuple[str, ...], list[int]] = {}
        sets = [frozenset(one) for one in knot.extensions[:_COLUMNS]]
        for argument in knot.arguments:
            attackers = set(self.frame.framework.attackers(argument))
            marks = tuple(
                "accepts" if argument in held else "rejects" if attackers & held else "open"
                for held in sets
            )
            patterns.setdefault(marks, []).append(argument)
        # What one position holds together stands together.
        return [
            (marks, part)
            for marks, group in patterns.items()
            for part in ([group] if len(group) > _NAMED and not self.every else _each(group))
        ]

    def _matrix(self, knot: Knot) -> list[tuple[str, ...]]:
        shown = min(len(knot.extensions), _COLUMNS)
        table = [("", *(f"position {number}" for number in range(1, shown + 1)))]
        for marks, group in self._rows(knot):
            named = ", ".join(self.words.name(one) for one in group[:_NAMED])
            if len(group) > _NAMED:
                named += f" and {len(group) - _NAMED} more"
            table.append((named, *marks))
        return table

    def _knot_page(self, number: int, knot: Knot) -> Page:
        self.words.learn(knot.arguments)
        ways = f"{'at least ' if knot.more else ''}{len(knot.extensions)}"
        lead = f"{len(knot.arguments)} arguments, {ways} ways to decide between them."
        if len(knot.extensions) > _COLUMNS:
            lead += f" The first {_COLUMNS} stand here; --format json has more."
        named = [one for _, group in self._rows(knot) for one in group[:_NAMED]]
        lines = tuple(self._stated(one) for one in sorted(named))
        sections = (Section("Who says what, and what attacks it", lines),)
        return Page(self.frame.moves.base, str(number), "knot", lead, sections)

    def _stated(self, argument: int) -> Line:
        grounds = [
            Line(f"attacked by {self.words.name(one)}: {self.words.grounds(one, argument)}")
            for one in self.frame.framework.attackers(argument)
        ]
        return self.words.line(self.frame.iris[argument], *grounds)

    def _view(self) -> Iterator[Line]:
        view, words, moves = self.frame.view, self.words, self.frame.moves
        for thing in view.accept:
            yield Line(f"accepts {words.thing(thing)}", thing)
        for thing in view.exclude:
            yield Line(f"leaves out {words.thing(thing)}", thing)
        for better, worse in view.prefer:
            yield Line(f"prefers {words.thing(better)} to {words.thing(worse)}")
        gone = [iri for iri in moves.arguments if iri in self.frame.excluded]
        if gone:
            names = ", ".join(map(moves.name, gone if self.every else gone[:_COLUMNS]))
            more = "" if self.every or len(gone) <= _COLUMNS else ", ..."
            yield Line(f"so {len(gone)} arguments are left out: {names}{more}")
        for failed in self.frame.failed:
            edge = failed.edge
            yield Line(
                f"so the attack of {moves.name(edge.source)} on {moves.name(edge.target)} fails "
                f"(--{failed.choice})"
            )


def _each(group: Iterable[int]) -> list[list[int]]:
    return [[one] for one in group]


def _aligned(table: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield "  " + "  ".join(map(str.ljust, row, widths)).rstrip()


def _piped(table: Sequence[Sequence[str]]) -> Iterator[str]:
    for number, row in enumerate(table):
        yield f"| {' | '.join(row)} |"
        if not number:
            yield f"|{' --- |' * len(row)}"
