"""Shapes within shapes: ``sh:not``, ``sh:and``, ``sh:or``, ``sh:xone``, ``sh:node``, qualified.

https://www.w3.org/TR/shacl/#core-components-logical and #core-components-shape
"""

from __future__ import annotations

from collections.abc import Iterator

from kg.shacl.conditions import all_of, any_of, not_
from kg.shacl.constraints import Check, Compiling, FocusCheck, ValueCheck
from kg.shacl.expressions import at_least
from kg.shacl.shapes import SH, Shape


def negation(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """No value conforms to the shape."""
    for other in shape.shapes("not"):

        def bad(_: str, value: str, other: Shape = other) -> str:
            return not_(compiling.violates(other, value))

        yield ValueCheck(SH + "NotConstraintComponent", "conforms to a shape it must not", bad)


def node(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """Each value conforms to the shape."""
    for other in shape.shapes("node"):
        if other.path is not None:
            raise shape.graph.unusable("sh:node must point to a node shape", shape.node)

        def bad(_: str, value: str, other: Shape = other) -> str:
            return compiling.violates(other, value)

        yield ValueCheck(SH + "NodeConstraintComponent", f"does not conform to {other.name}", bad)


def lists(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """Each value conforms to all, to any, or to exactly one of the shapes."""
    for name, message in (
        ("and", "does not conform to all of the shapes"),
        ("or", "conforms to none of the shapes"),
        ("xone", "does not conform to exactly one of the shapes"),
    ):
        for members in shape.shape_lists(name):

            def bad(
                _: str, value: str, name: str = name, members: tuple[Shape, ...] = members
            ) -> str:
                violated = [compiling.violates(member, value) for member in members]
                if name == "and":
                    return any_of(violated)
                if name == "or":
                    # The same shape twice is the same condition twice.
                    return all_of(violated)
                number = " + ".join(f"IF({one}, 0, 1)" for one in violated)
                return f"({number}) != 1"

            component = f"{SH}{name.capitalize()}ConstraintComponent"
            yield ValueCheck(component, message, bad)


def qualified(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """Enough values, and not too many, conform to the shape and to none of its siblings."""
    low, high = shape.number("qualifiedMinCount"), shape.number("qualifiedMaxCount")
    path = shape.path
    if path is None:
        return
    for other in shape.shapes("qualifiedValueShape"):
        others = siblings(shape, other)

        def good(value: str, other: Shape = other, others: tuple[Shape, ...] = others) -> str:
            return all_of(
                [
                    not_(compiling.violates(other, value)),
                    *(compiling.violates(sibling, value) for sibling in others),
                ]
            )

        if low:

            def too_few(focus: str, good: object = good) -> str:
                return not_(at_least(compiling.names, low, focus, path, good))  # type: ignore[arg-type]

            yield FocusCheck(
                SH + "QualifiedMinCountConstraintComponent",
                f"fewer than {low} values conform to the shape",
                too_few,
            )
        if high is not None:

            def too_many(focus: str, good: object = good) -> str:
                return at_least(compiling.names, high + 1, focus, path, good)  # type: ignore[arg-type]

            yield FocusCheck(
                SH + "QualifiedMaxCountConstraintComponent",
                f"more than {high} values conform to the shape",
                too_many,
            )


def siblings(shape: Shape, own: Shape) -> tuple[Shape, ...]:
    """Return the other shapes that a value of a qualified one must not conform to."""
    if not shape.truth("qualifiedValueShapesDisjoint"):
        return ()
    graph = shape.graph
    found = {
        sibling
        for parent in graph.subjects(SH + "property", shape.node)
        for property_shape in graph.values(parent, SH + "property")
        for sibling in graph.values(property_shape, SH + "qualifiedValueShape")
    }
    return tuple(
        sorted((graph.shape(node) for node in found - {own.node}), key=lambda shape: shape.name)
    )
