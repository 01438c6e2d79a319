"""Closes connections on which no request arrives, so that idle ones cannot use up what a process may open.

uvicorn has a time limit between requests, but none for the lines of a request, and none for their size.
"""

import asyncio
from asyncio import TimerHandle

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEADERS_TIMEOUT_S = 20.0
HEADERS_BYTES = 2**16


class HurriedProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's protocol, with limits of time and size until the headers of a request are complete."""

    _limit: TimerHandle | None = None
    _received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Start the time of the first request."""
        super().connection_made(transport)
        self._limit_time()

    def data_received(self, data: bytes) -> None:
        """Start the time of a request with its first bytes, and end it with its headers."""
        super().data_received(data)
        # What has come may hold a body as well, so its size counts only while the headers are incomplete.
        self._received = self._received + len(data) if self._awaits_headers() else 0
        if self._received > HEADERS_BYTES:
            self.transport.close()
        self._limit_time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget_time()
        super().connection_lost(exc)

    def _limit_time(self) -> None:
        if not self._awaits_headers():
            self._forget_time()
        elif self._limit is None:
            self._limit = asyncio.get_running_loop().call_later(HEADERS_TIMEOUT_S, self._give_up)

    def _awaits_headers(self) -> bool:
        return self.cycle is None or bool(self.cycle.response_complete)

    def _give_up(self) -> None:
        self._limit = None
        if self._awaits_headers():
            self.transport.close()

    def _forget_time(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
