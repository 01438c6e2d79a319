"""Who may ask: programs and pages of this machine, or anyone who shows the token.

Without a token only the machine's own names are accepted as hosts: a name of another site that is made to point here
(DNS rebinding) cannot read the papers. With or without a token, pages of other sites are refused.
"""

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple
from urllib.parse import urlsplit

# These say nothing about the papers, and are asked before a token is known.
OPEN = ("/healthz", "/api/service")
# How a browser marks a request from a page of another site, or of another port.
ELSEWHERE = ("cross-site", "same-site")
TOKEN_NEEDED = "a token is needed; send it as `Authorization: Bearer TOKEN`"


class Refusal(NamedTuple):
    """Why a request is refused, and with which status."""

    status: int
    message: str


class Access:
    """The rules of one service. `secret` is what the programs of its own user show instead of the token."""

    def __init__(self, token: str | None, *, secret: str | None = None) -> None:
        self._token = token
        self.secret = secret or secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)

    def refusal(self, path: str, headers: Mapping[str, str]) -> Refusal | None:
        """Return why a request is refused; None if it may pass. Names of headers are in lower case."""
        if self._token is None and not is_loopback(_name(headers.get("host", ""))):
            return Refusal(421, "this service answers to 127.0.0.1 and localhost; use one of these names")
        if _from_elsewhere(path, headers):
            return Refusal(403, "a page of another site asked; open the service's own page")
        if path in OPEN or self._token is None or self.knows(headers):
            return None
        return Refusal(401, f"{TOKEN_NEEDED}, or open /?token=TOKEN once")

    def knows(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request shows the token, the secret, or the cookie of this service."""
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and (self.admits(shown.strip()) or _same(shown.strip(), self.secret)):
            return True
        return _same(_cookies(headers).get(self._cookie_name, ""), self._session)

    def admits(self, token: str) -> bool:
        """Return whether this is the token, in a time that does not depend on it."""
        return self._token is not None and _same(token, self._token)

    @property
    def cookie(self) -> str:
        """The `Set-Cookie` header that admits a browser until the service ends; it does not hold the token."""
        return f"{self._cookie_name}={self._session}; HttpOnly; SameSite=Lax; Path=/"

    def proof(self, nonce: str) -> str:
        """Return the proof for a nonce that this service knows the secret."""
        return make_proof(self.secret, nonce)

    @property
    def _cookie_name(self) -> str:
        # Browsers send the cookies of a host to all of its ports, so each service has its own name.
        return f"rag_qa_{hashlib.sha256(self._session.encode()).hexdigest()[:8]}"


def is_loopback(host: str) -> bool:
    """Return whether other machines cannot reach a host: an address such as 127.0.0.1, or the name localhost."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def make_proof(secret: str, nonce: str) -> str:
    """Return the HMAC-SHA256 of a nonce: it proves that somebody knows the secret, and does not show it."""
    return hmac.new(secret.encode(), nonce.encode(), "sha256").hexdigest()


def _same(shown: str, known: str) -> bool:
    return secrets.compare_digest(shown.encode("utf-8", "replace"), known.encode("utf-8", "replace"))


def _name(host: str) -> str:
    """Return the name of a Host header, without the port and the brackets of IPv6."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower().strip("[]")


def _from_elsewhere(path: str, headers: Mapping[str, str]) -> bool:
    """Return whether a page of another origin made the request; a link to our own page is no such request."""
    origin = headers.get("origin")
    if origin is not None and _network_location(origin) != headers.get("host", ""):
        return True
    if headers.get("sec-fetch-site") not in ELSEWHERE:
        return False
    return path != "/" or headers.get("sec-fetch-mode") != "navigate"


def _network_location(origin: str) -> str | None:
    """Return the host and port of an Origin header, None if it is malformed."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _cookies(headers: Mapping[str, str]) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}
