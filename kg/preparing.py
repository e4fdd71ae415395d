"""An engine with the sources of a dispute as they are now, and what derives from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pyoxigraph as ox

from kg.derivation import derive
from kg.digests import StatedDigest, inputs_of
from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine, out_of_space
from kg.engine import Engine
from kg.errors import EngineError, SnapshotError
from kg.machine import usual_jobs
from kg.progress import Progress, silent
from kg.shared_engine import SharedEngine
from kg.snapshot import current, roots
from kg.sources import ontology_source, read_statements
from kg.staging import fits_in_memory
from kg.stored_query import stored_paths
from kg.streams import Chunks


def steps(dispute: Dispute) -> int:
    """Return how many times it is said what is being done while a dispute is built, at most."""
    return len(dispute.sources) + len(stored_paths(dispute, "derive")) + 5


def load(
    engine: Engine,
    dispute: Dispute,
    say: Progress | None = None,
    digest: StatedDigest | None = None,
) -> None:
    """Put the vocabulary and every source into its own graph, and count it in a digest, if given.

    One source after the other is in memory. After a failure, some may have been added. Raises
    ``SourceError``.
    """

    def lines() -> Iterator[bytes]:
        for source in (ontology_source(), *dispute.sources):
            (say or silent)(f"loading {source.name}")
            stated = read_statements(source)
            if digest is not None:
                digest.add(source.graph, stated)
            # No line break stands within a line of N-Triples.
            yield stated.lines.replace(b" .\n", f" <{source.graph}> .\n".encode())

    if isinstance(engine, EmbeddedEngine):
        # All in one: to load each file by itself takes twice as long.
        engine.load(Chunks(lines()), None, ox.RdfFormat.N_QUADS, checked=True)
    else:
        for part in lines():
            engine.add(ox.parse(part, format=ox.RdfFormat.N_QUADS))


def fill(
    engine: EmbeddedEngine, dispute: Dispute, say: Progress, digest: StatedDigest | None = None
) -> dict[str, int]:
    """Load and derive, and return how many triples each rule gave.

    ``digest`` counts what is stated, if given. Raises ``SourceError`` and ``QueryError``.
    """
    load(engine, dispute, say, digest)
    # A store on disk is in parts, which are slower to read until they are merged.
    engine.optimize()
    derived = derive(engine, dispute, lambda rule: say(f"deriving {rule}"))
    engine.optimize()
    return derived


def staged(dispute: Dispute, progress: Progress | None = None) -> EmbeddedEngine:
    """Return an engine in memory with the sources as they are now and what derives from them.

    Nothing is validated, written or published. Raises ``SourceError`` and ``QueryError``.
    """
    engine = EmbeddedEngine.memory()
    fill(engine, dispute, progress or silent)
    return engine


@contextmanager
def prepared(
    dispute: Dispute, progress: Progress | None = None, jobs: int | None = None
) -> Iterator[EmbeddedEngine]:
    """Give an engine with the sources as they are now and what derives from them.

    That is the published snapshot if it was built from the very same files. Else all is loaded and
    derived: in memory, or, if the dispute is too large for that, in a folder for temporary files,
    where up to ``jobs`` processes read it. Nothing is validated or published. Raises as ``staged``,
    and ``EngineError``.
    """
    small = fits_in_memory(dispute)
    jobs = 1 if small else jobs or usual_jobs()
    if engine := _published(dispute, jobs):
        with closing(engine):
            yield engine
    elif small:
        yield staged(dispute, progress)
    else:
        with TemporaryDirectory(prefix="kg-staged-") as folder, _room_in(folder):
            engine = SharedEngine.make(Path(folder) / "store", jobs)
            with closing(engine):
                fill(engine, dispute, progress or silent)
                yield engine


def _published(dispute: Dispute, jobs: int) -> SharedEngine | None:
    inputs = inputs_of(dispute)
    for root in roots(dispute):
        # A damaged one is as good as none.
        with suppress(SnapshotError, EngineError):
            snapshot = current(root)
            if snapshot and snapshot.is_of(inputs):
                return SharedEngine.open_read_only(snapshot.store, jobs)
    return None


@contextmanager
def _room_in(folder: str) -> Iterator[None]:
    try:
        yield
    except EngineError as error:
        if out_of_space(error):
            error.hint = f"Set TMPDIR to a folder with more space than {Path(folder).parent}."
        raise
