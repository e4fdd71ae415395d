"""The examples of the documentation for whoever runs the endpoint: they name what there is."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from kg.cli.main import cli

from .conftest import PROJECT

PAGE = (PROJECT / "docs" / "endpoint.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    return str(found)


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(block("ini"))
    return parser


def commands() -> list[list[str]]:
    """Every ``kg serve`` of the page, in words."""
    found = [shlex.split(line) for line in re.findall(r"^kg serve.*$", PAGE, re.M)]
    found.append(shlex.split(unit()["Service"]["ExecStart"]))
    for line in re.findall(r"^CMD (.*)$", block("dockerfile"), re.M):
        found.append(json.loads(line))
    return found


def test_every_option_is_one_of_the_commands() -> None:
    help = CliRunner().invoke(cli, ["serve", "--help"]).output
    known = set(re.findall(r"(--[a-z-]+)", help))
    assert len(commands()) >= 4
    for command in commands():
        assert Path(command[0]).name == "kg"
        assert command[1] == "serve"
        used = {word.partition("=")[0] for word in command if word.startswith("--")}
        assert used <= known, command
    # And the other way round: the page speaks of every option.
    for option in known - {"--help", "--host"}:
        assert option in PAGE, option


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    # The program and the user are not on this machine; all else is as it stands.
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", block("ini"), flags=re.M)
    text = re.sub(r"^User=.*$", "User=root", text, flags=re.M)
    path = tmp_path / "counterclaim.service"
    path.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if path.name in line]
    assert (done.returncode, said) == (0, []), done.stderr


def test_the_unit_lets_workers_give_up_the_network() -> None:
    service = unit()["Service"]
    assert service["NoNewPrivileges"] == "yes"
    assert "RestrictNamespaces" not in service
    assert "PrivateUsers" not in service


def test_the_container_file_is_made_of_instructions() -> None:
    lines = block("dockerfile").splitlines()
    words = [line.split(None, 1)[0] for line in lines]
    assert words[0] == "FROM"
    assert set(words) <= {"FROM", "COPY", "RUN", "USER", "ENV", "EXPOSE", "CMD"}
    # What is installed is what is there: the package is in no index.
    (copied,) = re.findall(r"^COPY \. (\S+)$", block("dockerfile"), re.M)
    assert f"'{copied}[server]'" in block("dockerfile")
    assert "docker build -t counterclaim ." in PAGE
    # Nobody serves as root, and what is installed is not this user's to change.
    assert words.index("RUN") < words.index("USER") < words.index("CMD")
    (port,) = re.findall(r"^EXPOSE ([0-9]+)$", block("dockerfile"), re.M)
    assert f"-p {port}:{port}" in PAGE
