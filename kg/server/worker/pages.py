"""The page about one thing: what ``kg show`` prints, as HTML without a script or a style.

Names of the dispute are links, so that one can go from a claim to what stands against it.
"""

from __future__ import annotations

import re
from html import escape
from urllib.parse import quote

import pyoxigraph as ox

from kg.embedded import EmbeddedEngine
from kg.engine import Triples
from kg.errors import QueryError
from kg.names import is_graph, is_known
from kg.plain_text import clean, one_line
from kg.server.worker.evaluate import Bounds, Job, Open, RefusedError, graph_text
from kg.show import TO_SHOW_ALL, Line, Page, show

_LISTED = 200
_TRIPLES = 2_000
# What stands unescaped in an address besides letters, digits and "-._~": RFC 3986, section 3.3.
_IN_PATHS = "/:@!$&'()*+,;=%"


def run(engine: EmbeddedEngine, job: Job, bounds: Bounds, open_output: Open) -> None:
    """Send the page about the first of ``iris`` that is known, or raise ``RefusedError`` (404).

    The job has the dispute's ``title``, ``home``, the path below which its names are, and
    ``queries``, the path below which queries are asked.
    """
    nodes = [ox.NamedNode(iri) for iri in job["iris"]]
    for node in nodes:
        if is_known(engine, node):
            try:
                page = show(engine, job["base"], node.value, limit=_LISTED)
            except QueryError as error:
                page = Page(node.value, node.value, "name", error.message, ())
            _send_page(page, job, open_output)
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
    text += f"# and more than these {_TRIPLES:,}" if more else ""
    name = node.value.removeprefix(job["base"])
    _send(node.value, f"graph {name}", f"<pre>{escape(text)}</pre>", job, open_output)


def _send_page(page: Page, job: Job, open_output: Open) -> None:
    whole = page.iri == job["base"]
    heading = job["title"] if whole else f"{page.kind} {page.name}"
    parts = [f"<p>{_text(page.lead)}</p>"]
    if whole:
        start = escape(job["queries"])
        parts.append(
            f'<p>Ask it: <a href="{start}api/queries">stored queries</a>,'
            f' <a href="{start}sparql">SPARQL</a>.</p>'
        )
    for section in page.sections:
        if section.lines:
            parts.append(f"<h2>{_text(section.title)}</h2>")
            parts.append(_list(section.lines, page.iri, job))
    _send(page.iri, heading, "\n".join(parts), job, open_output)


def _list(lines: tuple[Line, ...], about: str, job: Job) -> str:
    items = []
    for line in lines:
        below = f"\n{_list(line.children, about, job)}" if line.children else ""
        items.append(f"<li>{_linked(line, about, job)}{below}</li>")
    return "<ul>\n" + "\n".join(items) + "\n</ul>"


def _linked(line: Line, about: str, job: Job) -> str:
    """Return a line with a link to what it is about, on its name if that stands in the line."""
    text = clean(line.text.removesuffix(TO_SHOW_ALL))
    local = (line.iri or "").removeprefix(job["base"])
    # A browser would take "?", "#" and dots for something else than parts of a name.
    unfit = re.search(r"[?#]|(^|/)\.\.?(/|$)", local)
    if not line.iri or not local or local == line.iri or line.iri == about or unfit:
        return escape(text)
    address = escape(f"{job['home']}about/{quote(local, safe=_IN_PATHS)}")
    found = re.search(rf"(?<![\w-]){re.escape(local)}(?![\w-])", text)
    first, last = found.span() if found else (0, len(text))
    before, name, after = text[:first], text[first:last], text[last:]
    return f'{escape(before)}<a href="{address}">{escape(name)}</a>{escape(after)}'


def _text(text: str) -> str:
    return escape(clean(text))


def _send(iri: str, heading: str, content: str, job: Job, open_output: Open) -> None:
    output = open_output({"type": "text/html; charset=utf-8", "cacheable": True})
    dispute = _text(job["title"])
    title = _text(one_line(heading))
    tab = title if heading == job["title"] else f"{title} - {dispute}"
    output.write(
        f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{tab}</title>
</head>
<body>
<nav><a href="{escape(job["home"])}">{dispute}</a></nav>
<main>
<h1>{title}</h1>
{content}
</main>
<footer><p>&lt;<code>{escape(iri)}</code>&gt;. The same as data: ask with
<code>Accept: text/turtle</code>.</p></footer>
</body>
</html>
""".encode()
    )
    output.close({"rows": 1})
