"""The state of a running service, for its routes."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from rag_qa.app.service.access import Access
from rag_qa.app.service.conversations import Conversations
from rag_qa.app.service.library import Library
from rag_qa.app.service.metrics import Metrics


@dataclass(frozen=True)
class State:
    """The library, the rules of access and the memory of a service.

    `conversations` are kept by ids, `chats` (those of OpenAI's clients) by their words.
    """

    library: Library
    access: Access
    conversations: Conversations = field(default_factory=Conversations)
    chats: Conversations = field(default_factory=Conversations)
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        for lane in (self.library.quick, self.library.writing):
            self.metrics.watch(lane)


def _state(request: Request) -> State:
    state: State = request.app.state.service
    return state


StateOf = Annotated[State, Depends(_state)]
