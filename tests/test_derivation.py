"""Derivations: their order, their graph, and rules that cannot be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kg.derivation import _before, derive, in_order, rounds_of
from kg.dispute import open_dispute
from kg.embedded import EmbeddedEngine
from kg.errors import QueryError
from kg.preparing import load
from kg.stored_query import StoredQuery, catalogue

BASE = "https://w3id.org/counterclaim/example/"


def rule(name: str, *after: str) -> StoredQuery:
    return StoredQuery(name, "", "CONSTRUCT", "derive", Path(f"{name}.rq"), after=after)


def own_rule(folder: Path, name: str, where: str, after: str = "", construct: str = "") -> None:
    file = folder / "queries" / "derive" / f"{name}.rq"
    file.parent.mkdir(parents=True, exist_ok=True)
    header = f"#+ title: Rule {name}\n#+ question: What follows?\n"
    header += f"#+ after: [{after}]\n" if after else ""
    construct = construct or f"?s :{name} ?o"
    file.write_text(
        f"{header}PREFIX : <{BASE}>\nPREFIX kg: <https://w3id.org/counterclaim/ns#>\n"
        f"CONSTRUCT {{ {construct} }} WHERE {{ {where} }}\n",
        "utf-8",
    )


def derived(folder: Path) -> tuple[dict[str, int], list[str]]:
    engine, dispute = EmbeddedEngine.memory(), open_dispute(str(folder))
    load(engine, dispute)
    counts = derive(engine, dispute)
    return counts, sorted(str(q.triple) for q in engine.quads(graph=dispute.derived_graph))


def test_rules_run_after_those_they_name_and_else_by_name() -> None:
    rules = {r.name: r for r in [rule("a", "z"), rule("b"), rule("m", "a", "b"), rule("z")]}
    assert [r.name for r in in_order(rules)] == ["b", "z", "a", "m"]


def test_a_rule_runs_in_the_round_after_all_that_it_names() -> None:
    rules = {r.name: r for r in [rule("a", "z"), rule("b"), rule("m", "a", "b"), rule("z")]}
    assert rounds_of(in_order(rules)) == {"b": 0, "z": 0, "a": 1, "m": 2}


def test_what_a_rule_gives_is_loaded_before_the_round_that_asks_for_it_and_else_last(
    example_dispute: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_rule(example_dispute, "asked", "?s kg:affirms ?o")
    own_rule(example_dispute, "unasked", "?s kg:affirms ?o")
    own_rule(example_dispute, "asking", "?s :asked ?o", after="asked")
    loads: list[set[str]] = []
    load_one = EmbeddedEngine.load

    def watched(engine: EmbeddedEngine, source: Any, *rest: Any, **named: Any) -> None:
        if isinstance(source, Path):
            found = re.findall(rf"<{BASE}((?:un)?ask\w+)>", source.read_text("utf-8"))
            loads.append(set(found))
        load_one(engine, source, *rest, **named)

    monkeypatch.setattr(EmbeddedEngine, "load", watched)
    derived(example_dispute)
    assert [names for names in loads if names] == [{"asked"}, {"asking", "unasked"}]


def test_a_circle_of_rules_names_them() -> None:
    rules = {r.name: r for r in [rule("a", "b"), rule("b", "c"), rule("c", "a"), rule("d")]}
    with pytest.raises(QueryError, match="waits for itself") as caught:
        in_order(rules)
    assert {"a", "b", "c"} <= set(caught.value.message)
    assert caught.value.path in {Path("a.rq"), Path("b.rq"), Path("c.rq")}


def test_a_rule_after_one_that_is_not_there() -> None:
    with pytest.raises(QueryError, match="no such derivation") as caught:
        in_order({"a": rule("a", "nowhere")})
    assert caught.value.path == Path("a.rq")


def test_a_later_rule_sees_what_an_earlier_one_gave(example_dispute: Path) -> None:
    own_rule(example_dispute, "aaa", "?s :zzz ?o", after="zzz")
    own_rule(example_dispute, "zzz", "?s kg:affirms ?o")
    counts, lines = derived(example_dispute)
    names = list(counts)
    assert names[0] == "time-bounds"
    assert names.index("zzz") < names.index("aaa")
    assert counts["zzz"] == counts["aaa"] == 1
    assert f"<{BASE}a2> <{BASE}aaa> <{BASE}p1>" in lines


def test_deriving_again_gives_the_same_and_forgets_what_no_rule_gives(
    example_dispute: Path,
) -> None:
    own_rule(example_dispute, "zzz", "?s kg:affirms ?o")
    engine, dispute = EmbeddedEngine.memory(), open_dispute(str(example_dispute))
    load(engine, dispute)
    first = derive(engine, dispute)
    before = set(engine.quads())
    assert derive(engine, dispute) == first
    assert set(engine.quads()) == before
    (example_dispute / "queries" / "derive" / "zzz.rq").unlink()
    derive(engine, dispute)
    lost = before - set(engine.quads())
    assert [q.predicate.value for q in lost] == [f"{BASE}zzz"]


@pytest.mark.parametrize("construct", ["[] :zzz ?o", "?o :zzz [ :of ?s ]", "?s :zzz _:b"])
def test_a_rule_may_not_make_a_blank_node(example_dispute: Path, construct: str) -> None:
    own_rule(example_dispute, "zzz", "?s kg:affirms ?o", construct=construct)
    with pytest.raises(QueryError, match="blank node") as caught:
        derived(example_dispute)
    assert caught.value.path == example_dispute / "queries" / "derive" / "zzz.rq"


@pytest.mark.parametrize(
    "value", ['"\\n_:b <a> <b> _:c ."', f"<{BASE}a_:b>", '"<a> <b> _:c"', f'"_:"^^<{BASE}_:b>']
)
def test_what_only_looks_like_a_blank_node(example_dispute: Path, value: str) -> None:
    own_rule(example_dispute, "zzz", "?s kg:affirms ?o", construct=f"?s :zzz {value}")
    counts, triples = derived(example_dispute)
    assert counts["zzz"] == len([one for one in triples if f"<{BASE}zzz>" in one]) > 0


def test_a_malformed_rule_is_named_with_its_line(example_dispute: Path) -> None:
    own_rule(example_dispute, "zzz", "?s kg:affirms")
    with pytest.raises(QueryError) as caught:
        derived(example_dispute)
    assert caught.value.path == example_dispute / "queries" / "derive" / "zzz.rq"
    assert caught.value.line == 5


def test_each_rule_is_announced(example_dispute: Path) -> None:
    own_rule(example_dispute, "zzz", "?s kg:affirms ?o")
    engine, dispute = EmbeddedEngine.memory(), open_dispute(str(example_dispute))
    said: list[str] = []
    counts = derive(engine, dispute, said.append)
    assert said == list(counts)


def test_every_rule_sees_the_bounds_of_dates(example_dispute: Path) -> None:
    own_rule(example_dispute, "aaa", "?s ?any ?o FILTER(CONTAINS(STR(?any), 'Earliest'))")
    counts, lines = derived(example_dispute)
    assert 0 < counts["aaa"] < counts["time-bounds"]
    assert any(f"<{BASE}aaa>" in line for line in lines)


def test_rules_of_the_project_that_ask_for_dates_wait_for_them() -> None:
    rules = catalogue(None, "derive")
    waiting = {name for name, rule in rules.items() if "time-bounds" in _before(rule)}
    asking = {name for name, rule in rules.items() if "Earliest" in rule.text}
    assert asking
    assert asking <= waiting < set(rules)
