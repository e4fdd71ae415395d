"""Where nothing may be skipped, one reason is allowed, and no other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.skips import NO_NAMESPACES

PROJECT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("reason", "status"), [(NO_NAMESPACES, 0), ("no such package", 1), (f"{NO_NAMESPACES}!", 1)]
)
@pytest.mark.parametrize(
    "form", ["pytest.skip({!r})", "pytest.importorskip('no_such', reason={!r})"]
)
def test_the_run_fails_for_every_other_reason(
    tmp_path: Path, reason: str, status: int, form: str
) -> None:
    (tmp_path / "conftest.py").write_text(
        "from tests.conftest import pytest_sessionfinish, pytest_terminal_summary\n"
    )
    (tmp_path / "test_some.py").write_text(
        f"import pytest\n\ndef test_a():\n    {form.format(reason)}\n\ndef test_b():\n    pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    environment = os.environ | {"KG_NO_SKIPS": "1", "PYTHONPATH": str(PROJECT)}
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == status, ended.stdout
    assert ("not allowed here" in ended.stdout) == bool(status)
