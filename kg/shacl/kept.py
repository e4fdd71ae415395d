"""Literals that the embedded store would rewrite, kept as they were written.

The store keeps numbers, truth values and times by value: ``"055"^^xsd:byte`` comes back as
``"55"^^xsd:integer``. A validator must see what was written, so such a literal is loaded under a
datatype of its own that the store does not know, and turned back in results. Queries that are
compiled for data with such literals know of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from kg.engine import Term
from kg.namespaces import PREFIXES
from kg.shacl.components.datatypes import is_well_formed

KEPT = "urn:x-counterclaim:kept:"
# For literals that are ill-typed, though the store takes them for numbers: they mean nothing.
ILL_TYPED = "urn:x-counterclaim:ill-typed:"
_XSD = PREFIXES["xsd"]
# Datatypes that the store keeps by their lexical form.
_SAFE = {_XSD + name for name in ("string", "anyURI", "token", "language", "hexBinary")}
# What it gives back as it was. Most literals are one of these, which saves asking the store.
_CANONICAL = re.compile(
    rf"(?:-?[1-9][0-9]{{0,17}}|0)\^{_XSD}integer|(?:true|false)\^{_XSD}boolean"
    rf"|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}\^{_XSD}date"
)


def keep(quads: Iterable[ox.Quad]) -> tuple[list[ox.Quad], bool]:
    """Return quads in which no literal will be rewritten, and whether any had to be kept."""
    scratch = ox.Store()
    known: dict[ox.Literal, ox.Literal] = {}
    kept = []
    for quad in quads:
        value = quad.object
        if isinstance(value, ox.Literal) and not value.language:
            if value not in known:
                known[value] = _kept(value, scratch)
            if known[value] is not value:
                quad = ox.Quad(quad.subject, quad.predicate, known[value], quad.graph_name)
        kept.append(quad)
    return kept, any(new is not old for old, new in known.items())


def keep_term(term: Term) -> Term:
    """Return a term as ``keep`` would store it."""
    if isinstance(term, ox.Literal) and not term.language:
        return _kept(term, ox.Store())
    return term


def written(term: Term) -> Term:
    """Return a term as it was written."""
    if isinstance(term, ox.Literal) and term.datatype.value.startswith((KEPT, ILL_TYPED)):
        datatype = term.datatype.value.removeprefix(KEPT).removeprefix(ILL_TYPED)
        return ox.Literal(term.value, datatype=ox.NamedNode(datatype))
    return term


def _kept(literal: ox.Literal, scratch: ox.Store) -> ox.Literal:
    datatype = literal.datatype.value
    if not datatype.startswith(_XSD) or datatype in _SAFE:
        return literal
    if _CANONICAL.fullmatch(f"{literal.value}^{datatype}"):
        return literal
    quad = ox.Quad(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), literal)
    scratch.add(quad)
    (stored,) = (found.object for found in _contents(scratch))
    scratch.clear()
    if stored == literal:
        return literal
    prefix = KEPT if is_well_formed(datatype, literal.value) else ILL_TYPED
    return ox.Literal(literal.value, datatype=ox.NamedNode(prefix + datatype))


def _contents(store: ox.Store) -> Iterator[ox.Quad]:
    yield from store
