"""A repository that is not trusted runs nothing and changes nothing; bad input is said clearly."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from kg.errors import ImportFailedError
from kg.imports.git import PullChoice, Selection, parse_pull, read_history
from kg.imports.git_select import split_range
from tests.imports.repositories import CommitSpec, git, make_repository

TEXT = "".join(f"line {number}\n" for number in range(30))
COMMITS = [
    CommitSpec("one", files={"a.txt": TEXT, "b.bin": b"\0\1", ".gitattributes": "*.txt diff=x\n"}),
    CommitSpec("two", files={"d.txt": TEXT.replace("7", "8")}, renames={"a.txt": "c.txt"}),
    CommitSpec("three", files={"c.txt": TEXT + "end\n", "naïve.txt": "n\n"}),
]


def _script(path: Path, witness: Path) -> str:
    """A program that leaves a trace when it is run."""
    path.write_text(f"#!/bin/sh\ntouch {witness}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_configuration_changes_nothing_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "r"
    make_repository(folder, COMMITS)
    git(tmp_path, "clone", "--quiet", "r", "tree")
    tree = tmp_path / "tree"
    before = read_history(tree, Selection())

    witness = tmp_path / "witness"
    evil = _script(tmp_path / "evil", witness)
    for key, value in {
        "diff.external": evil,
        "diff.x.command": evil,
        "diff.x.textconv": evil,
        "diff.x.binary": "true",
        "core.fsmonitor": evil,
        "core.hooksPath": str(tmp_path / "hooks"),
        "core.pager": evil,
        "core.sshCommand": evil,
        "core.quotePath": "false",
        "core.abbrev": "40",
        "core.attributesFile": str(tmp_path / "attributes"),
        "diff.renames": "false",
        "diff.renameLimit": "1",
        "diff.noPrefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.algorithm": "patience",
        "diff.context": "0",
        "diff.interHunkContext": "9",
        "diff.orderFile": str(tmp_path / "order"),
        "diff.ignoreSubmodules": "all",
        "diff.indentHeuristic": "false",
        "color.ui": "always",
        "log.showSignature": "true",
        "log.mailmap": "true",
        "log.date": "relative",
        "gpg.program": evil,
        "i18n.logOutputEncoding": "UTF-16",
        "patchid.stable": "false",
        "trailer.separators": "=",
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": evil,
    }.items():
        git(tree, "config", key, value)
    (tmp_path / "order").write_text("c.txt\n")
    (tmp_path / "attributes").write_text("* binary\n")
    (tree / ".git" / "info").mkdir(exist_ok=True)
    (tree / ".git" / "info" / "attributes").write_text("* -diff diff=x\n")
    (tmp_path / "hooks").mkdir()
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        _script(tmp_path / "hooks" / hook, witness)
    # The caller's own environment and home are no better.
    (tmp_path / ".gitconfig").write_text(f"[diff]\n\texternal = {evil}\n\trenames = false\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", evil)
    monkeypatch.setenv("GIT_DIFF_OPTS", "-u0")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_WORK_TREE", "/nowhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.abbrev")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "12")

    assert read_history(tree, Selection()) == before
    assert not witness.exists()
    # The trap works: git itself falls into it.
    git(tree, "diff", "HEAD~1", "HEAD", "--", "c.txt")
    assert witness.exists()


def test_replaced_and_grafted_commits_are_read_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    hashes = make_repository(folder, COMMITS)
    before = read_history(folder, Selection())
    git(folder, "replace", hashes["three"], hashes["one"])
    (folder / "info").mkdir(exist_ok=True)
    (folder / "info" / "grafts").write_text(f"{hashes['three']}\n")
    assert read_history(folder, Selection()) == before


def test_a_history_is_not_written_to(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    make_repository(folder, COMMITS)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    read_history(folder, Selection())
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.parametrize(
    "revision",
    [
        "--all",
        "--output=owned",
        "-x",
        "nope",
        "",
        "^main",
        "main:a.txt",
        "main..main",
        "a\0b",
        "main\n--all",
        "f" * 40,
    ],
)
def test_what_is_no_revision(tmp_path: Path, revision: str) -> None:
    make_repository(tmp_path / "r", COMMITS)
    with pytest.raises(ImportFailedError, match="Unknown revision"):
        read_history(tmp_path / "r", Selection(commits=(revision,)))
    with pytest.raises(ImportFailedError):
        read_history(tmp_path / "r", Selection(ranges=(f"{revision}..--output=owned",)))
    with pytest.raises(ImportFailedError):
        read_history(tmp_path / "r", Selection(pulls=(PullChoice(1, "--output=owned"),)))
    with pytest.raises(ImportFailedError, match="Unknown branch"):
        read_history(tmp_path / "r", Selection(branches=("--all",)))


def test_an_unknown_branch_is_answered_with_the_nearest(tmp_path: Path) -> None:
    make_repository(tmp_path / "r", COMMITS, branches={"main": "two", "feature/parser": "three"})
    with pytest.raises(ImportFailedError) as caught:
        read_history(tmp_path / "r", Selection(branches=("feature/parsr",)))
    assert "feature/parser" in (caught.value.hint or "")


@pytest.mark.parametrize("text", ["", "x", "0", "-1", "12=", "1=a...b", "=a", "1 2", "\uff19"])
def test_what_is_no_pull_request(text: str) -> None:
    with pytest.raises(ImportFailedError):
        parse_pull(text)


def test_pull_requests_as_typed() -> None:
    assert parse_pull("586") == PullChoice(586)
    assert parse_pull("586=refs/x") == PullChoice(586, "refs/x")
    assert parse_pull("586=a..b") == PullChoice(586, "b", "a")
    assert parse_pull("586=a..") == PullChoice(586, "HEAD", "a")


def test_a_pull_request_named_twice(tmp_path: Path) -> None:
    make_repository(tmp_path / "r", COMMITS, pulls={1: "two"})
    with pytest.raises(ImportFailedError, match="twice"):
        read_history(tmp_path / "r", Selection(pulls=(PullChoice(1), PullChoice(1, "main"))))


def test_ranges_as_typed() -> None:
    assert split_range("a..b") == ("a", "b")
    assert split_range("..b") == ("HEAD", "b")
    for text in ("a", "a...b", ""):
        with pytest.raises(ImportFailedError):
            split_range(text)


def test_an_empty_range_is_noted(tmp_path: Path) -> None:
    make_repository(tmp_path / "r", COMMITS)
    history = read_history(tmp_path / "r", Selection(ranges=("main..main",)))
    assert history.commits == ()
    assert "holds no commit" in history.notes[0]


def test_what_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(ImportFailedError, match="No such folder"):
        read_history(tmp_path / "missing", Selection())
    with pytest.raises(ImportFailedError, match="Not a git repository") as caught:
        read_history(tmp_path, Selection())
    assert "top folder" in (caught.value.hint or "")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ImportFailedError, match="Not a git repository"):
        read_history(tmp_path / "file", Selection())


@pytest.mark.parametrize(
    "address", ["https://example.org/a/b.git", "ssh://git@example.org/a", "git@example.org:a/b"]
)
def test_an_address_is_not_fetched(address: str) -> None:
    with pytest.raises(ImportFailedError, match="is an address") as caught:
        read_history(address, Selection())
    assert f"git clone --mirror {address}" in (caught.value.hint or "")


def test_an_empty_repository(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare")
    with pytest.raises(ImportFailedError, match="Unknown revision 'HEAD'"):
        read_history(folder, Selection())


def test_a_shallow_clone(tmp_path: Path) -> None:
    hashes = make_repository(tmp_path / "r", COMMITS)
    git(tmp_path, "clone", "--quiet", "--bare", "--depth=2", f"file://{tmp_path}/r", "shallow")
    with pytest.raises(ImportFailedError, match="shallow") as caught:
        read_history(tmp_path / "shallow", Selection())
    assert "--unshallow" in (caught.value.hint or "")
    with pytest.raises(ImportFailedError, match="Unknown revision"):
        read_history(tmp_path / "shallow", Selection(commits=(hashes["one"],)))
    # A commit whose parent is there is told as in the full clone.
    choice = Selection(commits=(hashes["three"],))
    assert read_history(tmp_path / "shallow", choice) == read_history(tmp_path / "r", choice)


def test_a_clone_without_contents_fetches_nothing(tmp_path: Path) -> None:
    make_repository(tmp_path / "r", COMMITS)
    git(tmp_path / "r", "config", "uploadpack.allowFilter", "true")
    git(
        tmp_path,
        *("clone", "--quiet", "--bare", "--filter=blob:none", f"file://{tmp_path}/r", "partial"),
    )
    objects = sorted((tmp_path / "partial" / "objects").rglob("*"))
    with pytest.raises(ImportFailedError, match="could not read the objects"):
        read_history(tmp_path / "partial", Selection())
    assert sorted((tmp_path / "partial" / "objects").rglob("*")) == objects


def test_a_damaged_object(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    make_repository(folder, COMMITS)
    name = git(folder, "rev-parse", "main:c.txt").decode().strip()
    packs = list((folder / "objects" / "pack").glob("*.pack"))
    if packs:  # loose objects can be damaged one at a time
        pack = packs[0].read_bytes()
        for path in (folder / "objects" / "pack").iterdir():
            path.unlink()
        git(folder, "unpack-objects", "-q", given=pack)
    loose = folder / "objects" / name[:2] / name[2:]
    loose.chmod(0o644)
    loose.write_bytes(loose.read_bytes()[:10])
    with pytest.raises(ImportFailedError, match="could not read the objects"):
        read_history(folder, Selection())


def test_git_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_repository(tmp_path / "r", COMMITS)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImportFailedError, match="git is not installed"):
        read_history(tmp_path / "r", Selection())


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_repository(tmp_path / "r", COMMITS)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    read_history(tmp_path / "r", Selection())
    with pytest.raises(ImportFailedError):
        read_history(tmp_path / "r", Selection(commits=("nope",)))
    assert list(scratch.iterdir()) == []
