"""The package as somebody else gets it: built, installed elsewhere, and asked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PARTS = ("kg", "ontology", "queries", "data")
NOT_COPIED = shutil.ignore_patterns(".kg", "__pycache__")

pytestmark = pytest.mark.wheel


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """A wheel of a copy that somebody has used, without git; and the names of the copy's files."""
    copy = tmp_path_factory.mktemp("source")
    for part in PARTS:
        shutil.copytree(PROJECT / part, copy / part, ignore=NOT_COPIED)
    shutil.rmtree(copy / "data" / "llama-mmap" / "documents", ignore_errors=True)
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-data"):
        shutil.copy(PROJECT / name, copy / name)
    files = {p.relative_to(copy).as_posix() for p in copy.rglob("*") if p.is_file()}
    for stray in (
        "data/llama-mmap/documents/jarted-page.txt",
        "data/llama-mmap/.kg/snapshots/0/manifest.json",
        "data/tideline/.kg/lock",
        "kg/__pycache__/main.cpython-311.pyc",
    ):
        (copy / stray).parent.mkdir(parents=True, exist_ok=True)
        (copy / stray).write_text("not to be published", encoding="utf-8")
    wheels = tmp_path_factory.mktemp("wheels")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "-q", "--no-deps", "-w", wheels, copy], check=True)
    (wheel,) = wheels.glob("*.whl")
    return wheel, files


def test_the_wheel_holds_vocabulary_queries_and_disputes_and_nothing_private(
    built: tuple[Path, set[str]],
) -> None:
    wheel, files = built
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    # The four files at the top of the copy are metadata and stand in the .dist-info folder.
    parts = {name for name in files if "/" in name}
    assert names == {n if n.startswith("kg/") else f"kg/shipped/{n}" for n in parts}


def test_the_wheel_answers_where_there_is_no_checkout(
    built: tuple[Path, set[str]], tmp_path: Path
) -> None:
    wheel, _ = built
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # The path shows that it is the wheel that answers, not the checkout.
    program = "import sys, kg.cli.main as m; print(m.__file__, file=sys.stderr); m.main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "query", "contradictions", "--format", "csv"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.split() == [str(site / "kg" / "cli" / "main.py")]
    assert len(done.stdout.splitlines()) > 10
