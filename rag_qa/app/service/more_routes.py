"""Other routes: checks and exports of answers, and the state of the service itself."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter

from rag_qa.answering.receipts.verify import Recheck
from rag_qa.app.service.bodies import ExportBody, Identity, ServiceHealth
from rag_qa.app.service.metrics import CONTENT_TYPE
from rag_qa.app.service.problems import JsonText
from rag_qa.app.service.receipts import verify_body
from rag_qa.app.service.routes import COMMON
from rag_qa.app.service.state import StateOf
from rag_qa.app.service.streaming import while_there
from rag_qa.exports import FORMATS, export_answer
from rag_qa.version import __version__

ANSWER = "an answer as /api/ask gives it, or a receipt that `rag-qa ask --save` wrote, byte for byte"
POSTED = {
    "required": True,
    "content": {"application/json": {"schema": {"type": "object", "description": ANSWER}}},
}
RECHECKS = TypeAdapter(list[Recheck])
router = APIRouter(responses=COMMON)


@router.post(
    "/api/verify",
    summary="Check an answer",
    response_model=list[Recheck],
    openapi_extra={"requestBody": POSTED},
)
async def verify(request: Request, state: StateOf, index: str | None = None) -> Response:
    """Check texts, quotes and verdicts without a language model; also against an index if one is named."""
    body = await request.body()
    folder = state.library.shelf(index).quoting.folder if index else None
    checks = await while_there(request, state.library.quick.call(lambda: verify_body(body, folder)))
    return JsonText(RECHECKS.dump_json(checks).decode())


@router.post("/api/export", summary="An answer in another format", response_class=Response)
async def export(body: ExportBody) -> Response:
    """Return an answer, or the papers that it cites, in a format for other programs."""
    text = export_answer(body.answer, body.format)
    ending = FORMATS[body.format].endings[0]
    return Response(
        text.encode("utf-8", errors="replace"),
        media_type=f"{FORMATS[body.format].media_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="answer{ending}"'},
    )


@router.get("/api/service", summary="That this is the service that was announced", response_model=Identity)
async def identity(nonce: Annotated[str, Query(max_length=64)], state: StateOf) -> Identity:
    """Prove to programs of the same user that this is the service that was announced."""
    return Identity(version=__version__, proof=state.access.proof(nonce))


@router.get("/metrics", summary="Counts and times, for Prometheus", response_class=Response)
async def metrics(state: StateOf) -> Response:
    """Return requests, seconds by stage of an answer, and queue lengths, in Prometheus' text format."""
    return Response(state.metrics.page(), media_type=CONTENT_TYPE)


@router.get("/healthz", summary="Whether the service is up", response_model=ServiceHealth)
async def health() -> ServiceHealth:
    """Report that the service is up; no token is needed."""
    return ServiceHealth(version=__version__)
