"""Blocks of added lines, and whose lines were removed: held against git blame and against words."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from pathlib import Path

import pytest

from kg.imports.git import PullChoice, Selection, import_git, read_history
from kg.imports.git_lines import Edit, blocks, edits_of
from kg.imports.git_model import Commit, LineRange, RemovedLines
from tests.imports.repositories import ANA, BO, CommitSpec, git, make_repository
from tests.imports.test_git_rdf import NAMES, read, values

LONG = "def the_height_of_the_tide_at(hour, waves, harbour):\n"
SUM = "    return sum(size * cos(radians(speed * hour)) for size, speed in waves)\n"


def history(folder: Path, least: int = 1) -> dict[str, Commit]:
    return {one.hash: one for one in read_history(folder, Selection(), least_lines=least).commits}


def digest(*lines: str) -> str:
    return hashlib.sha256("\n".join("".join(one.split()) for one in lines).encode()).hexdigest()


def test_edits_of_a_difference() -> None:
    text = (
        b"diff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n"
        b"@@ -1,5 +1,6 @@ words\n one\n-two\n-++ three\n+TWO\n+--- 3\n+4\n five\n six\n"
        b"@@ -20 +21 @@\n-a\n\\ No newline at end of file\n+b\n"
    )
    assert list(edits_of(text)) == [
        Edit(2, 2, 2, (b"TWO", b"--- 3", b"4")),
        Edit(20, 1, 21, (b"b",)),
    ]
    created = b"diff --git a/f b/f\n--- /dev/null\n+++ b/f\n@@ -0,0 +1,2 @@\n+a\n+b\n"
    assert list(edits_of(created)) == [Edit(1, 0, 1, (b"a", b"b"))]
    deleted = b"diff --git a/f b/f\n--- a/f\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n"
    assert list(edits_of(deleted)) == [Edit(1, 2, 0, ())]
    assert list(edits_of(b"diff --git a/f b/f\nold mode 100644\nnew mode 100755\n")) == []


def test_blocks_end_at_empty_lines_and_need_letters() -> None:
    lines = (*(LONG + SUM).encode().splitlines(), b"  \t", b"}", b"", SUM.strip().encode())
    found = list(blocks([Edit(1, 0, 7, lines)], 1))
    assert found == [LineRange(7, 2, digest(LONG, SUM)), LineRange(12, 1, digest(SUM))]
    assert list(blocks([Edit(1, 0, 7, lines)], 2)) == found[:1]
    # As many letters of any script.
    assert len(list(blocks([Edit(1, 0, 1, ("潮" * 14).encode().splitlines())], 1))) == 1
    assert len(list(blocks([Edit(1, 0, 1, (b"{};+-*/ " * 99,))], 1))) == 0
    assert [len(list(blocks([Edit(1, 0, 1, (b"a" * n,))], 1))) for n in (39, 40)] == [0, 1]


def test_a_block_is_known_again_elsewhere(tmp_path: Path) -> None:
    """In another file, at another indentation, with other lines around it."""
    folder = tmp_path / "r"
    hashes = make_repository(
        folder,
        [
            CommitSpec("first", files={"a.py": f"# tides\n\n{LONG}{SUM}"}),
            CommitSpec(
                "moved", files={"b/c.py": f"class Tide:\n\n    {LONG}\t{SUM}\n", "d": "d\n"}
            ),
        ],
    )
    found = history(folder)
    [first] = found[hashes["first"]].changes
    [moved, small] = found[hashes["moved"]].changes
    assert first.added == (LineRange(3, 2, digest(LONG, SUM)),)
    assert moved.added == (LineRange(3, 2, digest(LONG, SUM)),)
    assert small.added == ()
    plain = read_history(folder, Selection()).commits
    assert not any(change.added or change.removed for one in plain for change in one.changes)


def test_removed_lines_are_whose_they_were(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    hashes = make_repository(
        folder,
        [
            CommitSpec("ana", files={"f": "1\n2\n3\n4\n"}),
            CommitSpec("bo", files={"f": "1\n2\nB\n3\n4\n"}, author=BO),
            CommitSpec("rename", renames={"f": "g"}),
            CommitSpec("empty"),
            CommitSpec("both", files={"g": "1\n3\nX\n"}),
            CommitSpec("gone", files={"g": None}),
        ],
    )
    found = history(folder)
    removed = {label: [c.removed for c in found[name].changes] for label, name in hashes.items()}
    ana, bo, both = hashes["ana"], hashes["bo"], hashes["both"]
    assert removed["ana"] == removed["bo"] == removed["rename"] == [()]
    assert removed["both"] == [tuple(sorted_lines(RemovedLines(ana, 2), RemovedLines(bo, 1)))]
    assert removed["gone"] == [tuple(sorted_lines(RemovedLines(ana, 2), RemovedLines(both, 1)))]


def sorted_lines(*lines: RemovedLines) -> list[RemovedLines]:
    return sorted(lines, key=lambda one: one.commit)


def test_nothing_is_known_of_older_lines_nor_beyond_a_merge(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    hashes = make_repository(
        folder,
        [
            CommitSpec("old", files={"f": "1\n2\n"}),
            CommitSpec("side", files={"f": "1\n2\nS\n"}),
            CommitSpec("main", files={"m": "M\n"}, parents=["old"]),
            CommitSpec("merge", files={"f": "1\n2\nS\n"}, parents=["main", "side"]),
            CommitSpec("after", files={"f": "A\n"}),
            CommitSpec("again", files={"f": None}),
        ],
    )
    found = history(folder)
    assert found[hashes["after"]].changes[0].removed == ()
    assert found[hashes["again"]].changes[0].removed == (RemovedLines(hashes["after"], 1),)
    part = Selection(ranges=(f"{hashes['old']}..{hashes['side']}",))
    [side] = read_history(folder, part, least_lines=1).commits
    assert side.changes[0].removed == ()


def test_two_branches_from_one_commit_keep_their_own_lines(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    hashes = make_repository(
        folder,
        [
            CommitSpec("root", files={"f": "1\n2\n3\n"}),
            CommitSpec("left", files={"f": "L\n2\n3\n"}, parents=["root"]),
            CommitSpec("right", files={"f": "1\n2\nR\n"}, parents=["root"]),
            CommitSpec("left-end", files={"f": None}, parents=["left"]),
            CommitSpec("right-end", files={"f": None}, parents=["right"]),
        ],
        branches={"main": "left-end", "other": "right-end"},
    )
    commits = read_history(folder, Selection(branches=("main", "other")), least_lines=1).commits
    found = {one.hash: one for one in commits}
    for side in ("left", "right"):
        assert found[hashes[f"{side}-end"]].changes[0].removed == tuple(
            sorted_lines(RemovedLines(hashes["root"], 2), RemovedLines(hashes[side], 1))
        )


def blamed(folder: Path, commit: Commit) -> Counter[str]:
    """Who added the lines that a commit removes, as git blame of its parent has it."""
    if not commit.parents:
        return Counter()
    [parent] = commit.parents
    found: Counter[str] = Counter()
    text = git(folder, "diff-tree", "-r", "-M", "-p", "-U0", "--no-color", parent, commit.hash)
    for part in text.decode().split("diff --git ")[1:]:
        path = re.search(r"^--- a/(.*)$", part, re.MULTILINE)
        if path is None:
            continue
        who = [
            line.split()[0]
            for line in git(folder, "blame", "-l", "-s", "--root", parent, "--", path[1])
            .decode()
            .splitlines()
        ]
        for start, count in re.findall(r"^@@ -(\d+)(?:,(\d+))? ", part, re.MULTILINE):
            first = int(start) - 1
            found.update(who[first : first + int(count or 1)])
    return found


@pytest.mark.parametrize("seed", range(6))
def test_removed_lines_are_git_blames(tmp_path: Path, seed: int) -> None:
    """Histories drawn at random, with a branch, renames and files that come and go."""
    draw = random.Random(seed)
    texts: dict[str, dict[str, list[str]]] = {"c0": {"a": [f"a{n}" for n in range(30)]}}
    specs = [CommitSpec("c0", files={"a": "\n".join(texts["c0"]["a"]) + "\n"})]
    for number in range(1, 40):
        parent = f"c{number - 1 if draw.random() < 0.8 else draw.randrange(number)}"
        now = {path: list(lines) for path, lines in texts[parent].items()}
        files: dict[str | bytes, str | bytes | None] = {}
        renames: dict[str, str] = {}
        path = draw.choice([*now, draw.choice("abc")])
        if path in now and draw.random() < 0.1:
            renames[path] = f"{path}x"
            now[f"{path}x"] = now.pop(path)
        elif path in now and len(now) > 1 and draw.random() < 0.1:
            del now[path]
            files[path] = None
        else:
            lines = now.setdefault(path, [])
            for _ in range(draw.randint(1, 4)):
                at, gone = draw.randint(0, len(lines)), draw.randint(0, 5)
                # Lines that are all different, so that there is one shortest difference.
                lines[at : at + gone] = [f"{number}-{draw.random()}" for _ in range(gone + 1)]
            files[path] = "\n".join(lines) + "\n"
        specs.append(CommitSpec(f"c{number}", files=files, renames=renames, parents=[parent]))
        texts[f"c{number}"] = now
    folder = tmp_path / "r"
    names = {f"b{number}": f"c{number}" for number in range(40)}
    make_repository(folder, specs, branches=names)
    commits = read_history(folder, Selection(branches=tuple(names)), least_lines=1).commits
    assert len(commits) == 40
    told = 0
    for commit in commits:
        ours: Counter[str] = Counter()
        for change in commit.changes:
            ours.update({gone.commit: gone.count for gone in change.removed})
        assert ours == blamed(folder, commit)
        told += ours.total()
    assert told > 50


def test_lines_in_turtle(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    hashes = make_repository(
        folder,
        [
            CommitSpec("one", files={"a": f"{LONG}{SUM}", "b": "b\n"}),
            CommitSpec("two", files={"a": SUM}, author=BO, committer=ANA),
        ],
    )
    pieces, _ = import_git(folder, Selection(), NAMES, least_lines=1)
    text = "".join(pieces)
    assert "--lines 1" in text
    assert "height" not in text
    graph = read(text)
    assert values(graph, NAMES.record, "kg:leastLines") == ["1"]
    change = f"change-{hashes['one'][:12]}-1"
    [block] = values(graph, change, "kg:addsLines")
    assert values(graph, block, "kg:firstLine") == ["1"]
    assert values(graph, block, "kg:lineCount") == ["2"]
    assert values(graph, block, "kg:textDigest") == [digest(LONG, SUM)]
    [gone] = values(graph, f"change-{hashes['two'][:12]}-1", "kg:removesLines")
    assert values(graph, gone, "kg:lineCount") == ["1"]
    assert values(graph, gone, "kg:addedIn") == [f"commit-{hashes['one']}"]
    plain = read("".join(import_git(folder, Selection(), NAMES)[0]))
    assert values(plain, NAMES.record, "kg:leastLines") == []
    assert "kg:addsLines" not in str(plain.keys())


def test_the_patch_id_of_a_whole_pull_request(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    hashes = make_repository(
        folder,
        [
            CommitSpec("start", files={"f": "0\n"}),
            CommitSpec("one", files={"f": "0\n1\n"}),
            CommitSpec("two", files={"f": "0\n2\n", "g": "g\n"}),
            CommitSpec("squash", files={"f": "0\n2\n", "g": "g\n"}, parents=["start"]),
        ],
        pulls={7: "two"},
    )
    found = read_history(folder, Selection(pulls=(PullChoice(7),), branches=("main",)))
    whole = read_history(folder, Selection(branches=("main",)))
    patches = {one.hash: one.patch_id for one in (*found.commits, *whole.commits)}
    [pull] = found.pulls
    assert pull.combined_patch_id == patches[hashes["squash"]]
    assert patches[hashes["one"]] != pull.combined_patch_id != patches[hashes["two"]]
