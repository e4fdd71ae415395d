"""Checks: stored queries where any row is a finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kg.dispute import Dispute
from kg.engine import Engine, Rows, Term, foresee
from kg.errors import QueryError
from kg.stored_query import StoredQuery, catalogue


@dataclass(frozen=True)
class Finding:
    """One row of one check: what is wrong (``title``), with what (``row``), and how to mend it."""

    check: str
    title: str
    row: Mapping[str, Term | None]
    mend: str

    def __str__(self) -> str:
        row = ", ".join(f"{name} {term}" for name, term in self.row.items() if term is not None)
        return f"{self.check}: {self.title} ({row})"


def foresee_checks(engine: Engine, dispute: Dispute) -> None:
    """Let an engine that can do so begin with what ``run_checks`` will ask. Raises as that."""
    foresee(engine, (check.text for _, check in sorted(catalogue(dispute, "check").items())))


def run_checks(
    engine: Engine, dispute: Dispute, wanted: Callable[[StoredQuery], bool] | None = None
) -> list[Finding]:
    """Run every ``queries/check/*.rq``, the project's and the dispute's, in order of name.

    With ``wanted``, runs only those of which it is true. Raises ``QueryError`` for a check that
    cannot be loaded or run.
    """
    findings = []
    for name, check in sorted(catalogue(dispute, "check").items()):
        if wanted is not None and not wanted(check):
            continue
        try:
            answer = engine.query(check.text)
        except QueryError as error:
            raise QueryError(
                error.message, path=check.path, line=error.line, hint=error.hint
            ) from error
        if not isinstance(answer, Rows):
            raise QueryError("a check must be a SELECT", path=check.path)
        for row in answer.rows:
            terms = dict(zip(answer.columns, row, strict=True))
            findings.append(Finding(name, check.title, terms, check.mend or ""))
    return findings
