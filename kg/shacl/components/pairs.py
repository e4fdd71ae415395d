"""Comparing values with those of another property.

https://www.w3.org/TR/shacl/#core-components-property-pairs
"""

from __future__ import annotations

from collections.abc import Iterator

from kg.namespaces import shorten
from kg.shacl.components.ranges import compared
from kg.shacl.conditions import exists, not_, sure
from kg.shacl.constraints import Check, Compiling, RowCheck, ValueCheck
from kg.shacl.expressions import some_value
from kg.shacl.shapes import SH, Shape


def equals(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """The two sets of values are the same."""
    for other in shape.iris("equals"):
        component, message = SH + "EqualsConstraintComponent", f"not the same as {_name(other)}"

        def missing(focus: str, value: str, other: object = other) -> str:
            return not_(exists(f"{focus} {other} {value} .", about=(focus, value)))

        def extra(focus: str, value: str, _: str, other: object = other) -> str:
            among = some_value(
                compiling.names, focus, shape.path, lambda v: f"sameTerm({v}, {value})"
            )
            return f"{focus} {other} {value} . FILTER ({not_(among)})"

        yield ValueCheck(component, message, missing)
        yield RowCheck(component, message, extra)


def disjoint(_: Compiling, shape: Shape) -> Iterator[Check]:
    """The two sets of values share nothing."""
    for other in shape.iris("disjoint"):

        def bad(focus: str, value: str, other: object = other) -> str:
            return exists(f"{focus} {other} {value} .", about=(focus, value))

        yield ValueCheck(SH + "DisjointConstraintComponent", f"also a value of {_name(other)}", bad)


def less_than(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """Each value is less than each value of the other property; they must be comparable."""
    for name, operator in (("lessThan", "<"), ("lessThanOrEquals", "<=")):
        for other in shape.iris(name):
            if shape.path is None:
                raise shape.graph.unusable(f"a node shape has no sh:{name}", shape.node)

            def bad(focus: str, value: str, operator: str = operator, other: object = other) -> str:
                bound = compiling.names.fresh()
                order = compared(compiling.literal(value), operator, compiling.literal(bound))
                return exists(f"{focus} {other} {bound} .", not_(sure(order)), about=(focus,))

            component = f"{SH}{name[0].upper()}{name[1:]}ConstraintComponent"
            yield ValueCheck(component, f"not {operator} each value of {_name(other)}", bad)


def _name(term: object) -> str:
    return shorten(str(term).strip("<>"))
