"""``kg serve`` as a person starts it; what it serves is tested in tests/server."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kg.cli.main import cli
from kg.cli.serve import serve
from kg.errors import EngineError


def test_help_ends_in_an_example() -> None:
    done = CliRunner().invoke(cli, ["serve", "--help"])
    assert done.exit_code == 0
    assert "Example: kg serve" in done.output


def test_an_address_in_use_is_an_error_that_helps(example_dispute: Path) -> None:
    pytest.importorskip("uvicorn")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(cli, ["--dispute", str(example_dispute), "serve", "--port", port])
    assert isinstance(done.exception, EngineError)
    assert port in done.exception.message
    assert "--port" in (done.exception.hint or "")


@pytest.mark.parametrize(
    "host",
    ["", " ", "nothing.invalid", "256.1.1.1", "::zz", "[::zz]", "192.0.2.1", "a" * 70],
)
def test_an_address_that_cannot_be_had_is_an_error_that_helps(
    example_dispute: Path, host: str
) -> None:
    pytest.importorskip("uvicorn")
    arguments = ["--dispute", str(example_dispute), "serve", "--port", "0", "--host", host]
    done = CliRunner().invoke(cli, arguments)
    assert isinstance(done.exception, EngineError)
    assert "cannot listen on" in done.exception.message
    assert "(while" not in done.exception.message
    assert "--host" in (done.exception.hint or "")
    assert not (example_dispute / ".kg").exists(), "nothing was built before"


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_ipv6_address(example_dispute: Path, tmp_path: Path, host: str) -> None:
    pytest.importorskip("uvicorn")
    from tests.server.conftest import PROJECT, end, wait_for
    from tests.server.conftest import Server as Running

    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    log = tmp_path / "log"
    arguments = ["--dispute", str(example_dispute), "serve", "--port", "0", "--workers", "1"]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "kg.cli.main", *arguments, "--host", host],
            stderr=stream,
            env=os.environ | {"PYTHONPATH": str(PROJECT), "KG_CACHE": str(tmp_path / "cache")},
        )
    try:
        wait_for(lambda: process.poll() is not None or "/sparql" in log.read_text())
        (address,) = re.findall(r"is at (http://\[::1\]:[0-9]+/)sparql", log.read_text())
        with urllib.request.urlopen(f"{address}sparql?query=ASK%7B%7D") as answer:
            assert json.loads(answer.read())["boolean"] is True
        with urllib.request.urlopen(f"{address}sparql") as answer:
            assert f"<{address}sparql>" in answer.read().decode()
        wait_for(lambda: '"client": "::/64"' in log.read_text())  # as one of its network
    finally:
        end(Running(process, log))


@pytest.mark.parametrize(
    "base",
    [
        "ftp://a.example/",
        "nothing",
        "http://a.example/?q",
        "http://a.example/#x",
        "http://[::1",
        "http://[::g]/",
        "http://a.example:99999/",
        "http://a.example:0/",
        "http://a.example:x/",
        "http://u:p@a.example/",
        "http:///x",
        "http://a.example/a b",
        'http://a.example/"',
        "http://a.example/'",
        "http://a.example/{x}/",
        "http://a.example/../",
    ],
)
def test_a_base_that_is_no_address(example_dispute: Path, base: str) -> None:
    pytest.importorskip("uvicorn")
    arguments = ["--dispute", str(example_dispute), "serve", "--port", "0", "--base", base]
    done = CliRunner().invoke(cli, arguments)
    assert isinstance(done.exception, EngineError)
    assert "--base" in done.exception.message


@pytest.mark.parametrize(
    "option",
    [
        ("--timeout", "0"),
        ("--timeout", "inf"),
        ("--timeout", "nan"),
        ("--timeout", "-inf"),
        ("--workers", "0"),
        ("--port", "70000"),
        ("--memory", "383"),
        ("--memory", "8796093022208"),
    ],
)
def test_limits_that_make_no_sense_are_refused(option: tuple[str, str]) -> None:
    assert CliRunner().invoke(cli, ["serve", *option]).exit_code == 2


@pytest.mark.parametrize(
    ("memory", "said"), [(256 << 20, "memory"), (1 << 63, "too large")], ids=["little", "much"]
)
def test_a_start_that_fails_says_why(example_dispute: Path, memory: int, said: str) -> None:
    pytest.importorskip("uvicorn")
    from kg.dispute import read_dispute
    from kg.pipeline import open_current
    from kg.snapshot import roots

    dispute = read_dispute(example_dispute)
    open_current(dispute).close()
    # In a process of its own, since a server changes what its process does with signals.
    script = f"""
import sys
from pathlib import Path
from kg.errors import EngineError
from kg.server.app import create_app
from kg.server.wire.limits import Limits
from kg.server.run import listen, serve
from kg.server.site import Identity
folders = tuple(map(Path, {list(map(str, roots(dispute)))!r}))
identity = Identity({dispute.base!r}, "A test", folders)
app = create_app([identity], Limits(workers=1, memory={memory}))
try:
    serve(app, listen("127.0.0.1", 0), 10.0, lambda: print("started"))
except EngineError as error:
    sys.exit(f"kg: {{error.message}} {{error.hint}}")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "kg: " in done.stderr
    assert said in done.stderr


def test_the_least_memory_serves_the_shipped_dispute(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    from tests.server.conftest import end, start

    option = next(each for each in serve.params if each.name == "memory")
    assert isinstance(option.type, click.IntRange)
    arguments = ["-m", "kg.cli.main", "--dispute", "llama-mmap", "serve", "--port", "0"]
    arguments += ["--workers", "2", "--timeout", "60", "--memory", str(option.type.min)]
    server = start(arguments, tmp_path / "log", tmp_path / "cache")
    try:
        assert server.query("ASK {}").status == 200
        assert server.request("/api/queries/contradictions").status == 200
    finally:
        end(server)
