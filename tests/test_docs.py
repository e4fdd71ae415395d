"""Every command that the documentation shows is run, and prints what the documentation says.

In README.md and docs/, a fenced block of the language ``console`` is a session at a terminal:

- ``$ `` begins a command, ``> `` goes on with it after a line that ends in a backslash;
- ``# exit 1`` behind a command says with which code it ends, 0 being the rule;
- the lines below are what it prints, standard output and messages together; a line ``...`` stands
  for any number of lines, ``...`` at the end of a line for the rest of it, and without any line the
  output may be anything.

The sessions of a page run in order in one copy of the project, which pages share. Blocks of
the language ``sh`` are not run: they install things, start a server, or ask one that is not there.
They may not call ``kg`` otherwise than with ``serve`` or with the address of a server.

A fenced block of the language ``sparql`` is the file that is named behind that word, and is there
before the sessions of the page begin. One of the language ``turtle`` must be part of the invented
dispute that the guide speaks of, statement by statement.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.dispute import read_dispute
from kg.namespaces import PREFIXES
from kg.query_header import MEANING, TYPES, VIEWS
from kg.settings import shipped

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(
    r"^(?P<fence>```+|~~~+)(?P<language>\w*) *(?P<path>[^\n]*)\n(?P<body>.*?)^(?P=fence)$",
    re.M | re.S,
)
EXIT = re.compile(r"\s+# exit (?P<code>\d+)$")
GAP = "..."
# For one command on a machine that is busy with others.
SECONDS = 300
INLINE = re.compile(r"^\| `(kg [^`]+)` \|", re.M)


@dataclass(frozen=True)
class Block:
    language: str
    body: str
    line: int
    path: str = ""


@dataclass(frozen=True)
class Step:
    """One command of a session: what it must print (``None``: anything) and how it must end."""

    command: str
    printed: tuple[str, ...] | None
    code: int
    line: int


def blocks(text: str) -> Iterator[Block]:
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start("body")) + 1
        yield Block(match["language"], match["body"], line, match["path"].strip())


def steps(block: Block) -> Iterator[Step]:
    lines = block.body.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    assert starts, f"line {block.line}: a session without a command"
    assert starts[0] == 0, f"line {block.line}: output before the first command"
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        command = [lines[start].removeprefix("$ ")]
        rest = start + 1
        while command[-1].endswith("\\") and rest < end and lines[rest].startswith("> "):
            command.append(lines[rest].removeprefix("> "))
            rest += 1
        whole = "\n".join(command)
        ending = EXIT.search(whole)
        printed = list(lines[rest:end])
        while printed and not printed[-1].strip():
            printed.pop()
        yield Step(
            EXIT.sub("", whole),
            tuple(printed) or None,
            int(ending["code"]) if ending else 0,
            block.line + start,
        )


def fits(expected: tuple[str, ...], actual: list[str]) -> bool:
    """Whether lines are as expected, white space at their ends and blank ones at the end aside."""
    text = "".join(f"{line.rstrip()}\n" for line in actual).rstrip("\n") + "\n"
    return re.fullmatch("".join(map(_pattern, expected)), text) is not None


def _pattern(line: str) -> str:
    if line.strip() == GAP:
        return r"(?:[^\n]*\n)*"
    line = line.rstrip()
    start = line.removesuffix(GAP)
    return re.escape(start) + (r"[^\n]*" if start != line else "") + r"\n"


class Terminal:
    """A copy of the project to type commands in, with ``kg`` on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "counterclaim"
        ignored = shutil.ignore_patterns(".kg", "__pycache__")
        for name in ("kg", "ontology", "queries", "data", "tests/disputes"):
            shutil.copytree(ROOT / name, self.folder / name, ignore=ignored)
        programs = folder / "bin"
        programs.mkdir()
        kg = programs / "kg"
        kg.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m kg.cli.main "$@"\n')
        kg.chmod(0o755)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("KG_")}
        self.environment = kept | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder),
            "KG_CACHE": str(folder / "cache"),
            "COLUMNS": "100",
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
        }

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )


