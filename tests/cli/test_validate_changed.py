"""``kg validate --changed`` as a person runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Kg = Callable[..., Any]


@pytest.fixture
def edited(kg: Kg, example_dispute: Path) -> Path:
    """A dispute that was built, and from which a speaker was then removed."""
    assert kg("--dispute", example_dispute, "build").code == 0
    file = example_dispute / "statements" / "doc.ttl"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("    kg:speaker :ana ;\n", ""), encoding="utf-8")
    return example_dispute


@pytest.mark.parametrize("format", ["table", "json", "turtle"])
def test_it_prints_what_a_full_run_prints(kg: Kg, edited: Path, format: str) -> None:
    whole = kg("--dispute", edited, "validate", "--format", format)
    changed = kg("--dispute", edited, "validate", "--format", format, "--changed")
    assert changed.code == whole.code == 1
    assert changed.out == whole.out
    assert "AssertionShape-speaker" in changed.out
    assert changed.err == whole.err


def test_without_an_edit_it_conforms(kg: Kg, example_dispute: Path) -> None:
    assert kg("--dispute", example_dispute, "build").code == 0
    done = kg("--dispute", example_dispute, "validate", "--changed")
    assert (done.code, done.out, done.err) == (0, "conforms\n", "")


def test_a_fault_stays_until_it_is_mended(kg: Kg, edited: Path) -> None:
    for _ in range(2):
        assert kg("--dispute", edited, "validate", "--changed").code == 1
    assert kg("--dispute", edited, "build").code == 1
    assert kg("--dispute", edited, "validate", "--changed").code == 1


def test_without_a_build_everything_is_judged_and_that_is_said(
    kg: Kg, example_dispute: Path
) -> None:
    done = kg("--dispute", example_dispute, "validate", "--changed")
    assert (done.code, done.out) == (0, "conforms\n")
    assert done.err == "kg: everything was judged: nothing has been built yet\n"


@pytest.mark.parametrize("harm", ["store", "inputs"])
def test_with_a_damaged_build_everything_is_judged(kg: Kg, edited: Path, harm: str) -> None:
    (snapshot,) = (edited / ".kg" / "snapshots").iterdir()
    if harm == "store":  # and every file is as long as it was
        file = snapshot / "store" / "CURRENT"
        file.write_bytes(b"x" * file.stat().st_size)
    else:
        file = snapshot / "manifest.json"
        manifest = json.loads(file.read_bytes()) | {"inputs": None}
        file.write_text(json.dumps(manifest), encoding="utf-8")
    whole = kg("--dispute", edited, "validate")
    done = kg("--dispute", edited, "validate", "--changed")
    assert (done.code, done.out) == (1, whole.out)
    assert "kg: everything was judged: the snapshot is damaged: " in done.err


def test_with_another_check_everything_is_judged(kg: Kg, edited: Path) -> None:
    check = edited / "queries" / "check" / "none.rq"
    check.parent.mkdir(parents=True)
    check.write_text(
        "#+ title: Nothing\n#+ question: What is nothing?\n#+ columns:\n#+   x: a thing\n"
        "#+ mend: Nothing.\nSELECT ?x WHERE { ?x a <urn:x> } ORDER BY ?x\n",
        encoding="utf-8",
    )
    done = kg("--dispute", edited, "validate", "--changed")
    assert done.code == 1
    assert "everything was judged: own/check/none.rq has changed since the last build" in done.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--engine", "pyshacl"], "compiled engine only"),
        (["--engine", "both"], "compiled engine only"),
        (["--data", "x.ttl"], "files have none"),
        (["--shapes", "x.ttl"], "the project's own shapes"),
        (["--endpoint", "http://localhost/"], "a server has none"),
        (["--explain", "kg:AssertionShape"], "judges nothing"),
    ],
)
def test_what_it_does_not_go_with(kg: Kg, options: list[str], words: str) -> None:
    done = kg("validate", "--changed", *options)
    assert done.code == 2
    assert words in done.err
