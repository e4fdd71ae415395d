"""Reading a request strictly: parameters, content and its type, each with its limit."""

from __future__ import annotations

import asyncio
import binascii
import ipaddress
import re
from urllib.parse import parse_qsl, unquote_to_bytes

from starlette.types import Receive, Scope

from kg.server.wire.limits import Limits
from kg.server.wire.problems import Problem

FORM = "application/x-www-form-urlencoded"
_FIELDS = 200
# How many times the most that content may have is read of content that has more.
_DRAINED = 16
# A name or an address, and a port; or nothing.
_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]{0,255}|\[([0-9A-Fa-f:.]{2,45})\])(?::[0-9]{0,5})?")

Pairs = list[tuple[str, str]]


def header(scope: Scope, name: str) -> str | None:
    """Return a header's value, or several joined by commas, or ``None``."""
    wanted = name.encode()
    found = [value.decode("latin-1") for key, value in scope["headers"] if key == wanted]
    return ", ".join(found) if found else None


def is_host(value: bytes) -> bool:
    """Say whether the value of a Host header is one, and so can stand in an address."""
    match = _HOST.fullmatch(value)
    if match and match[1]:
        try:
            ipaddress.IPv6Address(match[1].decode())
        except ValueError:
            return False
    return bool(match)


def query_pairs(scope: Scope, limits: Limits) -> Pairs:
    """Return the parameters of the query string. Raises ``Problem``."""
    if len(scope["query_string"]) > limits.target:
        raise Problem(414, detail=f"A query string has at most {limits.target:,} bytes; use POST.")
    return pairs(scope["query_string"], "query string")


def pairs(data: bytes, where: str) -> Pairs:
    """Decode a form. Raises ``Problem`` (400) if it is not ASCII that stands for UTF-8."""
    try:
        return parse_qsl(
            data.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS
        )
    except UnicodeDecodeError:
        raise Problem(400, detail=f"The {where} is not percent-encoded UTF-8.") from None
    except ValueError:
        raise Problem(400, detail=f"The {where} has more than {_FIELDS} parameters.") from None


def form_value(data: bytes) -> bytes | None:
    """Decode one value of a form, as ``pairs``, in less time; ``None`` if it is no UTF-8."""
    found = _decoded(data.replace(b"+", b" "))
    try:
        if not data.isascii() or not (found.isascii() or found.decode()):
            return None
    except UnicodeDecodeError:
        return None
    return found


def _decoded(data: bytes) -> bytes:
    """Return what percent-encoded ASCII stands for, as ``unquote_to_bytes``, which is slow."""
    if b"\n" not in data and b"\r" not in data:  # which end lines in the coding used here
        found = binascii.a2b_qp(data.replace(b"=", b"=3D").replace(b"%", b"="))
        if len(found) == len(data) - 2 * data.count(b"%"):  # no sign stands for itself
            return found
    return unquote_to_bytes(data)


def one(found: Pairs, name: str) -> str | None:
    """Return a parameter that may be given once. Raises ``Problem`` (400) if it is repeated."""
    values = [value for key, value in found if key == name]
    if len(values) > 1:
        raise Problem(
            400,
            "Repeated parameter",
            f"The parameter '{name}' is given {len(values)} times.",
            errors=[{"parameter": name, "detail": "give it once"}],
        )
    return values[0] if values else None


def every(found: Pairs, name: str) -> list[str]:
    """Return all values of a parameter."""
    return [value for key, value in found if key == name]


def content_type(scope: Scope) -> tuple[str, str]:
    """Return the media type of the content, in lower case, and its charset (default ``utf-8``)."""
    value = header(scope, "content-type") or ""
    media, *parameters = value.split(";")
    charset = "utf-8"
    for parameter in parameters:
        name, _, text = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = text.strip().strip('"').lower()
    return media.strip().lower(), charset


async def content(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """Read the whole content. Raises ``Problem``: 413, 415 (compressed), 408, 400 (cut short)."""
    if (header(scope, "content-encoding") or "identity").strip().lower() != "identity":
        # A few compressed bytes may stand for any number; queries are short.
        raise Problem(
            415,
            "Compressed content",
            "Send the content as it is; a request's content is not decompressed here.",
            headers={"Accept-Encoding": "identity"},
        )
    length = header(scope, "content-length")
    parts: list[bytes] = []
    size = 0
    too_long = bool(length and length.isdigit() and int(length) > limits.body)
    if too_long and header(scope, "expect"):
        raise _too_long(limits)  # it asks before it sends
    try:
        async with asyncio.timeout(limits.body_time):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Problem(400, detail="The content was cut short.")
                data = message.get("body", b"")
                size += len(data)
                too_long = too_long or size > limits.body
                if too_long:
                    # Read on for a while: most clients look at an answer only when all is sent.
                    parts.clear()
                    if size > _DRAINED * limits.body or not message.get("more_body", False):
                        raise _too_long(limits)
                    continue
                parts.append(data)
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise Problem(
            408,
            detail=f"The content did not arrive within {limits.body_time:g} seconds.",
            headers={"Connection": "close"},
        ) from None


def _too_long(limits: Limits) -> Problem:
    return Problem(
        413,
        "Content too large",
        f"The content of a request has at most {limits.body:,} bytes.",
        headers={"Connection": "close"},
        outcome="limit",
    )


def text_of(data: bytes, charset: str) -> str:
    """Decode UTF-8. Raises ``Problem``: 415 for another charset, 400 for what is not UTF-8."""
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(415, "Unsupported charset", "SPARQL is sent as UTF-8.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem(400, detail="The content is not UTF-8.") from None
