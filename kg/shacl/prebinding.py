"""Queries that a shapes graph holds, made to run over all focus nodes at once.

SHACL runs such a query once for each focus node, with ``$this`` already bound everywhere in it
(https://www.w3.org/TR/shacl/#pre-binding). Here the pattern that finds the focus nodes is put into
every group that speaks of ``$this``, which comes to the same, in one run; in EXISTS the engine
itself carries ``$this`` inwards. Where the two would differ (LIMIT, a count over everything), the
query runs once for each focus node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, takewhile

from kg.shacl.expressions import Names
from kg.shacl.shapes import NotCompilableError
from kg.shacl.triples import triples_apart
from kg.sparql_text import Token

_AGGREGATES = ("COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT")
# Aggregates that count a solution again if it comes twice.
_COUNTING = ("COUNT", "SUM", "AVG", "GROUP_CONCAT")


@dataclass
class _Group:
    """A ``{ … }``: where its inside starts, what it is, and whether it speaks of ``$this``."""

    start: int
    in_exists: bool
    holds_select: bool
    mentions: bool = False


@dataclass(frozen=True)
class Select:
    """A SELECT or ASK whose prefixes, path and parameters are filled in."""

    tokens: tuple[Token, ...]

    @property
    def _significant(self) -> list[Token]:
        return [token for token in self.tokens if token.kind != "space"]

    @property
    def counts_solutions(self) -> bool:
        """Whether it counts solutions, so that a triple in two graphs would count twice."""
        return any(
            one.is_word(*_COUNTING) and two.is_punct("(") and not three.is_word("DISTINCT")
            for one, two, three in _triples(self._significant)
        )

    @property
    def aggregates(self) -> bool:
        """Whether it computes over groups of solutions."""
        found = self._significant
        return any(
            (one.is_word(*_AGGREGATES) and two.is_punct("(")) or one.is_word("GROUP")
            for one, two in pairwise(found)
        )

    @property
    def one_by_one(self) -> bool:
        """Whether it must run once for each focus node."""
        if any(token.is_word("LIMIT", "OFFSET") for token in self.tokens):
            return True
        if self.aggregates:
            selects = sum(token.is_word("SELECT") for token in self.tokens)
            return sum(self._groups_by_this()) < selects
        return not self._projects_this()

    def _groups_by_this(self) -> list[bool]:
        found = self._significant
        return [
            any(t.kind == "var" and t.text[1:] == "this" for t in _until_clause(found[i + 2 :]))
            for i, token in enumerate(found)
            if token.is_word("GROUP")
        ]

    def _projects_this(self) -> bool:
        for token in self._significant[1:]:
            if token.is_punct("{") or token.is_word("WHERE"):
                return False
            if token.is_punct("*") or (token.kind == "var" and token.text[1:] == "this"):
                return True
        return False

    def over(self, focus_nodes: str, many: bool = False) -> str:
        """Return the query for all nodes to which a pattern binds ``?this``.

        For ``many`` nodes each triple of the outermost group is matched apart, so that an engine
        scans all there are instead of looking one up for each solution of those before it.
        """
        changed = dict(self._grouped())
        if many and (apart := triples_apart(self.tokens)):
            changed |= apart
            focus_nodes = f"{{ SELECT ?this WHERE {{ {focus_nodes} }} }}"
        if self.aggregates:
            focus_nodes = f"{{ SELECT DISTINCT ?this WHERE {{ {focus_nodes} }} }}"
        groups = self._groups()
        outermost = min(group.start for group in groups)
        places = {
            group.start
            for group in groups
            if not group.in_exists
            and not group.holds_select
            and (group.mentions or group.start == outermost)
        }
        parts = []
        for index, token in enumerate(self.tokens):
            parts.append(changed.get(index, token.text))
            if index + 1 in places:
                parts.append(f" {focus_nodes} ")
        return "".join(parts)

    def _grouped(self) -> Iterator[tuple[int, str]]:
        """Yield the tokens to change so that sub-selects group instead of asking for DISTINCT.

        That is the same, but planners move a FILTER from around a DISTINCT into it, where it is
        asked of every solution, not of the different ones only.
        """
        found = [(i, t) for i, t in enumerate(self.tokens) if t.kind != "space"]
        for place, (index, token) in enumerate(found):
            if not (token.is_word("DISTINCT") and place > 1 and found[place - 2][1].is_punct("{")):
                continue
            names = list(takewhile(lambda entry: entry[1].kind == "var", found[place + 1 :]))
            after = found[place + 1 + len(names) :]
            if after and after[0][1].is_word("WHERE"):
                after = after[1:]
            end = _end_of_group([t for _, t in after])
            if names and end is not None and after[end + 1][1].is_punct("}"):
                yield index, ""
                listed = " ".join(t.text for _, t in names)
                yield after[end][0], f"}} GROUP BY {listed} "

    def inside(self, names: Names, bound: Mapping[str, str]) -> str:
        """Return what stands in its WHERE clause, with the variables of ``bound`` renamed.

        All other variables get new names. For use in EXISTS.
        """
        found = self._significant
        if self.aggregates or any(t.is_word("LIMIT", "OFFSET") for t in found):
            raise NotCompilableError("a query that counts stands in a nested shape")
        renamed: dict[str, str] = dict(bound)
        start = next(i for i, token in enumerate(self.tokens) if token.is_punct("{"))
        depth = 0
        parts = []
        for token in self.tokens[start:]:
            depth += token.is_punct("{") - token.is_punct("}")
            if token.kind == "var":
                name = token.text[1:]
                parts.append(renamed.setdefault(name, names.fresh()))
            else:
                parts.append(token.text)
            if depth == 0:
                break
        return "".join(parts)

    def _groups(self) -> list[_Group]:
        groups: list[_Group] = []
        open_groups: list[_Group] = []
        pending = _Pending()
        found = [(i, t) for i, t in enumerate(self.tokens) if t.kind != "space"]
        for place, (index, token) in enumerate(found):
            previous = found[place - 1][1] if place else token
            following = found[place + 1][1] if place + 1 < len(found) else token
            if token.is_punct("{"):
                in_exists = previous.is_word("EXISTS") or bool(
                    open_groups and open_groups[-1].in_exists
                )
                group = _Group(index + 1, in_exists, following.is_word("SELECT"))
                group.mentions = pending.takes()
                groups.append(group)
                open_groups.append(group)
            elif token.is_punct("}"):
                open_groups.pop()
            elif token.is_word("SELECT"):
                pending.begins()
            elif pending.reads(token):
                continue
            elif token.kind == "var" and token.text[1:] == "this" and open_groups:
                _mention(open_groups)
        return groups


class _Pending:
    """Reads a SELECT clause: an expression over ``$this`` needs it in the group that follows."""

    def __init__(self) -> None:
        self._depth: int | None = None
        self._mentions = False

    def begins(self) -> None:
        self._depth, self._mentions = 0, False

    def reads(self, token: Token) -> bool:
        if self._depth is None:
            return False
        self._depth += token.is_punct("(") - token.is_punct(")")
        if self._depth and token.kind == "var" and token.text[1:] == "this":
            self._mentions = True
        return True

    def takes(self) -> bool:
        taken = self._depth is not None and self._mentions
        self._depth, self._mentions = None, False
        return taken


def _end_of_group(tokens: list[Token]) -> int | None:
    """Return the place of the bracket that closes the group with which tokens begin."""
    depth = 0
    for place, token in enumerate(tokens):
        depth += token.is_punct("{") - token.is_punct("}")
        if not depth:
            return place if token.is_punct("}") else None
    return None


def _mention(open_groups: list[_Group]) -> None:
    for group in reversed(open_groups):
        if not group.in_exists and not group.holds_select:
            group.mentions = True
            return


def _triples(tokens: list[Token]) -> list[tuple[Token, Token, Token]]:
    return list(zip(tokens, tokens[1:], tokens[2:], strict=False))


def _until_clause(tokens: list[Token]) -> list[Token]:
    taken = []
    for token in tokens:
        if token.is_word("HAVING", "ORDER", "LIMIT", "OFFSET") or token.is_punct("}"):
            break
        taken.append(token)
    return taken
