"""Conditions: boolean expressions of SPARQL that remember what they were put together from.

A condition is its own text, fit for FILTER, and is always true or false, never an error, so that
it can be negated. What stands in its parts is kept because the same condition can also be asked
of all nodes at once (``kg.shacl.selection``), which needs no EXISTS for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

TRUE, FALSE = "true", "false"

# Strings and IRIs, in which a bracket opens nothing, and what else must be told apart.
SKIPPED = (
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\]|\\.)*"'
    r"|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*\'\'\'|'(?:[^'\\]|\\.)*'"
    r"|<(?![?$])[^<>\s]*>"
)
_BRACKETS = re.compile(rf"{SKIPPED}|[{{}}()]", re.DOTALL)
_VARIABLES = re.compile(rf"{SKIPPED}|(\?\w+)", re.DOTALL)


class Every(str):
    """A conjunction of ``parts``."""

    parts: tuple[str, ...]


class Either(str):
    """A disjunction of ``parts``."""

    parts: tuple[str, ...]


class Negation(str):
    """The opposite of ``part``."""

    part: str


class Existence(str):
    """That a pattern matches, and a condition holds of what it binds.

    ``about`` are the variables of the pattern that are bound outside of it; none if the pattern
    would better not be matched for all nodes at once. ``scanned`` binds the same where it is.
    ``counted`` is given where the pattern is about how many matches there are: it returns the
    whole pattern, which may be rough, that is, find too much.
    """

    about: tuple[str, ...]
    pattern: str
    condition: str
    scanned: str
    counted: Callable[[bool], str] | None

    @property
    def needs(self) -> frozenset[str]:
        """The variables of the condition that are neither bound by the pattern nor its subject."""
        return free(self.condition) - variables(self.pattern)


def all_of(expressions: Iterable[str]) -> str:
    """Return the conjunction; ``true`` if there is nothing to join."""
    return _joined(expressions, "&&", Every, neutral=TRUE, deciding=FALSE)


def any_of(expressions: Iterable[str]) -> str:
    """Return the disjunction; ``false`` if there is nothing to join."""
    return _joined(expressions, "||", Either, neutral=FALSE, deciding=TRUE)


def _joined(
    expressions: Iterable[str],
    sign: str,
    kind: type[Every] | type[Either],
    *,
    neutral: str,
    deciding: str,
) -> str:
    parts = tuple(e for e in dict.fromkeys(expressions) if e != neutral)
    if deciding in parts:
        return deciding
    if len(parts) < 2:
        return parts[0] if parts else neutral
    condition = kind(f" {sign} ".join(f"({p})" for p in parts))
    condition.parts = parts
    return condition


def not_(expression: str) -> str:
    """Return the negation."""
    if isinstance(expression, Negation):
        return expression.part
    if expression in (TRUE, FALSE):
        return FALSE if expression == TRUE else TRUE
    condition = Negation(_opposite(expression))
    condition.part = expression
    return condition


def _opposite(text: str) -> str:
    for word, opposite in (("EXISTS {", "NOT EXISTS {"), ("NOT EXISTS {", "EXISTS {")):
        if text.startswith(word) and _closes_at_end(text, "{}"):
            return opposite + text.removeprefix(word)
    if text.startswith("!(") and _closes_at_end(text, "()"):
        return text[2:-1]
    return f"!({text})"


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


def exists(
    pattern: str,
    condition: str = TRUE,
    about: tuple[str, ...] = (),
    scanned: str = "",
    counted: Callable[[bool], str] | None = None,
) -> str:
    """Return whether a pattern matches with a condition on what it binds.

    For the other arguments see ``Existence``.
    """
    if condition == FALSE:
        return FALSE
    filter = "" if condition == TRUE else f" FILTER ({condition})"
    existence = Existence(f"EXISTS {{ {pattern}{filter} }}")
    existence.pattern, existence.condition = pattern, condition
    existence.about = tuple(dict.fromkeys(about))
    existence.scanned, existence.counted = scanned or pattern, counted
    return existence


def variables(text: str) -> frozenset[str]:
    """Return the variables in a pattern or an expression."""
    return frozenset(match[1] for match in _VARIABLES.finditer(text) if match[1])


def free(condition: str) -> frozenset[str]:
    """Return the variables that must be bound before a condition can be asked."""
    if isinstance(condition, Every | Either):
        return frozenset().union(*map(free, condition.parts))
    if isinstance(condition, Negation):
        return free(condition.part)
    if isinstance(condition, Existence) and condition.about:
        return condition.needs | set(condition.about)
    return variables(condition)
