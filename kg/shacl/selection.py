"""Conditions asked of all nodes at once: patterns for the solutions of which a condition holds.

An EXISTS is a look-up for each node it is asked of, which costs an engine several times as much as
passing over the same triples in the order in which they are stored. So what must exist is joined,
and what must not is taken away with MINUS: both sides are scanned once and compared in memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from kg.shacl.conditions import (
    FALSE,
    TRUE,
    Either,
    Every,
    Existence,
    Negation,
    all_of,
    any_of,
    not_,
    variables,
)


def chosen(given: str, condition: str, rough: bool = False) -> str:
    """Return a pattern for those solutions of another of which a condition holds.

    ``given`` binds whatever the condition speaks of. A solution may come more than once. With
    ``rough`` there may be some of which the condition does not hold.
    """
    match condition:
        case _ if not _compared(condition):
            return given if condition == TRUE else f"{given} FILTER ({condition})"
        case Every(parts=parts):
            for part in sorted(parts, key=_turn):
                given = chosen(given, part, rough)
            return given
        case Either(parts=parts):
            choices = [chosen(given, choice, rough) for choice in _choices(parts)]
            return " UNION ".join(f"{{ {choice} }}" for choice in choices)
        case Negation(part=Every(parts=parts)):
            return chosen(given, any_of(map(not_, parts)), rough)
        case Negation(part=Either(parts=parts)):
            return chosen(given, all_of(map(not_, parts)), rough)
        case Negation(part=Existence() as part):
            return f"{given} MINUS {{ {matches(part)} }}"
        case Existence() if condition.needs:
            joined = " ".join(sorted(variables(condition.scanned)))
            given = f"{given} {{ SELECT {joined} WHERE {{ {condition.scanned} }} }}"
            return chosen(given, condition.condition, rough)
        case Existence():
            return _joined(given, condition, rough)
    raise AssertionError(condition)


def matches(existence: Existence, rough: bool = False) -> str:
    """Return a pattern for all of which something exists; ``rough`` as for ``chosen``."""
    if existence.counted is not None:
        return existence.counted(rough)
    return chosen(existence.scanned, existence.condition, rough)


def _joined(given: str, existence: Existence, rough: bool) -> str:
    listed = " ".join(existence.about)
    pattern = matches(existence, rough)
    if _is_rare(existence):
        # Should there be any, the rest may well be looked up for each.
        return f"{{ SELECT DISTINCT {listed} WHERE {{ {pattern} }} }} {given}"
    # Two sub-selects are compared in memory; a bare triple would be looked up for each solution.
    if "SELECT" not in given and "MINUS" not in given:
        given = f"{{ SELECT {' '.join(sorted(variables(given)))} WHERE {{ {given} }} }}"
    distinct = "" if variables(pattern) == set(existence.about) else "DISTINCT "
    return f"{given} {{ SELECT {distinct}{listed} WHERE {{ {pattern} }} }}"


def _is_rare(condition: str) -> bool:
    """Say whether what exists violates something, most likely: it is counted, or picked out."""
    return isinstance(condition, Existence) and (
        condition.counted is not None or condition.condition != TRUE
    )


def _turn(condition: str) -> int:
    # First what costs nothing, then what leaves little for the rest to do.
    if not _compared(condition):
        return 0
    if isinstance(condition, Existence):
        return 1 if _is_rare(condition) else 4
    is_plain = isinstance(condition, Negation) and isinstance(condition.part, Existence)
    return 2 if is_plain else 3


def _choices(parts: tuple[str, ...]) -> Iterator[str]:
    plain = any_of(part for part in parts if not _compared(part))
    if plain != FALSE:
        yield plain
    yield from filter(_compared, parts)


def _compared(condition: str) -> bool:
    """Say whether a condition, or a part of it, is joined or taken away, not filtered by."""
    match condition:
        case Every(parts=parts) | Either(parts=parts):
            return any(map(_compared, parts))
        case Negation(part=Existence() as part):
            return bool(part.about) and not part.needs
        case Negation(part=part):
            return _compared(part)
        case Existence():
            return bool(condition.about)
    return False


def found(variable: str, source: str, condition: str) -> Iterator[tuple[str, bool]]:
    """Yield patterns that together bind a variable to every node of a source that is wanted.

    Wanted are those of which a condition holds; some others may come too. With each pattern comes
    whether it binds nodes of the source only.
    """
    match condition:
        case _ if not _compared(condition):
            yield chosen(source, condition), True
        case Either(parts=parts):
            for choice in _choices(parts):
                yield from found(variable, source, choice)
        case Negation(part=Every(parts=parts)):
            yield from found(variable, source, any_of(map(not_, parts)))
        case Negation(part=Either(parts=parts)):
            yield from found(variable, source, all_of(map(not_, parts)))
        case Existence(about=about, needs=needs) if about == (variable,) and not needs:
            yield matches(condition, rough=True), False
        case Every(parts=parts):
            # What must exist is rarer than the nodes of the source, and needs none of them.
            for part in sorted(parts, key=_turn):
                if isinstance(part, Existence) and part.about == (variable,) and not part.needs:
                    rest = all_of(other for other in parts if other is not part)
                    yield chosen(matches(part, rough=True), rest, rough=True), False
                    return
            yield chosen(source, condition, rough=True), True
        case _:
            yield chosen(source, condition, rough=True), True
