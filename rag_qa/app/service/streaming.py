"""Results of a job → a response: server-sent events as they come, or one value. The work ends if the client leaves."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from rag_qa.app.service.lanes import Job

T = TypeVar("T")
KEEP_ALIVE_S = 10.0
KEEP_ALIVE = ": keep-alive\n\n"
LEFT = 499


class EventStream(StreamingResponse):
    """A response of server-sent events from a job; the job ends with the response."""

    media_type = "text/event-stream"

    def __init__(self, job: Job[Any], content: AsyncGenerator[str, None]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(kept_alive(content), headers=headers)
        self._job = job

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events as they come."""
        with self._job:
            await super().__call__(scope, receive, send)


class ClientLeftError(Exception):
    """The client no longer waits for the answer."""


def sent(data: str, *, event: str | None = None) -> str:
    """Return a server-sent event of one line of data."""
    return f"event: {event}\ndata: {data}\n\n" if event else f"data: {data}\n\n"


def as_line(value: object) -> str:
    """Return JSON on one line, ASCII alone."""
    return json.dumps(value, separators=(",", ":"))


async def kept_alive(
    events: AsyncGenerator[str, None], *, seconds: float = KEEP_ALIVE_S
) -> AsyncGenerator[str, None]:
    """Yield the events, and a comment if none came for some seconds."""
    pending = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            done, _ = await asyncio.wait({pending}, timeout=seconds)
            if not done:
                yield KEEP_ALIVE
                continue
            event = pending.result()
            if event is None:
                return
            yield event
            pending = asyncio.ensure_future(anext(events, None))
    finally:
        pending.cancel()
        await asyncio.gather(pending, return_exceptions=True)
        await events.aclose()


async def while_there(request: Request, wanted: Awaitable[T]) -> T:
    """Return the result of an awaitable. If the client leaves first, cancel it and raise ClientLeftError."""
    task = asyncio.ensure_future(wanted)
    left = asyncio.ensure_future(_left(request.receive))
    try:
        await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientLeftError
    finally:
        left.cancel()
        task.cancel()
        await asyncio.gather(task, left, return_exceptions=True)


async def _left(receive: Callable[[], Awaitable[object]]) -> None:
    while True:
        message = await receive()
        if isinstance(message, dict) and message["type"] == "http.disconnect":
            return
