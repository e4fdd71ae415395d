"""Judging a dispute by its shapes and checks: all of it, or what an edit can affect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kg.changes import Changes, NoBaselineError, changes_since_snapshot
from kg.checks import foresee_checks, run_checks
from kg.dispute import Dispute
from kg.preparing import prepared
from kg.progress import Progress
from kg.shacl import Report, validate_changed, validate_dispute
from kg.shacl.changed import Changed, NotBoundedError
from kg.shacl.findings import findings_report
from kg.shacl.keys import deciding, keys
from kg.shacl.patterns import TooRichError
from kg.stored_query import StoredQuery

if TYPE_CHECKING:
    from kg.engine import Engine
    from kg.shacl.engines import EngineName


@dataclass(frozen=True)
class Revalidation:
    """A report on all sources as they are now, and how it came about.

    ``reason`` says why everything was judged and not only what changed; else it is ``None``, and
    ``triples`` is how many came or went since the last build, stated and derived.
    """

    report: Report
    triples: int
    reason: str | None = None


def revalidate(dispute: Dispute, say: Progress, jobs: int | None = None) -> Revalidation:
    """Judge the sources by the project's shapes and checks, as far as they changed.

    The report is the same as of judging everything: what the last build published had no fault,
    or it would not have been published. Without such a build, with another vocabulary, other
    shapes, checks or derivations, and wherever a change may affect anything, all is judged.
    ``jobs`` as for ``kg.preparing.prepared``; raises as that.
    """
    say("comparing with the last build")
    try:
        with changes_since_snapshot(dispute, jobs) as changes:
            say("validating")
            return _of_changes(dispute, changes, say)
    except (NoBaselineError, NotBoundedError) as error:
        reason = str(error)
    with prepared(dispute, say, jobs) as engine:
        return Revalidation(judge(engine, dispute, say), 0, reason)


def _of_changes(dispute: Dispute, changes: Changes, say: Progress) -> Revalidation:
    # A triple that only moved to another file means something else to a query that names graphs.
    changed = {quad.triple for quad in (*changes.added, *changes.removed)}
    report = validate_changed(changes.engine, dispute, changed)
    say("checking")
    touched = Changed(changed)

    def wanted(check: StoredQuery) -> bool:
        # No check found anything before.
        try:
            return touched.touch(keys(deciding(check.text)))
        except TooRichError:
            return True

    findings = run_checks(changes.engine, dispute, wanted)
    return Revalidation(report.joined(findings_report(findings, dispute).results), len(changed))


def judge(
    engine: Engine,
    dispute: Dispute,
    say: Progress,
    shapes: Sequence[Path] = (),
    by: EngineName = "compiled",
) -> Report:
    """Judge all that an engine holds of a dispute by its shapes and checks, or by other shapes.

    ``by`` says who judges by the shapes. Raises ``SourceError`` for shapes that cannot be used,
    and ``QueryError`` for checks.
    """
    say("validating")
    if not shapes:
        foresee_checks(engine, dispute)
    report = validate_dispute(engine, dispute, shapes, by)
    if shapes:  # somebody else's idea of what is right; the project's checks are beside the point
        return report
    say("checking")
    return report.joined(findings_report(run_checks(engine, dispute), dispute).results)
