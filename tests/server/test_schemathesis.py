"""The OpenAPI document against the server that it describes, by requests made from it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Server

# What is asked for and not so, and why that is right here.
NOT_SO = {
    # Every write verb is 403, with a sentence that names `kg build`; 405 would not say why.
    "unsupported_method": "writes are refused by design",
    # No schema says what is a query in SPARQL, or a name that this dispute has.
    "positive_data_acceptance": "a string that fits the schema may still be no query and no name",
    # The header Allow of /sparql names it, and OpenAPI 3.1 cannot.
    "allow_header_conformance": "OpenAPI 3.1 has no place for the method QUERY",
}
# Stored queries are many and alike; these take, between them, every kind of parameter.
PATHS = "^/(sparql|api/queries(/(claims-by|claims-about|contradictions|pull-request|timeline))?)$"
EXAMPLES = "5"


@pytest.mark.server
@pytest.mark.skipif(
    importlib.util.find_spec("schemathesis") is None, reason="schemathesis is not installed"
)
def test_schemathesis_finds_nothing(example: Server, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{example.url}/openapi.json"]
    command += ["--url", example.url, "--checks", "all", "--exclude-checks", ",".join(NOT_SO)]
    # The same requests every time, so that a failure can be looked into.
    command += ["--max-examples", EXAMPLES, "--generation-deterministic", "--mode", "all"]
    command += ["--phases", "examples,coverage,fuzzing"]
    command += ["--include-path-regex", PATHS]
    # A slow machine is no finding, neither is data that is slow to make.
    command += ["--request-timeout", "60", "--suppress-health-check", "all", "--no-color"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
