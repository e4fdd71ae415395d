"""Lengths, patterns and languages (https://www.w3.org/TR/shacl/#core-components-string)."""

from __future__ import annotations

from collections.abc import Iterator

import pyoxigraph as ox

from kg.shacl.conditions import any_of, exists, not_, sure
from kg.shacl.constraints import Check, Compiling, FocusCheck, ValueCheck
from kg.shacl.expressions import walk
from kg.shacl.paths import reaches_itself, repeats, to_sparql, without_itself
from kg.shacl.shapes import SH, Shape

# https://www.w3.org/TR/xpath-functions-31/#flags
_FLAGS = "smixq"


def lengths(_: Compiling, shape: Shape) -> Iterator[Check]:
    """The text of each value, which is no blank node, is long enough and short enough."""
    for name, operator, what in (
        ("minLength", ">=", "shorter than"),
        ("maxLength", "<=", "longer than"),
    ):
        number = shape.number(name)
        if number is None:
            continue

        def bad(_: str, value: str, operator: str = operator, number: int = number) -> str:
            return not_(sure(f"!isBlank({value}) && STRLEN(STR({value})) {operator} {number}"))

        component = f"{SH}{name[0].upper()}{name[1:]}ConstraintComponent"
        yield ValueCheck(component, f"{what} {number} characters", bad)


def pattern(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """The text of each value, which is no blank node, matches."""
    flags = shape.one("flags")
    if flags is not None and not set(flags.value) <= set(_FLAGS):
        raise shape.graph.unusable(f"sh:flags may only have the letters {_FLAGS}", shape.node)
    for text in shape.values("pattern"):
        if not isinstance(text, ox.Literal):
            raise shape.graph.unusable("sh:pattern must be a string", shape.node)
        compiling.require_regex(text.value, flags.value if flags else "")
        arguments = f"{ox.Literal(text.value)}, {ox.Literal(flags.value if flags else '')}"

        def bad(_: str, value: str, arguments: str = arguments) -> str:
            return not_(sure(f"!isBlank({value}) && REGEX(STR({value}), {arguments})"))

        yield ValueCheck(
            SH + "PatternConstraintComponent", f"does not match the pattern {text.value}", bad
        )


def language_in(_: Compiling, shape: Shape) -> Iterator[Check]:
    """Each value is a text in one of the languages, or a variety of one."""
    for node in shape.values("languageIn"):
        members = shape.graph.members(node)
        tags = [member.value for member in members]

        def bad(_: str, value: str, tags: list[str] = tags) -> str:
            tests = (f"LANGMATCHES(LANG({value}), {ox.Literal(tag)})" for tag in tags)
            return not_(sure(any_of(tests)))

        listed = ", ".join(tags)
        yield ValueCheck(
            SH + "LanguageInConstraintComponent", f"not a text in one of: {listed}", bad
        )


def unique_lang(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """No two values have the same language tag."""
    if not shape.truth("uniqueLang"):
        return
    if shape.path is None:
        raise shape.graph.unusable("a node shape has no sh:uniqueLang", shape.node)
    path = shape.path
    step = to_sparql(without_itself(path))

    def bad(focus: str) -> str:
        def repeated_language(rough: bool) -> str:
            value, language = compiling.names.fresh(), compiling.names.fresh()
            values = walk(compiling.names, focus, without_itself(path), value)
            distinct = "" if rough else "DISTINCT "
            return (
                f"{{ SELECT {focus} WHERE {{ {values} BIND (LCASE(LANG({value})) AS {language}) "
                f'FILTER ({language} != "") }} '
                f"GROUP BY {focus} {language} HAVING (COUNT({distinct}{value}) > 1) }}"
            )

        one, other = compiling.names.fresh(), compiling.names.fresh()
        first, second = f"{focus} {step} {one} .", f"{focus} {step} {other} ."
        about = () if repeats(path) else (focus,)
        found = exists(
            f"{first} {second}", _same_language(one, other), about, counted=repeated_language
        )
        if reaches_itself(path):
            return any_of([found, exists(first, _same_language(focus, one))])
        return found

    yield FocusCheck(
        SH + "UniqueLangConstraintComponent", "more than one text in the same language", bad
    )


def _same_language(one: str, other: str) -> str:
    same = f"LCASE(LANG({one})) = LCASE(LANG({other}))"
    return sure(f'{same} && LANG({one}) != "" && !sameTerm({one}, {other})')
