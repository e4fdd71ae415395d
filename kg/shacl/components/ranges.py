"""``sh:minExclusive``, ``sh:minInclusive``, ``sh:maxExclusive``, ``sh:maxInclusive``.

https://www.w3.org/TR/shacl/#core-components-range: a value that cannot be compared violates.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyoxigraph as ox

from kg.namespaces import expand
from kg.shacl.conditions import not_, sure
from kg.shacl.constraints import Check, Compiling, ValueCheck
from kg.shacl.shapes import SH, Shape

_OPERATORS = {
    "minExclusive": ">",
    "minInclusive": ">=",
    "maxExclusive": "<",
    "maxInclusive": "<=",
}


_BOOLEAN, _INTEGER = f"<{expand('xsd:boolean')}>", f"<{expand('xsd:integer')}>"


def compared(one: str, operator: str, other: str) -> str:
    """Return whether two expressions for literals stand in an order; it may be an error if not.

    False comes before true (https://www.w3.org/TR/sparql11-query/#OperatorMapping), but not every
    engine compares truth values.
    """
    order = f"{one} {operator} {other}"
    if other.startswith('"') and not other.endswith(f"^^{_BOOLEAN}"):
        return order
    truths = " && ".join(f"DATATYPE({side}) = {_BOOLEAN}" for side in (one, other))
    return f"{order} || ({truths} && {_INTEGER}({one}) {operator} {_INTEGER}({other}))"


def ranges(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """Each value stands on the right side of the bound."""
    for name, operator in _OPERATORS.items():
        bound = shape.one(name)
        if bound is None:
            continue
        if not isinstance(bound, ox.Literal):
            raise shape.graph.unusable(f"sh:{name} must be a literal", shape.node)

        def bad(_: str, value: str, operator: str = operator, bound: ox.Literal = bound) -> str:
            return not_(sure(compared(compiling.literal(value), operator, str(bound))))

        component = f"{SH}{name[0].upper()}{name[1:]}ConstraintComponent"
        yield ValueCheck(component, f"not {operator} {bound.value}", bad)
