"""Conditions about the values of paths, and the names of variables in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import combinations

from kg.shacl.conditions import FALSE, SKIPPED, TRUE, all_of, any_of, exists
from kg.shacl.paths import (
    Alternative,
    Inverse,
    Path,
    Predicate,
    Sequence,
    reaches_itself,
    repeats,
    to_sparql,
    without_itself,
)
from kg.shacl.selection import chosen

# An expression about the variable, or the term, it is given.
About = Callable[[str], str]

_PARTS = re.compile(
    rf"{SKIPPED}|\b(?:EXISTS|MINUS)\s*\{{|\{{\s*SELECT\b(?:\s+DISTINCT\b)?(?:\s*\*)?|[{{}}]|\?\w+",
    re.DOTALL | re.IGNORECASE,
)


class Names:
    """Hands out variables that no query of the shapes uses."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        texts = tuple(taken)
        self._prefix = "v"
        while any(f"{self._prefix}_" in text for text in texts):
            self._prefix += "v"
        self._count = 0

    def fresh(self) -> str:
        """Return a new variable, such as ``?v_1``."""
        self._count += 1
        return f"?{self._prefix}_{self._count}"

    def few(self, query: str) -> str:
        """Return a query with the variables of each EXISTS, MINUS or sub-select used again later.

        An engine may copy a row with a place for every variable at each step; with a hundred of
        them side by side, most of the time goes there.
        """
        own = re.compile(rf"\?{self._prefix}_[0-9]+")
        renamed: dict[str, int] = {}
        free: list[int] = []
        used = 0
        scopes = [_Scope(hides=True)]

        def rename(match: re.Match[str]) -> str:
            nonlocal used
            text = match[0]
            if text[0] not in "\"'<" and "{" in text:
                scopes.append(_Scope.opened(text, scopes[-1]))
            elif text == "}":
                gone = scopes.pop().closed(scopes[-1]) if len(scopes) > 1 else []
                free.extend(renamed.pop(name) for name in gone)
            elif own.fullmatch(text):
                if text not in renamed:
                    if not free:
                        used += 1
                        free.append(used)
                    renamed[text] = min(free)
                    free.remove(renamed[text])
                    scopes[-1].names.append(text)
                return f"?{self._prefix}_{renamed[text]}"
            return text

        return _PARTS.sub(rename, query)


@dataclass
class _Scope:
    """An open group, and the names that were first met in it.

    What a group of a sub-select binds is hidden from outside, but may still be spoken of in its
    HAVING: so these names are ``kept`` until the sub-select itself closes.
    """

    hides: bool
    is_select: bool = False
    names: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    @classmethod
    def opened(cls, text: str, around: _Scope) -> _Scope:
        if "SELECT" in text.upper():
            return cls(hides=False, is_select=not text.endswith("*"))
        return cls(hides=len(text) > 1 or around.is_select)

    def closed(self, around: _Scope) -> list[str]:
        """Hand what is still visible to the scope around; return what nobody sees any more."""
        if not self.hides:
            around.names += self.names
            return self.kept
        if not around.is_select:
            return self.names
        around.kept += self.names
        return []


def some_value(names: Names, focus: str, path: Path | None, bad: About) -> str:
    """Return whether a condition holds of any value that a path leads to from a node."""
    if path is None:
        return bad(focus)
    value = names.fresh()
    condition = bad(value)
    if condition == FALSE:
        return FALSE
    rest = without_itself(path)
    pattern = f"{focus} {to_sparql(rest)} {value} ."
    # A path of any length is only looked for from each node: all its pairs may be very many.
    about = () if repeats(rest) else (focus,)
    further = exists(pattern, condition, about, walk(names, focus, rest, value))
    return any_of([bad(focus), further]) if reaches_itself(path) else further


def at_least(names: Names, number: int, focus: str, path: Path, good: About) -> str:
    """Return whether a condition holds of so many different values of a path."""
    if number <= 0:
        return TRUE
    if reaches_itself(path):
        rest = without_itself(path)

        def others(value: str) -> str:
            return all_of([f"!sameTerm({value}, {focus})", good(value)])

        return any_of(
            [
                all_of([good(focus), at_least(names, number - 1, focus, rest, others)]),
                at_least(names, number, focus, rest, others),
            ]
        )
    if number == 1:
        return some_value(names, focus, path, good)
    step = to_sparql(path)
    about = () if repeats(path) else (focus,)
    counted = _counting(names, number, focus, path, good)
    if number > 2:
        value = names.fresh()
        condition = good(value)
        filter = "" if condition == TRUE else f" FILTER ({condition})"
        return exists(
            f"{{ SELECT {focus} WHERE {{ {focus} {step} {value} .{filter} }} "
            f"GROUP BY {focus} HAVING (COUNT(DISTINCT {value}) >= {number}) }}",
            about=about,
            counted=counted,
        )
    values = [names.fresh() for _ in range(number)]
    different = [f"!sameTerm({one}, {other})" for one, other in combinations(values, 2)]
    patterns = " ".join(f"{focus} {step} {value} ." for value in values)
    condition = all_of([*different, *(good(value) for value in values)])
    return exists(patterns, condition, about, counted=counted)


def _counting(
    names: Names, number: int, focus: str, path: Path, good: About
) -> Callable[[bool], str]:
    def counted(rough: bool) -> str:
        value = names.fresh()
        values = chosen(walk(names, focus, path, value), good(value), rough)
        # Counting what comes twice as two needs no memory of what came.
        distinct = "" if rough else "DISTINCT "
        return (
            f"{{ SELECT {focus} WHERE {{ {values} }} "
            f"GROUP BY {focus} HAVING (COUNT({distinct}{value}) >= {number}) }}"
        )

    return counted


def walk(names: Names, focus: str, path: Path, value: str) -> str:
    """Return a pattern for all pairs of nodes that a path joins, found by scanning each step."""
    match path:
        case Inverse(Predicate() as step):
            return walk(names, value, step, focus)
        case Sequence((first, *further)):
            between = names.fresh()
            rest = further[0] if len(further) == 1 else Sequence(tuple(further))
            # Within a SELECT of its own, the rest is not looked up for each node on the way.
            return (
                f"{walk(names, focus, first, between)} {{ SELECT {between} {value} "
                f"WHERE {{ {walk(names, between, rest, value)} }} }}"
            )
        case Alternative(steps):
            return " UNION ".join(f"{{ {walk(names, focus, step, value)} }}" for step in steps)
    return f"{focus} {to_sparql(path)} {value} ."


def reach(source: str, names: Names, focus: str, path: Path | None, value: str) -> str:
    """Return a pattern that binds the values of a path from what ``source`` binds ``focus`` to."""
    if path is None:
        return f"{source} BIND ({focus} AS {value})"
    step = f"{source} {focus} {to_sparql(without_itself(path))} {value} ."
    if not reaches_itself(path):
        return step
    return f"{{ {source} BIND ({focus} AS {value}) }} UNION {{ {step} }}"
