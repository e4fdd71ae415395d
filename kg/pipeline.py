"""From a dispute folder to an engine that answers: every stage, in order."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyoxigraph as ox

from kg.checks import foresee_checks, run_checks
from kg.derivation import derive
from kg.digests import StatedDigest, inputs_of
from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.engine import Engine, Rows, foresee
from kg.errors import EngineError, NonConformanceError, SnapshotError
from kg.in_words import counted
from kg.machine import usual_jobs
from kg.shared_engine import SharedEngine
from kg.snapshot import current, open_snapshot, roots, workshop
from kg.sources import ontology_source, read_statements
from kg.staging import fits_in_memory
from kg.stored_query import stored_paths
from kg.streams import Chunks

# How many results the error of a failed build lists.
_SHOWN = 5

# Called with what is being done now; a build says it ``steps(dispute)`` times.
Progress = Callable[[str], None]

_COUNTS = """
PREFIX kg: <https://w3id.org/counterclaim/ns#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?documents ?assertions ?relays ?propositions ?contradictions ?findings
WHERE {
  { SELECT (COUNT(DISTINCT ?x) AS ?documents) WHERE { ?x a kg:Document } }
  { SELECT (COUNT(DISTINCT ?x) AS ?assertions) WHERE { ?x a kg:Assertion } }
  {
    SELECT (COUNT(DISTINCT ?x) AS ?relays)
    WHERE {
      { SELECT ?x WHERE { ?x a kg:Assertion } }
      { SELECT ?x WHERE { ?x kg:relays ?relayed } }
    }
  }
  { SELECT (COUNT(DISTINCT ?x) AS ?propositions) WHERE { ?x a kg:Proposition } }
  {
    SELECT (COUNT(DISTINCT ?x) AS ?contradictions)
    WHERE { ?x a/rdfs:subClassOf* kg:Contradiction }
  }
  { SELECT (COUNT(DISTINCT ?x) AS ?findings) WHERE { ?x a kg:RecordFinding } }
}
"""


@dataclass(frozen=True)
class BuildReport:
    """What a build made.

    ``relays`` are among the ``assertions``; ``findings`` are the places where a record speaks to
    an assertion; ``derived`` gives the triples of each rule. ``path`` is the snapshot's folder.
    """

    documents: int
    assertions: int
    relays: int
    propositions: int
    contradictions: int
    findings: int
    triples: int
    derived: dict[str, int]
    seconds: float
    digest: str
    path: Path

    def as_json(self) -> str:
        """Return the report as a JSON object, one member a line."""
        return json.dumps(asdict(self) | {"path": str(self.path)}, indent=2)


def steps(dispute: Dispute) -> int:
    """Return how many times a build says what it does, for a bar that fills."""
    return len(dispute.sources) + len(stored_paths(dispute, "derive")) + 5


def build(
    dispute: Dispute, progress: Progress | None = None, jobs: int | None = None
) -> BuildReport:
    """Load, derive, validate and publish; whatever fails leaves the old snapshot in place.

    If the dispute is too large for memory, up to ``jobs`` processes derive and judge side by side;
    how many it depends on the machine if that is left out.

    Raises ``SourceError``, ``QueryError``, ``SnapshotError``, or ``NonConformanceError`` if the
    data does not conform to its shapes or a check finds something.
    """
    say = progress or _silent
    started = time.monotonic()
    small = fits_in_memory(dispute)

    def waiting() -> None:
        say("waiting for another build")

    with workshop(dispute, waiting, in_memory=small, jobs=jobs or usual_jobs()) as shop:
        inputs = inputs_of(dispute)
        stated = StatedDigest()
        derived = _fill(shop.engine, dispute, say, stated)
        validate(shop.engine, dispute, say)
        say("publishing")
        counts = count(shop.engine)
        snapshot = shop.publish(inputs, counts, stated.with_rules(dispute, derived))
    return BuildReport(
        **counts,
        derived=derived,
        seconds=time.monotonic() - started,
        digest=snapshot.digest,
        path=snapshot.folder,
    )


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
            (say or _silent)(f"loading {source.name}")
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


def _fill(
    engine: EmbeddedEngine, dispute: Dispute, say: Progress, digest: StatedDigest | None = None
) -> dict[str, int]:
    """Load and derive, and return how many triples each rule gave."""
    load(engine, dispute, say, digest)
    # A store on disk is in parts, which are slower to read until they are merged.
    engine.optimize()
    derived = derive(engine, dispute, lambda rule: say(f"deriving {rule}"))
    engine.optimize()
    return derived


def validate(engine: EmbeddedEngine, dispute: Dispute, say: Progress | None = None) -> None:
    """Judge stated and derived statements by the shapes and the checks.

    Raises ``NonConformanceError``, which names the first results.
    """
    # Whoever reads a snapshot needs no shapes.
    from kg.shacl import validate_dispute
    from kg.shacl.report import INFO

    (say or _silent)("validating")
    foresee_checks(engine, dispute)
    foresee(engine, [_COUNTS])  # which a build asks at its end
    report = validate_dispute(engine, dispute)
    (say or _silent)("checking")
    findings = run_checks(engine, dispute)
    wrong = [str(result) for result in report.results if result.severity != INFO]
    wrong += [str(finding) for finding in findings]
    if wrong:
        shown = "\n".join(f"  {line}" for line in wrong[:_SHOWN])
        more = f"\n  … and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise NonConformanceError(
            f"'{dispute.title}' does not conform: {counted(len(wrong), 'result')}\n{shown}{more}",
            path=dispute.folder,
            hint="'kg validate' lists them all, and how to mend each.",
        )


def count(engine: EmbeddedEngine) -> dict[str, int]:
    """Return the numbers that a build reports."""
    answer = engine.query(_COUNTS)
    assert isinstance(answer, Rows)
    row = next(answer.rows)
    counts = {
        name: int(term.value)
        for name, term in zip(answer.columns, row, strict=True)
        if term is not None
    }
    return counts | {"triples": len(engine)}


def staged(dispute: Dispute, progress: Progress | None = None) -> EmbeddedEngine:
    """Return an engine in memory with the sources as they are now and what derives from them.

    Nothing is validated, written or published. Raises ``SourceError`` and ``QueryError``.
    """
    engine = EmbeddedEngine.memory()
    _fill(engine, dispute, progress or _silent)
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
    jobs = jobs or usual_jobs()
    if engine := _published(dispute, jobs):
        with closing(engine):
            yield engine
    elif fits_in_memory(dispute):
        yield staged(dispute, progress)
    else:
        with TemporaryDirectory(prefix="kg-staged-") as folder, _room_in(folder):
            engine = SharedEngine.make(Path(folder) / "store", jobs)
            with closing(engine):
                _fill(engine, dispute, progress or _silent)
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
        # The store reports what the system said in words only.
        if "No space left" in error.message:
            error.hint = f"Set TMPDIR to a folder with more space than {Path(folder).parent}."
        raise


def open_current(
    dispute: Dispute, build: bool = True, progress: Progress | None = None
) -> EmbeddedEngine:
    """Open the published snapshot, after building it if it is missing, damaged or out of date.

    With ``build`` false, opens what is published, however old. Raises ``SnapshotError`` if there
    is nothing that can be opened, and whatever building raises.
    """
    inputs = inputs_of(dispute) if build else None
    damage: SnapshotError | None = None
    for root in roots(dispute):
        try:
            snapshot = current(root)
            if snapshot and (inputs is None or snapshot.is_of(inputs)):
                return open_snapshot(snapshot)
        except SnapshotError as error:
            damage = error
    if build:
        return EmbeddedEngine.open_read_only(_build(dispute, progress).path / "store")
    raise damage or SnapshotError(
        "no snapshot has been published", path=dispute.folder, hint="Run 'kg build'."
    )


def _silent(_: str) -> None:
    pass


_build = build  # 'open_current' has a parameter of that name
