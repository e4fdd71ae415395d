"""The page about one thing: what ``kg show`` prints, as HTML without a script or a style."""

from __future__ import annotations

from html import escape

import pyoxigraph as ox

from kg.embedded import EmbeddedEngine
from kg.engine import Triples
from kg.errors import QueryError
from kg.names import is_graph, is_known
from kg.server.worker.evaluate import Bounds, Job, Open, RefusedError, graph_text
from kg.show import as_text, show

_WIDTH = 100
_LISTED = 200
_TRIPLES = 2_000


def run(engine: EmbeddedEngine, job: Job, bounds: Bounds, open_output: Open) -> None:
    """Send the page about the first of ``iris`` that is known, or raise ``RefusedError`` (404)."""
    nodes = [ox.NamedNode(iri) for iri in job["iris"]]
    for node in nodes:
        if is_known(engine, node):
            try:
                text = as_text(show(engine, job["base"], node.value, limit=_LISTED), _WIDTH)
            except QueryError as error:
                text = error.message
            _send(node, job, text, open_output)
            return
        if is_graph(engine, node):
            send_graph(engine, node, job, open_output)
            return
    raise RefusedError(404, "Not Found", job["absent"])


def send_graph(engine: EmbeddedEngine, node: ox.NamedNode, job: Job, open_output: Open) -> None:
    """Send the page of a graph: its triples in Turtle, or the first of them."""
    triples = engine.query(f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH {node} {{ ?s ?p ?o }} }}")
    assert isinstance(triples, Triples)
    text, more = graph_text(triples, "turtle", base=job["base"], limit=_TRIPLES)
    _send(node, job, text + (f"# and more than these {_TRIPLES:,}" if more else ""), open_output)


def _send(node: ox.NamedNode, job: Job, text: str, open_output: Open) -> None:
    iri = node.value
    output = open_output({"type": "text/html; charset=utf-8", "cacheable": True})
    output.write(
        f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{escape(iri)}</title></head>
<body>
<h1>{escape(job["title"])}</h1>
<p>&lt;<code>{escape(iri)}</code>&gt;. The same as data: ask with
<code>Accept: text/turtle</code>.</p>
<pre>{escape(text)}</pre>
</body>
</html>
""".encode()
    )
    output.close({"rows": 1})
