"""A question to the service: the work that answers it, and what is kept and counted of its answer."""

import secrets
from collections.abc import Generator, Sequence
from typing import NamedTuple

from rag_qa.answering.query.questions import clean_question
from rag_qa.app.service.bodies import AskBody
from rag_qa.app.service.conversations import Conversations
from rag_qa.app.service.lanes import Work
from rag_qa.app.service.library import Desk
from rag_qa.app.service.state import State
from rag_qa.app.service.streaming import as_line, sent
from rag_qa.types import Answer, Event, Filter

FIELDS = {"hits": {"hits", "query"}, "piece": {"piece"}, "sentence": {"sentence"}, "answer": {"answer"}}


class Asked(NamedTuple):
    """A question with all that is needed to answer it."""

    text: str
    history: Sequence[Answer]
    filter: Filter
    literal: bool

    def work(self, desk: Desk) -> Work[Event]:
        """Return the work that answers the question at a desk."""

        def events() -> Generator[Event, None, None]:
            yield from desk.opened.assistant().stream(
                self.text, history=self.history, filter=self.filter, literal=self.literal
            )

        return events


def read_question(body: AskBody, conversations: Conversations) -> Asked:
    """Return the question of a body. Raises QuestionError, FilterError or UnknownNameError if it is not valid."""
    clean_question(body.question)
    history = conversations.turns(body.conversation) if body.conversation else body.history
    return Asked(body.question, history, body.filter, body.literal)


def settle(body: AskBody, question: Asked, answer: Answer, state: State) -> str | None:
    """Count an answer; keep it if asked to, and return the id of its conversation."""
    state.metrics.answered(answer.timings)
    if not body.keep:
        return None
    key = body.conversation or secrets.token_urlsafe(16)
    state.conversations.keep(key, [*question.history, answer])
    return key


def sent_event(event: Event, conversation: str | None) -> str:
    """Return an event as text to send: the fields of its kind, and with an answer the id of its conversation."""
    fields = event.model_dump(mode="json", include=FIELDS[event.kind])
    return sent(as_line(fields | ({"conversation": conversation} if event.answer else {})), event=event.kind)
