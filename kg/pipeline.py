"""From a dispute folder to an engine that answers: every stage, in order."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from kg.checks import foresee_checks, run_checks
from kg.digests import StatedDigest, inputs_of
from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.engine import Rows, foresee
from kg.errors import NonConformanceError, SnapshotError
from kg.in_words import counted
from kg.machine import usual_jobs
from kg.preparing import fill
from kg.progress import Progress, silent
from kg.snapshot import current, open_snapshot, roots
from kg.staging import fits_in_memory
from kg.workshop import workshop

# How many results the error of a failed build lists.
_SHOWN = 5

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


def build(
    dispute: Dispute, progress: Progress | None = None, jobs: int | None = None
) -> BuildReport:
    """Load, derive, validate and publish; whatever fails leaves the old snapshot in place.

    If the dispute is too large for memory, up to ``jobs`` processes derive and judge side by side;
    how many it depends on the machine if that is left out.

    Raises ``SourceError``, ``QueryError``, ``SnapshotError``, or ``NonConformanceError`` if the
    data does not conform to its shapes or a check finds something.
    """
    say = progress or silent
    started = time.monotonic()
    small = fits_in_memory(dispute)

    def waiting() -> None:
        say("waiting for another build")

    with workshop(dispute, waiting, in_memory=small, jobs=jobs or usual_jobs()) as shop:
        inputs = inputs_of(dispute)
        stated = StatedDigest()
        derived = fill(shop.engine, dispute, say, stated)
        foresee(shop.engine, [_COUNTS])
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


def validate(engine: EmbeddedEngine, dispute: Dispute, say: Progress | None = None) -> None:
    """Judge stated and derived statements by the shapes and the checks.

    Raises ``NonConformanceError``, which names the first results.
    """
    # Whoever reads a snapshot needs no shapes.
    from kg.shacl import validate_dispute
    from kg.shacl.report import INFO

    (say or silent)("validating")
    foresee_checks(engine, dispute)
    report = validate_dispute(engine, dispute)
    (say or silent)("checking")
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


_build = build  # 'open_current' has a parameter of that name
