"""What only a rule may say is refused where a source says it, with file, line and remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kg.derived_properties import derived_properties
from kg.dispute import read_dispute
from kg.errors import SourceError
from kg.namespaces import KG, expand
from kg.preparing import staged
from kg.stored_query import catalogue

Kg = Callable[..., Any]

# The line that each is written on, in a file of its own.
LINE = 5
HEAD = """\
@prefix kg: <https://w3id.org/counterclaim/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix : <https://w3id.org/counterclaim/example/> .
# By hand:
"""
STATED = {
    "kg:heldBy": ":a2 kg:heldBy :bo .",
    "kg:hearsayDepth": ":a2 kg:hearsayDepth 1 .",
    "kg:identifiedWith": ":bo kg:identifiedWith :ana .",
    "kg:utteredEarliest": ':a2 kg:utteredEarliest "2023-03-13T00:00:00Z"^^xsd:dateTime .',
    "kg:ofDate": ':a2 kg:ofDate "2023-03-13"^^<http://id.loc.gov/datatypes/edtf/EDTF> .',
    "kg:inDocument": ":a2 kg:inDocument :doc .",
    "kg:lastWordOf": ":p1 kg:lastWordOf :bo .",
}


def state(folder: Path, text: str) -> Path:
    file = folder / "statements" / "by-hand.ttl"
    file.write_text(HEAD + text + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("name", list(STATED))
def test_it_is_refused(example_dispute: Path, name: str) -> None:
    file = state(example_dispute, STATED[name])
    with pytest.raises(SourceError) as caught:
        staged(read_dispute(example_dispute))
    error = caught.value
    assert error.message.startswith(f"{name} is stated of ")
    assert error.path is not None
    assert Path(error.path).name in (file.name, "doc.ttl", "agents.ttl")
    assert "Remove it" in (error.hint or "")


def test_the_line_is_that_of_the_statement(kg: Kg, example_dispute: Path) -> None:
    file = example_dispute / "statements" / "doc.ttl"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace(":a1 a kg:Assertion ;", ":a1 a kg:Assertion ;\n    kg:heldBy :bo ;", 1),
        encoding="utf-8",
    )
    lines = file.read_text(encoding="utf-8").splitlines()
    number = 1 + next(i for i, line in enumerate(lines) if "kg:heldBy" in line)
    done = kg("--dispute", example_dispute, "validate")
    assert done.code == 2
    assert f"{file}:{number}: kg:heldBy is stated of a1, but only a rule may give that" in done.err


def test_validate_changed_refuses_it_too(kg: Kg, example_dispute: Path) -> None:
    assert kg("--dispute", example_dispute, "build").code == 0
    state(example_dispute, STATED["kg:heldBy"])
    whole = kg("--dispute", example_dispute, "validate")
    changed = kg("--dispute", example_dispute, "validate", "--changed")
    assert changed.code == whole.code == 2
    assert changed.err == whole.err
    # And the last build is still there.
    assert kg("--dispute", example_dispute, "build").code == 2
    assert (example_dispute / ".kg" / "current").exists()


def test_what_an_encoder_may_say_too_is_not_refused() -> None:
    names = derived_properties(catalogue(None, "derive").values())
    assert {expand(name) for name in STATED} <= names
    assert not {expand(f"kg:{name}") for name in ("attackKind", "between", "kind")} & names
    assert all(name.startswith(KG) for name in names)


def test_a_rule_of_the_dispute_owns_nothing(example_dispute: Path) -> None:
    rule = example_dispute / "queries" / "derive" / "own.rq"
    rule.parent.mkdir(parents=True)
    rule.write_text(
        "#+ title: Own\n#+ question: What is one's own?\n"
        "PREFIX kg: <https://w3id.org/counterclaim/ns#>\n"
        "CONSTRUCT { ?a kg:speaker ?b } WHERE { ?a kg:speaker ?b }\n",
        encoding="utf-8",
    )
    staged(read_dispute(example_dispute))
