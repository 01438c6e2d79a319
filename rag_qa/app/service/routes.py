"""`/api/…`: indexes, search, papers and questions in the public JSON shapes."""

import logging
from collections.abc import AsyncGenerator, Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request, Response

from rag_qa.answering.assistant import Assistant
from rag_qa.app.found import Found, find, found_json
from rag_qa.app.service.answers import Asked, read_question, sent_event, settle
from rag_qa.app.service.bodies import (
    INDEXES,
    AskBody,
    ErrorBody,
    FoundPaper,
    IndexInfo,
    SearchQuery,
    SimilarBody,
    SimilarQuery,
)
from rag_qa.app.service.lanes import Job
from rag_qa.app.service.problems import JsonText, error_body
from rag_qa.app.service.state import State, StateOf
from rag_qa.app.service.streaming import EventStream, sent, while_there
from rag_qa.errors import RagQAError, UnknownNameError
from rag_qa.types import Answer, Event, Paper

T = TypeVar("T")
CONVERSATION_HEADER = "Rag-Qa-Conversation"
logger = logging.getLogger(__name__)


def errors(**described: str) -> dict[int | str, dict[str, Any]]:
    """Return the descriptions of error responses by status, for the OpenAPI document."""
    return {
        int(status.removeprefix("e")): {"model": ErrorBody, "description": text}
        for status, text in described.items()
    }


COMMON = errors(
    e400="the request is not valid: the message says what to change",
    e401="a token is needed",
    e403="a request of another site",
    e404="no index, paper or conversation of that name",
    e413="the body is too large",
    e421="a host name that is not this machine's own",
    e422="a field is unknown or has a wrong value",
    e503="too many requests wait (see Retry-After), or a model or an index is not usable",
)
router = APIRouter(prefix="/api", responses=COMMON)


@router.get("/indexes", summary="The indexes of this service", response_model=list[IndexInfo])
async def indexes(state: StateOf) -> Response:
    """List the indexes; the first one is used if a request names none."""
    found = [
        IndexInfo(name=shelf.name, papers=shelf.quoting.papers, model=shelf.model, style=shelf.style)
        for shelf in state.library.shelves.values()
    ]
    return JsonText(INDEXES.dump_json(found).decode())


@router.get("/search", summary="Find papers", response_model=list[FoundPaper] | Found)
async def search(request: Request, query: Annotated[SearchQuery, Query()], state: StateOf) -> Response:
    """Find papers, best first, in the JSON of `rag-qa search --json`; or whole hits with `full`."""
    wanted = query.filter

    def search_papers(assistant: Assistant) -> Found:
        return find(assistant, query.q, query.k, filter=wanted, explain=query.explain)

    return _found(await _quickly(request, state, query.index, search_papers), full=query.full)


@router.get("/similar", summary="Find papers like a paper", response_model=list[FoundPaper] | Found)
async def similar(request: Request, query: Annotated[SimilarQuery, Query()], state: StateOf) -> Response:
    """Find papers like one of the index, best first, itself left out."""

    def find(assistant: Assistant) -> Found:
        return Found(hits=tuple(assistant.similar(query.paper_id, k=query.k)))

    return _found(await _quickly(request, state, query.index, find), full=query.full)


@router.post("/similar", summary="Find papers like a text", response_model=list[FoundPaper] | Found)
async def similar_to_text(request: Request, body: SimilarBody, state: StateOf) -> Response:
    """Find papers like an abstract or some pages of text, best first."""

    def find(assistant: Assistant) -> Found:
        return Found(hits=tuple(assistant.similar(text=body.text, k=body.k)))

    return _found(await _quickly(request, state, body.index, find), full=body.full)


@router.get("/papers/{paper_id:path}", summary="A paper", response_model=Paper)
async def paper(request: Request, paper_id: str, state: StateOf, index: str | None = None) -> Response:
    """Return a paper by its id, alias, DOI or arXiv id."""

    def find(assistant: Assistant) -> Paper:
        try:
            return assistant.paper(paper_id)
        except KeyError as exc:
            raise UnknownNameError(
                f"the index has no paper {paper_id!r}; /api/search?q=WORDS gives the ids of papers"
            ) from exc

    return JsonText((await _quickly(request, state, index, find)).model_dump_json())


@router.post("/ask", summary="Answer a question", response_model=Answer)
async def ask(request: Request, body: AskBody, state: StateOf) -> Response:
    """Answer from the papers, or say that they don't.

    With `Accept: text/event-stream`, the events `hits`, `piece`, `sentence`, `answer` (with the id of the
    `conversation`) or `error` are sent; else the answer, with that id in the header `Rag-Qa-Conversation`.
    """
    question = read_question(body, state.conversations)
    desk = state.library.desk(state.library.shelf(body.index), body.style)
    job = desk.lane.queue(question.work(desk))
    if "text/event-stream" in request.headers.get("accept", ""):
        return EventStream(job, _events(job, body, question, state))
    with job:
        answer = await while_there(request, _last(job))
    key = settle(body, question, answer, state)
    return JsonText(answer.model_dump_json(indent=2), headers={CONVERSATION_HEADER: key} if key else None)


async def _events(job: Job[Event], body: AskBody, question: Asked, state: State) -> AsyncGenerator[str, None]:
    try:
        async for event in job.results():
            key = settle(body, question, event.answer, state) if event.answer else None
            yield sent_event(event, key)
    except Exception as exc:  # the response has begun: its status can no longer report the error
        if not isinstance(exc, RagQAError):
            logger.exception("an answer failed")
        yield sent(error_body(exc).model_dump_json(), event="error")


async def _last(job: Job[Event]) -> Answer:
    async for event in job.results():
        if event.answer is not None:
            return event.answer
    raise AssertionError("a stream ends in an answer")


async def _quickly(request: Request, state: State, index: str | None, find: Callable[[Assistant], T]) -> T:
    """Return what an index's quoting assistant finds, in the quick lane."""
    desk = state.library.desk(state.library.shelf(index), "quote")
    return await while_there(request, desk.lane.call(lambda: find(desk.opened.assistant())))


def _found(found: Found, *, full: bool) -> Response:
    if full:
        return JsonText(found.model_dump_json())
    return JsonText(found_json(found))
