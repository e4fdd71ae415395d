"""Run git on a repository that need not be trusted, so that only its objects decide the output.

Two places are used. Names (branches, pull-request refs, ``HEAD~3``) are resolved in the
repository itself. Commits and differences are read in an empty scratch repository that borrows
the object folder: there the repository's configuration, attributes, grafts, hooks and replaced
objects do not exist, so a ``diff.external`` cannot run and a ``diff.renames`` cannot change a
number. Environment variables that steer git are dropped, and nothing is ever fetched.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from kg.errors import ImportFailedError

# Applied on every call, over whatever the repository's own configuration says.
_FIXED = (
    "--no-pager",
    "--no-replace-objects",
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", f"core.attributesFile={os.devnull}"),
    # Quoted paths go into the patch id, so this is git's own default.
    *("-c", "core.quotePath=true"),
    *("-c", "log.showSignature=false"),
)
_URL = re.compile(r"^([a-z][a-z0-9+.-]*://|[^/\\\s]+@[^/\\\s]+:)", re.IGNORECASE)
_HASH = re.compile(r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")
_CHUNK = 1 << 16


def is_hash(text: str) -> bool:
    """Whether ``text`` is a full object name (SHA-1 or SHA-256)."""
    return _HASH.match(text) is not None


def _environment(home: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return kept | {
        # No user or system configuration: an empty home for old versions, the rest for new ones.
        "HOME": home,
        "XDG_CONFIG_HOME": home,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_GRAFT_FILE": os.devnull,
        "GIT_NO_REPLACE_OBJECTS": "1",
        # A partial clone would fetch what is missing, with a command of its own choice.
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        # Messages in English, because some are recognised.
        "LC_ALL": "C",
        "LANGUAGE": "C",
    }


class GitRepository:
    """A repository opened for reading: a context manager that owns the scratch repository.

    ``place`` is a work tree's top folder, a bare repository or a ``.git`` folder. Raises
    ``ImportFailedError`` if git is missing or ``place`` is not a repository on this machine.
    """

    def __init__(self, place: str | os.PathLike[str]) -> None:
        self.place = os.fspath(place)
        self._temporary = tempfile.TemporaryDirectory(prefix="kg-git-")
        self.scratch = Path(self._temporary.name).resolve()
        try:
            self._open()
        except BaseException:
            self._temporary.cleanup()
            raise

    def _open(self) -> None:
        folder = Path(self.place)
        if not folder.exists():
            if _URL.match(self.place):
                raise ImportFailedError(
                    f"'{self.place}' is an address; a repository on this machine is needed.",
                    hint=f"Clone it first: git clone --mirror {self.place}",
                )
            raise ImportFailedError("No such folder.", path=self.place)
        inside = folder / ".git"
        self._names = {
            **_environment(str(self.scratch)),
            "GIT_DIR": str((inside if inside.exists() else folder).resolve()),
        }
        code, out, err = self._call(
            self._names,
            ["rev-parse", "--git-common-dir", "--show-object-format", "--is-shallow-repository"],
        )
        if code != 0:
            raise ImportFailedError(
                f"Not a git repository ({_last_line(err)}).",
                path=self.place,
                hint="Name a work tree's top folder, a bare repository or a .git folder.",
            )
        common_text, format_, shallow = os.fsdecode(out).rstrip("\n").rsplit("\n", 2)
        common = (self.scratch / common_text).resolve()
        self.shallow = shallow == "true"
        self._shallow_file = common / "shallow"
        code, _, err = self._call(
            _environment(str(self.scratch)),
            ["init", "--quiet", "--bare", "--template=", f"--object-format={format_}", "read.git"],
        )
        if code != 0:
            raise ImportFailedError(f"No scratch repository can be made ({_last_line(err)}).")
        self._objects = {
            **_environment(str(self.scratch)),
            "GIT_DIR": str(self.scratch / "read.git"),
            "GIT_OBJECT_DIRECTORY": str(common / "objects"),
        }

    def __enter__(self) -> GitRepository:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._temporary.cleanup()

    def _call(
        self, environment: dict[str, str], arguments: Sequence[str], given: bytes = b""
    ) -> tuple[int, bytes, bytes]:
        try:
            done = subprocess.run(
                ["git", *_FIXED, *arguments],
                input=given,
                capture_output=True,
                cwd=self.scratch,
                env=environment,
                check=False,
            )
        except FileNotFoundError:
            raise _no_git() from None
        return done.returncode, done.stdout, done.stderr

    def ask(self, arguments: Sequence[str], given: bytes = b"") -> tuple[int, str]:
        """Run git where the names are; return its exit code and output.

        Revisions in ``arguments`` must have been resolved, so that none can be an option.
        """
        code, out, _ = self._call(self._names, arguments, given)
        return code, os.fsdecode(out)

    def shallow_boundary(self) -> frozenset[str]:
        """Return the commits whose parents a shallow clone has left out."""
        if not self.shallow:
            return frozenset()
        try:
            return frozenset(self._shallow_file.read_text("ascii").split())
        except OSError:
            return frozenset()

    @contextmanager
    def stream(self, *commands: Sequence[str], given: Path) -> Iterator[IO[bytes]]:
        """Run a pipeline over the objects, its first command reading the file ``given``.

        Gives the output of the last command. Raises ``ImportFailedError`` on leaving, if any
        command failed, most often because objects are missing.
        """
        running: list[subprocess.Popen[bytes]] = []
        with tempfile.TemporaryFile(dir=self.scratch) as errors, given.open("rb") as source:
            feed: IO[bytes] = source
            try:
                for command in commands:
                    process = subprocess.Popen(
                        ["git", *_FIXED, "-c", "core.commitGraph=false", *command],
                        stdin=feed,
                        stdout=subprocess.PIPE,
                        stderr=errors,
                        cwd=self.scratch,
                        env=self._objects,
                    )
                    if running:
                        feed.close()  # so that a reader's death reaches the writer
                    running.append(process)
                    assert process.stdout is not None
                    feed = process.stdout
                yield feed
                codes = [process.wait() for process in running]
            except FileNotFoundError:
                raise _no_git() from None
            finally:
                for process in running:
                    if process.poll() is None:
                        process.kill()
                        process.wait()
                if running:
                    feed.close()
            if any(codes):
                errors.seek(0)
                raise ImportFailedError(
                    f"git could not read the objects ({_last_line(errors.read())}).",
                    path=self.place,
                    hint="A shallow or partial clone lacks objects, and a damaged one too: try "
                    "git fetch --unshallow, a full clone, or git fsck.",
                )

    @contextmanager
    def sink(self, command: Sequence[str], answer: Path) -> Iterator[IO[bytes]]:
        """Run a command that reads what is written to it and answers into the file ``answer``.

        Raises ``ImportFailedError`` on leaving, if the command failed or read no further.
        """
        with tempfile.TemporaryFile(dir=self.scratch) as errors, answer.open("wb") as target:
            try:
                process = subprocess.Popen(
                    ["git", *_FIXED, *command],
                    stdin=subprocess.PIPE,
                    stdout=target,
                    stderr=errors,
                    cwd=self.scratch,
                    env=self._objects,
                )
            except FileNotFoundError:
                raise _no_git() from None
            assert process.stdin is not None
            broken = False
            try:
                yield process.stdin
                process.stdin.close()
                code = process.wait()
            except BrokenPipeError:
                broken = True
                code = process.wait()
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
                with suppress(BrokenPipeError):
                    process.stdin.close()
            if broken or code:
                errors.seek(0)
                raise ImportFailedError(
                    f"git {command[0]} failed ({_last_line(errors.read())}).", path=self.place
                )


def split_zero(stream: IO[bytes]) -> Iterator[bytes]:
    """Give the pieces of a stream in which each piece ends with a zero byte."""
    rest = b""
    while chunk := stream.read(_CHUNK):
        *pieces, rest = (rest + chunk).split(b"\0")
        yield from pieces
    if rest:
        yield rest


def _last_line(message: bytes) -> str:
    lines = message.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("fatal: ") if lines else "no reason given"


def _no_git() -> ImportFailedError:
    return ImportFailedError(
        "git is not installed, or not on the PATH.", hint="Install git 2.31 or newer."
    )
