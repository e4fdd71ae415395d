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
CONFIGURATION = """
# Every write verb is 403, with a sentence that names `kg build`; 405 would not say why. What each
# method gives at each address is held to account below.
[checks.unsupported_method]
enabled = false

# No schema says what is a query in SPARQL, or a name that this dispute has: a string that fits the
# schema may still be neither. It is then 400 and nothing else.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "400"]

# Nor which names there are: others are 404. One graph must be named, which no schema of single
# parameters says.
[[operations]]
include-path-regex = "[{]name[}]|/graphs"
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", "400", "404"]

# The header Allow of /sparql names QUERY, and OpenAPI 3.1 has no place for it.
[[operations]]
include-path = "/sparql"
checks.allow_header_conformance.enabled = false
"""
# Stored queries are many and alike; these take, between them, every kind of parameter.
_STORED = "claims-by|claims-about|contradictions|pull-request|timeline"
_NAMES = "((graph|about)/)?[{]name[}]"
_OTHERS = rf"sparql|graphs|{_NAMES}|\.well-known/void|openapi\.json|health|ready|metrics"
PATHS = f"^/({_OTHERS}|api/queries(/({_STORED}))?)?$"
EXAMPLES = "5"


@pytest.mark.server
@pytest.mark.skipif(
    importlib.util.find_spec("schemathesis") is None, reason="schemathesis is not installed"
)
def test_schemathesis_finds_nothing(example: Server, tmp_path: Path) -> None:
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration)]
    command += ["run", f"{example.url}/openapi.json", "--url", example.url]
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


def test_methods_that_the_document_does_not_name(example: Server) -> None:
    paths = example.request("/openapi.json").json()["paths"]
    assert len(paths) > 10
    for path, operations in paths.items():
        for method in ("PUT", "DELETE", "PATCH", "POST"):
            if method.lower() not in operations:
                reply = example.request(path, method, b"x", {"Content-Type": "text/plain"})
                assert reply.status == 403, (method, path)
                assert "kg build" in reply.json()["detail"]
        for method in ("TRACE", "LOCK", "QUERY"):
            if (method, path) != ("QUERY", "/sparql"):
                reply = example.request(path, method)
                assert reply.status == 405, (method, path)
                assert {m.upper() for m in operations} <= set(reply.headers["allow"].split(", "))
        reply = example.request(path, "OPTIONS")
        assert reply.status == 204
        allowed = set(reply.headers["allow"].split(", ")) - {"QUERY", "HEAD", "OPTIONS"}
        assert allowed == {m.upper() for m in operations}
