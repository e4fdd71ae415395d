from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kg.settings import shipped


@pytest.fixture
def positions(kg, example_dispute: Path):
    return lambda *arguments: kg("--dispute", example_dispute, "positions", *arguments)


@pytest.fixture
def explain(kg, example_dispute: Path):
    return lambda *arguments: kg("--dispute", example_dispute, "explain", *arguments)


def test_says_in_words_why_a_statement_is_open(positions) -> None:
    done = positions()
    assert (done.code, done.err) == (0, "")
    assert "Undecided (2)" in done.out
    assert "undecided: a3 attacks it, and nothing settles that" in done.out
    assert "not which are true" in " ".join(done.out.split())
    assert "a2: author of the example says, endorsing it, that Ana says that Bo says" in done.out


def test_alternatives_stand_side_by_side(positions) -> None:
    out = positions("--semantics", "preferred").out
    assert re.search(r"^ +position 1 +position 2$", out, re.MULTILINE)
    assert re.search(r"^ +a2 +accepts +rejects$", out, re.MULTILINE)
    assert re.search(r"^ +a3 +rejects +accepts$", out, re.MULTILINE)
    out = positions("--semantics", "preferred", "--format", "md").out
    assert "| a2 | accepts | rejects |" in out


def names_of(apx: str) -> set[str]:
    return {name.strip('"') for name in re.findall(r"^arg\((.*)\)\.$", apx, re.MULTILINE)}


def test_apx_and_json_use_the_same_names(positions, kg, tmp_path: Path) -> None:
    document = json.loads(positions("--format", "json").out)
    labelled = [*document["accepted"], *document["rejected"], *document["undecided"]]
    assert set(labelled) == names_of(positions("--format", "apx").out) == {"a2", "a3"}
    for semantics, count in (("preferred", 2), ("stable", 2), ("complete", 3)):
        document = json.loads(positions("--format", "json", "--semantics", semantics).out)
        assert document["count"] == len(document["extensions"]) == count
        assert not document["more"]

    # A copy, so that its snapshot does not land in the checkout.
    folder = tmp_path / "tideline"
    original = shipped("data") / "tideline"
    shutil.copytree(original, folder, ignore=shutil.ignore_patterns(".kg"))
    document = json.loads(kg("--dispute", folder, "positions", "--format", "json").out)
    apx = kg("--dispute", folder, "positions", "--format", "apx").out
    labelled = [*document["accepted"], *document["rejected"], *document["undecided"]]
    assert len(labelled) == len(set(labelled))
    assert set(labelled) == names_of(apx)
    attacks = {(one["attacker"], one["target"]) for one in document["attacks"]}
    pairs = re.findall(r"^att\((.*),(.*)\)\.$", apx, re.MULTILINE)
    assert attacks == {(a.strip('"'), b.strip('"')) for a, b in pairs}


def test_a_limit_says_that_there_are_more(positions) -> None:
    done = positions("--semantics", "complete", "--limit", "1", "--format", "json")
    document = json.loads(done.out)
    assert len(document["extensions"]) == 1
    assert document["more"]
    assert [knot["more"] for knot in document["knots"]] == [True]
    assert done.err == "stopped at the limit in some knot; --limit 0 searches all\n"
    assert "of the first 1 ways to decide knot 1" in document["why"]["a2"]["words"]


def test_few_positions_are_written_whole_and_every_knot(positions) -> None:
    whole = json.loads(positions("--semantics", "complete", "--format", "json").out)
    done = positions("--semantics", "complete", "--extensions", "1", "--format", "json")
    document = json.loads(done.out)
    assert (document["count"], len(document["extensions"]), document["more"]) == (3, 1, True)
    assert done.err == "wrote 1 of 3 positions whole, and every knot; --extensions 0 writes all\n"
    assert document["knots"] == [
        {"arguments": ["a2", "a3"], "ways": [[], ["a2"], ["a3"]], "more": False}
    ]
    assert {**document, "extensions": [], "more": False} == {**whole, "extensions": []}
    done = positions("--semantics", "complete", "--extensions", "0", "--format", "json")
    assert json.loads(done.out) == whole
    assert done.err == ""


def test_why_is_told_under_every_semantics(positions) -> None:
    why = json.loads(positions("--semantics", "complete", "--format", "json").out)["why"]
    assert why["a2"] == {
        "label": "in_some",
        "knot": 1,
        "held": 1,
        "attacked": 1,
        "open": 1,
        "by": ["a3"],
        "words": "undecided by itself: of 3 ways to decide knot 1, it is held in 1, attacked in 1 "
        "and left open in 1; a3 attacks it",
    }
    # What the grounded position decides has its proof under every semantics.
    arguments = ("--prefer", "a3>a2", "--format", "json")
    grounded = json.loads(positions(*arguments).out)["why"]
    preferred = json.loads(positions(*arguments, "--semantics", "preferred").out)["why"]
    assert [preferred[one]["label"] for one in ("a2", "a3")] == ["in_none", "in_every"]
    for one in ("a2", "a3"):
        assert preferred[one]["words"] == grounded[one]["words"]
        assert preferred[one]["by"] == grounded[one]["by"]
        assert preferred[one]["knot"] is None


def test_a_view_decides_and_is_told(positions) -> None:
    out = positions("--prefer", "a3>a2").out
    assert "rejected: a3, which is accepted, attacks it" in out
    assert "so the attack of a2 on a3 fails (--prefer)" in out
    document = json.loads(positions("--exclude", "ana", "--format", "json").out)
    assert (document["accepted"], document["excluded"]) == (["a3"], ["a2"])
    document = json.loads(positions("--accept", "a2", "--format", "json").out)
    assert (document["accepted"], document["rejected"]) == (["a2"], ["a3"])


def test_pictures_and_frameworks(positions) -> None:
    assert positions("--format", "af").out == "p af 2\n# 1 a2\n# 2 a3\n1 2\n2 1\n"
    assert positions("--format", "mermaid").out.startswith("flowchart LR\n")
    assert positions("--format", "dot").out.startswith("digraph positions {\n")
    assert ElementTree.fromstring(positions("--format", "svg").out).tag.endswith("svg")


def test_nothing_is_stored(kg, example_dispute: Path) -> None:
    before = {path: path.read_bytes() for path in example_dispute.rglob("*.ttl")}
    kg("--dispute", example_dispute, "positions", "--accept", "a2")
    kg("--dispute", example_dispute, "explain", "a2")
    assert {path: path.read_bytes() for path in example_dispute.rglob("*.ttl")} == before


def test_without_the_solver_the_error_names_the_extra(
    positions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "clingo", None)
    done = positions("--semantics", "stable")
    assert (done.code, done.out) == (2, "")
    assert "counterclaim[positions]" in done.err
    assert positions().code == 0


def test_explains_one_assertion(explain) -> None:
    done = explain("a2")
    assert done.code == 0
    assert done.out.startswith("assertion a2\nauthor of the example says")
    assert "one must reject a3: " in done.out
    assert "undecided now, and then accepted: a3: " in done.out
    assert explain("a2", "--format", "md").out.startswith("# assertion a2\n")
    document = json.loads(explain("a2", "--format", "json").out)
    assert document["defences"] == [{"hold": ["a2"], "reject": ["a3"]}]


@pytest.mark.parametrize(
    ("name", "message"),
    [("a1", "it relays what others say"), ("bo", "is no argument"), ("a22", "Did you mean")],
)
def test_what_cannot_be_explained_says_why(explain, name: str, message: str) -> None:
    done = explain(name)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
