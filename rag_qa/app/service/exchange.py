"""One exchange of a chat: a question, the turns before it, and the answer in the shapes of OpenAI's interface."""

import secrets
import time
from collections.abc import Generator, Sequence
from typing import Any

from rag_qa.answering.query.questions import clean_question
from rag_qa.app.rendering import Marks
from rag_qa.app.service.chat_bodies import ChatBody, ChatChoice, Chunk, Completion, Reply, Usage
from rag_qa.app.service.chat_history import key_of, known_turns, turns_of, understood_turns
from rag_qa.app.service.chat_text import cited, said
from rag_qa.app.service.library import Desk
from rag_qa.app.service.state import State
from rag_qa.app.service.streaming import sent
from rag_qa.types import Answer, Event


class Exchange:
    """A question and the text of its answer so far. Raises QuestionError or FilterError if it is not valid."""

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
        """Answer the question at a desk."""
        assistant = desk.opened.assistant()
        known, unknown = known_turns(self._index, self._turns[:-1], self._state.chats)
        self._history = [*known, *understood_turns(unknown, known, assistant)]
        yield from assistant.stream(
            self._question, history=self._history, filter=self._filter, literal=self._options.literal
        )

    def take(self, event: Event) -> str:
        """Return the text that an event adds; a finished answer is kept under the words of the conversation."""
        self.pieces += event.kind == "piece"
        added = said(event, self._marks)
        self.text += added
        if event.answer is not None:
            self._state.metrics.answered(event.answer.timings)
            key = key_of(self._index, self._turns, self.text)
            self._state.chats.keep(key, [*self._history, event.answer])
        return added

    def usage(self, answer: Answer) -> Usage:
        """Return the numbers of tokens read and written."""
        read = int(answer.provenance.get("prompt_tokens", 0))
        return Usage(prompt_tokens=read, completion_tokens=self.pieces, total_tokens=read + self.pieces)

    def completion(self, answer: Answer) -> Completion:
        """Return the whole answer."""
        return Completion(
            id=self.id,
            created=self.created,
            model=self.model,
            choices=(ChatChoice(message=Reply(content=self.text)),),
            usage=self.usage(answer),
            citations=cited(answer),
        )

    def chunk(self, delta: dict[str, str], answer: Answer | None = None) -> str:
        """Return a chunk of the stream; with an answer, the last one."""
        choice = {"index": 0, "delta": delta, "finish_reason": "stop" if answer else None}
        return self._sent((choice,), citations=cited(answer) if answer else None)

    def usage_chunk(self, answer: Answer) -> str:
        """Return the chunk of the stream that has only the usage."""
        return self._sent((), usage=self.usage(answer))

    def _sent(self, choices: Sequence[dict[str, Any]], **more: Any) -> str:
        chunk = Chunk(id=self.id, created=self.created, model=self.model, choices=tuple(choices), **more)
        unset = {name for name in ("usage", "citations") if getattr(chunk, name) is None}
        return sent(chunk.model_dump_json(exclude=unset))
