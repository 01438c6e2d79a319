"""`/v1/…`: the indexes as models of OpenAI's chat interface."""

import logging
from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request, Response

from rag_qa.app.service.chat_bodies import ChatBody, Completion, ModelInfo, ModelList
from rag_qa.app.service.exchange import Exchange
from rag_qa.app.service.lanes import Job
from rag_qa.app.service.library import Shelf
from rag_qa.app.service.problems import JsonText, error_body, problem
from rag_qa.app.service.routes import COMMON
from rag_qa.app.service.state import State, StateOf
from rag_qa.app.service.streaming import EventStream, sent, while_there
from rag_qa.errors import RagQAError, UnknownNameError
from rag_qa.types import Answer, Event

MODEL = "rag-qa"
DONE = sent("[DONE]")
logger = logging.getLogger(__name__)
router = APIRouter(prefix="/v1", responses=COMMON)


@router.get("/models", summary="The indexes as models", response_model=ModelList)
async def models(state: StateOf) -> Response:
    """List `rag-qa` for the first index, and `rag-qa/NAME` for each index."""
    ids = [MODEL, *(f"{MODEL}/{name}" for name in state.library.shelves)]
    return JsonText(ModelList(data=tuple(ModelInfo(id=name) for name in ids)).model_dump_json())


@router.get("/models/{model:path}", summary="An index as a model", response_model=ModelInfo)
async def model(model: str, state: StateOf) -> Response:
    """Return a model by its id."""
    try:
        _shelf(model, state)
    except UnknownNameError as exc:
        return _no_model(exc)
    return JsonText(ModelInfo(id=model).model_dump_json())


@router.post("/chat/completions", summary="Answer the last message", response_model=Completion)
async def complete(request: Request, body: ChatBody, state: StateOf) -> Response:
    """Answer from the papers, or say that they don't: sentences with marks, then the papers and quotes behind them.

    With `stream`, chunks come as server-sent events, one for each checked sentence.
    """
    try:
        shelf = _shelf(body.model, state)
    except UnknownNameError as exc:
        return _no_model(exc)
    desk = state.library.desk(shelf, body.rag_qa.style)
    chat = Exchange(body, shelf.name, state)
    job = desk.lane.queue(lambda: chat.work(desk))
    if body.stream:
        usage = body.stream_options is not None and body.stream_options.include_usage
        return EventStream(job, _chunks(job, chat, usage=usage))
    with job:
        answer = await while_there(request, _answer(job, chat))
    return JsonText(chat.completion(answer).model_dump_json())


async def _chunks(job: Job[Event], chat: Exchange, *, usage: bool) -> AsyncGenerator[str, None]:
    try:
        yield chat.chunk({"role": "assistant", "content": ""})
        async for event in job.results():
            if added := chat.take(event):
                yield chat.chunk({"content": added})
            if event.answer is not None:
                yield chat.chunk({}, event.answer)
                if usage:
                    yield chat.usage_chunk(event.answer)
        yield DONE
    except Exception as exc:  # the response has begun: its status can no longer report the error
        if not isinstance(exc, RagQAError):
            logger.exception("an answer failed")
        yield sent(error_body(exc).model_dump_json())


async def _answer(job: Job[Event], chat: Exchange) -> Answer:
    async for event in job.results():
        chat.take(event)
        if event.answer is not None:
            return event.answer
    raise AssertionError("a stream ends in an answer")


def _shelf(model: str, state: State) -> Shelf:
    """Return the index that a model's id means. Raises UnknownNameError for an unknown id."""
    if model == MODEL:
        return state.library.shelf()
    if not model.startswith(f"{MODEL}/"):
        raise UnknownNameError(f"there is no model {model!r} here; /v1/models lists the models")
    return state.library.shelf(model.removeprefix(f"{MODEL}/"))


def _no_model(error: UnknownNameError) -> Response:
    return problem(404, str(error), code="model_not_found", param="model")
