"""``sh:minCount``, ``sh:maxCount`` and ``sh:hasValue``."""

from __future__ import annotations

from collections.abc import Iterator

from kg.shacl.conditions import TRUE, not_
from kg.shacl.constraints import Check, Compiling, FocusCheck
from kg.shacl.expressions import at_least, some_value
from kg.shacl.shapes import SH, Shape


def counts(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """There are enough values, and not too many."""
    low, high = shape.number("minCount"), shape.number("maxCount")
    path = shape.path
    if path is None:
        if low is not None or high is not None:
            raise shape.graph.unusable("a node shape has no sh:minCount or sh:maxCount", shape.node)
        return
    if low:

        def too_few(focus: str) -> str:
            return not_(at_least(compiling.names, low, focus, path, lambda _: TRUE))

        yield FocusCheck(SH + "MinCountConstraintComponent", f"fewer than {low} values", too_few)
    if high is not None:

        def too_many(focus: str) -> str:
            return at_least(compiling.names, high + 1, focus, path, lambda _: TRUE)

        yield FocusCheck(SH + "MaxCountConstraintComponent", f"more than {high} values", too_many)


def has_value(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """One of the values is the given one."""
    for term in shape.values("hasValue"):
        constant = compiling.constant(term)

        def bad(focus: str, constant: str | None = constant) -> str:
            if constant is None:
                return TRUE
            return not_(
                some_value(
                    compiling.names, focus, shape.path, lambda v: f"sameTerm({v}, {constant})"
                )
            )

        yield FocusCheck(
            SH + "HasValueConstraintComponent", f"the value {term.value} is missing", bad
        )
