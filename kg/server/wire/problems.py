"""Every error as one JSON shape: problem details (RFC 9457) with a list of ``errors``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"
READ_ONLY = (
    "This endpoint is read-only: its source of truth is a dispute folder. "
    "Change the files there and run 'kg build'; what it publishes appears here."
)


class Problem(Exception):  # noqa: N818  # as RFC 9457 calls it
    """A request that ends in an error response.

    ``status`` is the HTTP status, ``title`` is the same for all errors of the kind, ``detail``
    says what is wrong this time, ``errors`` names the parts of the request that are.
    """

    def __init__(
        self,
        status: int,
        title: str = "",
        detail: str = "",
        *,
        errors: list[dict[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        outcome: str = "",
    ) -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title or HTTPStatus(status).phrase
        self.detail = detail
        self.errors = errors or []
        self.headers = dict(headers or {})
        self.outcome = outcome or ("refused" if status < 500 else "failed")

    def body(self) -> bytes:
        """Return the response's content."""
        # Whatever could leave JSON for HTML is escaped: a careless page may embed an error.
        text = json.dumps(
            {
                "type": "about:blank",
                "title": self.title,
                "status": self.status,
                "detail": self.detail,
                "errors": self.errors,
            }
        )
        return text.replace("<", "\\u003c").replace(">", "\\u003e").encode() + b"\n"


def sentences(*parts: str | None) -> str:
    """Return messages and hints one after the other, each ended as a sentence."""
    given = [part.strip() for part in parts if part and part.strip()]
    return " ".join(part if part[-1] in ".!?" else f"{part}." for part in given)


def read_only() -> Problem:
    """Refuse to write."""
    return Problem(403, "Read-only endpoint", READ_ONLY, outcome="write refused")


def method_not_allowed(allowed: str) -> Problem:
    """Refuse a method; ``allowed`` is the value of Allow."""
    return Problem(405, detail=f"Use one of: {allowed}.", headers={"Allow": allowed})
