"""Every error a user can meet, as one tree.

::

    CounterclaimError            exit code 2
    ├── SourceError              a file that cannot be read as what it should be (file and line)
    ├── DisputeError             a dispute folder that is missing or incomplete
    ├── QueryError               a stored or typed query that cannot be loaded or run
    │   ├── ParameterError       a parameter that is unknown, missing or of the wrong type
    │   └── FormatError          an answer that cannot be written in the format asked for
    ├── PassageError             a passage that does not fit its document
    ├── EngineError              the place where SPARQL runs failed or cannot be reached
    ├── SnapshotError            a published snapshot that is missing, damaged or cannot be written
    ├── ImportFailedError        a register that cannot be imported
    ├── RenderError              a page that cannot be made or written
    └── NonConformanceError      exit code 1: the data does not conform, or a check found something

The command line prints ``message``, ``where`` and ``hint``, and never a traceback.
"""

from __future__ import annotations

from pathlib import Path


class CounterclaimError(Exception):
    """A failure with a message for the person at the keyboard.

    ``message`` says what is wrong, ``path``/``line`` (1-based) where, ``hint`` how to mend it.
    """

    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        path: Path | str | None = None,
        line: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line
        self.hint = hint

    @property
    def where(self) -> str | None:
        """``file:line``, ``file`` or nothing."""
        if self.path is None:
            return None
        return f"{self.path}:{self.line}" if self.line is not None else str(self.path)

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n  {self.hint}" if self.hint else head


class SourceError(CounterclaimError):
    """A file that cannot be read as what it should be."""


class DisputeError(CounterclaimError):
    """A dispute folder that is missing or incomplete."""


class QueryError(CounterclaimError):
    """A stored or typed query that cannot be loaded or run."""


class ParameterError(QueryError):
    """A parameter that is unknown, missing or of the wrong type."""


class FormatError(QueryError):
    """An answer that cannot be written in the format asked for."""


class PassageError(CounterclaimError):
    """A passage that does not fit its document."""


class EngineError(CounterclaimError):
    """The place where SPARQL runs failed or cannot be reached."""


class SnapshotError(CounterclaimError):
    """A published snapshot that is missing, damaged or cannot be written."""


class ImportFailedError(CounterclaimError):
    """A register (a git history, ...) that cannot be imported."""


class RenderError(CounterclaimError):
    """A page that cannot be made or written."""


class NonConformanceError(CounterclaimError):
    """The data does not conform to its shapes, or a check found something."""

    exit_code = 1
