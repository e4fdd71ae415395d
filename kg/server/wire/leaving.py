"""Noticing that a client has left while it is being answered."""

from __future__ import annotations

import asyncio
from types import TracebackType

from starlette.types import Receive

# Most answers are ready before it is worth looking; seconds.
SOON = 0.02


class LeftError(Exception):
    """The client has gone: what was done for it has been cancelled."""


class UnlessGone:
    """A block that is cancelled, and raises ``LeftError``, when the client leaves."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._gone = False
        self._over = False
        self._watch: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task
        self._task = task
        self._timer = asyncio.get_running_loop().call_later(SOON, self._look)

    def _look(self) -> None:
        self._watch = asyncio.get_running_loop().create_task(_disconnect(self._receive))
        self._watch.add_done_callback(self._left)

    def _left(self, watch: asyncio.Task[None]) -> None:
        if not self._over and not watch.cancelled():
            self._gone = True
            self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over = True
        self._timer.cancel()
        if self._watch:
            self._watch.cancel()
        # Somebody else may have cancelled the task too: that is theirs to hear of.
        if self._gone and not self._task.uncancel() and kind is asyncio.CancelledError:
            raise LeftError from None


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
