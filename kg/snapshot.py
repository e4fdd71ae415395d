"""Published snapshots: where they lie, and how one is found and opened.

::

    .kg/                      in the dispute folder, else in the user's cache
        lock                  held by the one build that may write
        current -> snapshots/<digest>
        snapshots/<digest>/   manifest.json (what it was built from), store/ (the engine's files)
        work/                 a build in progress; its remains are removed by the next one

A snapshot is named by its content, so the same sources give the same name. It becomes visible
by renames alone: whoever is killed, or runs out of disk, leaves the old one in place.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kg import __version__
from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.errors import EngineError, SnapshotError
from kg.settings import cache_folder

_REBUILD = "Run 'kg build' to write it anew from the sources."


@dataclass(frozen=True)
class Snapshot:
    """A published snapshot: its folder, its content digest and what it was built from.

    ``inputs`` gives the SHA-256 of every file that went in, ``counts`` what was counted.
    """

    folder: Path
    digest: str
    version: str
    inputs: Mapping[str, str]
    counts: Mapping[str, int]

    @property
    def store(self) -> Path:
        """The folder of the engine's files."""
        return self.folder / "store"

    def is_of(self, inputs: Mapping[str, str]) -> bool:
        """Say whether it was built by this version from exactly these files."""
        return self.version == __version__ and self.inputs == inputs


def roots(dispute: Dispute) -> tuple[Path, Path]:
    """Return the two folders where snapshots of a dispute may lie, the preferred one first."""
    path = hashlib.sha256(os.fsencode(dispute.folder)).hexdigest()[:16]
    return dispute.folder / ".kg", cache_folder() / path


def current(root: Path) -> Snapshot | None:
    """Return the published snapshot below ``root``, or ``None`` if there never was one.

    Raises ``SnapshotError`` if ``current`` leads nowhere, the manifest is missing or unreadable,
    or a file of the store is missing or not of the length it had.
    """
    link = root / "current"
    try:
        if not link.is_symlink():
            return None
    except PermissionError:  # as of a home that a service may not enter
        return None
    # Resolved once: a build may move the link while this reader looks.
    snapshot, _ = read_snapshot(root / link.readlink())
    return snapshot


def open_snapshot(snapshot: Snapshot) -> EmbeddedEngine:
    """Open a snapshot for reading. Raises ``SnapshotError`` if the store refuses it."""
    try:
        return EmbeddedEngine.open_read_only(snapshot.store)
    except EngineError as error:
        raise SnapshotError(
            f"the snapshot is damaged: {error.message}", path=snapshot.folder, hint=_REBUILD
        ) from error


def read_snapshot(folder: Path) -> tuple[Snapshot, dict[str, int]]:
    """Read a snapshot's manifest, and return it with the store's files and their sizes.

    Raises ``SnapshotError`` as ``current``.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        content = [manifest[name] for name in ("digest", "version", "inputs", "counts")]
        files: dict[str, int] = manifest["files"]
        manifest["inputs"].items()  # a mapping, or not what was written
        wrong = [name for name, size in files.items() if _size(folder / "store" / name) != size]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = "is missing" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise SnapshotError(
            f"the snapshot is damaged: its manifest {why}", path=folder, hint=_REBUILD
        ) from error
    if wrong:
        raise SnapshotError(
            f"the snapshot is damaged: {wrong[0]} is missing or was cut",
            path=folder,
            hint=_REBUILD,
        )
    return Snapshot(folder, *content), files


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
