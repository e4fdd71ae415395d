"""A dispute folder: where it is, what its IRI is, and which files it is made of."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox

from kg.errors import DisputeError
from kg.namespaces import expand
from kg.settings import DEFAULT_DISPUTE, ENV_DISPUTE, shipped
from kg.sources import FILES, FOLDERS, SourceFile, read_source

DISPUTE_FILE = "dispute.ttl"

# Ends of names that a person or an editor gives to RDF.
_OTHER_RDF = (".ttl", ".ttl.txt", ".turtle", ".n3", ".nt", ".nq", ".trig", ".jsonld", ".rdf")


@dataclass(frozen=True)
class Dispute:
    """A dispute folder that has been found and whose ``dispute.ttl`` has been read.

    ``iri`` is the subject of ``a kg:Dispute`` and the base of every name in the folder;
    ``sources`` are its Turtle files in a fixed order.
    """

    folder: Path
    iri: str
    title: str
    sources: tuple[SourceFile, ...]

    @property
    def base(self) -> str:
        """The IRI that short names are appended to; it is the dispute's own."""
        return self.iri

    @property
    def derived_graph(self) -> str:
        """The IRI of the named graph that holds what was derived, and nothing else."""
        return f"{self.iri}graph/derived"


def open_dispute(option: str | None = None) -> Dispute:
    """Find a dispute and read what it is called.

    ``option`` is a folder or the name of a shipped dispute. Without it, ``KG_DISPUTE`` decides,
    else the folder one stands in if it is a dispute, else the shipped ``llama-mmap``.

    Raises ``DisputeError`` for a folder that is missing or no dispute, for a ``dispute.ttl``
    that does not name exactly one, and for a Turtle file that would be left out; ``SourceError``
    for a ``dispute.ttl`` that cannot be parsed.
    """
    return read_dispute(_find(option or os.environ.get(ENV_DISPUTE) or None))


def shipped_disputes() -> dict[str, Path]:
    """Return the disputes that travel with the package: name to folder, sorted by name."""
    folders = sorted(shipped("data").glob(f"*/{DISPUTE_FILE}"))
    return {file.parent.name: file.parent for file in folders}


def read_dispute(folder: Path) -> Dispute:
    """Read the ``dispute.ttl`` of a folder and list its sources. Raises as ``open_dispute``."""
    file = folder / DISPUTE_FILE
    plain = SourceFile(file, "dispute", "urn:x-counterclaim:reading", "dispute")
    quads = read_source(plain)
    kind = ox.NamedNode(expand("rdf:type")), ox.NamedNode(expand("kg:Dispute"))
    subjects = sorted({str(q.subject) for q in quads if (q.predicate, q.object) == kind})
    if len(subjects) != 1 or not subjects[0].startswith("<"):
        raise DisputeError(
            f"describes {len(subjects)} disputes by name, not one",
            path=file,
            hint="Give it one subject with an IRI and 'a kg:Dispute' "
            "(kg: is <https://w3id.org/counterclaim/ns#>).",
        )
    iri = subjects[0][1:-1]
    if not iri.endswith(("/", "#")):
        raise DisputeError(
            f"the IRI of the dispute, <{iri}>, ends neither in '/' nor in '#'",
            path=file,
            hint="It is the base of every name in the folder; add a '/'.",
        )
    return Dispute(folder.resolve(), iri, _title(quads, iri), tuple(_sources(folder, iri)))


def _find(option: str | None) -> Path:
    if option is None:
        here = Path.cwd()
        if (here / DISPUTE_FILE).is_file():
            return here
        option = DEFAULT_DISPUTE
    folder = Path(option).expanduser()
    if (folder / DISPUTE_FILE).is_file():
        return folder
    known = shipped_disputes()
    if option in known:
        return known[option]
    near = difflib.get_close_matches(option, known, n=1)
    names = ", ".join(known) or "none"
    hint = f"Did you mean '{near[0]}'? " if near else ""
    if folder.is_dir():
        raise DisputeError(
            f"no {DISPUTE_FILE} in this folder",
            path=folder,
            hint=f"{hint}A dispute folder describes itself there. Shipped disputes: {names}.",
        )
    raise DisputeError(
        f"no dispute '{option}': neither a folder nor the name of a shipped one",
        hint=f"{hint}Shipped disputes: {names}.",
    )


def _title(quads: list[ox.Quad], iri: str) -> str:
    wanted = ox.NamedNode(iri), ox.NamedNode(expand("dcterms:title"))
    titles = sorted(
        (q.object.language != "en", q.object.value)
        for q in quads
        if (q.subject, q.predicate) == wanted and isinstance(q.object, ox.Literal)
    )
    return titles[0][1] if titles else iri


def _sources(folder: Path, iri: str) -> Iterator[SourceFile]:
    """Yield the sources: the three files, then each folder, by name; refuse stray files."""
    found = {*folder.rglob("*.ttl"), *_misnamed(folder)}
    for name in FOLDERS:  # which the search above does not enter where they are links
        found.update((folder / name).glob("*.ttl"))
    for path in sorted(found, key=lambda p: _rank(p.relative_to(folder))):
        inside = path.relative_to(folder)
        # Hidden files and folders belong to editors and to snapshots.
        if any(part.startswith(".") for part in inside.parts) or inside.parts[0] in (
            "documents",
            "queries",
        ):
            continue
        if path.suffix != ".ttl":
            end = next(end for end in _OTHER_RDF if inside.name.lower().endswith(end))
            raise DisputeError(
                "a file among the sources that would not be read, since its name does not end in "
                "'.ttl'",
                path=path,
                hint=f"Call it {inside.as_posix()[: -len(end)]}.ttl, if it is "
                "Turtle; else move it elsewhere.",
            )
        if len(inside.parts) == 1 and inside.stem in FILES:
            kind = inside.stem
        elif len(inside.parts) == 2 and inside.parts[0] in FOLDERS:
            kind = inside.parts[0]
        else:
            raise DisputeError(
                "a Turtle file that no part of a dispute folder would hold",
                path=path,
                hint=f"Sources are {', '.join(f'{name}.ttl' for name in FILES)} and the files "
                f"of {' and '.join(f'{name}/' for name in FOLDERS)}; move or rename it.",
            )
        name = inside.with_suffix("").as_posix()
        try:
            file = path.resolve()
        except (OSError, RuntimeError):  # a link that leads to itself; who reads it says so
            file = path.absolute()
        yield SourceFile(file, name, f"{iri}graph/{quote(name)}", kind, iri)


def _misnamed(folder: Path) -> Iterator[Path]:
    """Yield files where sources are that hold RDF by their names, but no Turtle as a source does.

    To leave one out would be to lose statements without a word.
    """
    for place in (folder, *(folder / name for name in FOLDERS)):
        for path in place.glob("*"):
            name = path.name.lower()
            source = place != folder or name.split(".")[0] in FILES
            if source and path.suffix != ".ttl" and name.endswith(_OTHER_RDF):
                yield path


def _rank(inside: Path) -> tuple[int, str]:
    order = (*FILES, *FOLDERS)
    head = inside.parts[0].removesuffix(".ttl")
    return (order.index(head) if head in order else len(order), inside.as_posix())
