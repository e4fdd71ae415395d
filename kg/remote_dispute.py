"""A dispute on a server: which of the server's graphs are the dispute's."""

from __future__ import annotations

from kg.dispute import Dispute
from kg.embedded import EmbeddedEngine
from kg.engine import Engine
from kg.errors import EngineError
from kg.namespaces import ONTOLOGY_GRAPH
from kg.remote import RemoteEngine


def graphs_of(engine: RemoteEngine, dispute: Dispute) -> list[str]:
    """Return the graphs of a dispute that a server holds, without the vocabulary's, sorted.

    What is there counts, not what the folder would make: the server may hold an older or a newer
    state. Raises ``EngineError``.
    """
    return engine.graphs(f"{dispute.iri}graph/")


def see_dispute(engine: RemoteEngine, dispute: Dispute) -> None:
    """Let an engine's queries see the graphs of one dispute and the vocabulary, and no others.

    Raises ``EngineError`` if the server holds nothing of the dispute.
    """
    found = graphs_of(engine, dispute)
    if not found:
        raise EngineError(
            f"{engine.query_url} holds nothing of '{dispute.title}'",
            hint="Bring it there with 'kg publish', choose another with --dispute, or add "
            "--whole-server to ask what the server shows by itself.",
        )
    engine.seen = [*found, ONTOLOGY_GRAPH]


def to_judge(engine: RemoteEngine) -> Engine:
    """Return the engine itself if it can run compiled shapes, else a copy of what it shows.

    Virtuoso 7 cannot: it calls EXISTS within BIND, which tells which constraint a node fails, an
    internal error. Raises ``EngineError``.
    """
    return in_memory(engine) if engine.is_virtuoso() else engine


def in_memory(engine: Engine) -> EmbeddedEngine:
    """Return the engine itself if it is embedded, else a copy of all that its queries see.

    Raises ``EngineError``.
    """
    if isinstance(engine, EmbeddedEngine):
        return engine
    assert isinstance(engine, RemoteEngine)
    copy = EmbeddedEngine.memory()
    copy.add(engine.quads())
    return copy
