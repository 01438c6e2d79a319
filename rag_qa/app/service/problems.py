"""Errors → responses: one shape for all, with a status for whose fault it is."""

from collections.abc import Mapping

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from rag_qa.app.printing import safe_json
from rag_qa.app.service.bodies import ErrorBody, ErrorDetail
from rag_qa.app.service.streaming import LEFT, ClientLeftError
from rag_qa.errors import (
    ExportError,
    ModelError,
    PaperIndexError,
    QuestionError,
    RagQAError,
    ReceiptError,
    ServiceBusyError,
    SettingsError,
    UnknownNameError,
)

# The first class that an error belongs to gives its status.
STATUSES: tuple[tuple[type[RagQAError], int], ...] = (
    (UnknownNameError, 404),
    (ServiceBusyError, 503),
    (QuestionError, 400),
    (SettingsError, 400),
    (ReceiptError, 400),
    (ExportError, 400),
    (PaperIndexError, 503),
    (ModelError, 503),
    (RagQAError, 500),
)
# OpenAI's own names for whose fault it is.
THEIRS, OURS = "invalid_request_error", "server_error"
BUG = "something went wrong in the service; its log, where it was started, says what"


class JsonText(Response):
    """A response of JSON text; characters that would act on a terminal are escaped."""

    media_type = "application/json"

    def render(self, content: str) -> bytes:
        """Return the text in UTF-8."""
        return safe_json(content).encode("utf-8", errors="replace")


def status_of(error: RagQAError) -> int:
    """Return the HTTP status of an error."""
    return next(status for kind, status in STATUSES if isinstance(error, kind))


def error_body(error: Exception) -> ErrorBody:
    """Return the body for an error; for a bug it says only that there is one."""
    if not isinstance(error, RagQAError):
        return ErrorBody(error=ErrorDetail(message=BUG, type=OURS, code="bug"))
    blame = THEIRS if status_of(error) < 500 else OURS
    return ErrorBody(error=ErrorDetail(message=str(error), type=blame, code=type(error).__name__))


def problem(
    status: int,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JsonText:
    """Return an error response."""
    blame = THEIRS if status < 500 else OURS
    body = ErrorBody(error=ErrorDetail(message=message, type=blame, param=param, code=code))
    return JsonText(body.model_dump_json(), status_code=status, headers=dict(headers or {}))


def handle_errors(app: FastAPI) -> None:
    """Make an app answer all errors in our shape."""
    app.add_exception_handler(RagQAError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientLeftError, _left)
    app.add_exception_handler(Exception, _bug)


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, RagQAError)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, ServiceBusyError) else {}
    return JsonText(error_body(error).model_dump_json(), status_code=status_of(error), headers=headers)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "the body"
    return problem(422, f"{where}: {first['msg']}; see /openapi.json", code=first["type"])


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"{request.method} {request.url.path}: {error.detail}; /openapi.json lists the routes"
    return problem(error.status_code, message, code="http", headers=error.headers)


def _left(request: Request, error: Exception) -> Response:
    return Response(status_code=LEFT)


def _bug(request: Request, error: Exception) -> Response:
    return JsonText(error_body(error).model_dump_json(), status_code=500)
