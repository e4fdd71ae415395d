"""The four result formats of SPARQL 1.1, written a row at a time.

CSV and TSV: https://www.w3.org/TR/sparql11-results-csv-tsv/,
JSON: https://www.w3.org/TR/sparql11-results-json/, XML: https://www.w3.org/TR/rdf-sparql-XMLres/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pyoxigraph as ox

from kg.engine import Rows, Term
from kg.namespaces import expand

# RDF 1.2 lets a triple stand as a term; the engine may give one back.
AnyTerm = Term | ox.Triple

_STRING = expand("xsd:string")
_LANGUAGE_STRINGS = (expand("rdf:langString"), expand("rdf:dirLangString"))
# What Turtle lets stand without quotes and datatype.
_BARE = {
    expand("xsd:integer"): re.compile(r"[+-]?[0-9]+"),
    expand("xsd:decimal"): re.compile(r"[+-]?[0-9]*\.[0-9]+"),
    expand("xsd:double"): re.compile(r"[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)[eE][+-]?[0-9]+"),
    expand("xsd:boolean"): re.compile(r"true|false"),
}
# XML 1.0 has no way, not even an escape, to write these characters.
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OUTER_SPACE = re.compile(r"\A[ \t\n]+|[ \t\n]+\Z")
_XML_HEAD = '<?xml version="1.0"?>\n<sparql xmlns="http://www.w3.org/2005/sparql-results#">\n'


def csv_chunks(rows: Rows) -> Iterator[str]:
    """Yield CSV: names without ``?``, plain values without types, lines that end in CRLF."""
    yield ",".join(map(_csv_field, rows.columns)) + "\r\n"
    for row in rows.rows:
        yield ",".join(_csv_field(plain(term)) for term in row) + "\r\n"


def _csv_field(text: str) -> str:
    if any(sign in text for sign in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def plain(term: AnyTerm | None) -> str:
    """Return a term's text alone: the IRI, the literal's characters, ``_:label``, or nothing."""
    if term is None:
        return ""
    return term.value if isinstance(term, ox.NamedNode | ox.Literal) else str(term)


def tsv_chunks(rows: Rows) -> Iterator[str]:
    """Yield TSV: names with ``?``, terms as Turtle writes them."""
    yield "\t".join(f"?{name}" for name in rows.columns) + "\n"
    for row in rows.rows:
        yield "\t".join(_turtle(term) for term in row) + "\n"


def _turtle(term: Term | None) -> str:
    if term is None:
        return ""
    if isinstance(term, ox.Literal):
        bare = _BARE.get(term.datatype.value)
        if bare and bare.fullmatch(term.value):
            return term.value
    return str(term)  # N-Triples, where tabs and line ends are escaped


def json_chunks(rows: Rows) -> Iterator[str]:
    """Yield SPARQL results JSON, one row a line; an unbound variable has no member."""
    yield f'{{"head": {{"vars": {_json(list(rows.columns))}}}, "results": {{"bindings": ['
    separator = "\n"
    for row in rows.rows:
        bound = zip(rows.columns, row, strict=True)
        binding = {name: _json_term(term) for name, term in bound if term is not None}
        yield separator + _json(binding)
        separator = ",\n"
    yield "\n]}}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _json_term(term: AnyTerm) -> dict[str, object]:
    if isinstance(term, ox.NamedNode):
        return {"type": "uri", "value": term.value}
    if isinstance(term, ox.BlankNode):
        return {"type": "bnode", "value": term.value}
    if isinstance(term, ox.Literal):
        return {"type": "literal", "value": term.value, **_qualifier(term, "xml:lang")}
    parts = {"subject": term.subject, "predicate": term.predicate, "object": term.object}
    return {"type": "triple", "value": {name: _json_term(part) for name, part in parts.items()}}


def _qualifier(literal: ox.Literal, language: str) -> dict[str, str]:
    datatype = literal.datatype.value
    if datatype in _LANGUAGE_STRINGS and literal.language:
        return {language: literal.language}
    return {} if datatype == _STRING else {"datatype": datatype}


def xml_chunks(rows: Rows) -> Iterator[str]:
    """Yield SPARQL results XML.

    A character that XML 1.0 cannot hold (most control characters) is written as U+FFFD, the
    replacement character: a file that no reader can open would help nobody. Whoever writes for a
    person, or over HTTP, looks whether there was any (``kg.results.Written.unfit``).
    """
    variables = "".join(f"<variable name={_attribute(name)}/>" for name in rows.columns)
    yield f"{_XML_HEAD}<head>{variables}</head>\n<results>\n"
    for row in rows.rows:
        bound = zip(rows.columns, row, strict=True)
        yield (
            "<result>"
            + "".join(
                f"<binding name={_attribute(name)}>{_xml_term(term)}</binding>"
                for name, term in bound
                if term is not None
            )
            + "</result>\n"
        )
    yield "</results>\n</sparql>\n"


def _xml_term(term: AnyTerm) -> str:
    if isinstance(term, ox.NamedNode):
        return f"<uri>{_xml_text(term.value)}</uri>"
    if isinstance(term, ox.BlankNode):
        return f"<bnode>{_xml_text(term.value)}</bnode>"
    if isinstance(term, ox.Literal):
        attributes = "".join(
            f" {name}={_attribute(value)}" for name, value in _qualifier(term, "xml:lang").items()
        )
        return f"<literal{attributes}>{_xml_text(term.value)}</literal>"
    parts = {"subject": term.subject, "predicate": term.predicate, "object": term.object}
    inside = "".join(f"<{name}>{_xml_term(part)}</{name}>" for name, part in parts.items())
    return f"<triple>{inside}</triple>"


def _xml_text(text: str) -> str:
    # A bare carriage return is read back as a line feed, and some readers strip bare spaces.
    text = _escaped(text).replace("\r", "&#13;")
    return _OUTER_SPACE.sub(lambda run: "".join(f"&#{ord(c)};" for c in run.group()), text)


def _attribute(text: str) -> str:
    return '"' + _escaped(text).replace('"', "&quot;") + '"'


def _escaped(text: str) -> str:
    text = NOT_IN_XML.sub("\ufffd", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


CHUNKS: dict[str, Callable[[Rows], Iterator[str]]] = {
    "csv": csv_chunks,
    "tsv": tsv_chunks,
    "json": json_chunks,
    "xml": xml_chunks,
}


def boolean_text(answer: bool, format: str) -> str:
    """Return the answer to an ASK; CSV and TSV, which define none, have the bare word."""
    word = "true" if answer else "false"
    if format == "json":
        return f'{{"head": {{}}, "boolean": {word}}}\n'
    if format == "xml":
        return f"{_XML_HEAD}<head/>\n<boolean>{word}</boolean>\n</sparql>\n"
    return f"{word}\r\n" if format == "csv" else f"{word}\n"
