"""``kg serve`` as a person starts it; what it serves is tested in tests/server."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from kg.cli.main import cli
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
    ],
)
def test_limits_that_make_no_sense_are_refused(option: tuple[str, str]) -> None:
    assert CliRunner().invoke(cli, ["serve", *option]).exit_code == 2
