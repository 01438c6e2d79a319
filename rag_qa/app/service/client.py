"""A running service instead of an assistant, for the command line: over `http.client`, which imports quickly."""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import rag_qa.errors
from rag_qa.app.filtering import filter_flags
from rag_qa.app.found import Found
from rag_qa.app.service.access import make_proof
from rag_qa.app.service.announcing import Announcement, announcements
from rag_qa.app.service.fingerprints import answer_fingerprint, search_fingerprint
from rag_qa.backends.locating import ModelChoice
from rag_qa.errors import RagQAError, ServiceError
from rag_qa.settings import Settings
from rag_qa.types import EVERY_PAPER, Answer, Event, Filter, Hit
from rag_qa.version import __version__

CHECK_S = 2.0
# The service sends something at least every ten seconds.
SILENCE_S = 60.0
BROKE_OFF = "the service stopped answering; ask again, or use --no-service"


class ServiceClient:
    """One index of a running service."""

    def __init__(self, service: Announcement, index: str, *, style: str = "") -> None:
        self.choice: ModelChoice = service.choice
        self._service = service
        self._index = index
        self._style = style

    def find(self, query: str, k: int, *, filter: Filter = EVERY_PAPER, explain: bool = False) -> Found:
        """Return what a search finds. Raises as `Assistant.search` does, and ServiceError if the service stops."""
        asked = {"q": query, "k": k, "explain": explain, "full": True, "index": self._index}
        return self._found("GET", f"/api/search?{urlencode(asked | filter_flags(filter), doseq=True)}")

    def similar(self, paper_id: str | None = None, *, text: str | None = None, k: int) -> list[Hit]:
        """Return the papers most like a paper or a text. Raises as `Assistant.similar` does."""
        asked = {"k": k, "full": True, "index": self._index}
        if text is not None:
            return list(self._found("POST", "/api/similar", asked | {"text": text}).hits)
        return list(self._found("GET", f"/api/similar?{urlencode(asked | {'paper_id': paper_id})}").hits)

    def ask(self, question: str, *, filter: Filter = EVERY_PAPER, literal: bool = False) -> Answer:
        """Return the answer. Raises as `Assistant.ask` does, and ServiceError if the service stops."""
        for event in self.stream(question, filter=filter, literal=literal):
            if event.answer is not None:
                return event.answer
        raise ServiceError(BROKE_OFF)

    def stream(
        self, question: str, *, filter: Filter = EVERY_PAPER, literal: bool = False
    ) -> Iterator[Event]:
        """Yield the events of an answer. Raises as `ask` does."""
        asked = {"question": question, "literal": literal, "index": self._index, "keep": False}
        asked |= ({"style": self._style} if self._style else {}) | filter_flags(filter)
        with closing(self._connect(SILENCE_S)) as connection:
            try:
                response = self._send(connection, "POST", "/api/ask", asked, accept="text/event-stream")
                yield from _events(response)
            except (OSError, HTTPException) as exc:
                raise ServiceError(BROKE_OFF) from exc

    def is_there(self) -> bool:
        """Return whether the announced service listens at its port; False if it does not answer in time.

        Raises ConnectionError if the service has ended: nothing listens there, or another program.
        """
        nonce = secrets.token_hex(16)
        try:
            with closing(self._connect(CHECK_S)) as connection:
                connection.request("GET", f"/api/service?nonce={nonce}")
                shown = json.loads(connection.getresponse().read())
        except (TimeoutError, HTTPException):
            return False
        except ValueError:
            shown = {}
        proof = shown.get("proof") if isinstance(shown, dict) else None
        if not secrets.compare_digest(str(proof), make_proof(self._service.secret, nonce)):
            raise ConnectionRefusedError("another program listens there")
        return True

    def __enter__(self) -> "ServiceClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held open."""

    def _found(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Found:
        try:
            with closing(self._connect(SILENCE_S)) as connection:
                return Found.model_validate_json(self._send(connection, method, path, body).read())
        except (OSError, HTTPException) as exc:
            raise ServiceError(BROKE_OFF) from exc

    def _connect(self, seconds: float) -> HTTPConnection:
        return HTTPConnection(self._service.host, self._service.port, timeout=seconds)

    def _send(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        accept: str = "application/json",
    ) -> HTTPResponse:
        """Return the response. Raises the error that the service reports."""
        headers = {"Authorization": f"Bearer {self._service.secret}", "Accept": accept}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        if response.status != 200:
            raise _error(response.read())
        return response


def find_service(index: Path, settings: Settings, *, answers: bool) -> ServiceClient | None:
    """Return a running service with this index and equal settings of search, or of answers; None if there is none.

    Files of services that have ended are removed.
    """
    folder = str(index.resolve())
    for path, service in announcements():
        style = _style_of(service, settings) if answers else ""
        same = style is not None and (answers or service.search == search_fingerprint(settings))
        if not same or service.version != __version__ or folder not in service.indexes:
            continue
        client = ServiceClient(service, service.indexes[folder], style=style or "")
        try:
            if client.is_there():
                return client
        except ConnectionError:
            path.unlink(missing_ok=True)
        except OSError:
            continue
    return None


def _style_of(service: Announcement, settings: Settings) -> str | None:
    """Return the style with which the service answers under these settings; None if there is none."""
    wanted = answer_fingerprint(settings)
    return next((style for style, print in service.answers.items() if print == wanted), None)


def _events(response: HTTPResponse) -> Iterator[Event]:
    """Yield the events of a stream. Raises an error that it reports, and ServiceError if it ends too early."""
    name = ""
    while line := response.readline():
        field, _, value = line.decode("utf-8").strip().partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            if name == "error":
                raise _error(value.encode())
            fields = {key: part for key, part in json.loads(value).items() if key in Event.model_fields}
            yield Event.model_validate({"kind": name, **fields})
            if name == "answer":
                return
    raise ServiceError(BROKE_OFF)


def _error(body: bytes) -> RagQAError:
    """Return the error that a service reports, with its own class if that is one of ours."""
    try:
        error = json.loads(body)["error"]
        kind = getattr(rag_qa.errors, error["code"] or "", None)
        if isinstance(kind, type) and issubclass(kind, RagQAError):
            return kind(error["message"])
        return ServiceError(f"the service cannot do it ({error['message']}); use --no-service")
    except (ValueError, KeyError, TypeError):
        return ServiceError(BROKE_OFF)
