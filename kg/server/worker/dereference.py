"""What a worker does with a name of the dispute: the graph of that name, or whether it is known."""

from __future__ import annotations

import pyoxigraph as ox

from kg.embedded import EmbeddedEngine
from kg.names import is_graph, is_known
from kg.server.worker import pages
from kg.server.worker.evaluate import Bounds, Job, Open, RefusedError
from kg.server.worker.evaluate import run as run_query

# Not a failure: the answer is to look elsewhere.
SEE_OTHER = 303


def run(engine: EmbeddedEngine, job: Job, bounds: Bounds, open_output: Open) -> None:
    """Send the graph that one of ``iris`` of the job names, with ``html`` in the job as a page.

    Raises ``RefusedError``: 303 if one names something else, 404 if nothing is known of any.
    """
    for node in map(ox.NamedNode, job["iris"]):
        if is_graph(engine, node):
            if job["html"]:
                pages.send_graph(engine, node, job, open_output)
                return
            text = f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH {node} {{ ?s ?p ?o }} }}"
            run_query(engine, {**job, "query": text}, bounds, open_output)
            return
        if is_known(engine, node):
            raise RefusedError(SEE_OTHER, "See other", "The document about it is elsewhere.")
    raise RefusedError(404, "Not Found", job["absent"])
