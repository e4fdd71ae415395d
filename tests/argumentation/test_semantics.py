"""Each semantics against its definition, on every shape of small framework."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kg.argumentation import semantics
from kg.argumentation.formats import read_af, to_apx
from kg.argumentation.framework import Framework
from kg.argumentation.grounded import ACCEPTED, REJECTED, UNDECIDED, grounded
from kg.argumentation.semantics import SEMANTICS, positions
from kg.errors import EngineError
from tests.argumentation.brute import Brute

Pairs = list[tuple[int, int]]


def framework_of(count: int, attacks: Pairs) -> Framework:
    return Framework([f"a{number}" for number in range(count)], attacks)


@st.composite
def frameworks(draw: st.DrawFn, most: int = 7) -> Framework:
    """Up to ``most`` arguments, attacks of any kind: self-attacks, cycles, none, all, repeated."""
    count = draw(st.integers(0, most))
    if not count:
        return framework_of(0, [])
    ends = st.integers(0, count - 1)
    return framework_of(count, draw(st.lists(st.tuples(ends, ends), max_size=3 * count)))


EMPTY = framework_of(0, [])
ISOLATED = framework_of(3, [])
SELF = framework_of(1, [(0, 0)])
ODD = framework_of(3, [(0, 1), (1, 2), (2, 0)])
EVEN = framework_of(4, [(0, 1), (1, 2), (2, 3), (3, 0)])
# A self-attacker that hinders, a pair that conflicts, and what both of the pair attack.
FLOATING = framework_of(5, [(0, 1), (1, 0), (0, 2), (1, 2), (2, 3), (4, 4), (4, 3)])


def found(framework: Framework, name: str) -> set[frozenset[int]]:
    every = list(positions(framework, name).extensions())
    assert all(one == sorted(set(one)) for one in every)
    assert len(every) == len({tuple(one) for one in every}), "an extension twice"
    return set(map(frozenset, every))


def on_all(test):
    for framework in (EMPTY, ISOLATED, SELF, ODD, EVEN, FLOATING):
        test = example(framework)(test)
    return settings(max_examples=150, deadline=None)(given(frameworks())(test))


@on_all
def test_complete_are_the_conflict_free_fixpoints(framework: Framework) -> None:
    oracle = Brute(framework)
    every = found(framework, "complete")
    assert every == oracle.complete()
    assert all(oracle.conflict_free(one) and oracle.admissible(one) for one in every)
    assert all(oracle.defended(one) == one for one in every)


@on_all
def test_grounded_is_the_least_complete(framework: Framework) -> None:
    oracle = Brute(framework)
    (only,) = found(framework, "grounded")
    assert only == oracle.grounded()
    assert only in oracle.complete()
    assert all(only <= other for other in oracle.complete())


@on_all
def test_preferred_are_the_largest_admissible_and_the_largest_complete(
    framework: Framework,
) -> None:
    oracle = Brute(framework)
    every = found(framework, "preferred")
    assert every == oracle.preferred()
    complete = found(framework, "complete")
    assert every == {one for one in complete if not any(one < other for other in complete)}


@on_all
def test_stable_attack_everything_else(framework: Framework) -> None:
    oracle = Brute(framework)
    every = found(framework, "stable")
    assert every == oracle.stable()
    assert every <= found(framework, "preferred")


@on_all
def test_what_every_and_what_some_position_accepts(framework: Framework) -> None:
    for name in SEMANTICS:
        every = found(framework, name)
        shared, some = positions(framework, name).shared()
        assert set(some) == set().union(*every)
        assert set(shared) == (set.intersection(*map(set, every)) if every else set())


@on_all
def test_the_log_of_the_grounded_position_is_a_proof(framework: Framework) -> None:
    """Each step stands on earlier ones only, and what has no step cannot have one."""
    result = grounded(framework)
    rounds: dict[int, int] = {}
    for step in result.log():
        if step.label == ACCEPTED:
            assert set(step.by) == set(framework.attackers(step.argument))
            assert all(rounds[one] < step.round for one in step.by)
            assert all(result.labels[one] == REJECTED for one in step.by)
        else:
            assert step.by
            assert all(result.labels[one] == ACCEPTED for one in step.by)
            assert all(rounds[one] <= step.round for one in step.by)
        rounds[step.argument] = step.round
    assert sorted(rounds.values()) == list(rounds.values())
    for argument in result.having(UNDECIDED):
        step = result.step(argument)
        assert step.round == 0
        assert step.by, "undecided without an undecided attacker"
        labels = {result.labels[one] for one in framework.attackers(argument)}
        assert ACCEPTED not in labels


@settings(max_examples=60, deadline=None)
@given(frameworks(most=6), st.integers(1, 4))
def test_a_limit_finds_some_of_them_and_says_so(framework: Framework, limit: int) -> None:
    for name in ("preferred", "stable", "complete"):
        whole = positions(framework, name)
        cut = positions(framework, name, limit)
        assert cut.more == any(len(knot.extensions) > limit for knot in whole.knots)
        assert {tuple(one) for one in cut.extensions()} <= {
            tuple(one) for one in whole.extensions()
        }
        assert all(len(knot.extensions) <= limit for knot in cut.knots)


@settings(max_examples=40, deadline=None)
@given(frameworks(most=6))
def test_the_order_of_positions_is_always_the_same(framework: Framework) -> None:
    for name in SEMANTICS:
        once, again = (list(positions(framework, name).extensions()) for _ in range(2))
        assert once == again


def test_the_classic_shapes_by_hand() -> None:
    assert found(EMPTY, "preferred") == found(EMPTY, "stable") == {frozenset()}
    assert found(ISOLATED, "grounded") == {frozenset({0, 1, 2})}
    assert found(SELF, "preferred") == {frozenset()}
    assert found(SELF, "stable") == set()
    assert found(ODD, "preferred") == found(ODD, "complete") == {frozenset()}
    assert found(ODD, "stable") == set()
    assert found(EVEN, "preferred") == {frozenset({0, 2}), frozenset({1, 3})}
    assert found(EVEN, "grounded") == {frozenset()}


# Written as the competition writes its instances: numbers from 1, comments, no names.
INSTANCES = {
    "a chain of five": "p af 5\n# each attacks the next\n1 2\n2 3\n3 4\n4 5\n",
    "two pairs and a bystander": "p af 5\n1 2\n2 1\n3 4\n4 3\n",
    "an odd cycle fed by an even one": "p af 5\n1 2\n2 1\n2 3\n3 4\n4 5\n5 3\n",
    "self-attackers in a ring": "p af 4\n1 1\n1 2\n2 3\n3 1\n4 4\n4 2\n",
    "reinstatement twice": "p af 6\n1 2\n2 3\n4 5\n5 6\n3 6\n6 3\n",
    "a floating conclusion": "p af 4\n1 2\n2 1\n1 3\n2 3\n3 4\n",
    "all against all": "p af 4\n" + "".join(f"{a} {b}\n" for a in range(1, 5) for b in range(1, 5)),
}
PYGARG = {"grounded": "GR", "preferred": "PR", "stable": "ST", "complete": "CO"}


def by_pygarg(framework: Framework, name: str, folder: Path) -> set[frozenset[str]]:
    """Ask another program, through the file it reads."""
    from pygarg.dung import apx_parser, solver

    path = folder / "framework.apx"
    path.write_text("\n".join(to_apx(framework)) + "\n", encoding="utf-8")
    arguments, attacks = apx_parser.parse(path)
    every = solver.extension_enumeration(arguments, attacks, PYGARG[name])
    return {frozenset(one) for one in every}


@pytest.mark.parametrize("name", SEMANTICS)
@pytest.mark.parametrize("instance", INSTANCES)
def test_as_pygarg_on_written_instances(instance: str, name: str, tmp_path: Path) -> None:
    numbered = read_af(INSTANCES[instance].splitlines())
    framework = framework_of(len(numbered), list(numbered.attacks()))
    ours = {frozenset(f"a{one}" for one in extension) for extension in found(framework, name)}
    assert ours == by_pygarg(framework, name, tmp_path)


@pytest.mark.parametrize("name", SEMANTICS)
def test_as_pygarg_on_random_frameworks(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("apx")

    @settings(max_examples=60, deadline=None)
    @given(frameworks(most=9).filter(len))
    def agree(framework: Framework) -> None:
        ours = {frozenset(f"a{one}" for one in extension) for extension in found(framework, name)}
        assert ours == by_pygarg(framework, name, folder)

    agree()


def test_without_clingo_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "clingo", None)
    with pytest.raises(EngineError) as error:
        semantics.positions(ISOLATED, "preferred")
    assert "counterclaim[positions]" in str(error.value)
    assert semantics.positions(EVEN, "grounded").count == 1


def test_an_unknown_semantics_is_refused() -> None:
    with pytest.raises(ValueError, match="ideal"):
        positions(EMPTY, "ideal")
