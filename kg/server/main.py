"""From a dispute to a running endpoint."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

from kg.dispute import Dispute
from kg.errors import EngineError
from kg.pipeline import open_current
from kg.server.app import create_app
from kg.server.limits import MIB, Limits, default_workers
from kg.server.run import listen, serve
from kg.server.site import Identity
from kg.snapshot import roots


def run(
    dispute: Dispute,
    *,
    host: str,
    port: int,
    timeout: float,
    workers: int | None = None,
    memory: int = 1024,
    base: str | None = None,
    proxied: bool = False,
    build: bool = True,
) -> None:
    """Serve a dispute until the process is told to stop; builds it first if that is needed.

    ``base`` is the address that its names are served under, ``timeout`` a query's seconds,
    ``memory`` its MiB of address space.
    Raises ``EngineError`` for an address that cannot be used, and whatever building raises.
    """
    public = _checked(base)
    accepting = listen(host, port)
    open_current(dispute, build=build).close()
    limits = Limits(timeout=timeout, workers=workers or default_workers(), memory=memory * MIB)
    identity = Identity(dispute.base, dispute.title, public, dispute)
    app = create_app(identity, roots(dispute), limits, proxied=proxied)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{accepting.getsockname()[1]}/sparql"

    def started() -> None:
        print(f"'{dispute.title}' is at {address}", file=sys.stderr, flush=True)

    serve(app, accepting, timeout, started, proxied=proxied)


def _checked(base: str | None) -> str | None:
    if base is None:
        return None
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise EngineError(
            f"--base {base} is no http address", hint="Such as http://localhost:8080/"
        )
    return base if base.endswith("/") else base + "/"
