"""What is read from small repositories, held against git itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.errors import ImportFailedError
from kg.imports.git import PullChoice, Selection, parse_pull, read_history
from kg.imports.git_log import decode, written_time
from kg.imports.git_model import Commit, FileChange, Identity
from kg.imports.git_patch import path_text
from tests.imports.repositories import ANA, BO, CommitSpec, git, make_repository

TEXT = "".join(f"line {number}\n" for number in range(20))


def patch_ids(folder: Path, *revisions: str) -> dict[str, str]:
    """Patch ids as a person gets them: ``git log -p | git patch-id --stable``."""
    log = git(folder, "log", "-p", *revisions)
    lines = git(folder, "patch-id", "--stable", given=log).decode().splitlines()
    return {commit: identifier for identifier, commit in (line.split() for line in lines)}


def read_all(folder: Path) -> dict[str, Commit]:
    return {commit.hash: commit for commit in read_history(folder, Selection()).commits}


@pytest.fixture
def plain(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A history with everything ordinary and less ordinary in it."""
    folder = tmp_path / "plain.git"
    hashes = make_repository(
        folder,
        [
            CommitSpec("root", "Begin", {"a.txt": TEXT, "pic.png": b"\x89PNG\0\1"}),
            CommitSpec("rename", "Move it", renames={"a.txt": "b/ä.txt"}),
            CommitSpec("edit", "Move and edit", {"c.txt": TEXT + "more\n", "b/ä.txt": None}),
            CommitSpec("binary", "New picture", {"pic.png": b"\x89PNG\0\2", "z": "z\n"}),
            CommitSpec("empty", "Nothing at all"),
            CommitSpec("side", "On the side", {"side.txt": "s\n"}, parents=["root"], author=BO),
            CommitSpec(
                "merge",
                "Merge the side\n\nIt was time.",
                {"side.txt": "s\n"},
                parents=["empty", "side"],
            ),
            CommitSpec("delete", "Remove the picture", {"pic.png": None}),
            CommitSpec("mode", "Odd paths", {'q"uo\te\n.txt': "q\n", b"caf\xe9.txt": "c\n"}),
        ],
        branches={"main": "mode"},
    )
    return folder, hashes


def test_every_patch_id_is_gits(plain: tuple[Path, dict[str, str]]) -> None:
    folder, hashes = plain
    ours = {name: c.patch_id for name, c in read_all(folder).items() if c.patch_id}
    assert ours == patch_ids(folder, "--all")
    assert set(hashes.values()) - set(ours) == {hashes["empty"], hashes["merge"]}


def test_files_and_lines_are_gits(plain: tuple[Path, dict[str, str]]) -> None:
    folder, hashes = plain
    commits = {label: read_all(folder)[name] for label, name in hashes.items()}
    assert commits["root"].changes == (
        FileChange("a.txt", None, 20, 0),
        FileChange("pic.png", None, None, None),
    )
    assert commits["rename"].changes == (FileChange("b/ä.txt", "a.txt", 0, 0),)
    assert commits["edit"].changes == (FileChange("c.txt", "b/ä.txt", 1, 0),)
    assert commits["binary"].changes == (
        FileChange("pic.png", None, None, None),
        FileChange("z", None, 1, 0),
    )
    assert commits["binary"].changes[0].binary
    assert commits["empty"].changes == ()
    assert commits["merge"].changes == ()
    assert commits["delete"].changes == (FileChange("pic.png", None, None, None),)
    assert {change.path for change in commits["mode"].changes} == {
        'q"uo\te\n.txt',
        '"caf\\351.txt"',
    }


def test_parents_keep_their_order_and_come_first(plain: tuple[Path, dict[str, str]]) -> None:
    folder, hashes = plain
    ordered = read_history(folder, Selection()).commits
    place = {commit.hash: index for index, commit in enumerate(ordered)}
    for commit in ordered:
        assert all(place[parent] < place[commit.hash] for parent in commit.parents)
    merge = ordered[place[hashes["merge"]]]
    assert merge.parents == (hashes["empty"], hashes["side"])
    assert ordered[0].parents == ()
    assert (merge.subject, merge.body) == ("Merge the side", "It was time.")


