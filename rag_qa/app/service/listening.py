"""A socket to serve on, and how long a token must be."""

import secrets
import socket

from rag_qa.app.service.access import is_loopback
from rag_qa.errors import SettingsError

BACKLOG = 128
# Characters of the shortest token that nobody guesses.
TOKEN_LENGTH = 16


def listen(host: str, port: int, token: str | None, *, flags: str = "--host and --port") -> socket.socket:
    """Return a socket that listens on a port; 0 means any that is free.

    Raises SettingsError if the address is not available, or if other machines reach it and no long token is given.
    `flags` are those that the message names.
    """
    if not is_loopback(host) and len(token or "") < TOKEN_LENGTH:
        raise SettingsError(
            f"{host} can be reached from other machines; give a --token of at least {TOKEN_LENGTH} characters, "
            f"such as {secrets.token_urlsafe(TOKEN_LENGTH)}"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as exc:
        raise SettingsError(
            f"cannot listen on {host}, port {port} ({exc}); name another with {flags}"
        ) from exc


def address_of(listener: socket.socket, path: str = "/") -> str:
    """Return the web address of a path on a socket that listens."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{path}"
