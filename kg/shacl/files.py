"""RDF files of any format: reading them, and finding the lines that their nodes stand on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyoxigraph as ox

from kg.errors import SourceError
from kg.locations import scan
from kg.sources import malformed, read_bytes

FORMATS: dict[str, ox.RdfFormat] = {
    ".ttl": ox.RdfFormat.TURTLE,
    ".trig": ox.RdfFormat.TRIG,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".nq": ox.RdfFormat.N_QUADS,
    ".jsonld": ox.RdfFormat.JSON_LD,
    ".rdf": ox.RdfFormat.RDF_XML,
    ".owl": ox.RdfFormat.RDF_XML,
    ".xml": ox.RdfFormat.RDF_XML,
}
# Formats like Turtle, whose lines the scan for names can read.
_SCANNED = {".ttl": "Turtle", ".trig": "TriG", ".nt": "N-Triples", ".nq": "N-Quads"}
# What else people give.
_INSTEAD = {
    "-": "Standard input has none; write it to a file. ",
    ".gz": "Unpack it first. ",
    ".bz2": "Unpack it first. ",
    ".xz": "Unpack it first. ",
    ".zip": "Unpack it first. ",
}


def read_rdf(path: Path) -> list[ox.Quad]:
    """Parse a file by its extension; blank nodes get names that no other file has.

    Raises ``SourceError`` (file and line) for a file that is missing, malformed or of no known
    format, and for RDF/XML with a document type: its entities may expand without limit.
    """
    ending = path.suffix.lower()
    format = FORMATS.get(ending)
    if path.is_dir():
        raise SourceError(
            "a folder, where a file should be",
            path=path,
            hint="Name each of its files by an option of its own.",
        )
    if format is None:
        instead = _INSTEAD.get(path.name) or _INSTEAD.get(ending, "")
        raise SourceError(
            f"no known RDF format has the extension '{path.suffix}'",
            path=path,
            hint=f"{instead}Known: {', '.join(FORMATS)}.",
        )
    data = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    if format is ox.RdfFormat.RDF_XML:
        _refuse_document_type(data, path)
    try:
        return list(ox.parse(data, format=format, rename_blank_nodes=True))
    except SyntaxError as error:
        if language := _SCANNED.get(ending):
            raise malformed(error, path, language) from None
        raise SourceError(f"malformed: {error.msg}", path=path, line=error.lineno) from None
    except ValueError as error:
        raise SourceError(f"malformed: {error}", path=path) from None


def _refuse_document_type(data: bytes, path: Path) -> None:
    # XML may also be UTF-16, where every other byte of the declaration is zero. Any mention is
    # refused, in a comment too: telling them apart would take an XML parser.
    squeezed = data.replace(b"\0", b"")
    position = squeezed.upper().find(b"<!DOCTYPE")
    if position >= 0:
        raise SourceError(
            "RDF/XML with a document type is not read",
            path=path,
            line=squeezed.count(b"\n", 0, position) + 1,
            hint="Its entities may expand without limit. Remove the DOCTYPE, or convert the file "
            "to Turtle.",
        )


Places = dict[ox.NamedNode | ox.BlankNode, tuple[Path, int | None]]


def places(files: Sequence[Path], quads: Iterable[ox.Quad]) -> Places:
    """Return the file and line (1-based) where each node is first described or mentioned.

    A blank node stands where the nearest named node that points to it does. Of files other than
    Turtle, TriG, N-Triples and N-Quads the lines are not known.
    """
    subjects: Places = {}
    mentions: Places = {}
    for path in files:
        if path.suffix.lower() not in _SCANNED:
            for quad in read_rdf(path):
                if isinstance(quad.subject, ox.NamedNode):
                    subjects.setdefault(quad.subject, (path, None))
                if isinstance(quad.object, ox.NamedNode):
                    mentions.setdefault(quad.object, (path, None))
            continue
        text = read_bytes(path).decode("utf-8-sig", errors="replace")
        for iri, line, is_subject in scan(text):
            try:
                node = ox.NamedNode(iri)
            except ValueError:
                continue
            mentions.setdefault(node, (path, line))
            if is_subject:
                subjects.setdefault(node, (path, line))
    found = mentions | subjects
    _follow_blank_nodes(found, quads)
    return found


def _follow_blank_nodes(found: Places, quads: Iterable[ox.Quad]) -> None:
    pointers = {q.object: q.subject for q in quads if isinstance(q.object, ox.BlankNode)}
    for blank in pointers:
        node: object = blank
        visited = set()
        while node in pointers and node not in visited:
            visited.add(node)
            node = pointers[node]  # type: ignore[index]
        if isinstance(node, ox.NamedNode) and node in found:
            found[blank] = found[node]