def test_author_and_committer_stay_apart(tmp_path: Path) -> None:
    hashes = make_repository(
        tmp_path / "r",
        [
            CommitSpec(
                "one",
                author=BO,
                committer=ANA,
                author_time="2023-03-29T02:03:43+02:00",
                commit_time="2023-03-30T12:28:25-07:00",
            )
        ],
    )
    commit = read_all(tmp_path / "r")[hashes["one"]]
    assert commit.author == Identity(*BO)
    assert commit.committer == Identity(*ANA)
    assert commit.author_time == "2023-03-29T02:03:43+02:00"
    assert commit.commit_time == "2023-03-30T12:28:25-07:00"


def test_trailers(tmp_path: Path) -> None:
    message = (
        "Work together\n\nCo-authored-by: Zoe <not@here> in the text does not count.\n\n"
        "co-authored-by: Bo  Bolt <bo@example.org>\n"
        "Co-authored-by: Ana <ana@example.org>\n"
        "Co-authored-by: Ana <ana@example.org>\n"
        "Signed-off-by: Ana\n <ana@example.org>\n"
    )
    hashes = make_repository(tmp_path / "r", [CommitSpec("one", message)])
    commit = read_all(tmp_path / "r")[hashes["one"]]
    assert commit.co_authors == (
        Identity("Ana", "ana@example.org"),
        Identity("Bo Bolt", "bo@example.org"),
    )
    assert commit.signed_off_by == (Identity("Ana", "ana@example.org"),)


def test_messages_and_names_that_are_not_utf8(tmp_path: Path) -> None:
    hashes = make_repository(
        tmp_path / "r",
        [
            CommitSpec(
                "declared",
                "Grüße\n\nÄrger".encode("latin-1"),
                author=("José".encode("latin-1"), "j@x"),
                encoding="ISO-8859-1",
            ),
            CommitSpec("raw", b"Gr\xfc\xdfe", author=(b"Jos\xe9", "j@x")),
            CommitSpec("unknown", "Grüße", encoding="no-such-encoding"),
            CommitSpec("japanese", "日本".encode("shift_jis"), encoding="Shift_JIS"),
        ],
    )
    commits = {label: read_all(tmp_path / "r")[name] for label, name in hashes.items()}
    assert commits["declared"].subject == "Grüße"
    assert commits["declared"].body == "Ärger"
    assert commits["declared"].author.name == "José"
    assert commits["raw"].subject == "Gr\ufffd\ufffde"
    assert commits["raw"].author.name == "Jos\ufffd"
    assert commits["unknown"].subject == "Grüße"
    assert commits["japanese"].subject == "日本"


