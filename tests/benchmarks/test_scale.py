"""The measurements behind docs/scale.md run, and say so when they were cut short."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from subprocess import PIPE

import pytest

from tests.benchmarks import scale
from tests.benchmarks.measurements import Watch, measured, processor_time, timed

SMALL = 80


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = scale.made(SMALL, tmp_path_factory.mktemp("scale"))
    assert measured("build", made)["seconds"] > 0
    return made


def test_a_measurement_has_its_time_and_its_memory(folder: Path) -> None:
    found = measured("raw", folder)
    assert found["quads"] == len((folder / "corpus.nq").read_text().splitlines())
    assert found["seconds"] > 0
    assert found["peak_mib"] > 5


def test_child_processes_count() -> None:
    work = "import time\nwhile time.process_time() < 0.5: pass\nm = bytearray(80 << 20)\n"
    children: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        code = f"{work}print(flush=True)\ninput()"
        children.append(subprocess.Popen([sys.executable, "-c", code], stdin=PIPE, stdout=PIPE))
        assert children[0].stdout
        children[0].stdout.readline()

    figures = timed(start)
    watch = Watch(os.getpid())
    time.sleep(0.6)
    assert watch.ended() > 80
    assert figures["seconds"] >= 0.4  # while the child lives, and after it was waited for
    assert figures["wall"] >= 0.4
    before = processor_time()
    children[0].communicate(b"\n")
    assert abs(processor_time() - before) < 0.4


def test_what_passes_its_allowance_is_ended_and_said_to_be_over(folder: Path) -> None:
    measured("dump", folder)
    found = measured("pyshacl", folder, allowance=0.5)
    assert found["over"] == 0.5
    assert "seconds" not in found


def test_a_measurement_that_fails_says_why(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "seconds" not in measured("first_row", folder, "no-such-question")
    assert "no-such-question" in capsys.readouterr().err


def test_kept_figures_become_tables_without_being_measured_again(tmp_path: Path) -> None:
    def figures(times: float) -> dict[str, dict[str, object]]:
        stages = dict.fromkeys(scale.STAGES, times)
        return {
            "raw": {"seconds": times, "quads": 10},
            "raw_all": {"seconds": times, "wall": times, "quads": 20, "peak_mib": 5.0},
            "build": {
                "seconds": 5 * times,
                "wall": 3 * times,
                "stages": stages,
                "peak_mib": 7.0,
            },
            "scan": {"seconds": times},
            "compiled": {"seconds": times, "peak_mib": 10.0},
            "questions": {"bound": {"claims-by": 0.002}},
            "list claims": {"over": 5.0},
            "list credit": {"seconds": 0.25},
            "pyshacl": {"over": 40 * times, "peak_mib": 40.0},
            "done": {},
        }

    path = tmp_path / "figures.json"
    path.write_text(json.dumps({"100": figures(1.0), "1000": figures(11.0)}))
    kept = scale.Kept(path)
    lines = []
    for line in scale.tables([100, 1000], 1000, 40.0, tmp_path, kept):
        lines.append(line)
        if "whole process" in line:
            break
    assert "| build, to raw bulk_load of all quads | 5.00 | 5.00 |" in lines
    clock = "build, time of the clock, to raw bulk_load of all quads"
    assert f"| {clock} | 3.00 | 3.00 |" in lines
    assert "| pyshacl, to compiled: time | > 40 | > 40 |" in lines
    assert "| compiled, to pyshacl: peak memory | < 0.25 | < 0.25 |" in lines
    assert "| derive, to the size before | - | 11.0 for 10 |" in lines
    assert "| claims-by | 2 | 2 |" in lines
    assert "| claims | > 5000 | > 5000 |" in lines
    assert "| credit | 250 | 250 |" in lines
