"""``kg brief`` and ``kg report`` as a person runs them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kg.settings import shipped

Kg = Callable[..., Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The invented dispute, where snapshots may be written; the tests share them."""
    made = tmp_path_factory.mktemp("brief") / "tideline"
    shutil.copytree(shipped("data") / "tideline", made, ignore=shutil.ignore_patterns(".kg"))
    return made


def test_markdown_is_what_one_gets_without_asking(kg: Kg, folder: Path) -> None:
    done = kg("--dispute", folder, "brief")
    assert done.code == 0
    assert done.out.startswith("# Who wrote the solver of tideline\n")
    assert "[^letter-04]: " in done.out


def test_a_file_is_written_whole(kg: Kg, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "brief.html"
    done = kg("--dispute", folder, "brief", "--format", "html", "-o", file)
    assert (done.code, done.out, done.err) == (0, "", f"Wrote {file}.\n")
    assert file.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".kg-")] == []


def test_a_folder_that_is_not_there_is_told(kg: Kg, folder: Path, tmp_path: Path) -> None:
    done = kg("--dispute", folder, "brief", "-o", tmp_path / "none" / "brief.md")
    assert done.code == 2
    assert "cannot write" in done.err
    assert "Traceback" not in done.err


def test_two_runs_give_the_same(kg: Kg, folder: Path) -> None:
    for format in ("md", "html"):
        first = kg("--dispute", folder, "brief", "--format", format).out
        assert kg("--dispute", folder, "brief", "--format", format).out == first


def test_the_report_fits_a_screen(kg: Kg, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    done = kg("--dispute", folder, "report")
    lines = done.out.splitlines()
    assert done.code == 0
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    assert lines[8].split() == ["side", "of", "Bram", "Saltmarsh", "22", "1", "7", "3"]
    assert lines[9].split() == ["side", "of", "Orla", "Quillfeather", "27", "0", "4", "1"]
    assert [line for line in lines if line.startswith("- [letter-04]")]


def test_the_report_of_the_real_dispute_fits_too(
    kg: Kg, monkeypatch: pytest.MonkeyPatch, made_report: str
) -> None:
    lines = made_report.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100


@pytest.fixture
def made_report() -> str:
    from kg.brief.screen import as_text
    from kg.brief.summary import summary
    from kg.dispute import open_dispute
    from kg.preparing import staged

    dispute = open_dispute("llama-mmap")
    return as_text(summary(staged(dispute), dispute), 100)


def test_the_report_as_json_counts_what_the_queries_count(kg: Kg, folder: Path) -> None:
    report = json.loads(kg("--dispute", folder, "report", "--format", "json").out)
    assert report["counts"]["statements"] == 53
    assert report["counts"]["contradictions"] == 14
    assert report["counts"]["matters contradicted"] == 9
    assert len(report["conflicts"]) == 5
    balance = {one["name"]: one for one in report["balance"]}
    unanswered = json.loads(kg("--dispute", folder, "query", "unanswered", "--format", "json").out)
    rows = len(unanswered["results"]["bindings"])
    assert sum(one["unanswered"] or 0 for one in balance.values()) == rows
    assert sum(one["statements"] for one in balance.values()) == 53
    assert balance["others"]["answered"] is None


def test_the_report_as_markdown(kg: Kg, folder: Path) -> None:
    text = kg("--dispute", folder, "report", "--format", "md").out
    assert "| statements | 53 |" in text
    assert "| side of Bram Saltmarsh | 22 | 1 | 7 | 3 |" in text
