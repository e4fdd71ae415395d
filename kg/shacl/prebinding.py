"""Queries that a shapes graph holds, made to run over all focus nodes at once.

SHACL runs such a query once for each focus node, with ``$this`` already bound everywhere in it
(https://www.w3.org/TR/shacl/#pre-binding). Here the pattern that finds the focus nodes is put into
every group that speaks of ``$this``, which comes to the same, in one run; in EXISTS the engine
itself carries ``$this`` inwards. Where the two would differ (LIMIT, a count over everything), the
query runs once for each focus node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, takewhile

from kg.shacl.expressions import Names
from kg.shacl.filtered import by_pairs, filtered, taken_away
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
        parts, focus_nodes = self._written(focus_nodes, many)
        query = filtered(self.tokens)
        if query is None:
            opened = min(group.start for group in self._groups())
            return "".join(parts[:opened]) + f" {focus_nodes} " + "".join(parts[opened:])
        inside = "".join(parts[query.start : query.end])
        if many:
            body = f"{focus_nodes} {''.join(parts[place] for place in query.body)}"
            first = by_pairs(query, body)
            focus_nodes = f"{first} {focus_nodes}" if first else focus_nodes
        return (
            f"{''.join(parts[: query.start])} {focus_nodes} {inside}{''.join(parts[query.end :])}"
        )

    def _written(self, focus_nodes: str, many: bool) -> tuple[list[str], str]:
        """Return the text of each token, and the focus nodes as they stand in the outermost group.

        In groups within, the focus nodes are part of the texts.
        """
        changed = dict(self._grouped())
        if many and (apart := triples_apart(self.tokens)):
            changed |= apart
            focus_nodes = f"{{ SELECT ?this WHERE {{ {focus_nodes} }} }}"
        if self.aggregates:
            focus_nodes = f"{{ SELECT DISTINCT ?this WHERE {{ {focus_nodes} }} }}"
        parts = [changed.get(index, token.text) for index, token in enumerate(self.tokens)]
        outermost, *within = sorted(self._groups(), key=lambda group: group.start)
        for group in within:
            if group.mentions and not group.in_exists and not group.holds_select:
                parts[group.start - 1] += f" {focus_nodes} "
        return parts, "" if outermost.holds_select else focus_nodes

    @cached_property
    def stem(self) -> str | None:
        """Return the query without the filters of its outermost group.

        Queries with the same stem can be asked together. ``None`` if it cannot be so divided, or
        if its pattern is not one sub-select, which alone pays to be shared.
        """
        query = filtered(self.tokens)
        if query is None or self.aggregates or self.one_by_one or not query.chosen:
            return None
        head = [token for token in self.tokens[: query.start] if token.kind != "space"]
        if any(token.is_punct("*") for token in head):
            return None
        body = [self.tokens[place] for place in query.body]
        return " ".join(token.text for token in [*head, *body] if token.kind != "space")

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


def together(selects: Sequence[Select], focus_nodes: str, flags: Sequence[str]) -> str:
    """Return queries of the same stem as one, in which a flag tells whose row each is.

    The filters are asked of what the pattern found, not moved into it: most cost more than it does.
    """
    queries = [query for select in selects if (query := filtered(select.tokens))]
    first = queries[0]
    parts, focus_nodes = selects[0]._written(focus_nodes, many=False)
    body = "".join(parts[place] for place in first.body)
    gone = {first.text(one) for one in taken_away(first)} if len(queries) == 1 else set()
    for one in first.filters:
        if first.text(one) in gone:
            body += f" MINUS {{ {' '.join(token.text for _, token in first.group(one))} }}"
    asked = [dict.fromkeys(query.text(one) for one in query.filters) for query in queries]
    common = [text for text in asked[0] if len(asked) > 1 and all(text in one for one in asked)]
    # Asked once, and in a group of its own: before the rest, of all that was found.
    body = f"{{ {body} {' '.join(f'FILTER ({text})' for text in common)} }}"
    binds = []
    for texts, flag in zip(asked, flags, strict=True):
        left = [f"({text})" for text in texts if text not in gone and text not in common]
        binds.append(f"BIND (COALESCE({' && '.join(left) or 'true'}, false) AS {flag})")
    head = parts[: first.start - 1]
    shown = next(
        (i for i, t in enumerate(selects[0].tokens[: len(head)]) if t.is_word("WHERE")), len(head)
    )
    return (
        f"{''.join(head[:shown])} {' '.join(flags)} WHERE {{ {focus_nodes} {body} "
        f"{' '.join(binds)} FILTER ({' || '.join(flags)}) }}"
    )
