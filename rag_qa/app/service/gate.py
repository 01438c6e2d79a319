"""The gate before the application: who may ask, how much a body may hold, what browsers may do with responses."""

import asyncio
import logging
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag_qa.app.service.access import Access
from rag_qa.app.service.problems import problem

BODY_LIMIT = 4 * 2**20
DROPPED_LIMIT = 8 * BODY_LIMIT
BODY_TIMEOUT_S = 30
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SECURITY = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
logger = logging.getLogger(__name__)
CLOSE = {"Connection": "close"}
_TOO_LARGE = problem(
    413, f"the body is larger than {BODY_LIMIT // 2**20} MiB; send less", code="too_large", headers=CLOSE
)


class Gate:
    """An ASGI application that lets requests through to another."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        guarded = _guarded(send)
        refused = self._entered(scope) or self._refused(scope)
        if refused:
            await refused(scope, receive, guarded)
            return
        body = await _read(scope, receive)
        if isinstance(body, Response):
            await body(scope, receive, guarded)
            return
        try:
            await self._app(scope, _given(body, receive), guarded)
        except Exception:  # a bug, which is answered already: the connection may go on
            logger.exception("a request failed")

    def _entered(self, scope: Scope) -> Response | None:
        """Return what leads a browser that shows the token to the page, with a cookie instead of the token."""
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] != "/" or not self._access.admits(token):
            return None
        return Response(status_code=303, headers={"Location": "/", "Set-Cookie": self._access.cookie})

    def _refused(self, scope: Scope) -> Response | None:
        headers: Mapping[str, str] = Headers(scope=scope)
        refusal = self._access.refusal(scope["path"], headers)
        if refusal is None:
            return None
        login = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {}
        return problem(refusal.status, refusal.message, code="refused", headers=login)


async def _read(scope: Scope, receive: Receive) -> bytes | Response:
    """Return the body, or what is answered to one that is too large or does not come.

    What is beyond the limit is dropped, up to a second limit, so that a client that still sends reads the answer.
    """
    stated = Headers(scope=scope).get("content-length", "")
    if stated.isdigit() and int(stated) > DROPPED_LIMIT:
        return _TOO_LARGE
    body = bytearray()
    size = 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            more = True
            while more and size <= DROPPED_LIMIT:
                message = await receive()
                chunk = message.get("body", b"")
                size += len(chunk)
                body += chunk if size <= BODY_LIMIT else b""
                more = message.get("more_body", False)
    except TimeoutError:
        return problem(408, "the body did not come; send it again", headers=CLOSE)
    return bytes(body) if size <= BODY_LIMIT else _TOO_LARGE


def _given(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body first."""
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return whole.pop() if whole else await receive()

    return next_message


def _guarded(send: Send) -> Send:
    """Return a `send` that adds the headers for browsers."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY.items():
                headers.setdefault(name, value)
            if "cache-control" not in headers:
                headers["Cache-Control"] = "no-cache"
        await send(message)

    return guarded
