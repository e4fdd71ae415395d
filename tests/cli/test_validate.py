"""``kg validate`` as a person runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rdflib

from kg import preparing

Kg = Callable[..., Any]

SHAPES = Path(__file__).parent.parent / "shapes"
CHECK = """\
#+ title: An assertion is hedged
#+ question: Which assertions are hedged?
#+ columns:
#+   assertion: the assertion
#+   certainty: how sure the speaker is
#+ mend: Say so in the gloss.
PREFIX kg: <https://w3id.org/counterclaim/ns#>
SELECT ?assertion ?certainty
WHERE { ?assertion kg:speakerCertainty ?certainty }
ORDER BY ?assertion
"""


def edit(folder: Path, old: str, new: str) -> Path:
    file = folder / "statements" / "doc.ttl"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


def test_a_sound_dispute_conforms(kg: Kg, example_dispute: Path) -> None:
    done = kg("--dispute", example_dispute, "validate")
    assert (done.code, done.out, done.err) == (0, "conforms\n", "")


def test_each_result_has_its_line_rule_and_remedy(kg: Kg, example_dispute: Path) -> None:
    file = edit(example_dispute, "oa:end 41", "oa:end 410")
    done = kg("--dispute", example_dispute, "validate")
    assert done.code == 1
    number = 1 + file.read_text(encoding="utf-8").splitlines().index(":t1 a oa:SpecificResource ;")
    assert f"{file}:{number}: violation: kg:PassageShape-within" in done.out
    assert "Correct oa:end" in done.out
    # A check sees it too: the report around it no longer spans what it reports.
    assert "check/report-beside-its-words" in done.out
    assert done.err == "kg: does not conform: 2 results\n"


def test_a_relay_cycle_is_found_at_every_node_of_it(kg: Kg, example_dispute: Path) -> None:
    edit(example_dispute, "kg:relays :a2 ;", "kg:relays :n1 ;")
    done = kg("--dispute", example_dispute, "validate", "--format", "json")
    assert done.code == 1
    cycle = [r for r in json.loads(done.out)["results"] if r["shape"].endswith("relay-cycle")]
    assert [r["focus"].rpartition("/")[2] for r in cycle] == ["n1", "a1"]


def test_sources_are_judged_and_not_the_snapshot(kg: Kg, example_dispute: Path) -> None:
    assert kg("--dispute", example_dispute, "build").code == 0
    edit(example_dispute, "    kg:claimType kg:Fact ;\n", "")
    done = kg("--dispute", example_dispute, "validate")
    assert done.code == 1
    assert "AssertionShape-stance-type" in done.out


def test_after_a_build_of_the_same_sources_its_snapshot_is_judged(
    kg: Kg, example_dispute: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kg("--dispute", example_dispute, "build").code == 0

    def never(*_: object) -> None:
        raise AssertionError("loaded again")

    monkeypatch.setattr(preparing, "staged", never)
    assert kg("--dispute", example_dispute, "validate").out == "conforms\n"
    # By other shapes it need not conform.
    shapes = tmp_path / "shapes.ttl"
    shapes.write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> .\n"
        "@prefix kg: <https://w3id.org/counterclaim/ns#> .\n"
        "<urn:s> a sh:NodeShape ; sh:targetClass kg:Document ;\n"
        "  sh:property [ sh:path kg:published ; sh:maxCount 0 ] .\n",
        "utf-8",
    )
    done = kg("--dispute", example_dispute, "validate", "--shapes", shapes)
    assert done.code == 1
    assert "kg:published" in done.out


def test_findings_of_checks_stand_in_the_report(kg: Kg, example_dispute: Path) -> None:
    check = example_dispute / "queries" / "check" / "hedged.rq"
    check.parent.mkdir(parents=True)
    check.write_text(CHECK, encoding="utf-8")
    done = kg("--dispute", example_dispute, "validate", "--format", "json")
    assert done.code == 1
    (finding,) = json.loads(done.out)["results"]
    assert finding["shape"] == "https://w3id.org/counterclaim/check/hedged"
    assert finding["focus"].endswith("/a3")
    assert finding["message"] == (
        "An assertion is hedged (certainty kg:Certain). Say so in the gloss."
    )
    assert finding["file"].endswith("statements/doc.ttl")
    turtle = kg("--dispute", example_dispute, "validate", "--format", "turtle")
    assert "check/hedged" in turtle.out
    # Other people's shapes come without the project's checks.
    shapes = SHAPES.parent.parent / "ontology" / "shapes" / "Event.ttl"
    assert kg("--dispute", example_dispute, "validate", "--shapes", shapes).code == 0


def test_turtle_is_all_there_is_on_standard_output(kg: Kg, example_dispute: Path) -> None:
    edit(example_dispute, "    kg:claimType kg:Fact ;\n", "")
    done = kg("--dispute", example_dispute, "validate", "--format", "turtle")
    graph = rdflib.Graph().parse(data=done.out, format="turtle")
    assert len(list(graph.objects(None, rdflib.SH.result))) == 1


@pytest.mark.parametrize(
    ("case", "code"), [("valid.ttl", 0), ("invalid-no-speaker.ttl", 1), ("nothing.ttl", 2)]
)
def test_any_files_can_be_judged(kg: Kg, case: str, code: int) -> None:
    files = "--data", SHAPES / "common.ttl", "--data", SHAPES / "AssertionShape" / case
    assert kg("validate", *files).code == code


@pytest.mark.parametrize(
    ("option", "name", "text", "words"),
    [
        ("--data", "a.ttl", "<a> <b>", "a.ttl:1: malformed"),
        ("--data", "a.txt", "", "extension '.txt'"),
        ("--data", "a.rdf", "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", "document type"),
        ("--shapes", "s.ttl", "<a> <b>", "s.ttl:1: malformed"),
        ("--shapes", "s.ttl", "", "no shape in this file"),
    ],
)
def test_unusable_input_is_named(
    kg: Kg, example_dispute: Path, tmp_path: Path, option: str, name: str, text: str, words: str
) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    done = kg("--dispute", example_dispute, "validate", option, file)
    assert done.code == 2
    assert done.out == ""
    assert str(file) in done.err
    assert words in done.err
    assert "Traceback" not in done.err


def test_malformed_sources_are_named(kg: Kg, example_dispute: Path) -> None:
    file = edit(example_dispute, "kg:denies :p1 ;", "kg:denies :p1")
    done = kg("--dispute", example_dispute, "validate")
    assert done.code == 2
    assert f"{file}:" in done.err
