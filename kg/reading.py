"""A dispute's documents, passages and texts as its files are now, finished or not.

The verbs for passages serve somebody who is still writing, so they read the sources themselves:
a published snapshot may be old, and one of unfinished sources cannot be built. Only what somebody
else holds is asked of a server; the texts are always those at hand here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kg.dispute import Dispute
from kg.documents import AttachedText, Document, read_documents, texts_of
from kg.embedded import EmbeddedEngine
from kg.engine import Engine
from kg.passages import Passage, read_passages
from kg.sources import read_source


@dataclass(frozen=True)
class Reading:
    """What is read of a dispute, each part when it is first asked for.

    ``folder`` holds further texts, under any names (``--documents``). ``server`` is asked instead
    of the sources, if it is given.
    """

    dispute: Dispute
    folder: Path | None = None
    server: Engine | None = None

    @cached_property
    def engine(self) -> Engine:
        """The server, else the sources in memory, nothing derived. Raises ``SourceError``."""
        if self.server is not None:
            return self.server
        engine = EmbeddedEngine.memory()
        for source in self.dispute.sources:
            engine.add(read_source(source))
        return engine

    @cached_property
    def documents(self) -> list[Document]:
        """The documents that have a text."""
        return read_documents(self.engine, self.dispute.base)

    @cached_property
    def passages(self) -> list[Passage]:
        """Every passage of every document."""
        return read_passages(self.engine)

    @cached_property
    def texts(self) -> dict[str, AttachedText]:
        """The texts at hand. Raises ``PassageError``."""
        return texts_of(self.dispute, self.engine, self.folder)