def test_decoding_never_fails() -> None:
    assert decode(b"a\0b", "") == "a\ufffdb"
    for encoding in ("hex", "undefined", "utf-16", "utf-7", "idna", "x" * 500, "../x", "a\0"):
        assert isinstance(decode(b"\xff+2AA-", encoding), str)


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        ("1680048223 +0200", "2023-03-29T02:03:43+02:00"),
        ("0 +0000", "1970-01-01T00:00:00+00:00"),
        ("0 -0000", "1970-01-01T00:00:00-00:00"),
        ("0 -0030", "1969-12-31T23:30:00-00:30"),
        ("0 +1400", "1970-01-01T14:00:00+14:00"),
        ("0 +5150", "1970-01-01T00:00:00+00:00"),
        ("0 +0175", "1970-01-01T00:00:00+00:00"),
        ("-1 +0000", "1969-12-31T23:59:59+00:00"),
        ("99999999999999999 +0000", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_written_times(raw: str, written: str | None) -> None:
    assert written_time(raw)[0] == written


def test_a_path_that_is_not_utf8_is_quoted_as_git_does(tmp_path: Path) -> None:
    raw = b'caf\xe9 "x"\\\t\x01.txt'
    make_repository(tmp_path / "r", [CommitSpec("one", files={raw: "x\n"})])
    listed = git(tmp_path / "r", "ls-tree", "--name-only", "HEAD").decode().strip()
    assert path_text(raw) == listed


def test_a_commit_without_a_readable_time_or_name(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    hashes = make_repository(folder, [CommitSpec("one", files={"a": "a\n"})])
    tree = git(folder, "rev-parse", f"{hashes['one']}^{{tree}}").decode().strip()
    raw = f"tree {tree}\nauthor  <> \ncommitter Bo <bo@x> 5 +0000\n\nOdd\n".encode()
    made = git(folder, "hash-object", "-t", "commit", "-w", "--literally", "--stdin", given=raw)
    name = made.decode().strip()
    [commit] = read_history(folder, Selection(commits=(name,))).commits
    assert commit.author == Identity("", "")
    assert commit.author_time is None
    assert commit.commit_time == "1970-01-01T00:00:05+00:00"


# A pull request that was: left open; merged; merged after taking in main; rebased by the
# maintainer; moved onto.
def _pulls(folder: Path) -> dict[str, str]:
    return make_repository(
        folder,
        [
            CommitSpec("m1", files={"m": "1\n"}),
            CommitSpec("m2", files={"m": "2\n"}),
            CommitSpec("open1", files={"o": "1\n"}, parents=["m1"], author=BO),
            CommitSpec("open2", files={"o": "2\n"}, author=BO),
            CommitSpec("p1", files={"p": "1\n"}, parents=["m1"], author=BO),
            CommitSpec("p-takes-in", parents=["p1", "m2"], files={"m": "2\n"}, author=BO),
            CommitSpec("p2", files={"p": "2\n"}, author=BO),
            CommitSpec("m3", files={"m": "3\n"}, parents=["m2"]),
            CommitSpec("m4-merges-p", files={"p": "2\n"}, parents=["m3", "p2"]),
            CommitSpec("f1", files={"f": "1\n"}, author=BO),
            CommitSpec("f2", files={"f": "2\n"}, author=BO),
            CommitSpec("r1", files={"r": "1\n"}, parents=["m3"], author=BO),
            CommitSpec(
                "m5-carries-r", files={"r": "1\n"}, parents=["f2"], author=BO, committer=ANA
            ),
        ],
        branches={"main": "m5-carries-r", "topic": "open2"},
        pulls={1: "open2", 2: "p2", 3: "f2", 4: "r1"},
    )


def test_pull_requests(tmp_path: Path) -> None:
    hashes = _pulls(tmp_path / "r")
    history = read_history(
        tmp_path / "r", Selection(pulls=tuple(PullChoice(number) for number in (1, 2, 3, 4)))
    )
    labels = {name: label for label, name in hashes.items()}
    found = {
        pull.number: (
            labels[pull.head],
            labels[pull.merge_base or ""],
            [labels[name] for name in pull.commits],
        )
        for pull in history.pulls
    }
    assert found == {
        1: ("open2", "m1", ["open1", "open2"]),
        2: ("p2", "m2", ["p1", "p-takes-in", "p2"]),
        # Moved onto: nothing tells where it began.
        3: ("f2", "f2", []),
        4: ("r1", "m3", ["r1"]),
    }
    assert [note for note in history.notes if "Pull request 3" in note]
    assert {pull.ref for pull in history.pulls} == {f"refs/pull/{n}/head" for n in (1, 2, 3, 4)}
    # Every head is described, also that of a pull request without commits.
    assert {pull.head for pull in history.pulls} <= {commit.hash for commit in history.commits}


def test_where_a_pull_request_began_can_be_said(tmp_path: Path) -> None:
    hashes = _pulls(tmp_path / "r")
    choice = parse_pull(f"3={hashes['m4-merges-p']}..refs/pull/3/head")
    [pull] = read_history(tmp_path / "r", Selection(pulls=(choice,))).pulls
    assert pull.merge_base == hashes["m4-merges-p"]
    assert pull.commits == (hashes["f1"], hashes["f2"])


def test_a_missing_pull_ref_can_be_replaced_by_a_commit(tmp_path: Path) -> None:
    hashes = _pulls(tmp_path / "r")
    with pytest.raises(ImportFailedError, match="9") as caught:
        read_history(tmp_path / "r", Selection(pulls=(PullChoice(9),)))
    assert "git fetch origin refs/pull/9/head" in (caught.value.hint or "")
    choice = parse_pull(f"9={hashes['open2']}")
    [pull] = read_history(tmp_path / "r", Selection(pulls=(choice,))).pulls
    assert (pull.head, pull.ref) == (hashes["open2"], "refs/pull/9/head")


def test_unrelated_histories_have_no_merge_base(tmp_path: Path) -> None:
    make_repository(
        tmp_path / "r",
        [CommitSpec("a"), CommitSpec("b", parents=[])],
        branches={"main": "a"},
        pulls={1: "b"},
    )
    [pull] = read_history(tmp_path / "r", Selection(pulls=(PullChoice(1),))).pulls
    assert pull.merge_base is None
    assert len(pull.commits) == 1


def test_a_branch_lists_those_of_the_record_that_it_contains(tmp_path: Path) -> None:
    hashes = _pulls(tmp_path / "r")
    selection = Selection(
        ranges=(f"{hashes['m2']}..{hashes['m3']}",),
        pulls=(PullChoice(1), PullChoice(4)),
        branches=("main", "topic"),
    )
    main, topic = read_history(tmp_path / "r", selection).branches
    assert (main.name, main.ref) == ("main", "refs/heads/main")
    assert main.commits == (hashes["m3"],)
    assert topic.commits == (hashes["open1"], hashes["open2"])


def test_without_a_choice_the_whole_branch_is_read(tmp_path: Path) -> None:
    hashes = _pulls(tmp_path / "r")
    topic = read_history(tmp_path / "r", Selection(branches=("topic",)))
    assert [commit.hash for commit in topic.commits] == [
        hashes[label] for label in ("m1", "open1", "open2")
    ]


def test_equal_patches_have_equal_ids(tmp_path: Path) -> None:
    hashes = _pulls(tmp_path / "r")
    commits = read_history(
        tmp_path / "r", Selection(commits=(hashes["r1"], hashes["m5-carries-r"]))
    ).commits
    assert len({commit.patch_id for commit in commits}) == 1
    assert commits[0].committer != commits[1].committer


def test_a_work_tree_and_its_git_folder_read_alike(tmp_path: Path) -> None:
    _pulls(tmp_path / "r")
    git(tmp_path, "clone", "--quiet", "r", "tree")
    from_bare = read_history(tmp_path / "r", Selection()).commits
    assert read_history(tmp_path / "tree", Selection()).commits == from_bare
    assert read_history(tmp_path / "tree" / ".git", Selection()).commits == from_bare
    git(tmp_path / "tree", "worktree", "add", "--quiet", "--detach", "../linked")
    assert read_history(tmp_path / "linked", Selection()).commits == from_bare


def test_progress_reaches_its_end(plain: tuple[Path, dict[str, str]]) -> None:
    folder, hashes = plain
    seen: list[tuple[int, int]] = []
    read_history(folder, Selection(), lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(hashes), len(hashes))


def test_sha256_repositories(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare", "--object-format=sha256")
    stream = (
        b"commit refs/heads/main\nauthor Ana <a@x> 1 +0000\ncommitter Ana <a@x> 1 +0000\n"
        b"data 2\nHi\nM 100644 inline a\ndata 2\na\n\n"
    )
    git(folder, "fast-import", "--quiet", given=stream)
    [commit] = read_history(folder, Selection(branches=("main",))).commits
    assert len(commit.hash) == 64
    assert commit.changes == (FileChange("a", None, 1, 0),)


def test_the_helper_makes_the_same_repository_every_time(tmp_path: Path) -> None:
    assert _pulls(tmp_path / "one") == _pulls(tmp_path / "two")
