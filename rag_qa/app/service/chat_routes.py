"""`/v1/…`: the indexes as models of OpenAI's chat interface."""

import logging
import secrets
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from rag_qa.answering.query.questions import clean_question
from rag_qa.app.rendering import Marks
from rag_qa.app.service.chat_bodies import (
    ChatBody,
    Choice,
    Chunk,
    Completion,
    ModelInfo,
    ModelList,
    Reply,
    Usage,
)
from rag_qa.app.service.chat_history import key_of, known_turns, turns_of, understood_turns
from rag_qa.app.service.chat_text import cited, said
from rag_qa.app.service.lanes import Job
from rag_qa.app.service.library import Desk, Shelf
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


class Chat:
    """One exchange: the question, what came before it, and the text of the answer as far as it has come."""

    def __init__(self, body: ChatBody, index: str, state: State) -> None:
        self.id = f"chatcmpl-{secrets.token_urlsafe(12)}"
        self.created = int(time.time())
        self.model = body.model
        self.text = ""
        self.pieces = 0
        self._index = index
        self._state = state
        self._marks = Marks()
        self._options = body.rag_qa
        self._filter = body.rag_qa.filter
        self._turns = turns_of(body.messages)
        self._question = self._turns[-1].text
        clean_question(self._question)
        self._history: list[Answer] = []

    def work(self, desk: Desk) -> Generator[Event, None, None]:
        """Answer at a desk."""
        assistant = desk.opened.assistant()
        known, unknown = known_turns(self._index, self._turns[:-1], self._state.chats)
        self._history = [*known, *understood_turns(unknown, known, assistant)]
        yield from assistant.stream(
            self._question, history=self._history, filter=self._filter, literal=self._options.literal
        )

    def take(self, event: Event) -> str:
        """Return what an event adds to the text; the answer is kept under the words of the whole conversation."""
        self.pieces += event.kind == "piece"
        added = said(event, self._marks)
        self.text += added
        if event.answer is not None:
            self._state.metrics.answered(event.answer.timings)
            key = key_of(self._index, self._turns, self.text)
            self._state.chats.keep(key, [*self._history, event.answer])
        return added

    def usage(self, answer: Answer) -> Usage:
        """Return how many tokens were read and written."""
        read = int(answer.provenance.get("prompt_tokens", 0))
        return Usage(prompt_tokens=read, completion_tokens=self.pieces, total_tokens=read + self.pieces)

    def completion(self, answer: Answer) -> Completion:
        """Return the whole answer."""
        return Completion(
            id=self.id,
            created=self.created,
            model=self.model,
            choices=(Choice(message=Reply(content=self.text)),),
            usage=self.usage(answer),
            citations=cited(answer),
        )

    def chunk(self, delta: dict[str, str], answer: Answer | None = None) -> str:
        """Return a part of the stream; the last one ends the answer."""
        choice = {"index": 0, "delta": delta, "finish_reason": "stop" if answer else None}
        return self._sent((choice,), citations=cited(answer) if answer else None)

    def usage_chunk(self, answer: Answer) -> str:
        """Return the part of the stream that has the usage alone."""
        return self._sent((), usage=self.usage(answer))

    def _sent(self, choices: Sequence[dict[str, Any]], **more: Any) -> str:
        chunk = Chunk(id=self.id, created=self.created, model=self.model, choices=tuple(choices), **more)
        unset = {name for name in ("usage", "citations") if getattr(chunk, name) is None}
        return sent(chunk.model_dump_json(exclude=unset))


@router.get("/models", summary="The indexes as models", response_model=ModelList)
async def models(state: StateOf) -> Response:
    """List `rag-qa`, which is the first index, and `rag-qa/NAME` for each."""
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

    With `stream` come chunks as server-sent events, a sentence each once it is checked.
    """
    try:
        shelf = _shelf(body.model, state)
    except UnknownNameError as exc:
        return _no_model(exc)
    desk = state.library.desk(shelf, body.rag_qa.style)
    chat = Chat(body, shelf.name, state)
    job = desk.lane.queue(lambda: chat.work(desk))
    if body.stream:
        usage = body.stream_options is not None and body.stream_options.include_usage
        return EventStream(job, _chunks(job, chat, usage=usage))
    with job:
        answer = await while_there(request, _answer(job, chat))
    return JsonText(chat.completion(answer).model_dump_json())


async def _chunks(job: Job[Event], chat: Chat, *, usage: bool) -> AsyncGenerator[str, None]:
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
    except Exception as exc:  # the response has begun: its status cannot say so any more
        if not isinstance(exc, RagQAError):
            logger.exception("an answer failed")
        yield sent(error_body(exc).model_dump_json())


async def _answer(job: Job[Event], chat: Chat) -> Answer:
    async for event in job.results():
        chat.take(event)
        if event.answer is not None:
            return event.answer
    raise AssertionError("a stream ends in an answer")


def _shelf(model: str, state: State) -> Shelf:
    """Return the index that a model's id means. Raises UnknownNameError for an id of none."""
    if model == MODEL:
        return state.library.shelf()
    if not model.startswith(f"{MODEL}/"):
        raise UnknownNameError(f"there is no model {model!r} here; /v1/models lists those that there are")
    return state.library.shelf(model.removeprefix(f"{MODEL}/"))


def _no_model(error: UnknownNameError) -> Response:
    return problem(404, str(error), code="model_not_found", param="model")
