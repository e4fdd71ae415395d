"""The shipped record says the same as the independent reading of the same repository."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from kg.namespaces import expand
from kg.settings import shipped

BASE = "https://w3id.org/counterclaim/llama-mmap/"
RECORD = shipped("data") / "llama-mmap" / "records" / "llama.cpp-git.ttl"

Graph = dict[str, dict[str, list[str]]]


@pytest.fixture(scope="module")
def graph() -> Graph:
    found: Graph = defaultdict(lambda: defaultdict(list))
    for quad in ox.parse(path=RECORD, format=ox.RdfFormat.TURTLE):
        assert isinstance(quad.subject, ox.NamedNode)
        assert isinstance(quad.object, ox.NamedNode | ox.Literal)
        found[quad.subject.value.removeprefix(BASE)][quad.predicate.value].append(
            quad.object.value.removeprefix(BASE)
        )
    return found


@pytest.fixture
def expected(shared_dir: Path) -> dict[str, Any]:
    file = shared_dir / "records" / "llama.cpp-mmap.git.json"
    loaded: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return loaded


def of(graph: Graph, subject: str, predicate: str) -> list[str]:
    return graph[subject][expand(predicate)]


def one(graph: Graph, subject: str, predicate: str) -> str:
    [value] = of(graph, subject, predicate)
    return value


def commit_names(graph: Graph) -> set[str]:
    return {name for name in graph if of(graph, name, "rdf:type") == [expand("kg:Commit")]}


def hashes(names: list[str]) -> list[str]:
    return [name.removeprefix("commit-") for name in names]


@pytest.mark.shared
def test_every_commit_field_by_field(graph: Graph, expected: dict[str, Any]) -> None:
    told = {}
    for name in commit_names(graph):
        files = []
        for change in of(graph, name, "kg:changes"):
            lines: dict[str, int | None] = {"additions": None, "deletions": None}
            if of(graph, change, "kg:binary") != ["true"]:
                lines = {key: int(one(graph, change, f"kg:{key}")) for key in lines}
            assert not of(graph, change, "kg:previousPath")
            files.append({"path": one(graph, change, "kg:path"), **lines})
        told[one(graph, name, "kg:hash")] = {
            "author": one(graph, one(graph, name, "kg:author"), "foaf:name"),
            "author_time": one(graph, name, "kg:authorTime"),
            "committer": one(graph, one(graph, name, "kg:committer"), "foaf:name"),
            "commit_time": one(graph, name, "kg:commitTime"),
            "subject": one(graph, name, "kg:subjectLine"),
            "parents": hashes(of(graph, name, "kg:parent")),
            "patch_id": one(graph, name, "kg:patchId"),
            "files": files,
        }
    assert told.keys() == expected["commits"].keys()
    for commit, fields in expected["commits"].items():
        assert told[commit] == fields, commit
    assert len(told) == 38


@pytest.mark.shared
def test_every_pull_request_and_the_branch(graph: Graph, expected: dict[str, Any]) -> None:
    told = [
        {
            "number": int(one(graph, name, "kg:number")),
            "ref": one(graph, name, "kg:ref"),
            "head": one(graph, name, "kg:headCommit").removeprefix("commit-"),
            "merge_base": one(graph, name, "kg:mergeBase").removeprefix("commit-"),
            "commits": hashes(of(graph, name, "kg:hasCommit")),
        }
        for name in graph
        if of(graph, name, "rdf:type") == [expand("kg:PullRequest")]
    ]
    assert told == expected["pull_requests"]
    assert (
        hashes(of(graph, "branch-master", "kg:hasCommit")) == expected["default_branch"]["commits"]
    )
    assert one(graph, "branch-master", "kg:ref") == "refs/heads/master"
    assert one(graph, "record-llama-cpp-git", "dcterms:source") == expected["repository"]


def test_equal_patch_ids_and_no_others_are_linked(graph: Graph) -> None:
    names = commit_names(graph)
    links = {(name, other) for name in names for other in of(graph, name, "kg:samePatchAs")}
    patches = {name: one(graph, name, "kg:patchId") for name in names}
    assert links == {(a, b) for a in names for b in names if a != b and patches[a] == patches[b]}
    # Six commits stand in two pull requests and on the branch, three more in one and there.
    assert len(links) == 6 * 6 + 3 * 2


def test_the_record_holds_no_address_and_no_body(graph: Graph) -> None:
    text = RECORD.read_text("utf-8")
    assert "@" not in text.replace("@prefix", "")
    for subject in graph:
        assert not of(graph, subject, "kg:messageBody")
        assert not of(graph, subject, "kg:email")


def test_everything_named_is_described_but_parents_outside(graph: Graph) -> None:
    outside = {expand("kg:parent"), expand("kg:firstParent"), expand("kg:mergeBase")}
    for subject, statements in graph.items():
        for predicate, objects in statements.items():
            for target in objects:
                if target.startswith(("commit-", "git-", "change-", "repo-", "record-")):
                    assert target in graph or predicate in outside, (subject, predicate, target)
