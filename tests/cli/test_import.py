"""``kg import git`` from the command line: output, files, exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest

from tests.imports.repositories import CommitSpec, make_repository

BASE = "https://example.org/d/"


def kg(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kg.cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=cwd,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_repository(
        tmp_path / "parser",
        [CommitSpec("one", "Grüße", {"a": "a\n"}), CommitSpec("two", files={"a": "b\n"})],
        pulls={7: "two"},
    )
    return tmp_path / "parser"


def count(text: bytes | str) -> int:
    raw = text.encode("utf-8") if isinstance(text, str) else text
    return sum(1 for _ in ox.parse(raw, format=ox.RdfFormat.TURTLE))


def test_to_standard_output(folder: Path) -> None:
    done = kg("import", "git", folder, "--base", BASE, "--url", "https://example.org/ana/parser")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "Grüße" in done.stdout
    assert ":repo-parser a kg:Repository" in done.stdout
    assert count(done.stdout) > 20


def test_a_record_without_an_address_is_told_what_it_lacks(folder: Path) -> None:
    done = kg("import", "git", folder, "--base", BASE)
    assert done.returncode == 0
    assert "--url" in done.stderr


def test_to_a_file(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.ttl"
    done = kg("import", "git", folder, "--base", BASE, "-o", target)
    assert (done.returncode, done.stdout) == (0, "")
    assert "Wrote" in done.stderr
    assert target.read_text("utf-8") == kg("import", "git", folder, "--base", BASE).stdout


def test_the_base_is_the_disputes(folder: Path, example_dispute: Path) -> None:
    done = kg("--dispute", example_dispute, "import", "git", folder, "--commit", "main")
    assert done.returncode == 0
    assert "@prefix : <https://w3id.org/counterclaim/example/> ." in done.stdout


def test_a_note_goes_to_standard_error(folder: Path) -> None:
    done = kg("import", "git", folder, "--base", BASE, "--pull", "7")
    assert done.returncode == 0
    assert "Pull request 7 adds no commit" in done.stderr
    assert count(done.stdout) > 0


@pytest.mark.parametrize(
    "options",
    [
        ["--commit", "nope"],
        ["--commit=--all"],
        ["--range", "main"],
        ["--pull", "x"],
        ["--pull", "8"],
        ["--branch", "nope"],
        ["--url", "file:///x"],
        ["--record", "a b"],
        ["--no-such-option"],
        ["-o", "/nowhere/at/all.ttl"],
    ],
)
def test_bad_input_is_said_without_a_traceback(folder: Path, options: list[str]) -> None:
    done = kg("import", "git", folder, "--base", BASE, *options)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_a_failed_import_leaves_the_old_file(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.ttl"
    target.write_text("old")
    assert kg("import", "git", folder, "--base", "bad", "-o", target).returncode == 2
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".kg-")] == []


def test_the_help_ends_in_an_example() -> None:
    for words in (["import", "--help"], ["import", "git", "--help"]):
        done = kg(*words)
        assert done.returncode == 0
        assert "Example: kg import git" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_said(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kg.cli.main", "import", "git", str(folder), "--base", BASE],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "Cannot write to standard output" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_no_file_is_written_to_and_not_replaced(folder: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Opened for both, so that neither side waits for the other; the record fits into a pipe.
    end = os.open(pipe, os.O_RDWR)
    done = kg("import", "git", folder, "--base", BASE, "-o", pipe)
    assert done.returncode == 0, done.stderr
    assert pipe.is_fifo()
    assert count(os.read(end, 65_536)) > 10
    os.close(end)


def test_a_link_stays_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "record.ttl"
    link.symlink_to(Path("elsewhere") / "record.ttl")
    assert kg("import", "git", folder, "--base", BASE, "-o", link).returncode == 0
    assert link.is_symlink()
    assert count((tmp_path / "elsewhere" / "record.ttl").read_bytes()) > 10
