"""SPARQL 1.1 Protocol for queries: https://www.w3.org/TR/sparql11-protocol/.

GET, POST with a form, POST with the query itself, and QUERY
(https://datatracker.ietf.org/doc/draft-ietf-httpbis-safe-method-w-body/). Updates are refused.
"""

from __future__ import annotations

from typing import Any

from starlette.types import Receive, Scope, Send

from kg.server.addresses.graphs import checked_iri
from kg.server.addresses.reading import options
from kg.server.answering.answers import Answers, Request
from kg.server.site import WRITES, Site
from kg.server.wire.problems import Problem, method_not_allowed, read_only
from kg.server.wire.requests import (
    FORM,
    Pairs,
    content,
    content_type,
    every,
    form_value,
    is_host,
    one,
    pairs,
    query_pairs,
    text_of,
)

QUERY_TYPE = "application/sparql-query"
_UPDATE_TYPE = "application/sparql-update"
METHODS = "GET, HEAD, POST, QUERY, OPTIONS"
_DEFAULT, _NAMED = "default-graph-uri", "named-graph-uri"


# A request with one of these headers is not plain: it has content, or asks for no answer.
_NOT_PLAIN = frozenset({b"content-length", b"transfer-encoding", b"if-none-match"})


class Sparql:
    """The endpoint at ``/sparql``; without a query, GET answers with the service description."""

    def __init__(self, site: Site) -> None:
        self._site = site

    @property
    def answers(self) -> Answers:
        """What answers the requests."""
        return self._site.answers

    def plain_job(self, scope: Scope) -> bytes | None:
        """Return the job without its query, of the plainest: GET with a query and nothing else.

        ``None``: it is not plain, or is refused. Of the address it looks at nothing.
        """
        if scope["method"] != "GET" or scope["http_version"] != "1.1":
            return None
        hosts = 0
        for name, value in scope["headers"]:
            if name in _NOT_PLAIN:
                return None
            if name == b"host" and is_host(value):
                hosts += 1
        return self._site.plain_job(scope) if hosts == 1 else None

    def plain_text(self, value: bytes) -> bytes | None:
        """Return the text of a query as an address has it; ``None`` if it is to be refused."""
        limits = self._site.limits
        return form_value(value) if len(value) <= min(limits.query, limits.target - 6) else None

    def plain_request(self, scope: Scope, job: bytes) -> Request:
        """Return the request for a job that has been written."""
        return self._site.written(scope, job)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method = scope["method"]
        if method in WRITES:
            raise read_only()
        if method == "OPTIONS":
            await options(send, METHODS)
            return
        if method not in ("GET", "HEAD", "POST", "QUERY"):
            raise method_not_allowed(METHODS)
        found = query_pairs(scope, self._site.limits)
        if method in ("GET", "HEAD"):
            text = one(found, "query")
            _refuse_update(found)
            if text is None:
                if found:
                    raise Problem(400, "No query", "The parameter 'query' is missing.")
                await self._site.describe_service(scope, receive, send)
                return
        else:
            text = await self._sent(scope, receive, found)
        self._check(scope, text)
        job = {"op": "query", "query": text, **dataset(found), **self._site.formats(scope)}
        await self._site.respond(self._site.request(scope, job), receive, send)

    def _check(self, scope: Scope, text: str) -> None:
        """Refuse a query that is too long. Raises ``Problem`` (413, 414)."""
        if len(text.encode("utf-8", "replace")) > self._site.limits.query:
            raise Problem(
                414 if scope["method"] in ("GET", "HEAD") else 413,
                "Query too long",
                f"A query has at most {self._site.limits.query:,} bytes.",
                outcome="limit",
            )

    async def _sent(self, scope: Scope, receive: Receive, found: Pairs) -> str:
        """Return the query in the content; a form's other parameters are added to ``found``."""
        media, charset = content_type(scope)
        if media == _UPDATE_TYPE:
            raise read_only()
        if media not in (FORM, QUERY_TYPE):
            raise Problem(
                415,
                "Unsupported content type",
                f"Send a query as {QUERY_TYPE}, or as 'query' in a form ({FORM}).",
                headers={"Accept": f"{QUERY_TYPE}, {FORM}"},
            )
        data = await content(scope, receive, self._site.limits)
        if media == QUERY_TYPE:
            if one(found, "query") is not None:
                raise Problem(
                    400, "Two queries", "The query is both in the address and the content."
                )
            _refuse_update(found)
            return text_of(data, charset)
        found += pairs(data, "form")
        _refuse_update(found)
        text = one(found, "query")
        if text is None:
            raise Problem(400, "No query", "The form has no 'query'.")
        return text


def dataset(found: Pairs) -> dict[str, Any]:
    """Return the graphs that the request names as its dataset, ``None`` if it names none.

    Raises ``Problem`` (400) for a name that is no absolute IRI.
    """
    default, named = every(found, _DEFAULT), every(found, _NAMED)
    if not default and not named:
        return {"default": None, "named": None}
    for name in (_DEFAULT, _NAMED):
        for iri in every(found, name):
            checked_iri(iri, name)
    return {"default": default, "named": named}


def _refuse_update(found: Pairs) -> None:
    if any(name == "update" for name, _ in found):
        raise read_only()
