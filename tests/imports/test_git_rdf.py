"""The Turtle of a history says what the history says, and nothing that was not asked for."""

from __future__ import annotations

import shlex
from collections import defaultdict
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.errors import ImportFailedError
from kg.imports.git import (
    PullChoice,
    RecordNames,
    Selection,
    command_line,
    import_git,
    read_history,
    record_names,
    write_turtle,
)
from kg.imports.git_rdf import public_name
from kg.namespaces import expand
from tests.imports.repositories import ANA, BO, CommitSpec, make_repository

BASE = "https://example.org/dispute/"
NAMES = RecordNames(BASE, "record-r-git", "repo-r", "Git history of r", "https://example.org/r")

Graph = dict[str, dict[str, list[str]]]


def read(text: str) -> Graph:
    """Short name -> prefixed predicate -> values, in the order of the file."""
    graph: Graph = defaultdict(lambda: defaultdict(list))
    for quad in ox.parse(text.encode("utf-8"), format=ox.RdfFormat.TURTLE):
        assert isinstance(quad.subject, ox.NamedNode)
        assert isinstance(quad.object, ox.NamedNode | ox.Literal)
        graph[quad.subject.value.removeprefix(BASE)][quad.predicate.value].append(
            quad.object.value.removeprefix(BASE)
        )
    return graph


