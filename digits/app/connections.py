"""Connections of `digits app`: those that do not get on with a request make room for others."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 64
MOST_PER_ADDRESS = 48
"""A browser opens up to six for each page."""

HEADER_SECONDS = 10.0
"""For the header of a request, from the connection or the last answer on."""


class Connection(H11Protocol):
    """uvicorn's connection, with a deadline for the header of each request, and a limit for each address.

    Where there are too many, the one is closed that has waited longest for the rest of its request:
    half a request keeps nobody out.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room for this connection, and wait for its first request."""
        super().connection_made(transport)
        self.opened = self.loop.time()
        others = [other for other in self.connections if isinstance(other, Connection) and other is not self]
        alike = [other for other in others if _address(other) == _address(self)]
        for group, most in ((alike, MOST_PER_ADDRESS), (others, MOST)):
            waiting = [other for other in group if other.is_waiting and not other.transport.is_closing()]
            if len([other for other in group if not other.transport.is_closing()]) >= most and waiting:
                min(waiting, key=lambda other: other.opened).transport.abort()
        self._expect_request()

    @property
    def is_waiting(self) -> bool:
        """Whether the whole of a request is still to come."""
        return self.is_idle or self.cycle.more_body

    @property
    def is_idle(self) -> bool:
        """Whether the header of a request is still to come."""
        return self.cycle is None or self.cycle.response_complete

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self.opened = self.loop.time()
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self.deadline.cancel()
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        if deadline := getattr(self, "deadline", None):
            deadline.cancel()
        self.deadline = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.is_idle:
            self.transport.abort()


def _address(connection: Connection) -> Any:
    return connection.client[0] if connection.client else None
