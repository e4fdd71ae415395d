"""From a dispute, or several, to a running endpoint."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

from kg.digests import inputs_of
from kg.dispute import Dispute
from kg.errors import DisputeError, EngineError
from kg.pipeline import open_current
from kg.server.app import create_app
from kg.server.pool.services import Origin, listed, origin_of
from kg.server.published import latest_first
from kg.server.run import listen, serve
from kg.server.site import Identity
from kg.server.wire.limits import MIB, Limits, default_workers
from kg.snapshot import roots

# What can stand in an address as it is.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?")
# How addresses of the server itself begin, beside those of its disputes.
_TAKEN = frozenset({"health", "ready", "metrics", "openapi.json"})
# And those of a dispute that is alone.
_TAKEN_ALONE = _TAKEN | {"sparql", "graphs", "graph", "about", "api"}


def run(
    disputes: Sequence[Dispute],
    *,
    host: str,
    port: int,
    timeout: float,
    workers: int | None = None,
    memory: int = 1024,
    base: str | None = None,
    proxied: bool = False,
    build: bool = True,
    services: Sequence[str] = (),
) -> None:
    """Serve disputes until the process is told to stop; builds first what needs it.

    One is served at the root, each of several below the name of its folder. ``base`` is the
    address that names are served under, ``timeout`` a query's seconds, ``memory`` its MiB of
    address space, ``services`` the origins of other servers that queries may ask.

    Raises ``EngineError`` for an address or a base that cannot be used, ``DisputeError`` for names
    that cannot be told apart, and whatever building raises.
    """
    public = _checked(base)
    names = names_of(disputes)
    _check_apart(public, names)
    origins = [_listed(text) for text in services]
    accepting = listen(host, port)
    for dispute in disputes:
        open_current(dispute, build=build).close()
    limits = Limits(timeout=timeout, workers=workers or default_workers(), memory=memory * MIB)
    identities = [_identity(*each, public) for each in zip(disputes, names, strict=True)]
    app = create_app(identities, limits, proxied=proxied, origins=origins)
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    address = f"http://{shown}:{accepting.getsockname()[1]}"

    def started() -> None:
        for each in identities:
            where = f"{address}{each.path}sparql"
            print(f"'{each.title}' is at {where}", file=sys.stderr, flush=True)

    serve(app, accepting, timeout, started, proxied=proxied)


def names_of(disputes: Sequence[Dispute]) -> list[str]:
    """Return the names that disputes have in addresses: their folders'; one alone has none.

    Raises ``DisputeError`` for a name that two have, that the server needs or that cannot stand in
    an address.
    """
    if len(disputes) == 1:
        return [""]
    names = [dispute.folder.name for dispute in disputes]
    counted = Counter(names)
    for name, dispute in zip(names, disputes, strict=True):
        if counted[name] > 1:
            wrong = f"{counted[name]} of the disputes to serve are called '{name}'"
        elif name in _TAKEN:
            wrong = f"'{name}' is an address of the server itself"
        elif not _NAME.fullmatch(name):
            wrong = f"'{name}' cannot stand in an address as it is"
        else:
            continue
        raise DisputeError(
            wrong,
            path=dispute.folder,
            hint="Each of several is served below the name of its folder; rename one.",
        )
    return names


def _check_apart(public: str | None, names: Sequence[str]) -> None:
    """Raise ``EngineError`` if ``--base`` has a path that addresses without it begin with."""
    first = urlsplit(public or "").path.split("/")[1:2]
    taken = _TAKEN_ALONE if names == [""] else _TAKEN | {*names}
    if first and first[0] in taken:
        raise EngineError(
            f"--base {public} would hide /{first[0]}, which is an address of the server without it",
            hint="Give --base another path; the server is below it, and answers without it too.",
        )


def _identity(dispute: Dispute, name: str, public: str | None) -> Identity:
    below = f"{public}{name}/" if public and name else public
    # With --no-build the files may have changed since; then it is the latest snapshot.
    found = latest_first(roots(dispute), inputs_of(dispute))
    return Identity(dispute.base, dispute.title, found, below, dispute, name)


def _listed(text: str) -> Origin:
    try:
        return listed(text)
    except ValueError as error:
        raise EngineError(
            f"--allow-service {text} is no origin: it {error}",
            hint="Scheme, host and port, such as https://query.example.org",
        ) from None


def _checked(base: str | None) -> str | None:
    if base is None:
        return None
    try:
        origin_of(base)
        if "?" in base or "#" in base:
            raise ValueError("has more than a path")
        if not _PATH.fullmatch(urlsplit(base).path):
            raise ValueError("has a path that cannot stand in an address as it is")
    except ValueError as error:
        raise EngineError(
            f"--base {base} is no http address: it {error}", hint="Such as http://localhost:8080/"
        ) from None
    return base if base.endswith("/") else base + "/"
