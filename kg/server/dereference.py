"""What a worker does with a name of the dispute: the graph of that name, or whether it is known."""

from __future__ import annotations

from kg.embedded import EmbeddedEngine
from kg.server.evaluate import Bounds, Job, Open, RefusedError
from kg.server.evaluate import run as run_query

# Not a failure: the answer is to look elsewhere.
SEE_OTHER = 303


def is_known(engine: EmbeddedEngine, iri: str) -> bool:
    """Say whether anything is said of an IRI, which must have been checked to be one."""
    return bool(
        engine.query(f"ASK {{ VALUES ?x {{ <{iri}> }} {{ ?x ?p ?o }} UNION {{ ?s ?q ?x }} }}")
    )


def run(engine: EmbeddedEngine, job: Job, bounds: Bounds, open_output: Open) -> None:
    """Send the graph that ``iri`` of the job names.

    Raises ``RefusedError``: 303 if it names something else, 404 if nothing is known of it.
    """
    iri = job["iri"]
    if engine.query(f"ASK {{ GRAPH <{iri}> {{ ?s ?p ?o }} }}"):
        text = f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{iri}> {{ ?s ?p ?o }} }}"
        run_query(engine, {**job, "query": text}, bounds, open_output)
        return
    if is_known(engine, iri):
        raise RefusedError(SEE_OTHER, "See other", "The document about it is elsewhere.")
    raise RefusedError(404, "Not found", job["absent"])
