"""Boolean expressions and patterns of SPARQL, put together from smaller ones.

An expression built here is always true or false, never an error, so that it can be negated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import combinations

from kg.shacl.paths import Path, reaches_itself, to_sparql, without_itself

# An expression about the variable, or the term, it is given.
About = Callable[[str], str]

TRUE, FALSE = "true", "false"

# Strings and IRIs, in which a bracket opens nothing, and what else must be told apart.
_SKIPPED = (
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\]|\\.)*"'
    r"|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*\'\'\'|'(?:[^'\\]|\\.)*'"
    r"|<(?![?$])[^<>\s]*>"
)
_PARTS = re.compile(rf"{_SKIPPED}|\bEXISTS\s*\{{|[{{}}]|\?\w+", re.DOTALL | re.IGNORECASE)
_BRACKETS = re.compile(rf"{_SKIPPED}|[{{}}()]", re.DOTALL)


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
        """Return a query with the variables of each EXISTS used again in the next.

        An engine may copy a row with a place for every variable at each step; with a hundred
        EXISTS side by side, most of the time goes there.
        """
        own = re.compile(rf"\?{self._prefix}_[0-9]+")
        renamed: dict[str, str] = {}
        free: list[int] = []
        used = 0
        # For each open group, whether it is an EXISTS, and the numbers that were given out in it.
        groups: list[tuple[bool, list[int]]] = [(True, [])]

        def rename(match: re.Match[str]) -> str:
            nonlocal used
            text = match[0]
            if text.endswith("{"):
                groups.append((len(text) > 1, []))
            elif text == "}":
                is_exists, numbers = groups.pop()
                # Outside of an EXISTS, what a group binds may be spoken of after it.
                (free if is_exists else groups[-1][1]).extend(numbers)
            elif own.fullmatch(text):
                if text not in renamed:
                    if not free:
                        used += 1
                        free.append(used)
                    number = min(free)
                    free.remove(number)
                    groups[-1][1].append(number)
                    renamed[text] = f"?{self._prefix}_{number}"
                return renamed[text]
            return text

        return _PARTS.sub(rename, query)


def all_of(expressions: Iterable[str]) -> str:
    """Return the conjunction; ``true`` if there is nothing to join."""
    parts = [e for e in dict.fromkeys(expressions) if e != TRUE]
    if FALSE in parts:
        return FALSE
    return parts[0] if len(parts) == 1 else " && ".join(f"({p})" for p in parts) or TRUE


def any_of(expressions: Iterable[str]) -> str:
    """Return the disjunction; ``false`` if there is nothing to join."""
    parts = [e for e in dict.fromkeys(expressions) if e != FALSE]
    if TRUE in parts:
        return TRUE
    return parts[0] if len(parts) == 1 else " || ".join(f"({p})" for p in parts) or FALSE


def not_(expression: str) -> str:
    """Return the negation."""
    if expression in (TRUE, FALSE):
        return FALSE if expression == TRUE else TRUE
    for word, opposite in (("EXISTS {", "NOT EXISTS {"), ("NOT EXISTS {", "EXISTS {")):
        if expression.startswith(word) and _closes_at_end(expression, "{}"):
            return opposite + expression.removeprefix(word)
    if expression.startswith("!(") and _closes_at_end(expression, "()"):
        return expression[2:-1]
    return f"!({expression})"


def _closes_at_end(expression: str, brackets: str) -> bool:
    # The bracket that opens first closes last: no operator follows it.
    depth = 0
    for match in _BRACKETS.finditer(expression):
        depth += (match[0] == brackets[0]) - (match[0] == brackets[1])
        if match[0] == brackets[1] and depth == 0:
            return match.end() == len(expression)
    return False


def sure(expression: str) -> str:
    """Return an expression that is false where another is an error."""
    return f"COALESCE({expression}, false)"


def exists(pattern: str, condition: str = TRUE) -> str:
    """Return whether a pattern matches with a condition on what it binds."""
    if condition == FALSE:
        return FALSE
    filter = "" if condition == TRUE else f" FILTER ({condition})"
    return f"EXISTS {{ {pattern}{filter} }}"


def some_value(names: Names, focus: str, path: Path | None, bad: About) -> str:
    """Return whether a condition holds of any value that a path leads to from a node."""
    if path is None:
        return bad(focus)
    value = names.fresh()
    condition = bad(value)
    if condition == FALSE:
        return FALSE
    further = exists(f"{focus} {to_sparql(without_itself(path))} {value} .", condition)
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
    step = to_sparql(path)
    if number > 2:
        value = names.fresh()
        condition = good(value)
        filter = "" if condition == TRUE else f" FILTER ({condition})"
        return (
            f"EXISTS {{ {{ SELECT {focus} WHERE {{ {focus} {step} {value} .{filter} }} "
            f"GROUP BY {focus} HAVING (COUNT(DISTINCT {value}) >= {number}) }} }}"
        )
    values = [names.fresh() for _ in range(number)]
    different = [f"!sameTerm({one}, {other})" for one, other in combinations(values, 2)]
    patterns = " ".join(f"{focus} {step} {value} ." for value in values)
    return exists(patterns, all_of([*different, *(good(value) for value in values)]))


def reach(source: str, names: Names, focus: str, path: Path | None, value: str) -> str:
    """Return a pattern that binds the values of a path from what ``source`` binds ``focus`` to."""
    if path is None:
        return f"{source} BIND ({focus} AS {value})"
    step = f"{source} {focus} {to_sparql(without_itself(path))} {value} ."
    if not reaches_itself(path):
        return step
    return f"{{ {source} BIND ({focus} AS {value}) }} UNION {{ {step} }}"
