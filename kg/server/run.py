"""Running the endpoint: the socket, the ASGI server, the log."""

from __future__ import annotations

import atexit
import errno
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import Receive, Scope, Send

from kg.errors import CounterclaimError, EngineError
from kg.plain_text import one_line
from kg.server.answering.quick_http1 import protocol
from kg.server.app import Front
from kg.server.wire.log_writer import LogWriter
from kg.settings import has_temporary_folder

_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# So many objects more than before are looked through for cycles.
_ALLOCATIONS = 20_000
# What requests in progress get when the server is told to stop, beyond a query's own time.
_GRACE = 5


def listen(host: str, port: int) -> socket.socket:
    """Open the socket that the server accepts on; port 0 takes any that is free.

    An IPv6 address may stand in brackets. Raises ``EngineError`` if the address cannot be had, or
    there is none: the system would take that for all it has.
    """
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    hint = "Choose another with --host; 127.0.0.1 is this machine alone, 0.0.0.0 all addresses."
    try:
        if not host.strip():
            raise socket.gaierror(None, "there is no address")
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError, UnicodeError) as error:
        number = getattr(error, "errno", None)
        if number in (errno.EADDRINUSE, errno.EACCES):
            hint = "Choose another with --port; 0 takes any that is free."
        said = os.strerror(number) if number and number > 0 else getattr(error, "strerror", None)
        # Python repeats the address.
        reason = str(said or error).partition(" (while")[0]
        raise EngineError(f"cannot listen on {host} port {port}: {reason}", hint=hint) from error


def serve(
    app: Front,
    accepting: socket.socket,
    timeout: float,
    started: Callable[[], None],
    *,
    proxied: bool = False,
) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP; requests in progress are finished first.

    ``timeout`` is the deadline of a query in seconds; ``started`` is called when all is ready.
    Raises ``EngineError`` if it cannot start.
    """
    handler = LogWriter(sys.stderr.fileno())
    handler.setFormatter(logging.Formatter("%(message)s"))
    atexit.register(handler.close)
    for name in ("kg.access", "kg.server", "asyncio"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        logger.propagate = False
    _allow_connections()
    failures: list[Exception] = []

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except Exception as error:
            if scope["type"] == "lifespan":  # which the server only logs
                failures.append(error)
            raise

    config = uvicorn.Config(
        noting,
        http=protocol(proxied, app.note, app.quick),
        log_config=None,
        log_level="critical",  # every request has its line in our own log
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=int(timeout) + _GRACE,
        timeout_keep_alive=15,
        lifespan="on",
        ws="none",
        proxy_headers=False,
    )
    server = _Server(config, started)
    try:
        server.run(sockets=[accepting])
    except SystemExit:  # uvicorn's way to say that it did not start
        reason = failures[0] if failures else None
        if isinstance(reason, CounterclaimError):
            raise reason from None
        words = (getattr(reason, "strerror", None) or str(reason)) if reason else ""
        said = one_line(words) or "its log says why"
        hint = None if has_temporary_folder() else "Set TMPDIR to a folder that you can write."
        raise EngineError(f"the server could not start: {said}", hint=hint) from reason


def _allow_connections() -> None:
    """Take all the files that the system allows: every connection and worker needs one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._call = started

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop when told to, and end well: uvicorn would end by the signal once more."""
        # nohup(1) has us ignore that the terminal goes away.
        ignored = {signal.SIGHUP} if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else set()
        heard = [number for number in _STOP if number not in ignored]
        before = {number: signal.signal(number, self.handle_exit) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            # What is here stays, and needs no looking at; what comes later goes soon, with no
            # cycles in it, so that looking more rarely leaves no more behind.
            gc.collect()
            gc.freeze()
            gc.set_threshold(_ALLOCATIONS)
            self._call()
