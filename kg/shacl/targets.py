"""What nodes a shape chooses to judge (https://www.w3.org/TR/shacl/#targets), as patterns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyoxigraph as ox

from kg.namespaces import expand
from kg.shacl.components.value_type import instance_of
from kg.shacl.conditions import any_of, exists
from kg.shacl.constraints import Compiling
from kg.shacl.shapes import NotCompilableError, Shape

_TYPE = f"<{expand('rdf:type')}>"
_SUBCLASS = f"<{expand('rdfs:subClassOf')}>"


@dataclass(frozen=True)
class Target:
    """One way of choosing: by node, by class, or by being subject or object of a property."""

    kind: str
    terms: tuple[str, ...]

    def pattern(self, compiling: Compiling, variable: str) -> str:
        """Return a pattern that binds a variable to each node, perhaps more than once."""
        (first, *_) = self.terms
        match self.kind:
            case "node":
                return f"VALUES {variable} {{ {' '.join(self.terms)} }}"
            case "class":
                return self._instances(compiling, variable)
            case "subjectsOf":
                other = compiling.names.fresh()
                found = f"{variable} {first} {other} ."
            case _:
                other = compiling.names.fresh()
                found = f"{other} {first} {variable} ."
        return f"{{ SELECT DISTINCT {variable} WHERE {{ {found} }} }}"

    def holds(self, compiling: Compiling, variable: str) -> str:
        """Return whether a node, which a variable is bound to, is chosen."""
        (first, *_) = self.terms
        match self.kind:
            case "node":
                return any_of(f"sameTerm({variable}, {term})" for term in self.terms)
            case "class":
                return instance_of(compiling, variable, ox.NamedNode(first[1:-1]))
            case "subjectsOf":
                return exists(f"{variable} {first} {compiling.names.fresh()} .")
            case _:
                return exists(f"{compiling.names.fresh()} {first} {variable} .")

    def _instances(self, compiling: Compiling, variable: str) -> str:
        (name,) = self.terms
        known = compiling.classes(ox.NamedNode(name[1:-1]))
        if known is None:
            return f"{variable} {_TYPE}/{_SUBCLASS}* {name} ."
        if len(known) == 1:
            return f"{variable} {_TYPE} {name} ."
        type = compiling.names.fresh()
        listed = " ".join(str(one) for one in known)
        return f"VALUES {type} {{ {listed} }} {variable} {_TYPE} {type} ."


def targets_of(compiling: Compiling, shape: Shape) -> Iterator[Target]:
    """Yield the targets of a shape."""
    nodes = shape.values("targetNode")
    if any(isinstance(node, ox.BlankNode) for node in nodes):
        raise NotCompilableError("a target is a blank node")
    if nodes:
        known = [compiling.constant(node) for node in nodes]
        if None in known:
            raise NotCompilableError("a target is a literal that the engine would rewrite")
        yield Target("node", tuple(text for text in known if text is not None))
    classes = list(shape.values("targetClass"))
    if shape.graph.is_class(shape.node):
        classes.append(shape.node)
    for name in dict.fromkeys(classes):
        # A blank node of the shapes is no class in the data.
        if isinstance(name, ox.NamedNode):
            yield Target("class", (str(name),))
    for property in shape.iris("targetSubjectsOf"):
        yield Target("subjectsOf", (str(property),))
    for property in shape.iris("targetObjectsOf"):
        yield Target("objectsOf", (str(property),))
