"""The page about one thing: what ``kg show`` prints, as HTML without a script or a style."""

from __future__ import annotations

from html import escape

from kg.embedded import EmbeddedEngine
from kg.errors import QueryError
from kg.server.dereference import is_known
from kg.server.evaluate import Bounds, Job, Open, RefusedError
from kg.show import as_text, show

_WIDTH = 100
_LISTED = 200


def run(engine: EmbeddedEngine, job: Job, bounds: Bounds, open_output: Open) -> None:
    """Send the page about ``iri`` of the job, or raise ``RefusedError`` (404)."""
    iri = job["iri"]
    if not is_known(engine, iri):
        raise RefusedError(404, "Not found", job["absent"])
    try:
        text = as_text(show(engine, job["base"], iri, limit=_LISTED), _WIDTH)
    except QueryError as error:
        text = error.message
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
