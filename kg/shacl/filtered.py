"""A query as a pattern and the filters of its outermost group.

A filter holds of the whole group it stands in, wherever it stands. So filters can be asked after
the pattern, each of as few solutions as will do; and queries that differ in filters alone can be
asked together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kg.shacl.triples import Place, triples_apart
from kg.sparql_text import Token

_ENDS = {"(": ")", "{": "}"}


@dataclass(frozen=True)
class Filter:
    """A FILTER: where it starts and ends among the tokens, and where what it asks starts."""

    start: int
    end: int
    asked: int

    @property
    def places(self) -> range:
        """The places of all its tokens."""
        return range(self.start, self.end)


@dataclass(frozen=True)
class Filtered:
    """A query whose outermost group, from ``start`` to ``end``, is the last thing in it."""

    tokens: Sequence[Token]
    start: int
    end: int
    filters: tuple[Filter, ...]

    @property
    def body(self) -> list[int]:
        """The places of what stands in the outermost group beside its filters."""
        taken = {place for filter in self.filters for place in filter.places}
        return [place for place in range(self.start, self.end) if place not in taken]

    def variables(self, places: Sequence[int]) -> set[str]:
        """Return the names of the variables at some places."""
        found = (self.tokens[place] for place in places)
        return {token.text[1:] for token in found if token.kind == "var"}

    def is_absence(self, filter: Filter) -> bool:
        """Say whether a filter is NOT EXISTS."""
        return self.tokens[filter.asked].is_word("NOT")

    def is_existence(self, filter: Filter) -> bool:
        """Say whether a filter is EXISTS or NOT EXISTS."""
        return self.tokens[filter.asked].is_word("NOT", "EXISTS")

    def text(self, filter: Filter) -> str:
        """Return what a filter asks, as an expression."""
        return "".join(token.text for token in self.tokens[filter.asked : filter.end])

    def group(self, filter: Filter) -> list[Place]:
        """Return what stands in the braces of an EXISTS."""
        places = [p for p in range(filter.asked, filter.end) if self.tokens[p].kind != "space"]
        first = next(n for n, place in enumerate(places) if self.tokens[place].is_punct("{"))
        return [(place, self.tokens[place]) for place in places[first + 1 : -1]]

    @property
    def is_plain(self) -> bool:
        """Whether the pattern is triples of variables and IRIs only."""
        apart = triples_apart(self.tokens)
        found = [place for place in self.body if self.tokens[place].kind != "space"]
        return bool(found) and all(place in apart for place in found)

    @property
    def chosen(self) -> frozenset[str]:
        """The variables of the one sub-select that is the pattern; none if it is anything else.

        It has to be one that leaves no variable without a value.
        """
        found = [self.tokens[p] for p in self.body if self.tokens[p].kind != "space"]
        if found and found[-1].is_punct("."):
            found = found[:-1]
        if len(found) < 3 or not (found[0].is_punct("{") and found[1].is_word("SELECT")):
            return frozenset()
        if _closing(found, 0) != len(found) - 1:
            return frozenset()
        names: set[str] = set()
        for token in found[2:]:
            if token.is_word("WHERE") or token.is_punct("{"):
                return frozenset(names)
            if token.kind == "var":
                names.add(token.text[1:])
            elif not token.is_word("DISTINCT"):
                return frozenset()
        return frozenset()


def filtered(tokens: Sequence[Token]) -> Filtered | None:
    """Return a query so divided, or ``None`` if it has no such form."""
    places = [place for place, token in enumerate(tokens) if token.kind != "space"]
    found = [tokens[place] for place in places]
    opening = next((n for n, token in enumerate(found) if token.is_punct("{")), None)
    if opening is None or _closing(found, opening) != len(found) - 1:
        return None
    filters = []
    number = opening + 1
    while number < len(found) - 1:
        token = found[number]
        if token.is_word("FILTER"):
            last = _last_of_filter(found, number)
            if last is None:
                return None
            filters.append(Filter(places[number], places[last] + 1, places[number + 1]))
            number = last
        elif token.is_punct("{"):
            closing = _closing(found, number)
            assert closing is not None  # the outermost brackets match
            number = closing
        number += 1
    return Filtered(tokens, places[opening] + 1, places[-1], tuple(filters))


def _last_of_filter(found: Sequence[Token], start: int) -> int | None:
    for number in range(start + 1, len(found)):
        if found[number].is_punct("(", "{"):
            return _closing(found, number)
        if found[number].kind not in ("word", "iri"):
            return None
    return None


def _closing(found: Sequence[Token], opening: int) -> int | None:
    """Return the place of the bracket that closes the one at a place."""
    sign = found[opening].text
    depth = 0
    for number in range(opening, len(found)):
        depth += found[number].is_punct(sign) - found[number].is_punct(_ENDS[sign])
        if not depth:
            return number
    return None


def by_pairs(query: Filtered, body: str) -> str | None:
    """Return what to put before the pattern, so that EXISTS is asked once for equal values.

    What does not exist for one solution does not exist for another with the same values of the
    variables that it speaks of; and where targets are many, equal values are, too. ``body`` is the
    pattern as it will be written. ``None`` if there is nothing to gain.
    """
    if not query.is_plain:
        return None
    bound = query.variables(query.body)
    asked = []
    shared: set[str] = set()
    for filter in query.filters:
        common = query.variables(filter.places) & bound
        if query.is_existence(filter) and common and "this" not in common:
            asked.append(filter)
            shared |= common
    if not asked:
        return None
    listed = " ".join(f"?{name}" for name in sorted(shared))
    filters = " ".join(f"FILTER ({query.text(filter)})" for filter in asked)
    return f"{{ {{ SELECT {listed} WHERE {{ {body} }} GROUP BY {listed} }} {filters} }}"


def taken_away(query: Filtered) -> Iterator[Filter]:
    """Yield the filters that MINUS can take the place of, with all there is compared at once.

    These are NOT EXISTS with nothing but triples, that share a variable which always has a value.
    """
    chosen = query.chosen
    if not chosen or _may_leave_unbound(query):
        return
    elsewhere = query.variables(query.body)
    for filter in query.filters:
        if not query.is_absence(filter):
            continue
        group = query.group(filter)
        plain = all(
            token.kind in ("var", "iri") or token.is_punct(".", ";", ",") or token.text == "a"
            for _, token in group
        )
        common = query.variables([place for place, _ in group]) & (elsewhere | chosen)
        if plain and common and common <= chosen:
            yield filter


def _may_leave_unbound(query: Filtered) -> bool:
    words = ("OPTIONAL", "UNION", "BIND", "AS", "LIMIT", "OFFSET")
    return any(query.tokens[place].is_word(*words) for place in query.body)
