"""What RDF/XML can hold of RDF: https://www.w3.org/TR/rdf12-xml/.

A predicate, and the class of a thing that is written first, become names of XML elements, so each
must end in one; and no text may have a character that XML 1.0 lacks. The writer that is used here
looks at neither, and what it then writes no reader of XML takes.
"""

from __future__ import annotations

import re

import pyoxigraph as ox

from kg.namespaces import PREFIXES
from kg.result_syntax import NOT_IN_XML

_RDF = PREFIXES["rdf"]
_TYPE = _RDF + "type"
# https://www.w3.org/TR/xml-names/#NT-NCName
_START = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_FURTHER = _START + "0-9.\u00b7\u0300-\u036f\u203f\u2040-"
_NAME = re.compile(f"[{_START}][{_FURTHER}]*")
_ENDS_IN_NAME = re.compile(f"[{_START}][{_FURTHER}]*\\Z")
# Section 5.1 of the specification: what has another meaning as the name of an element.
_OLD = {_RDF + name for name in ("aboutEach", "aboutEachPrefix", "bagID")}
_CORE = ("RDF", "ID", "about", "parseType", "resource", "nodeID", "datatype")
_NO_PREDICATE = _OLD | {_RDF + name for name in (*_CORE, "Description", "li")}
_NO_NAMESPACE = "http://www.w3.org/2000/xmlns/"
# Names that ``fitting`` gives, and which must therefore be its own.
_GIVEN = re.compile("x(?:[0-9a-f]{2})+")


def unfit(triple: ox.Triple) -> str | None:
    """Say what in a triple RDF/XML cannot hold, if there is something."""
    predicate, object = triple.predicate.value, triple.object
    if predicate in _NO_PREDICATE or not _names_an_element(predicate):
        return f"the predicate {triple.predicate}"
    if isinstance(object, ox.Triple):
        return unfit(object)
    if isinstance(object, ox.Literal) and (found := NOT_IN_XML.search(object.value)):
        return f"the character U+{ord(found.group()):04X} in a value of {triple.predicate}"
    if predicate != _TYPE or not isinstance(object, ox.NamedNode):
        return None
    named = object.value not in _OLD and _names_an_element(object.value)
    return None if named else f"the class {object}"


def fitting(triple: ox.Triple) -> ox.Triple:
    """Return a triple with names of blank nodes that RDF/XML takes; different ones stay so."""
    subject, object = triple.subject, triple.object
    if isinstance(subject, ox.BlankNode):
        subject = _named(subject)
    if isinstance(object, ox.BlankNode):
        object = _named(object)
    elif isinstance(object, ox.Triple):
        object = fitting(object)
    if subject is triple.subject and object is triple.object:
        return triple
    return ox.Triple(subject, triple.predicate, object)


def _names_an_element(iri: str) -> bool:
    found = _ENDS_IN_NAME.search(iri)
    return found is not None and iri[: found.start()] != _NO_NAMESPACE


def _named(node: ox.BlankNode) -> ox.BlankNode:
    if _NAME.fullmatch(node.value) and not _GIVEN.fullmatch(node.value):
        return node
    return ox.BlankNode("x" + node.value.encode().hex())
