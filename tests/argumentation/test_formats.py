"""Frameworks written for other programs, and read again by them and by ourselves."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kg.argumentation.formats import asp_term, read_af, read_apx, to_af, to_apx
from kg.argumentation.framework import Framework
from kg.argumentation.grounded import grounded
from kg.argumentation.pictures import to_dot, to_mermaid, to_svg
from kg.errors import SourceError

SVG = "{http://www.w3.org/2000/svg}"
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=8)


@st.composite
def named(draw: st.DrawFn) -> Framework:
    names = draw(st.lists(NAMES, unique=True, max_size=6))
    if not names:
        return Framework([], [])
    ends = st.integers(0, len(names) - 1)
    return Framework(names, draw(st.lists(st.tuples(ends, ends), max_size=10)))


ODD_NAMES = Framework(
    ["jarted-144", "a2", "not", "Tunney", 'say "so"', "back\\slash", "1st", "slaren--x--pr-5"],
    [(0, 1), (1, 0), (2, 2), (4, 5), (6, 7)],
)


def by_clingo(lines: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Let the solver itself read the facts; a string's value is the name."""
    import clingo

    control = clingo.Control()
    control.add("base", [], "\n".join(lines))
    control.ground([("base", [])])
    symbols = [atom.symbol for atom in control.symbolic_atoms]

    def name(term: clingo.Symbol) -> str:
        return term.string if term.type == clingo.SymbolType.String else term.name

    arguments = [name(one.arguments[0]) for one in symbols if one.name == "arg"]
    attacks = [tuple(map(name, one.arguments)) for one in symbols if one.name == "att"]
    return arguments, attacks


@settings(deadline=None)
@example(ODD_NAMES)
@given(named())
def test_clingo_reads_the_names_as_they_are(framework: Framework) -> None:
    arguments, attacks = by_clingo(list(to_apx(framework)))
    names = framework.names
    assert sorted(arguments) == sorted(names)
    assert sorted(attacks) == sorted((names[a], names[b]) for a, b in framework.attacks())


@settings(deadline=None)
@example(ODD_NAMES)
@given(named())
def test_apx_is_read_back(framework: Framework) -> None:
    again = read_apx(to_apx(framework))
    assert again.names == list(framework.names)
    assert list(again.attacks()) == list(framework.attacks())


@settings(deadline=None)
@given(named())
def test_af_is_read_back_by_number(framework: Framework) -> None:
    again = read_af(to_af(framework))
    assert list(again.names) == [str(number + 1) for number in range(len(framework))]
    assert list(again.attacks()) == list(framework.attacks())


def test_only_constants_go_without_quotes() -> None:
    assert asp_term("a2") == "a2"
    assert asp_term("jarted-144") == '"jarted-144"'
    assert asp_term("not") == '"not"'
    assert asp_term("Tunney") == '"Tunney"'


def test_reads_apx_as_others_write_it() -> None:
    text = 'att(a, b).  % the attack first\narg( a ).arg(b).\n\n%arg(c).\narg("x-1"). arg(3).'
    framework = read_apx(text.splitlines())
    assert framework.names == ["a", "b", "x-1", "3"]
    assert list(framework.attacks()) == [(0, 1)]


@pytest.mark.parametrize(
    ("text", "line"),
    [("arg(a).\narg(jarted-144).", 2), ("arg(a)", 1), ("arg(a).\n\natt(a,b).", 3), ("x", 1)],
)
def test_a_broken_apx_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(SourceError) as error:
        read_apx(text.splitlines(), Path("some.apx"))
    assert error.value.where == f"some.apx:{line}"


@pytest.mark.parametrize(
    ("text", "line"),
    [("1 2", 1), ("p af 2\n# one\n1 3", 3), ("p af 2\n0 1", 2), ("p af 2\n1", 2), ("p af x", 1)],
)
def test_a_broken_af_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(SourceError) as error:
        read_af(text.splitlines(), Path("some.af"))
    assert error.value.where == f"some.af:{line}"


def test_an_af_without_its_first_line_is_refused() -> None:
    with pytest.raises(SourceError, match="no line 'p af N'"):
        read_af(["# nothing"])


@settings(deadline=None)
@given(named())
def test_rows_of_a_framework_agree(framework: Framework) -> None:
    pairs = list(framework.attacks())
    assert pairs == sorted(set(pairs))
    assert framework.attack_count == len(pairs)
    for argument in range(len(framework)):
        assert list(framework.attackers(argument)) == [a for a, b in pairs if b == argument]
        assert list(framework.targets(argument)) == [b for a, b in pairs if a == argument]
    parts = framework.components()
    assert sorted(one for part in parts for one in part) == list(range(len(framework)))
    where = {one: place for place, part in enumerate(parts) for one in part}
    assert all(where[a] == where[b] for a, b in pairs)


def test_an_attack_on_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="not there"):
        Framework(["a"], [(0, 1)])
    with pytest.raises(ValueError, match="not there"):
        Framework(["a"], [(-1, 0)])


@settings(deadline=None, max_examples=50)
@example(ODD_NAMES)
@given(named())
def test_pictures_show_every_argument_that_has_to_do_with_another(framework: Framework) -> None:
    labels = grounded(framework).labels
    drawn = {end for pair in framework.attacks() for end in pair}
    svg = "\n".join(to_svg(framework, labels))
    root = ElementTree.fromstring(svg)
    titles = [group.findtext(f"{SVG}title") for group in root.iter(f"{SVG}g")]
    assert len(titles) == len(drawn)
    assert svg == "\n".join(to_svg(framework, labels)), "drawn differently the second time"
    mermaid = list(to_mermaid(framework, labels))
    assert sum(":::" in line for line in mermaid) == len(drawn)
    assert sum("-->" in line and ":::" not in line for line in mermaid) == framework.attack_count
    dot = list(to_dot(framework, labels))
    edges = [line for line in dot if re.fullmatch(r"  n\d+ -> n\d+;", line)]
    assert len(edges) == framework.attack_count


def test_boxes_of_a_picture_do_not_lie_on_one_another() -> None:
    rings = [(a, (a + 1) % 9) for a in range(9)] + [(9, 10), (10, 9), (11, 11)]
    framework = Framework([f"a-rather-long-name-{number}" for number in range(12)], rings)
    root = ElementTree.fromstring("\n".join(to_svg(framework, grounded(framework).labels)))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    boxes = []
    for group in root.iter(f"{SVG}g"):
        box = group.find(f"{SVG}rect")
        assert box is not None
        x, y, w, h = (float(box.attrib[key]) for key in ("x", "y", "width", "height"))
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
        boxes.append((x, y, x + w, y + h))
    for number, (x1, y1, x2, y2) in enumerate(boxes):
        for a1, b1, a2, b2 in boxes[:number]:
            assert x2 <= a1 or a2 <= x1 or y2 <= b1 or b2 <= y1
