"""``kg build`` as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from kg import pipeline, preparing
from kg.cli.main import cli, main


def test_a_summary_on_standard_output(example_dispute: Path) -> None:
    result = CliRunner().invoke(cli, ["--dispute", str(example_dispute), "build"])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "Who wrote the parser"
    rows = {tuple(line.rsplit(None, 1)) for line in lines}
    assert {("assertions", "4"), ("  of them relays", "2"), ("documents", "1")} <= rows
    assert "snapshot" in result.stderr


def test_json(example_dispute: Path) -> None:
    result = CliRunner().invoke(
        cli, ["--dispute", str(example_dispute), "build", "--format", "json"]
    )
    report = json.loads(result.stdout)
    assert report["propositions"] == 1
    assert Path(report["path"]).is_dir()


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("kg:denies :p1 ;", "kg:denies :p1", 2, ["malformed Turtle", "doc.ttl:"]),
        ("    kg:speaker :ana ;\n", "", 1, ["does not conform", "doc.ttl:", "kg validate"]),
        ('"2023-04-02"', '"2023-04-32"', 2, ["not an EDTF date", "doc.ttl:"]),
    ],
)
def test_bad_sources(
    example_dispute: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
    code: int,
    words: list[str],
) -> None:
    file = example_dispute / "statements" / "doc.ttl"
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    monkeypatch.setattr("sys.argv", ["kg", "--dispute", str(example_dispute), "build"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == code
    out, err = capsys.readouterr()
    assert not out
    assert all(word in err for word in words), err
    assert "Traceback" not in err


def test_an_unknown_dispute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["kg", "--dispute", "lama-mmap", "build"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "no dispute 'lama-mmap'" in capsys.readouterr().err


def test_the_help_ends_in_an_example() -> None:
    result = CliRunner().invoke(cli, ["build", "--help"])
    assert "Example: kg build" in result.stdout


@pytest.mark.parametrize("verb", ["build", "validate"])
def test_jobs_change_nothing_but_the_time(
    example_dispute: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    for module in (pipeline, preparing):
        monkeypatch.setattr(module, "fits_in_memory", lambda _: False)
    file = example_dispute / "statements" / "doc.ttl"
    file.write_text(file.read_text("utf-8").replace("    kg:speaker :ana ;\n", ""), "utf-8")
    results = [
        CliRunner().invoke(cli, ["--dispute", str(example_dispute), verb, "--jobs", str(jobs)])
        for jobs in (1, 2)
    ]
    assert results[0].exit_code == results[1].exit_code == 1
    assert results[0].output == results[1].output
    assert str(results[0].exception) == str(results[1].exception)


def test_no_jobs_at_all(example_dispute: Path) -> None:
    result = CliRunner().invoke(cli, ["--dispute", str(example_dispute), "build", "--jobs", "0"])
    assert result.exit_code == 2
    assert "--jobs" in result.output
