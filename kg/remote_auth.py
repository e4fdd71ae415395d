"""Basic and digest authentication (RFC 7617 and RFC 7616).

Credentials go to the servers they were given for and nowhere else, whatever a redirect says.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email.message import Message

from kg.errors import EngineError

_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


@dataclass(frozen=True)
class Credentials:
    """A name and a password, and how to show them: ``basic`` or ``digest``."""

    user: str
    password: str = field(repr=False)  # representations end up in logs
    scheme: str = "basic"


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of an address. Raises ``EngineError`` if it is none."""
    try:
        parts = urllib.parse.urlsplit(url)
        usual = {"http": 80, "https": 443}.get(parts.scheme)
        port = usual and (parts.port or usual)
    except ValueError:
        parts, port = urllib.parse.SplitResult("", "", "", "", ""), None
    printable = url.isascii() and url.isprintable() and " " not in url
    if port is None or not parts.hostname or not printable:
        raise EngineError(
            f"'{url}' is no address of a server", hint="Such as http://localhost:7878/query."
        )
    if parts.username or parts.password:
        # They would stand in every message about this address.
        raise EngineError(
            "an address may not hold a name or a password",
            hint="Give --user, and the password in KG_ENDPOINT_PASSWORD.",
        )
    return parts.scheme, parts.hostname, port


def without_query(url: str) -> str:
    """Return an address without what follows ``?`` or ``#``."""
    return url.partition("#")[0].partition("?")[0]


class Authorizer:
    """Writes the Authorization header of requests to the servers of ``addresses``."""

    def __init__(self, credentials: Credentials | None, addresses: Iterable[str]) -> None:
        self._credentials = credentials
        self._origins = {origin(address) for address in addresses}
        # What a server asked at an address: answered at once the next time, since a server may
        # close the connection while a large body without credentials is still on its way.
        self._challenges: dict[str, _Challenge] = {}

    def authorize(self, request: urllib.request.Request) -> None:
        """Add credentials to a request, if they are for its server and enough is known."""
        given = self._credentials
        if given is None or origin(request.full_url) not in self._origins:
            return
        if given.scheme == "basic":
            pair = base64.b64encode(f"{given.user}:{given.password}".encode())
            value = "Basic " + pair.decode("ascii")
        elif challenge := self._challenges.get(without_query(request.full_url)):
            value = challenge.answer(given, request.get_method(), request.selector)
        else:
            return
        # Unredirected: urllib does not pass it on to wherever an answer points.
        request.add_unredirected_header("Authorization", value)

    def learn(self, request: urllib.request.Request, headers: Message) -> bool:
        """Take up the challenge of a 401; say whether it is worth asking again."""
        if self._credentials is None or self._credentials.scheme != "digest":
            return False
        challenge = _best(headers.get_all("WWW-Authenticate") or [])
        if challenge is None:
            return False
        address = without_query(request.full_url)
        asked_before = address in self._challenges
        self._challenges[address] = challenge
        # After an answer that was wrong, only a server that forgot the nonce is asked again.
        return not asked_before or challenge.stale


@dataclass
class _Challenge:
    realm: str
    nonce: str
    opaque: str | None
    algorithm: str
    qop: bool
    stale: bool
    count: int = 0

    def answer(self, given: Credentials, method: str, uri: str) -> str:
        self.count += 1
        count, once = f"{self.count:08x}", secrets.token_hex(8)
        secret = self._hash(f"{given.user}:{self.realm}:{given.password}")
        asked = self._hash(f"{method}:{uri}")
        between = f"{self.nonce}:{count}:{once}:auth" if self.qop else self.nonce
        parts = {
            "username": given.user,
            "realm": self.realm,
            "nonce": self.nonce,
            "uri": uri,
            "response": self._hash(f"{secret}:{between}:{asked}"),
        }
        if self.opaque is not None:
            parts["opaque"] = self.opaque
        if self.qop:
            parts["cnonce"] = once
        quoted = [f'{name}="{_escaped(value)}"' for name, value in parts.items()]
        bare = [f"algorithm={self.algorithm}"] + ([f"qop=auth, nc={count}"] if self.qop else [])
        return "Digest " + ", ".join(quoted + bare)

    @property
    def _hash(self) -> Callable[[str], str]:
        return lambda text: _HASHES[self.algorithm](text.encode()).hexdigest()


def _escaped(value: str) -> str:
    # A line break would begin a header of its own.
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "")


def _best(headers: list[str]) -> _Challenge | None:
    """Return the strongest digest challenge that can be answered, if there is one."""
    found: dict[str, _Challenge] = {}
    for header in headers:
        scheme, _, rest = header.strip().partition(" ")
        if scheme.lower() != "digest":
            continue
        pairs = [part for part in urllib.request.parse_http_list(rest) if "=" in part]
        values = urllib.request.parse_keqv_list(pairs)
        values = {name.lower(): value for name, value in values.items()}
        algorithm = values.get("algorithm", "MD5").upper()
        offered = [one.strip() for one in values.get("qop", "auth").split(",")]
        if algorithm in _HASHES and "auth" in offered and {"realm", "nonce"} <= values.keys():
            found[algorithm] = _Challenge(
                values["realm"],
                values["nonce"],
                values.get("opaque"),
                algorithm,
                "qop" in values,
                values.get("stale", "").lower() == "true",
            )
    return found.get("SHA-256") or found.get("MD5")