def values(graph: Graph, subject: str, predicate: str) -> list[str]:
    return graph[subject][expand(predicate)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_repository(
        tmp_path / "r",
        [
            CommitSpec(
                "one",
                'Say "hello"\n\nA body that nobody asked for.\n\n'
                "Co-authored-by: Zoe <zoe@example.org>\nSigned-off-by: Bo <bo2@example.org>\n",
                {"a": "a\n", "b.bin": b"\0"},
            ),
            CommitSpec("two", "Move", renames={"a": "c"}, author=BO),
            CommitSpec(
                "copy", "Move", renames={"a": "c"}, author=BO, committer=ANA, parents=["one"]
            ),
            CommitSpec("merge", "Merge", parents=["two", "copy"]),
            CommitSpec(
                "mail", "By mail", {"d": "d\n"}, author=("zed@example.org", "zed@example.org")
            ),
        ],
        pulls={7: "copy"},
    )
    return tmp_path / "r"


def turtle(folder: Path, **options: bool) -> str:
    pieces, _ = import_git(folder, Selection(branches=("main",)), NAMES, **options)
    return "".join(pieces)


def test_a_commit(folder: Path) -> None:
    graph = read(turtle(folder))
    by_subject = {
        values(graph, name, "kg:subjectLine")[0]: name
        for name in graph
        if values(graph, name, "rdf:type") == [expand("kg:Commit")]
    }
    one = by_subject['Say "hello"']
    assert one == f"commit-{values(graph, one, 'kg:hash')[0]}"
    assert values(graph, one, "kg:author") == ["git-ana"]
    assert values(graph, one, "kg:coAuthor") == ["git-zoe"]
    assert values(graph, one, "kg:signedOffBy") == ["git-bo"]
    assert values(graph, one, "kg:authorTime") == ["2023-03-01T12:00:00+00:00"]
    assert values(graph, one, "kg:parent") == []
    assert values(graph, one, "kg:partOfRecord") == ["record-r-git"]
    assert values(graph, one, "kg:repository") == ["repo-r"]
    text, picture = values(graph, one, "kg:changes")
    assert text == f"change-{one[7:19]}-1"
    assert values(graph, text, "kg:additions") == ["1"]
    assert values(graph, text, "kg:deletions") == ["0"]
    assert values(graph, picture, "kg:binary") == ["true"]
    assert values(graph, picture, "kg:additions") == values(graph, picture, "kg:deletions") == []

    merge = by_subject["Merge"]
    assert len(values(graph, merge, "kg:parent")) == 2
    assert values(graph, merge, "kg:firstParent") == values(graph, merge, "kg:parent")[:1]
    assert values(graph, merge, "kg:patchId") == values(graph, merge, "kg:changes") == []


def test_equal_patches_are_linked_both_ways(folder: Path) -> None:
    graph = read(turtle(folder))
    links = {(name, other) for name in graph for other in values(graph, name, "kg:samePatchAs")}
    assert len(links) == 2
    assert {(b, a) for a, b in links} == links
    for name, other in links:
        assert name != other
        assert values(graph, name, "kg:patchId") == values(graph, other, "kg:patchId")
        [change] = values(graph, name, "kg:changes")
        assert values(graph, change, "kg:path") == ["c"]
        assert values(graph, change, "kg:previousPath") == ["a"]


def test_addresses_and_bodies_only_when_asked_for(folder: Path) -> None:
    plain = turtle(folder)
    assert "example.org" not in plain.replace(BASE, "").replace(NAMES.url or "", "")
    assert "nobody asked" not in plain
    full = read(turtle(folder, emails=True, messages=True))
    assert values(full, "git-bo", "kg:email") == ["bo2@example.org", "bo@example.org"]
    bodies = [body for name in full for body in values(full, name, "kg:messageBody")]
    assert len(bodies) == 1
    assert bodies[0].startswith("A body that nobody asked for.\n\nCo-authored-by: Zoe")


def test_a_name_that_is_an_address() -> None:
    assert public_name("zed@example.org") == "zed@…"
    assert public_name("Zed (zed@mail.example.org)") == "Zed (zed@…"
    assert public_name("Zed @ home") == "Zed @ home"


def test_pull_requests_and_branches(folder: Path) -> None:
    history = read_history(folder, Selection(pulls=(PullChoice(7),), branches=("main",)))
    graph = read("".join(write_turtle(history, NAMES)))
    [pull] = history.pulls
    assert values(graph, "pr-7", "kg:number") == ["7"]
    assert values(graph, "pr-7", "kg:ref") == ["refs/pull/7/head"]
    assert values(graph, "pr-7", "kg:headCommit") == [f"commit-{pull.head}"]
    assert values(graph, "pr-7", "kg:mergeBase") == [f"commit-{pull.merge_base}"]
    assert values(graph, "pr-7", "kg:hasCommit") == [f"commit-{name}" for name in pull.commits]
    assert values(graph, "branch-main", "kg:ref") == ["refs/heads/main"]
    assert values(graph, "branch-main", "kg:hasCommit") == values(graph, "pr-7", "kg:hasCommit")
    assert values(graph, "record-r-git", "dcterms:source") == ["https://example.org/r"]


def test_the_same_history_gives_the_same_characters(folder: Path, tmp_path: Path) -> None:
    first = turtle(folder)
    assert first == turtle(folder)
    (tmp_path / "elsewhere").mkdir()
    folder.rename(tmp_path / "elsewhere" / "r")
    assert first == turtle(tmp_path / "elsewhere" / "r")
    assert str(tmp_path) not in first


def test_each_subject_has_one_block_and_no_node_is_blank(folder: Path) -> None:
    text = turtle(folder)
    subjects = [line.split(" ")[0] for line in text.splitlines() if line.startswith(":")]
    assert len(subjects) == len(set(subjects)) == len(read(text))


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    hostile = '"""\\ . } <urn:x> \u202e\x07 # \' ${x}'
    make_repository(
        tmp_path / "r",
        [
            CommitSpec(
                "one",
                hostile,
                {f"{hostile}\n": "x\n"},
                author=(hostile.replace("<urn:x>", ""), "a@b"),
            )
        ],
        branches={"odd#name'": "one"},
    )
    pieces, _ = import_git(
        tmp_path / "r", Selection(branches=("odd#name'",)), NAMES, messages=True, emails=True
    )
    graph = read("".join(pieces))
    [commit] = [name for name in graph if name.startswith("commit-")]
    assert values(graph, commit, "kg:subjectLine") == [hostile.strip()]
    [change] = values(graph, commit, "kg:changes")
    assert values(graph, change, "kg:path") == [f"{hostile}\n"]
    assert values(graph, "branch-odd-name", "kg:ref") == ["refs/heads/odd#name'"]


def test_names_that_cannot_be_written(folder: Path) -> None:
    history = read_history(folder, Selection())
    for names in (
        RecordNames("not an IRI", "record", "repo", "T"),
        RecordNames(BASE, "a b", "repo", "T"),
        RecordNames(BASE, "record", "re/po", "T"),
        RecordNames(BASE, "record", "repo", "T", "file:///etc/passwd"),
    ):
        with pytest.raises(ImportFailedError):
            "".join(write_turtle(history, names))


def test_a_record_is_named_after_its_repository(tmp_path: Path) -> None:
    named = record_names(tmp_path, BASE, url="https://github.com/ggerganov/llama.cpp")
    assert (named.record, named.repository) == ("record-llama-cpp-git", "repo-llama-cpp")
    assert named.title == "Git history of llama.cpp"
    assert record_names(tmp_path / "parser" / ".git", BASE).repository == "repo-parser"
    assert record_names(tmp_path / "parser.git", BASE).repository == "repo-parser"
    given = record_names(tmp_path, BASE, record="a", repository="b")
    assert (given.record, given.repository) == ("a", "b")


def test_the_command_is_one_that_can_be_typed() -> None:
    selection = Selection(
        commits=("HEAD",),
        ranges=("a^..b",),
        pulls=(PullChoice(1), PullChoice(2, "x"), PullChoice(3, "y", "x")),
        branches=("it's",),
    )
    words = shlex.split(command_line(selection, NAMES, emails=True).replace("\\\n", ""))
    assert words[:4] == ["kg", "import", "git", "path/to/r"]
    assert words[4:18] == [
        *("--commit", "HEAD", "--range", "a^..b", "--pull", "1", "--pull", "2=x"),
        *("--pull", "3=x..y", "--branch", "it's", "--url", "https://example.org/r"),
    ]
    assert words[-1] == "--emails"