def play(page: str, terminal: Terminal) -> list[str]:
    """Run the sessions of a page; return what is not as it says."""
    wrong = []
    for block in blocks(page):
        if block.language == "sparql":
            terminal.write(block.path, block.body)
    for block in blocks(page):
        if block.language != "console":
            continue
        for step in steps(block):
            done = terminal.run(step.command)
            place = f"line {step.line}: $ {step.command}"
            if done.returncode != step.code:
                wrong.append(f"{place}\nexit {done.returncode}, not {step.code}\n{done.stdout}")
                continue
            actual = done.stdout.splitlines()
            if step.printed is not None and not fits(step.printed, actual):
                lines = difflib.unified_diff(step.printed, actual, "shown", "printed", lineterm="")
                wrong.append("\n".join([place, *lines]))
    return wrong


def page_name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return Terminal(tmp_path_factory.mktemp("docs"))


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_what_a_page_shows_is_what_happens(path: Path, terminal: Terminal) -> None:
    wrong = play(path.read_text("utf-8"), terminal)
    assert not wrong, "\n\n".join(wrong)


def test_what_the_readme_tells_to_type_next_works(terminal: Terminal) -> None:
    commands = INLINE.findall((ROOT / "README.md").read_text("utf-8"))
    assert len(commands) > 5
    (terminal.folder / "my.rq").write_text("SELECT ?dispute { ?dispute a kg:Dispute }")
    for command in commands:
        words = command.replace("NAME", "contradictions")
        done = terminal.run(words)
        assert done.returncode == 0, f"$ {words}\n{done.stdout}"


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_no_command_of_ours_escapes_being_run(path: Path) -> None:
    for block in blocks(path.read_text("utf-8")):
        if block.language != "console":
            ours = re.search(r"^(\$ )?kg (?!serve|.*http://localhost)", block.body, re.M)
            assert not ours, f"{path}, line {block.line}"


def test_every_key_of_a_query_and_every_type_of_a_parameter_is_explained() -> None:
    page = (ROOT / "docs" / "queries.md").read_text("utf-8")
    for key in MEANING:
        assert f"| `{key}` |" in page
    for name in (*TYPES, *VIEWS):
        assert f"`{name}`" in page


def statements(turtle: str) -> set[tuple[str, str, str]]:
    """The triples of a Turtle text; its blank nodes are selectors and count as one."""
    dispute = read_dispute(shipped("data") / "tideline")
    head = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
    head += f"@prefix : <{dispute.base}> .\n"
    found = set()
    for quad in ox.parse(head + turtle, format=ox.RdfFormat.TURTLE):
        subject, predicate, value = (
            "[]" if isinstance(term, ox.BlankNode) else str(term)
            for term in (quad.subject, quad.predicate, quad.object)
        )
        found.add((subject, predicate, value))
    return found


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_turtle_is_quoted_from_the_invented_dispute(path: Path) -> None:
    shown = [block for block in blocks(path.read_text("utf-8")) if block.language == "turtle"]
    if not shown:
        return
    whole = set()
    for source in read_dispute(shipped("data") / "tideline").sources:
        whole |= statements(source.path.read_text("utf-8"))
    for block in shown:
        assert statements(block.body) <= whole, f"{path}, line {block.line}"


def test_a_wrong_session_is_caught(terminal: Terminal) -> None:
    page = "```console\n$ echo one; echo two; echo three\none\n...\nthree\n$ false  # exit 1\n```\n"
    assert play(page, terminal) == []
    assert len(play(page.replace("three\n$", "four\n$"), terminal)) == 1
    assert len(play(page.replace("  # exit 1", ""), terminal)) == 1
    assert len(play(page.replace("...", "...\n..."), terminal)) == 0
    assert len(play(page.replace("...\n", ""), terminal)) == 1
    assert len(play(page.replace("three\n$", "th...\n$"), terminal)) == 0
    assert len(play("```console\n$ echo a \\\n> b\na c\n```\n", terminal)) == 1


def test_lines_are_counted_in_the_page() -> None:
    [block] = blocks("A page.\n\n```console\n$ true\n$ false  # exit 1\n```\n")
    assert [(step.line, step.code) for step in steps(block)] == [(4, 0), (5, 1)]
