"""The container file and the unit of the documentation, without a container or systemd.

Their commands run with their environment, and can write no file but below ``/tmp``, neither in the
dispute's folder nor in a home. What ``/tmp`` is there is a folder of the test's here.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kg.dispute import read_dispute
from kg.pipeline import build
from tests.skips import NO_NAMESPACES

from .conftest import EXAMPLE, PATIENCE, PROJECT, Server, children, end, wait_for
from .read_only import IMPOSSIBLE
from .test_examples import PAGE, block, unit

SCRIPT = str(Path(__file__).with_name("read_only.py"))
COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"


def instructions() -> dict[str, str]:
    """The instructions of the file that matter once the image is built."""
    found = dict(line.split(None, 1) for line in block("dockerfile").splitlines())
    return {name: found[name] for name in ("ENV", "CMD")}


def run_options() -> list[str]:
    """The options of the documented ``docker run``."""
    (line,) = re.findall(r"^docker run (.*)$", PAGE, re.M)
    return shlex.split(line)


class Container:
    """What stands for the file system that a container sees."""

    def __init__(self, folder: Path) -> None:
        options = run_options()
        assert "--read-only" in options
        (self.inside,) = (options[n + 1] for n, one in enumerate(options) if one == "--tmpfs")
        (volume,) = (options[n + 1] for n, one in enumerate(options) if one == "-v")
        self.log = folder / "log"
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        self.dispute = folder / "dispute"
        shutil.copytree(EXAMPLE, self.dispute, ignore=shutil.ignore_patterns(".kg"))
        self._places = {volume.partition(":")[2]: self.dispute, self.inside: self.scratch}

    def start(self, *without: str) -> Server:
        """Run the command of the file; variables of ``without`` are left out, ``TMPDIR`` too."""
        told = instructions()
        given = dict(pair.split("=", 1) for pair in shlex.split(told["ENV"]))
        assert {path for path in given.values() if path in self._places}, "the dispute"
        given = {name: self._place(value) for name, value in given.items() if name not in without}
        if "TMPDIR" in without:
            given["TMPDIR"] = "/nonexistent"
        return self.run(json.loads(told["CMD"]), given)

    def run(self, command: list[str], given: dict[str, str]) -> Server:
        """Run a command with these variables."""
        program, *arguments = command
        assert Path(program).name == "kg"
        kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "HOME": "/nonexistent"}
        kept["TMPDIR"] = str(self.scratch)
        python = [sys.executable, SCRIPT, str(self.scratch), sys.executable, "-m", "kg"]
        with self.log.open("wb") as stream:
            process = subprocess.Popen(
                [*python, *arguments, "--port", "0", "--workers", "2"],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=kept | given,
            )
        return Server(process, self.log)

    def _place(self, path: str) -> str:
        for inside, outside in self._places.items():
            if path == inside or path.startswith(f"{inside}/"):
                return str(outside) + path.removeprefix(inside)
        return path


@pytest.fixture
def container(tmp_path: Path) -> Container:
    if sys.platform != "linux":
        pytest.skip("mount namespaces are Linux's")
    (tmp_path / "probe").mkdir()
    probe = [sys.executable, SCRIPT, str(tmp_path / "probe"), "/bin/true"]
    if subprocess.run(probe, check=False, capture_output=True).returncode == IMPOSSIBLE:
        pytest.skip(NO_NAMESPACES)
    return Container(tmp_path)


def test_the_container_serves_and_stops_as_documented(container: Container) -> None:
    server = container.start()
    try:
        wait_for(lambda: "is at" in server.log.read_text() or server.process.poll() is not None)
        assert server.process.poll() is None, server.log.read_text()
        server.wait_until_ready()
        assert server.request("/ready").json()["status"] == "ready"
        assert int(server.query(COUNT).rows[0]["n"]) > 100
        # It wrote, and what it wrote is in memory.
        assert not list(container.dispute.glob(".kg"))
        assert not list(container.scratch.iterdir()), "which is hidden from here"
        below = Path(f"/proc/{server.process.pid}/root{container.scratch}")
        assert list(below.rglob("manifest.json"))
        others = children(server.process.pid)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0
        assert '"path": "/ready"' in server.log.read_text()
        wait_for(lambda: not set(others) & set(children(1)))
    finally:
        end(server)


def test_the_unit_serves_what_has_been_built_and_writes_nothing(container: Container) -> None:
    service = unit()["Service"]
    assert (service["ProtectSystem"], service["PrivateTmp"]) == ("strict", "yes")
    name, _, folder = service["Environment"].partition("=")
    assert folder == service["ReadOnlyPaths"]
    build(read_dispute(container.dispute))
    before = sorted(container.dispute.rglob("*"))
    server = container.run(shlex.split(service["ExecStart"]), {name: str(container.dispute)})
    try:
        server.wait_until_ready()
        assert int(server.query(COUNT).rows[0]["n"]) > 100
        assert server.workers()
    finally:
        end(server)
    assert server.process.returncode == 0
    assert sorted(container.dispute.rglob("*")) == before


@pytest.mark.parametrize(
    ("lacking", "named"),
    [(["KG_CACHE"], {"KG_CACHE"}), (["TMPDIR"], {"TMPDIR"}), (["KG_CACHE", "TMPDIR"], None)],
)
def test_without_a_place_to_write_it_says_which(
    container: Container, lacking: list[str], named: set[str] | None
) -> None:
    server = container.start(*lacking)
    assert server.process.wait(PATIENCE) == 2
    said = server.log.read_text()
    assert "Read-only file system" in said or "No usable temporary directory" in said
    assert set(re.findall(r"KG_CACHE|TMPDIR", said)) == (named or {"KG_CACHE", "TMPDIR"})
    assert "Traceback" not in said


def test_what_has_been_built_needs_a_folder_for_temporary_files(container: Container) -> None:
    build(read_dispute(container.dispute))
    server = container.start("KG_CACHE", "TMPDIR")
    assert server.process.wait(PATIENCE) == 2
    said = server.log.read_text()
    assert "could not start: No usable temporary directory" in said
    assert "Set TMPDIR" in said
    assert "KG_CACHE" not in said


def test_the_container_is_given_the_time_to_finish() -> None:
    """Docker kills after ten seconds, which is what a query alone may take."""
    options = run_options()
    assert int(options[options.index("--stop-timeout") + 1]) > 15
