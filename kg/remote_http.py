"""HTTP to a SPARQL server: a deadline, safe retries, and errors in plain words.

What can go wrong is said as ``EngineError`` with what to do about it; a query that the server
calls malformed is a ``QueryError``.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from typing import IO, NoReturn

from kg.errors import EngineError, QueryError
from kg.plain_text import one_line
from kg.remote_auth import Authorizer, Credentials, without_query
from kg.remote_quirks import server_text

# Waits before another try, in seconds; a server that restarts is often back by then.
_WAITS = (0.2, 0.5, 1.0)
_LONGEST_WAIT = 5.0
_CHUNK = 1 << 16
# How much of what a server says about a failure is repeated.
_SHOWN = 300

_Failure = (OSError, http.client.HTTPException, ValueError)


@dataclass(frozen=True)
class Reply:
    """A successful answer: its body and its headers (whatever the case of their names)."""

    body: bytes
    headers: Message

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case."""
        return self.headers.get_content_type()


class Connection:
    """Sends requests to the servers of ``addresses``; ``timeout`` is in seconds for each."""

    def __init__(
        self, addresses: Iterable[str], credentials: Credentials | None, timeout: float
    ) -> None:
        self._timeout = timeout
        self._credentials = credentials
        self._authorizer = Authorizer(credentials, addresses)
        self._opener = _web_opener()

    def send(self, request: urllib.request.Request, *, repeatable: bool) -> Reply:
        """Send a request and return the whole answer.

        If the server refuses the connection, or says that it is busy (503), a ``repeatable``
        request is sent again a few times; another is not, since it may have been carried out.
        Raises ``EngineError``, or ``QueryError`` for a request that is malformed (400).
        """
        try:
            return self._try(request, repeatable)
        except _Failure as error:
            self._explain(request, error)

    def find(self, request: urllib.request.Request) -> Reply | None:
        """Send a request that may be repeated; ``None`` if there is no such thing (404)."""
        try:
            return self._try(request, repeatable=True)
        except _Failure as error:
            if isinstance(error, urllib.error.HTTPError) and error.code == 404:
                error.close()
                return None
            self._explain(request, error)

    def _try(self, request: urllib.request.Request, repeatable: bool) -> Reply:
        deadline = time.monotonic() + self._timeout
        waits = list(_WAITS if repeatable else ())
        while True:
            try:
                return self._send(request, deadline)
            except _Failure as error:
                wait = _wait(error, waits)
                if wait is None or time.monotonic() + wait > deadline:
                    raise  # with what the server says, which has not been read yet
                if isinstance(error, urllib.error.HTTPError):
                    error.close()
                time.sleep(wait)

    def _send(self, request: urllib.request.Request, deadline: float) -> Reply:
        while True:
            self._authorizer.authorize(request)
            try:
                with self._opener.open(
                    request, timeout=max(deadline - time.monotonic(), 0.001)
                ) as answer:
                    return Reply(_read(answer, deadline), answer.headers)
            except urllib.error.HTTPError as error:
                if error.code != 401 or not self._authorizer.learn(request, error.headers):
                    raise
                error.close()

    def _explain(self, request: urllib.request.Request, error: Exception) -> NoReturn:
        url = without_query(request.full_url)
        if isinstance(error, urllib.error.HTTPError):
            raise self._refused(url, error) from error
        reason = getattr(error, "reason", None) or error
        if isinstance(reason, TimeoutError):
            raise EngineError(
                f"{url} did not answer within {self._timeout:g} s",
                hint="Ask for less, or wait longer with --timeout.",
            ) from error
        if isinstance(reason, socket.gaierror):
            host = urllib.parse.urlsplit(url).hostname
            raise EngineError(f"no host is called {host}", hint="Check the address.") from error
        if isinstance(reason, ConnectionRefusedError):
            raise EngineError(
                f"cannot reach {url}: nothing listens there", hint="Is the server running?"
            ) from error
        if isinstance(error, http.client.HTTPException) or isinstance(reason, ConnectionError):
            raise EngineError(
                f"{url} broke off in the middle ({type(reason).__name__})",
                hint="The server may have crashed, or not speak HTTP.",
            ) from error
        raise EngineError(f"cannot reach {url}: {reason}", hint="Check the address.") from error

    def _refused(self, url: str, error: urllib.error.HTTPError) -> EngineError | QueryError:
        said = _said(error)
        because = f": {said}" if said else ""
        code = error.code
        if code == 400:
            return QueryError(f"{url} refuses the query{because or ' (400)'}")
        if code == 401:
            return self._unauthorized(url, error)
        if code == 403:
            return EngineError(
                f"{url} does not allow this (403){because}",
                hint="The server may be read-only, or the user without the right.",
            )
        if code in (404, 405, 410):
            return EngineError(
                f"no SPARQL service at {url} ({code})",
                hint="Check the address; it often ends in /sparql, /query or /update.",
            )
        if 300 <= code < 400:
            place = urllib.parse.urljoin(url, error.headers.get("Location", ""))
            return EngineError(f"{url} has moved ({code})", hint=f"Use {one_line(place)} instead.")
        if code in (429, 503):
            return EngineError(f"{url} is busy ({code}){because}", hint="Try again in a while.")
        return EngineError(f"{url} failed ({code}){because}")

    def _unauthorized(self, url: str, error: urllib.error.HTTPError) -> EngineError:
        asked = " ".join(error.headers.get_all("WWW-Authenticate") or []).lower()
        if self._credentials is None:
            return EngineError(
                f"{url} asks for a name and a password (401)",
                hint="Give --user, and the password in KG_ENDPOINT_PASSWORD.",
            )
        other = {"basic": "digest", "digest": "basic"}[self._credentials.scheme]
        if other in asked and self._credentials.scheme not in asked:
            return EngineError(
                f"{url} refuses {self._credentials.scheme} authentication (401)",
                hint=f"It asks for --auth {other}.",
            )
        return EngineError(
            f"{url} does not accept this name and password (401)",
            hint="Check both, and --auth.",
        )


