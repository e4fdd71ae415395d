"""The Turtle files of a dispute, each read into its own named graph."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyoxigraph as ox

from kg.errors import SourceError
from kg.namespaces import ONTOLOGY_GRAPH, expand
from kg.settings import shipped

# The folders of a dispute that hold sources, and the files that stand beside them.
FOLDERS = ("statements", "records")
FILES = ("dispute", "agents", "artifacts")

_HAS_SELECTOR = f"<{expand('oa:hasSelector')}>".encode()
_REST = f"<{expand('rdf:rest')}>".encode()


@dataclass(frozen=True)
class SourceFile:
    """One Turtle file and the named graph it becomes.

    ``name`` is the path below the dispute folder without ``.ttl`` (``statements/doc``), ``graph``
    the IRI of its named graph, ``kind`` one of ``dispute``, ``agents``, ``artifacts``,
    ``statements``, ``records`` and ``ontology``, and ``base`` the IRI that the empty prefix must
    stand for, if it is declared (``None``: any).
    """

    path: Path
    name: str
    graph: str
    kind: str
    base: str | None = None


@dataclass(frozen=True)
class Statements:
    """What a graph states: ``lines`` of N-Triples, in bytes.

    Bytes are several times quicker to check, hash and load than as many objects.
    """

    lines: bytes

    @cached_property
    def blank(self) -> list[bytes]:
        """The lines that have a blank node, in their order.

        To look for what marks one takes a fraction of looking at each line.
        """
        found: list[bytes] = []
        lines = self.lines
        at = lines.find(b"_:")
        while at >= 0:
            start = lines.rfind(b"\n", 0, at) + 1
            end = lines.find(b"\n", at)
            line = lines[start:] if end < 0 else lines[start:end]
            if has_blank_node(line):
                found.append(line)
            at = lines.find(b"_:", end) if end >= 0 else -1
        return found


def ontology_source() -> SourceFile:
    """Return the vocabulary, which every dispute is loaded with."""
    return SourceFile(shipped("ontology") / "kg.ttl", "kg", ONTOLOGY_GRAPH, "ontology")


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises ``SourceError`` if it is missing, a folder, or may not be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise SourceError("no such file", path=path) from None
    except IsADirectoryError:
        raise SourceError("a folder, where a file should be", path=path) from None
    except OSError as error:
        raise SourceError(
            f"cannot be read: {error.strerror or error}",
            path=path,
            hint="Check that the file may be read by you.",
        ) from error


def read_source(source: SourceFile) -> list[ox.Quad]:
    """Parse a source and return its statements as quads of ``source.graph``.

    Raises as ``read_statements``.
    """
    graph = ox.NamedNode(source.graph)
    triples = ox.parse(read_statements(source).lines, format=ox.RdfFormat.N_TRIPLES)
    return [ox.Quad(t.subject, t.predicate, t.object, graph) for t in triples]


def read_statements(source: SourceFile) -> Statements:
    """Parse a source and return its statements.

    Blank nodes get names that no other file has. Raises ``SourceError`` with file and line for
    bytes that are not UTF-8, for malformed Turtle, for an empty prefix that stands for another
    dispute, for a blank node that is no selector or points to a blank node, and for what only a
    rule may state.
    """
    text = _decode(read_bytes(source.path), source.path)
    parser = ox.parse(text, format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
    try:
        lines = ox.serialize(parser, format=ox.RdfFormat.N_TRIPLES)
    except SyntaxError as error:
        raise malformed(error, source.path, "Turtle") from None
    assert lines is not None  # it is, without an output to write to
    statements = Statements(lines)
    if source.base is not None:
        declared = parser.prefixes.get("", source.base)
        if declared != source.base:
            raise SourceError(
                f"the prefix ':' stands for <{declared}>, but this dispute is <{source.base}>",
                path=source.path,
                line=_line_of(text, f"<{declared}>"),
                hint=f"Write '@prefix : <{source.base}> .', or move the file to its own dispute.",
            )
        _refuse_blank_nodes(statements.blank, source.path, text)
        if f"<{expand('kg:rule')}>".encode() in lines:
            _refuse_derived(lines, source.path, text)
    return statements


def has_blank_node(line: bytes) -> bool:
    """Say whether a line of N-Triples has a blank node, as subject or as object."""
    return line.startswith(b"_:") or (
        # A text may hold the same characters.
        b"> _:" in line and line.split(b" ", 2)[2].startswith(b"_:")
    )


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal. Raises ``SourceError``."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


def _decode(data: bytes, path: Path) -> str:
    try:
        # A byte order mark is not part of Turtle, but some editors write one.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"not UTF-8: byte 0x{data[error.start]:02x} cannot stand here",
            path=path,
            line=data.count(b"\n", 0, error.start) + 1,
            hint="Save the file as UTF-8; Turtle knows no other encoding.",
        ) from None


def malformed(error: SyntaxError, path: Path, language: str) -> SourceError:
    """Return what a parser of Turtle, or of a language like it, found, and how to mend it."""
    message = re.sub(r"^Parser error at line .*?: ", "", error.msg)
    hint = "Check the line, and the end of the one before it, for a missing '.', ';' or quote."
    if prefix := re.search(r"The prefix (\S*:) has not been declared", message):
        hint = f"Declare it at the top of the file: '@prefix {prefix[1]} <…> .'."
    elif "No scheme found" in message:
        hint = "Write the IRI in full, or as a prefixed name: relative IRIs are not resolved."
    return SourceError(f"malformed {language}: {message}", path=path, line=error.lineno, hint=hint)


def _refuse_blank_nodes(blank: list[bytes], path: Path, text: str) -> None:
    # Lines, not triples: a selector is three of them, and as objects they take thrice as long.
    said = [line.removesuffix(b" .").split(b" ", 2) for line in blank]
    # Only selectors may go unnamed; so canonical names of blank nodes cost linear time, while
    # a web of them can cost exponential time.
    for subject, predicate, object in said:
        if subject.startswith(b"_:") and object.startswith(b"_:"):
            if predicate == _REST:
                heads = (by for one, by, _ in said if not one.startswith(b"_:"))
                lines = (_line_of_blank(text, by) for by in heads if by != _HAS_SELECTOR)
                raise SourceError(
                    "a list in parentheses, of which no part has a name",
                    path=path,
                    line=next(lines, None),
                    hint="Write its members one after the other, with commas between them.",
                )
            raise SourceError(
                f"a blank node points to a blank node by {predicate.decode()}",
                path=path,
                line=_line_of(text, f":{_local(predicate)}"),
                hint="Give the inner one a name; only selectors may go without.",
            )
    # What has no name can be neither shown nor cited, and no rule may speak of it.
    selectors = {object for _, predicate, object in said if predicate == _HAS_SELECTOR}
    # The triple that points to it comes first, since it is by that one that it is found.
    for at in (2, 0):
        for line in said:
            predicate, node = line[1], line[at]
            if node.startswith(b"_:") and node not in selectors:
                raise SourceError(
                    f"a blank node that is no selector: {predicate.decode()} speaks of it",
                    path=path,
                    line=_line_of_blank(text, predicate if at == 2 else None),
                    hint="Give it a name, such as :ana; only selectors may go without.",
                )


def _line_of_blank(text: str, predicate: bytes | None) -> int | None:
    """Return the line of a node without a name, after a predicate or where a line begins."""
    before = r"^\s*" if predicate is None else rf"{re.escape(_local(predicate))}>?\s+"
    place = re.search(rf"{before}(?:\[|_:|\()", text, re.MULTILINE)
    return text.count("\n", 0, place.end()) + 1 if place else None


def _refuse_derived(lines: bytes, path: Path, text: str) -> None:
    # What is stated and what is derived never mix: a result of a rule comes from the rule alone.
    for triple in ox.parse(lines, format=ox.RdfFormat.N_TRIPLES):
        if triple.predicate.value == expand("kg:rule"):
            raise SourceError(
                f"kg:rule is stated of {triple.subject}, but only a rule may write that",
                path=path,
                line=_line_of(text, "kg:rule"),
                hint="State what an encoder found as a kg:DeclaredContradiction, with kg:grounds.",
            )


def _local(predicate: bytes) -> str:
    """Return the last part of an IRI in angle brackets."""
    return re.split(r"[#/]", predicate.decode()[1:-1])[-1]


def _line_of(text: str, token: str) -> int | None:
    position = text.find(token)
    return text.count("\n", 0, position) + 1 if position >= 0 else None
