"""The words that are ours judge nobody, and the brief is exactly what it was when last read."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from kg.brief.markdown import as_markdown
from tests.brief.conftest import Made

BRIEF = Path(__file__).resolve().parents[2] / "kg" / "brief"
GOLDEN = Path(__file__).resolve().parent / "tideline.md"
LOADED = re.compile(
    r"\b(admit\w*|claims? credit|smear\w*|lie[ds]?|lying|accus\w+|alleg\w+|insist\w*|confess\w*|"
    r"allegedly|so-called|purport\w*|obvious\w*|clear(ly)?|unfortunately|merely|refut\w+|debunk\w*|"
    r"prove[sdn]?|proof|truth|false\w*|wrong\w*|guilty|innocent|victim\w*|attacker'?s)\b",
    re.I,
)


def ours() -> list[tuple[str, str]]:
    """Every text of the package that can be printed: strings that are no docstring and no query."""
    found = []
    for path in sorted(BRIEF.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and id(node) not in docstrings and "?" not in text:
                found.append((path.name, text))
    for path in sorted((BRIEF / "templates").iterdir()):
        text = re.sub(r"\{[{%#].*?[#%}]\}|<[^>]*>", " ", path.read_text("utf-8"), flags=re.S)
        if path.suffix == ".html":
            found.append((path.name, text))
    return found


def test_there_are_words_to_look_at() -> None:
    assert any("not both can hold" in text for _, text in ours())
    assert len(ours()) > 200


def test_no_word_of_ours_judges() -> None:
    # 'true' and 'first' are fine; that nothing follows from what is "true" is said in one note.
    assert [(name, text) for name, text in ours() if LOADED.search(text)] == []


@pytest.mark.parametrize("word", ["She admits it", "a smear", "claims credit", "he lied"])
def test_the_look_out_sees(word: str) -> None:
    assert LOADED.search(word)


def test_the_brief_of_the_invented_dispute_is_as_committed(tideline: Made) -> None:
    """After a change that is meant: ``kg --dispute tideline brief -o tests/brief/tideline.md``."""
    assert as_markdown(tideline.brief) == GOLDEN.read_text("utf-8")


def test_both_parties_stand_in_order_of_name(shipped_brief: Made) -> None:
    """No side comes first because somebody thought it should."""
    lead = shipped_brief.brief.sections[0].parts[0].items[0]
    names = [run.text for run in lead.runs[1:] if run.links and run.text != "."]  # type: ignore[union-attr]
    assert names == sorted(names, key=str.lower)
    assert len(names) == 2