def _read(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    parts = []
    while part := answer.read1(_CHUNK):
        parts.append(part)
        # The socket's own timeout only bounds the wait for the next bytes.
        if time.monotonic() > deadline:
            raise TimeoutError
    body = b"".join(parts)
    length = answer.headers.get("Content-Length", "")
    if length.isdigit() and len(body) < int(length):
        raise http.client.IncompleteRead(body, int(length) - len(body))
    return body


def _wait(error: Exception, waits: list[float]) -> float | None:
    """Return how long to wait before the next try, in seconds; ``None``: do not try again."""
    if not waits:
        return None
    if isinstance(error, urllib.error.HTTPError):
        if error.code != 503:
            return None
        wait, asked = waits.pop(0), error.headers.get("Retry-After", "")
        return min(max(wait, float(asked)), _LONGEST_WAIT) if asked.isdigit() else wait
    reason = getattr(error, "reason", None) or error
    return waits.pop(0) if isinstance(reason, ConnectionRefusedError) else None


def _said(error: urllib.error.HTTPError) -> str:
    """Return what a server wrote about a failure, as one short line of plain text."""
    try:
        text = error.read(_CHUNK).decode("utf-8", "replace")
        if error.headers.get_content_type() == "application/problem+json":
            text = _detail(text)
        text = server_text(text)
    except _Failure:
        return ""
    finally:
        error.close()
    if "html" in error.headers.get_content_type():
        text = re.sub(r"(?s)<(style|script|title)\b.*?</\1>|<[^>]*>", " ", text)
    text = " ".join(one_line(text).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"


def _detail(text: str) -> str:
    """Return what problem details (RFC 9457) tell a person; a text that is none, as it is."""
    try:
        told = json.loads(text)
    except ValueError:
        return text
    found = (told.get("detail") or told.get("title")) if isinstance(told, dict) else None
    return found if isinstance(found, str) else text


def is_refusal(error: BaseException) -> bool:
    """Say whether a failure is a server's word that it did not do what it was asked to."""
    cause = error.__cause__
    return isinstance(cause, urllib.error.HTTPError) and 400 <= cause.code < 500


def _web_opener() -> urllib.request.OpenerDirector:
    """Return an opener that speaks HTTP and nothing else, wherever an answer points."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
        _NoMovedWrites,
    ):
        opener.add_handler(handler())
    return opener


class _NoMovedWrites(urllib.request.HTTPRedirectHandler):
    """Follows redirects of what only reads by GET; a POST would silently become a GET."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.get_method() not in ("GET", "HEAD"):
            return None  # the answer becomes an error, which names the new address
        return super().redirect_request(req, fp, code, msg, headers, newurl)
