"""Which commits a record takes: revisions, ranges, pull requests, branches."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kg.errors import ImportFailedError
from kg.imports.git_process import GitRepository, is_hash

# Where a clone keeps the head of pull request N, by the ways people fetch it.
_PULL_REFS = ("refs/pull/{}/head", "refs/remotes/origin/pull/{}/head", "refs/remotes/origin/pr/{}")


@dataclass(frozen=True)
class PullChoice:
    """A pull request to read: its number and, where its ref is missing, what stands for it.

    ``base`` is the commit it starts from, for one whose commits became the branch itself.
    """

    number: int
    head: str | None = None
    base: str | None = None


@dataclass(frozen=True)
class Selection:
    """What to read. With no commit, range or pull request: the branches' whole history."""

    commits: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    pulls: tuple[PullChoice, ...] = ()
    branches: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResolvedPull:
    """A pull request with every name turned into a commit hash."""

    number: int
    ref: str
    head: str
    merge_base: str | None
    commits: tuple[str, ...]


def parse_pull(text: str) -> PullChoice:
    """Read ``NUMBER``, ``NUMBER=REF`` or ``NUMBER=BASE..HEAD``.

    Raises ``ImportFailedError``.
    """
    number, sign, ref = text.partition("=")
    if not re.fullmatch(r"[0-9]{1,9}", number) or int(number) == 0 or (sign and not ref):
        raise ImportFailedError(
            f"'{text}' is not a pull request.", hint="Write 586, 586=REF or 586=BASE..HEAD."
        )
    if ".." in ref:
        base, head = split_range(ref)
        return PullChoice(int(number), head, base)
    return PullChoice(int(number), ref or None)


def split_range(text: str) -> tuple[str, str]:
    """Split ``A..B``; an empty end is ``HEAD``. Raises ``ImportFailedError``."""
    start, dots, end = text.partition("..")
    if not dots or end.startswith("."):
        raise ImportFailedError(
            f"'{text}' is not a range.", hint="Write A..B: what B contains and A does not."
        )
    return start or "HEAD", end or "HEAD"


def resolve(repository: GitRepository, revision: str) -> str:
    """Return the full hash of the commit a revision names. Raises ``ImportFailedError``."""
    found = _lookup(repository, revision)
    if found is None:
        hint = "A shallow or single-branch clone may lack it: git fetch --all --tags --unshallow."
        if not repository.shallow:
            hint = "Look with: git log --oneline --all"
        raise ImportFailedError(f"Unknown revision '{revision}'.", path=repository.place, hint=hint)
    return found


def _lookup(repository: GitRepository, revision: str) -> str | None:
    # No revision starts with a dash, so none can reach git as an option.
    if not revision or revision.startswith("-") or "\0" in revision:
        return None
    code, out = repository.ask(
        ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    )
    found = out.strip()
    return found if code == 0 and is_hash(found) else None


def range_commits(repository: GitRepository, start: str | None, end: str) -> list[str]:
    """Return what ``end`` contains and ``start`` does not (both hashes), oldest first."""
    return _listed(
        repository, ["--reverse", "--topo-order", end, *([f"^{start}"] if start else [])]
    )


def _listed(repository: GitRepository, arguments: Sequence[str], given: bytes = b"") -> list[str]:
    code, out = repository.ask(["rev-list", *arguments], given)
    if code != 0:
        raise ImportFailedError(
            "git could not walk the history.",
            path=repository.place,
            hint="Objects are missing: try a full clone, or git fsck.",
        )
    return out.split()


def branch_ref(repository: GitRepository, name: str) -> tuple[str, str]:
    """Return a branch's ref (``refs/heads/…``) and the hash it points to.

    A branch that exists only as ``origin/NAME`` counts too. Raises ``ImportFailedError``.
    """
    short = name.removeprefix("refs/heads/")
    for ref in (f"refs/heads/{short}", f"refs/remotes/origin/{short}"):
        found = _lookup(repository, ref)
        if found is not None:
            return f"refs/heads/{short}", found
    _, out = repository.ask(["for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads"])
    known = out.split()
    near = difflib.get_close_matches(short, known, n=1) or known[:5]
    raise ImportFailedError(
        f"Unknown branch '{name}'.",
        path=repository.place,
        hint=f"Branches here: {', '.join(near)}." if near else "There are no branches here.",
    )


def default_branch(repository: GitRepository) -> str:
    """Return the hash of the default branch: where ``origin/HEAD``, else ``HEAD``, points to."""
    return _lookup(repository, "refs/remotes/origin/HEAD") or resolve(repository, "HEAD")


def resolve_pull(repository: GitRepository, choice: PullChoice, default: str) -> ResolvedPull:
    """Find a pull request's head, where it left the default branch, and its commits.

    ``default`` is the hash of the default branch. Raises ``ImportFailedError``.
    """
    ref = f"refs/pull/{choice.number}/head"
    if choice.head is None:
        candidates = (_lookup(repository, name.format(choice.number)) for name in _PULL_REFS)
        head = next((found for found in candidates if found), None)
        if head is None:
            raise ImportFailedError(
                f"There is no ref of pull request {choice.number}.",
                path=repository.place,
                hint=f"Fetch it with git fetch origin {ref}:{ref}, or say which commit is its "
                f"head: --pull {choice.number}=REVISION",
            )
    else:
        head = resolve(repository, choice.head)
        if choice.head.startswith("refs/"):
            ref = choice.head
    if choice.base is not None:
        base: str | None = resolve(repository, choice.base)
        commits = range_commits(repository, base, head)
    elif _is_ancestor(repository, head, default):
        base = _fork_point(repository, head, default)
        commits = range_commits(repository, base, head)
    else:
        code, out = repository.ask(["merge-base", head, default])
        base = out.strip() if code == 0 else None
        commits = range_commits(repository, default, head)
    return ResolvedPull(choice.number, ref, head, base, tuple(commits))


def _is_ancestor(repository: GitRepository, old: str, new: str) -> bool:
    return repository.ask(["merge-base", "--is-ancestor", old, new])[0] == 0


def _fork_point(repository: GitRepository, head: str, default: str) -> str | None:
    """Return where a head that was merged back had left the default branch.

    Its merge base is by now the head itself. What is wanted is the newest commit on the
    branch's own line (its first parents) that the head already contains. That is the head
    itself when the branch was moved forward onto it: nothing in git tells where such a pull
    request began, so it is left without commits.
    """
    line = _listed(repository, ["--first-parent", default, f"^{head}"])
    return _lookup(repository, f"{line[-1]}^1") if line else head


def contained(repository: GitRepository, tip: str, hashes: Iterable[str]) -> set[str]:
    """Return those of ``hashes`` that ``tip`` contains."""
    chosen = set(hashes)
    # Walks only what the branch lacks, however long the branch is.
    given = "".join(f"{name}\n" for name in sorted(chosen)) + f"^{tip}\n"
    return chosen.difference(_listed(repository, ["--stdin"], given.encode()))
