"""Checks: every row is a finding that says what, where and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.checks import run_checks
from kg.dispute import open_dispute
from kg.errors import QueryError
from kg.preparing import staged

BASE = "https://w3id.org/counterclaim/example/"
CHECK = """#+ title: An assertion by Bo
#+ question: What does Bo say?
#+ columns:
#+   assertion: what he says
#+   none: nothing
#+ mend: Ask Ana instead.
PREFIX : <https://w3id.org/counterclaim/example/>
PREFIX kg: <https://w3id.org/counterclaim/ns#>
SELECT ?assertion ?none WHERE { ?assertion kg:speaker :bo } ORDER BY ?assertion
"""


def own_check(folder: Path, text: str) -> Path:
    file = folder / "queries" / "check" / "said-by-bo.rq"
    file.parent.mkdir(parents=True)
    file.write_text(text, "utf-8")
    return file


def test_each_row_is_a_finding(example_dispute: Path) -> None:
    own_check(example_dispute, CHECK)
    dispute = open_dispute(str(example_dispute))
    findings = [f for f in run_checks(staged(dispute), dispute) if f.check == "said-by-bo"]
    assert [f.row for f in findings] == [
        {"assertion": ox.NamedNode(f"{BASE}a2"), "none": None},
        {"assertion": ox.NamedNode(f"{BASE}a3"), "none": None},
    ]
    assert {(f.title, f.mend) for f in findings} == {("An assertion by Bo", "Ask Ana instead.")}
    assert str(findings[0]) == f"said-by-bo: An assertion by Bo (assertion <{BASE}a2>)"


def test_no_row_is_no_finding(example_dispute: Path) -> None:
    own_check(example_dispute, CHECK.replace(":bo }", ":nobody }"))
    dispute = open_dispute(str(example_dispute))
    assert not [f for f in run_checks(staged(dispute), dispute) if f.check == "said-by-bo"]


def test_a_check_that_cannot_be_loaded(example_dispute: Path) -> None:
    file = own_check(example_dispute, CHECK.replace("kg:speaker", "kg:speaker kg:speaker"))
    dispute = open_dispute(str(example_dispute))
    with pytest.raises(QueryError) as caught:
        run_checks(staged(dispute), dispute)
    assert (caught.value.path, caught.value.line) == (file, 9)
