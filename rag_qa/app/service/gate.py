"""The gate before an application: who may ask, how large a body may be, what browsers may do with responses."""

import asyncio
import logging
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag_qa.app.service.access import TOKEN_NEEDED, Access
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
LOGIN = {"WWW-Authenticate": "Bearer"}
_TOO_LARGE = problem(
    413, f"the body is larger than {BODY_LIMIT // 2**20} MiB; send less", code="too_large", headers=CLOSE
)


class Gate:
    """An ASGI application that passes requests on to another, or refuses them."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
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
        except Exception:  # a bug: the response was sent already, so the connection may stay open
            logger.exception("a request failed")

    def _entered(self, scope: Scope) -> Response | None:
        """Return a redirection to the page, with a cookie, for a browser whose address holds the token."""
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] != "/" or not self._access.admits(token):
            return None
        return Response(status_code=303, headers={"Location": "/", "Set-Cookie": self._access.cookie})

    def _refused(self, scope: Scope) -> Response | None:
        headers: Mapping[str, str] = Headers(scope=scope)
        refusal = self._access.refusal(scope["path"], headers)
        if refusal is None:
            return None
        login = LOGIN if refusal.status == 401 else {}
        return problem(refusal.status, refusal.message, code="refused", headers=login)


class TokenGate:
    """An ASGI application that passes requests with the token on to another, and no others."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here with 401."""
        if scope["type"] == "lifespan" or self._access.knows(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        await PlainTextResponse(f"{TOKEN_NEEDED}\n", 401, headers=LOGIN)(scope, receive, send)


async def _read(scope: Scope, receive: Receive) -> bytes | Response:
    """Return the body, or the response if it is too large or does not arrive.

    Bytes beyond the limit are dropped, up to a second limit: a client that is still sending can read the response.
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
        return problem(408, "the body did not arrive; send it again", headers=CLOSE)
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
