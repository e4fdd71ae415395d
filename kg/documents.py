"""The documents of a dispute and the texts attached to them.

A dispute cites its documents by length and SHA-256 and need not hold them. Whoever has a text
attaches it; from then on every passage can be checked and shown.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from kg.engine import Engine
from kg.errors import DisputeError, PassageError
from kg.namespaces import shorten
from kg.rows import number, select, string
from kg.settings import cache_folder
from kg.text_difference import explain_file

if TYPE_CHECKING:
    from kg.dispute import Dispute

# A git history is a kg:Record: a document too, but one with entries instead of a text.
_DOCUMENTS = """
SELECT ?document ?title ?length ?sha256 WHERE {
  ?document a kg:Document .
  FILTER NOT EXISTS { ?document a kg:Record }
  OPTIONAL { ?document dcterms:title ?title }
  OPTIONAL { ?document kg:length ?length }
  OPTIONAL { ?document kg:sha256 ?sha256 }
} ORDER BY ?document ?title
"""


@dataclass(frozen=True)
class Document:
    """A document as its dispute describes it; ``length`` is in Unicode code points."""

    iri: str
    name: str
    title: str
    length: int | None
    sha256: str | None


@dataclass(frozen=True)
class AttachedText:
    """A text that somebody attached: where it lies, what it says and its SHA-256."""

    path: Path
    text: str
    sha256: str
    intact: bool
    """Whether this is the document the dispute describes, to the byte."""


def read_documents(engine: Engine, base: str) -> list[Document]:
    """Return the documents that have a text (records have none), sorted by IRI."""
    found: dict[str, Document] = {}
    for row in select(engine, _DOCUMENTS):
        iri = string(row, "document")
        if iri not in found:
            name = shorten(iri, base)
            digest = string(row, "sha256").lower() or None
            found[iri] = Document(
                iri, name, string(row, "title", name), number(row, "length"), digest
            )
    return list(found.values())


def choose(documents: Sequence[Document], name: str) -> Document:
    """Return the document with this short name or IRI.

    Raises ``PassageError`` naming the documents there are.
    """
    for document in documents:
        if name in (document.name, document.iri, f"<{document.iri}>", f":{document.name}"):
            return document
    import difflib

    names = [document.name for document in documents]
    near = difflib.get_close_matches(name, names, n=1)
    raise PassageError(
        f"no document of this dispute is called '{name}'",
        hint=f"Did you mean '{near[0]}'?" if near else f"Documents: {', '.join(names) or 'none'}.",
    )


def decode(data: bytes, path: Path | str) -> str:
    """Return the characters of a text exactly as stored: no newline or BOM is touched.

    Raises ``PassageError`` for bytes that are not UTF-8, naming the first one.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PassageError(
            f"not UTF-8: byte {error.start} is 0x{data[error.start]:02x}",
            path=path,
            hint="Passages are counted in the UTF-8 text; attach the document in that encoding.",
        ) from None


def text_name(document: Document) -> str:
    """Return the file name of a document's text; characters that no file name may hold are %XX."""
    return quote(document.name, safe="") + ".txt"


def text_folders(dispute: Dispute) -> tuple[Path, Path]:
    """Return where attached texts lie: in the dispute, or in the user's cache if it is read-only.

    The cache keeps them apart by the digest of the dispute's IRI.
    """
    key = hashlib.sha256(dispute.iri.encode()).hexdigest()
    return dispute.folder / "documents", cache_folder() / "documents" / key


def texts_of(
    dispute: Dispute, engine: Engine, folder: Path | None = None
) -> dict[str, AttachedText]:
    """Return the texts at hand, by document IRI.

    In ``folder`` any file counts whose SHA-256 is a document's, whatever its name; what it does
    not hold is looked for among the attached texts. A file that only has a document's name but
    another digest is returned too, as not ``intact``.

    Raises ``PassageError`` for a text that is not UTF-8 or cannot be read.
    """
    given = _by_digest(folder) if folder else {}
    places = ([folder] if folder else []) + list(text_folders(dispute))
    found: dict[str, AttachedText] = {}
    for document in read_documents(engine, dispute.base):
        named = [place / text_name(document) for place in places]
        exact = given.get(document.sha256 or "")
        candidates = [
            _load(path, document) for path in ([exact] if exact else named) if path.is_file()
        ]
        if candidates:
            # An intact one anywhere goes before an altered one nearer by.
            found[document.iri] = next((one for one in candidates if one.intact), candidates[0])
    return found


def attach(
    dispute: Dispute, documents: Sequence[Document], files: Iterable[Path], name: str | None = None
) -> list[tuple[Document, Path]]:
    """Copy texts to where the dispute looks for them; return each document and its new file.

    A file is recognised by its SHA-256 alone; ``name`` says which document it must be. Nothing is
    copied unless every file is recognised. Raises ``PassageError`` for a file that is no document
    of this dispute (saying what differs, where that can be seen) and ``DisputeError`` if no place
    can be written.
    """
    expected = [choose(documents, name)] if name else list(documents)
    plan: list[tuple[Document, bytes]] = []
    for path in files:
        data = _read(path)
        digest = hashlib.sha256(data).hexdigest()
        matches = [document for document in expected if document.sha256 == digest]
        content = decode(data, path)
        if not matches:
            raise _unrecognised(path, data, digest, len(content), expected)
        plan.extend((document, data) for document in matches)
    return [(document, _store(dispute, document, data)) for document, data in plan]


def _by_digest(folder: Path) -> dict[str, Path]:
    """Return the files directly in a folder by the SHA-256 of their bytes."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file():
            try:
                with path.open("rb") as stream:
                    found.setdefault(hashlib.file_digest(stream, "sha256").hexdigest(), path)
            except OSError:
                continue  # it cannot be a document; the report says which are missing
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PassageError(f"cannot be read: {error.strerror or error}", path=path) from None


def _load(path: Path, document: Document) -> AttachedText:
    data = _read(path)
    digest = hashlib.sha256(data).hexdigest()
    return AttachedText(path, decode(data, path), digest, digest == document.sha256)


def _unrecognised(
    path: Path, data: bytes, digest: str, length: int, expected: Sequence[Document]
) -> PassageError:
    lines = []
    for document in expected:
        if document.sha256 is None:
            lines.append(
                f"{document.name}: has no digest yet. If this is it, state: "
                f'kg:length {length} ; kg:sha256 "{digest}" .'
            )
            continue
        reason = explain_file(data, document.sha256)
        lines.append(
            f"{document.name}: {document.length} characters, SHA-256 {document.sha256}"
            + (f" — this file differs only in {reason}" if reason else "")
        )
    hint = "Expected one of:\n    " + "\n    ".join(lines) if lines else "It has no documents."
    return PassageError(
        f"no document of this dispute: {length} characters, SHA-256 {digest}",
        path=path,
        hint=hint,
    )


def _store(dispute: Dispute, document: Document, data: bytes) -> Path:
    """Write a text to the first place that can be written, under a temporary name first."""
    failure: OSError | None = None
    for folder in text_folders(dispute):
        target = folder / text_name(document)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(target, data)
        except OSError as error:
            failure = error
            continue
        return target
    raise DisputeError(
        f"cannot attach '{document.name}': {failure.strerror if failure else 'no place'}",
        path=text_folders(dispute)[0],
        hint="Make the dispute's folder writable, or set KG_CACHE to a folder that is.",
    )


def _write(target: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".attach-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
