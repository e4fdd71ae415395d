"""What servers change in what they were given: the one place that knows, and evens it out.

Two uses. ``results`` and ``check_complete`` read an answer as the standard would have it: what a
server writes in a way of its own, and what it leaves out without saying so. ``normal`` maps a
term to a form in which two graphs that differ by such conversions alone are equal; it is for
comparing, never for storing.

Measured with Virtuoso 7.2.5 (Debian ``virtuoso-opensource-7``), Fuseki 5.6 and Oxigraph 0.5:

=================================  =====================================================
Virtuoso, language tags            lower-cased: ``"colour"@en-GB`` comes back as ``@en-gb``
Virtuoso, numbers                  kept as values: ``007`` becomes ``7``, ``1.50`` ``1.5``
Virtuoso, whole decimals           integers if they came by update: ``10.0`` becomes ``10``
Virtuoso, ``xsd:boolean``          ``1`` and ``0`` in tables, ``true`` and ``false`` in graphs
Virtuoso, computed booleans        integers 1 and 0, as is a value that was compared with true
Virtuoso, blank nodes              ``nodeID://b10001`` in tables, which is no label
Virtuoso, long answers             cut at ResultSetMaxRows (often 10,000) with status 200; a
                                   table says so in a header, a graph says nothing (so
                                   ``kg.remote`` reads graphs there as tables, in pages)
Virtuoso, time limit               a part of the answer, status 200 and a header
Virtuoso, errors                   repeat the whole query
Virtuoso, INSERT DATA              no blank nodes, though the standard allows them
Virtuoso, some queries             get other rows; ``kg.remote_virtuoso`` rewrites them
Fuseki, decimals it computes       ``10.0``, where others write ``10``
=================================  =====================================================
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from email.message import Message

import pyoxigraph as ox

from kg.engine import Term
from kg.errors import EngineError
from kg.namespaces import PREFIXES

_XSD = PREFIXES["xsd"]
_BOOLEAN = _XSD + "boolean"
_BOOLEANS = {"1": "true", "0": "false"}
_DECIMAL = _XSD + "decimal"
_DOUBLES = frozenset({_XSD + "double", _XSD + "float"})
_SIGNS = ("nonPositive", "negative", "nonNegative", "positive")
_SIZES = ("long", "int", "short", "byte")
_INTEGERS = frozenset(
    [_XSD + "integer"]
    + [f"{_XSD}{sign}Integer" for sign in _SIGNS]
    + [_XSD + size for size in _SIZES]
    + [f"{_XSD}unsigned{size.capitalize()}" for size in _SIZES]
)
_TIMES = frozenset({_XSD + "dateTime", _XSD + "time"})
_NODE_ID = "nodeID://"
_INTEGER = re.compile(r"[+-]?[0-9]+")
_FRACTION = re.compile(r"(\.[0-9]*?)0+(?=Z|[+-]|$)")


def normal(term: Term) -> Term:
    """Return a term in the form that survives every server listed above.

    Language tags are in lower case; numbers, booleans and the seconds of times have one way of
    being written, and a decimal without a fraction is the integer that has its value. A value
    that is none of its type is left as it is.
    """
    if not isinstance(term, ox.Literal):
        return term
    if term.language is not None:
        return ox.Literal(term.value, language=term.language.lower())
    kind, value = term.datatype.value, term.value.strip()
    if kind == _BOOLEAN:
        written = _BOOLEANS.get(value, value)
    elif kind in _INTEGERS and _INTEGER.fullmatch(value):
        written = str(Decimal(value).to_integral_value())
        written = "0" if written == "-0" else written
    elif kind == _DECIMAL:
        written = _plain(value)
        if _INTEGER.fullmatch(written):
            return ox.Literal(written, datatype=ox.NamedNode(_XSD + "integer"))
    elif kind in _DOUBLES:
        written = _double(value)
    elif kind in _TIMES:
        written = _FRACTION.sub(r"\1", value).replace("+00:00", "Z").replace(".Z", "Z")
        written = written.removesuffix(".")
    else:
        return term
    return ox.Literal(written, datatype=term.datatype)


def normal_triple(triple: ox.Triple) -> ox.Triple:
    """Return a triple with its object as ``normal`` writes it."""
    value = triple.object
    if isinstance(value, ox.Literal):
        value = normal(value)
    return ox.Triple(triple.subject, triple.predicate, value)


def results(data: bytes) -> bytes:
    """Return SPARQL results in JSON with labels for blank nodes and ``true`` for ``true``.

    What is no JSON, or needs no mending, is returned as it is.
    """
    if _NODE_ID.encode() not in data and _BOOLEAN.encode() not in data:
        return data
    try:
        answer = json.loads(data)
        rows = answer["results"]["bindings"]
        for row in rows:
            for term in row.values():
                if term["type"] == "bnode":
                    term["value"] = term["value"].removeprefix(_NODE_ID)
                elif term.get("datatype") == _BOOLEAN:
                    term["value"] = _BOOLEANS.get(term["value"], term["value"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return data  # whoever parses it says what is wrong
    return json.dumps(answer).encode()


def check_complete(headers: Message, url: str) -> None:
    """Raise ``EngineError`` if the headers of an answer say that it is not the whole answer."""
    limit = headers.get("X-SPARQL-MaxRows")
    if limit:
        raise EngineError(
            f"{url} cuts its answers at {limit} rows, and this one is longer",
            hint="Ask for less, or have ResultSetMaxRows raised in the server's configuration.",
        )
    if headers.get("X-SQL-State"):
        raise EngineError(
            f"{url} gave only a part of the answer, since its time was up",
            hint="Ask for less, or have MaxQueryExecutionTime raised in the server's "
            "configuration.",
        )


def server_text(text: str) -> str:
    """Return what a server says about a failure, without the query that it repeats."""
    return text.partition("SPARQL query:")[0].strip()


def _plain(value: str) -> str:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    if not number.is_finite():
        return value
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _double(value: str) -> str:
    try:
        return repr(float(value))
    except ValueError:
        return value
