"""What holds for every verb, whatever its input and output are: said in a real process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

KG = [sys.executable, "-m", "kg.cli.main", "--dispute", "tideline"]
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.is_char_device(), reason="this system has no /dev/full")


@needs_full
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["queries"],
        ["query", "speakers"],
        ["query", "speakers", "--format", "json"],
        ["show", "letter-01"],
        ["documents", "list"],
        ["passages", "coverage"],
        ["validate"],
        ["build"],
    ],
    ids=" ".join,
)
def test_an_answer_that_cannot_be_written_is_an_error_and_no_traceback(
    arguments: list[str],
) -> None:
    with FULL.open("w") as full:
        done = subprocess.run([*KG, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert "kg: cannot write the answer: No space left on device\n" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("arguments", [["queries"], ["query", "timeline"]])
def test_a_reader_that_has_gone_is_no_failure(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*KG, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("closed", "arguments", "code"),
    [
        ("<&-", ["query", "speakers"], 0),
        (">&-", ["query", "speakers"], 0),
        ("2>&-", ["query", "speakers"], 0),
        ("<&- >&- 2>&-", ["query", "speakers"], 0),
        ("<&-", ["query", "-"], 2),
        (">&- 2>&-", ["query", "no-such-query"], 2),
    ],
)
def test_a_closed_stream_is_no_reason_to_break(
    closed: str, arguments: list[str], code: int
) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *KG, *arguments], capture_output=True, text=True
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_an_interrupt_while_loading_leaves_no_traceback(tmp_path: Path) -> None:
    # What is loaded first stands in for a user's Ctrl-C.
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "kg", "--help"], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


INTERRUPTED = """
from kg import preparing
from kg.__main__ import main

def derive(engine, *_):
    endless = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
    engine.foresee([endless, endless + "#"])
    print("now", flush=True)
    list(engine.query(endless).rows)

preparing.fits_in_memory = lambda _: False
preparing.derive = derive
main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_who_is_ended_leaves_no_files_and_no_processes(
    example_dispute: Path, tmp_path: Path, number: signal.Signals
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    arguments = ["--dispute", str(example_dispute), "validate", "--jobs", "2"]
    running = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, *arguments],
        env=os.environ | {"TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background ignores some of them, and so would this.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    try:
        assert running.stdout
        assert running.stdout.readline() == "now\n"
        assert list(place.iterdir())
        running.send_signal(number)
        _, err = running.communicate(timeout=20)  # readers would hold its standard error open
    finally:
        running.kill()
    assert running.returncode == 128 + number
    assert "Traceback" not in err
    assert not list(place.iterdir())


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "kg", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split(",")[0]) == (0, "kg")
