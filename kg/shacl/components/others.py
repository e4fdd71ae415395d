"""``sh:closed`` and ``sh:in`` (https://www.w3.org/TR/shacl/#core-components-others)."""

from __future__ import annotations

from collections.abc import Iterator

import pyoxigraph as ox

from kg.shacl.conditions import any_of, exists, not_
from kg.shacl.constraints import Check, Compiling, RowCheck, ValueCheck
from kg.shacl.shapes import SH, Shape

# From this many literals on, a list is looked through instead of written out.
_MANY = 8


def closed(_: Compiling, shape: Shape) -> Iterator[Check]:
    """The values have no property but those of the property shapes and the ignored ones."""
    ignored = [
        member for node in shape.values("ignoredProperties") for member in shape.graph.members(node)
    ]
    if not shape.truth("closed"):
        return
    paths = [
        path
        for node in shape.values("property")
        for path in shape.graph.values(node, SH + "path")
        if isinstance(path, ox.NamedNode)
    ]
    allowed = ", ".join(str(iri) for iri in dict.fromkeys([*paths, *ignored]))

    def rows(node: str, value: str, path: str) -> str:
        filter = f" FILTER ({path} NOT IN ({allowed}))" if allowed else ""
        return f"{node} {path} {value} .{filter}"

    yield RowCheck(SH + "ClosedConstraintComponent", "not a property of this shape", rows, True)


def in_(compiling: Compiling, shape: Shape) -> Iterator[Check]:
    """Each value is a member of the list."""
    for node in shape.values("in"):
        members = shape.graph.members(node)
        known = [text for text in map(compiling.constant, members) if text is not None]
        iris = ", ".join(text for text in known if text.startswith("<"))
        literals = [text for text in known if not text.startswith("<")]

        def bad(_: str, value: str, iris: str = iris, literals: list[str] = literals) -> str:
            tests = [f"{value} IN ({iris})"] if iris else []
            if len(literals) < _MANY:
                tests += [f"sameTerm({value}, {literal})" for literal in literals]
            else:
                member = compiling.names.fresh()
                listed = " ".join(literals)
                tests.append(
                    exists(f"VALUES {member} {{ {listed} }}", f"sameTerm({member}, {value})")
                )
            return not_(any_of(tests))

        yield ValueCheck(SH + "InConstraintComponent", "not one of the listed values", bad)
