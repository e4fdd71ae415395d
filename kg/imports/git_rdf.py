"""Write a git history as Turtle in the vocabulary of records."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kg.imports import turtle
from kg.imports.git_model import Commit, History, Identity

# Something@somewhere.tld, in a name that should have been a name.
_ADDRESS = re.compile(r"([^\s@<>]+)@[^\s@<>]+\.[^\s@<>]+")


@dataclass(frozen=True)
class RecordNames:
    """How the record is called: the base IRI, two short names, and the repository's address."""

    base: str
    record: str
    repository: str
    title: str
    url: str | None = None


def public_name(name: str) -> str:
    """Return a commit's name with the domain of any e-mail address in it left out."""
    return _ADDRESS.sub("\\1@\N{HORIZONTAL ELLIPSIS}", name)


def write_turtle(
    history: History,
    record: RecordNames,
    *,
    emails: bool = False,
    messages: bool = False,
    made_by: str = "kg import git",
) -> Iterator[str]:
    """Give the Turtle of a history, a block at a time.

    The same history and names give the same characters. E-mail addresses and the bodies of
    messages are left out unless asked for. ``made_by`` is the command for the first comment.
    Raises ``ImportFailedError`` for a name or an address that cannot be written.
    """
    turtle.base_iri(record.base)
    turtle.short_name(record.record)
    turtle.short_name(record.repository)
    address = [turtle.web_address(record.url)] if record.url else []

    def shown(person: Identity) -> str:
        return person.name if emails else public_name(person.name)

    boxes: dict[str, list[str]] = defaultdict(list)
    for person in sorted({person for commit in history.commits for person in _people(commit)}):
        boxes[shown(person)] += [person.email] if person.email else []
    people = turtle.short_names(boxes, "git")
    copies = _same_patches(history.commits)

    yield turtle.comment(f"Imported, not edited by hand. Made by:\n  {made_by}")
    yield turtle.header(record.base, ["dcterms", "foaf", "kg", "xsd"])
    yield "\n" + turtle.block(
        f":{record.record}",
        [
            ("a", ["kg:Record"]),
            ("dcterms:title", [turtle.literal(record.title)]),
            ("dcterms:source", address),
            (
                "kg:leastLines",
                [] if history.least_lines is None else [str(history.least_lines)],
            ),
        ],
    )
    yield "\n" + turtle.block(
        f":{record.repository}", [("a", ["kg:Repository"]), ("kg:url", address)]
    )
    for name in sorted(boxes, key=lambda name: people[name]):
        yield "\n" + turtle.block(
            f":{people[name]}",
            [
                ("a", ["kg:GitIdentity"]),
                ("foaf:name", [turtle.literal(name)]),
                ("kg:email", [turtle.literal(box) for box in boxes[name]] if emails else []),
            ],
        )
    yield from _groups(history, record)
    for commit in history.commits:
        yield "\n" + turtle.block(
            f":commit-{commit.hash}",
            [
                ("a", ["kg:Commit"]),
                ("kg:partOfRecord", [f":{record.record}"]),
                ("kg:repository", [f":{record.repository}"]),
                ("kg:hash", [turtle.literal(commit.hash)]),
                ("kg:subjectLine", [turtle.literal(commit.subject)]),
                ("kg:author", [f":{people[shown(commit.author)]}"]),
                ("kg:authorTime", _time(commit.author_time)),
                ("kg:committer", [f":{people[shown(commit.committer)]}"]),
                ("kg:commitTime", _time(commit.commit_time)),
                ("kg:coAuthor", sorted({f":{people[shown(p)]}" for p in commit.co_authors})),
                ("kg:signedOffBy", sorted({f":{people[shown(p)]}" for p in commit.signed_off_by})),
                ("kg:firstParent", _commits(commit.parents[:1])),
                ("kg:parent", _commits(dict.fromkeys(commit.parents))),
                ("kg:patchId", [turtle.literal(commit.patch_id)] if commit.patch_id else []),
                ("kg:samePatchAs", _commits(copies.get(commit.hash, ()))),
                ("kg:changes", [_change(commit, n) for n in range(1, len(commit.changes) + 1)]),
                (
                    "kg:messageBody",
                    [turtle.literal(commit.body)] if messages and commit.body else [],
                ),
            ],
        )
        yield from _files(commit)


