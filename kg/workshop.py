"""Where a build makes a new snapshot, and how that takes the place of the old one."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kg import __version__
from kg.digests import content_digest
from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine, out_of_space
from kg.errors import EngineError, SnapshotError
from kg.settings import has_temporary_folder
from kg.shared_engine import SharedEngine
from kg.snapshot import Snapshot, open_snapshot, read_snapshot, roots
from kg.staging import StagedEngine

# Longer than any build of a dispute that people wrote by hand.
PATIENCE_SECONDS = 300.0


@contextmanager
def workshop(
    dispute: Dispute,
    waiting: Callable[[], None] | None = None,
    patience: float = PATIENCE_SECONDS,
    in_memory: bool = False,
    jobs: int = 1,
) -> Iterator[Workshop]:
    """Give one build a fresh store to fill, and nobody else until it is done.

    With ``in_memory``, it is filled there, and written to disk when it is published; else up to
    ``jobs`` processes read it.
    If another build is at work, ``waiting`` is called once and this one waits up to ``patience``
    seconds. Raises ``SnapshotError`` if that was not enough, or nothing can be written.
    """
    root = _writable_root(dispute)
    with _writing(root):
        root.mkdir(parents=True, exist_ok=True)
        if root.name == ".kg":
            (root / ".gitignore").write_text("*\n", encoding="ascii")
    with _lock(root, waiting, patience), _writing(root):
        shutil.rmtree(root / "work", ignore_errors=True)  # left by a build that was killed
        (root / "work").mkdir()
        # A name of its own: a store that somebody in this process still holds is no obstacle.
        work = Path(tempfile.mkdtemp(dir=root / "work"))
        engine = (
            StagedEngine(work / "staged.nq")
            if in_memory
            else SharedEngine.make(work / "store", jobs)
        )
        shop = Workshop(root, work, engine)
        try:
            yield shop
        finally:
            shop.engine.close()
            shutil.rmtree(root / "work", ignore_errors=True)


class Workshop:
    """A build in progress: a store to fill, and the way to publish it."""

    def __init__(self, root: Path, work: Path, engine: EmbeddedEngine) -> None:
        self.root = root
        self.work = work
        self.engine = engine

    def publish(
        self, inputs: Mapping[str, str], counts: Mapping[str, int], digest: str | None = None
    ) -> Snapshot:
        """Make the store's content the current snapshot and remove all but the one before it.

        ``digest`` names the content, if that is known; else the whole store is read for it.
        Raises ``SnapshotError`` or ``EngineError``; then the old snapshot is still the current.
        """
        digest = digest or content_digest(self.engine)
        folder = self.root / "snapshots" / digest
        snapshot = Snapshot(folder, digest, __version__, dict(inputs), dict(counts))
        before = self._target()
        if files := _intact_files(folder):
            # The same content from other files, such as a comment that changed.
            self._write_manifest(snapshot, files, folder)
        else:
            self._write_store(snapshot)
        self._point(folder)
        if before not in (None, digest):
            self._prune({digest, before})
        return snapshot

    def _write_store(self, snapshot: Snapshot) -> None:
        made = self.work / "snapshot"
        made.mkdir()
        if isinstance(self.engine, StagedEngine):
            self.engine = self.engine.settle(self.work / "store")
        self.engine.optimize()
        self.engine.backup(made / "store")
        files = {path.name: path.stat().st_size for path in sorted((made / "store").iterdir())}
        self._write_manifest(snapshot, files, made)
        snapshot.folder.parent.mkdir(exist_ok=True)
        if snapshot.folder.exists():
            # Damaged, else it would have been kept; whoever has it open keeps the files.
            snapshot.folder.rename(self.work / "damaged")
        made.rename(snapshot.folder)

    def _write_manifest(self, snapshot: Snapshot, files: Mapping[str, int], folder: Path) -> None:
        manifest = {
            "version": snapshot.version,
            "digest": snapshot.digest,
            "counts": snapshot.counts,
            "inputs": snapshot.inputs,
            "files": files,
        }
        made = self.work / "manifest.json"
        with made.open("w", encoding="utf-8") as stream:
            json.dump(manifest, stream, indent=2)
            stream.flush()
            os.fsync(stream.fileno())
        made.replace(folder / "manifest.json")

    def _target(self) -> str | None:
        link = self.root / "current"
        return link.readlink().name if link.is_symlink() else None

    def _point(self, folder: Path) -> None:
        link = self.work / "current"
        link.symlink_to(Path("snapshots") / folder.name)
        link.replace(self.root / "current")

    def _prune(self, keep: set[str | None]) -> None:
        # The one before stays: a reader may have resolved the link and not opened it yet.
        for folder in (self.root / "snapshots").iterdir():
            if folder.name not in keep:
                shutil.rmtree(folder, ignore_errors=True)


def _writable_root(dispute: Dispute) -> Path:
    beside, cached = roots(dispute)
    package = Path(__file__).resolve().parent
    # An installed package is nobody's place to write, even where permissions would allow it.
    installed = package in dispute.folder.parents
    place = beside if beside.exists() else dispute.folder
    return beside if not installed and os.access(place, os.W_OK | os.X_OK) else cached


@contextmanager
def _lock(root: Path, waiting: Callable[[], None] | None, patience: float) -> Iterator[None]:
    with _writing(root), (root / "lock").open("w") as stream:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if waiting:
                    waiting()
                    waiting = None
                if time.monotonic() >= deadline:
                    raise SnapshotError(
                        f"another build of this dispute is still at work after {patience:.0f} s",
                        path=root,
                        hint="Wait for it, or end it; its lock goes with its process.",
                    ) from None
                time.sleep(0.05)
        yield  # closing the file gives the lock back


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """Turn a failure to write into ``SnapshotError`` that says what to do about it."""
    try:
        yield
    except OSError as error:
        raise _cannot_write(root, str(error.strerror or error), error.errno) from error
    except EngineError as error:
        if out_of_space(error):
            raise _cannot_write(root, "No space left on device", errno.ENOSPC) from error
        raise


def _cannot_write(root: Path, why: str, number: int | None) -> SnapshotError:
    cached = root.name != ".kg"
    hint = "Set KG_CACHE to a folder that you can write." if cached else "Check its permissions."
    if not cached and number in (errno.EEXIST, errno.EISDIR, errno.ENOTDIR):
        hint = "Something else stands in its place, or in that of a file in it; remove it."
    if number in (errno.ENOSPC, errno.EDQUOT):
        hint = "Free some space" + (", or set KG_CACHE to another disk." if cached else ".")
    elif not has_temporary_folder():
        if number == errno.ENOENT:  # which is what failed
            hint = "Set TMPDIR to a folder that you can write."
        else:
            hint = f"{hint} And set TMPDIR to one for temporary files."
    return SnapshotError(
        f"cannot write a snapshot: {why}; the old one is untouched", path=root, hint=hint
    )


def _intact_files(folder: Path) -> dict[str, int] | None:
    """Return the store's files and sizes if a snapshot is there and opens, else nothing."""
    try:
        snapshot, files = read_snapshot(folder)
        open_snapshot(snapshot)
    except SnapshotError:
        return None
    return files