def _groups(history: History, record: RecordNames) -> Iterator[str]:
    """Give the pull requests by number, then the branches by name."""
    belongs = [
        ("kg:partOfRecord", [f":{record.record}"]),
        ("kg:repository", [f":{record.repository}"]),
    ]
    for pull in sorted(history.pulls, key=lambda pull: pull.number):
        yield "\n" + turtle.block(
            f":pr-{pull.number}",
            [
                ("a", ["kg:PullRequest"]),
                *belongs,
                ("kg:number", [str(pull.number)]),
                ("kg:ref", [turtle.literal(pull.ref)]),
                ("kg:headCommit", _commits([pull.head])),
                ("kg:mergeBase", _commits([pull.merge_base] if pull.merge_base else [])),
                (
                    "kg:combinedPatchId",
                    [turtle.literal(pull.combined_patch_id)] if pull.combined_patch_id else [],
                ),
                ("kg:hasCommit", _commits(pull.commits)),
            ],
        )
    names = turtle.short_names((branch.name for branch in history.branches), "branch")
    for branch in sorted(history.branches, key=lambda branch: branch.name):
        yield "\n" + turtle.block(
            f":{names[branch.name]}",
            [
                ("a", ["kg:Branch"]),
                *belongs,
                ("kg:ref", [turtle.literal(branch.ref)]),
                ("kg:hasCommit", _commits(branch.commits)),
            ],
        )


def _files(commit: Commit) -> Iterator[str]:
    for number, change in enumerate(commit.changes, 1):
        added = [_part("lines", commit, number, n) for n in range(1, len(change.added) + 1)]
        removed = [_part("removed", commit, number, n) for n in range(1, len(change.removed) + 1)]
        yield _in_one_line(
            _change(commit, number),
            [
                ("a", ["kg:FileChange"]),
                ("kg:path", [turtle.literal(change.path)]),
                ("kg:previousPath", [turtle.literal(change.previous)] if change.previous else []),
                ("kg:additions", [] if change.additions is None else [str(change.additions)]),
                ("kg:deletions", [] if change.deletions is None else [str(change.deletions)]),
                ("kg:binary", ["true"] if change.binary else []),
                ("kg:addsLines", added),
                ("kg:removesLines", removed),
            ],
        )
        for name, block in zip(added, change.added, strict=True):
            yield _in_one_line(
                name,
                [
                    ("a", ["kg:LineRange"]),
                    ("kg:firstLine", [str(block.first)]),
                    ("kg:lineCount", [str(block.count)]),
                    ("kg:textDigest", [turtle.literal(block.digest)]),
                ],
            )
        for name, gone in zip(removed, change.removed, strict=True):
            yield _in_one_line(
                name,
                [
                    ("a", ["kg:RemovedLines"]),
                    ("kg:lineCount", [str(gone.count)]),
                    ("kg:addedIn", _commits([gone.commit])),
                ],
            )


def _in_one_line(subject: str, statements: turtle.Statements) -> str:
    return re.sub(r"\n +", " ", turtle.block(subject, statements))


def _people(commit: Commit) -> Iterator[Identity]:
    yield from (commit.author, commit.committer, *commit.co_authors, *commit.signed_off_by)


def _change(commit: Commit, number: int) -> str:
    return f":change-{commit.hash[:12]}-{number}"


def _part(kind: str, commit: Commit, change: int, number: int) -> str:
    return f":{kind}-{commit.hash[:12]}-{change}-{number}"


def _commits(hashes: Iterable[str]) -> list[str]:
    return [f":commit-{name}" for name in hashes]


def _time(written: str | None) -> list[str]:
    return [] if written is None else [turtle.literal(written, "xsd:dateTime")]


def _same_patches(commits: Iterable[Commit]) -> Mapping[str, list[str]]:
    """Map each commit to the others with its patch id, in the record's order."""
    together: dict[str, list[str]] = defaultdict(list)
    for commit in commits:
        if commit.patch_id:
            together[commit.patch_id].append(commit.hash)
    return {
        name: [other for other in group if other != name]
        for group in together.values()
        if len(group) > 1
        for name in group
    }
