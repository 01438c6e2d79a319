"""What a running service has at hand, for its routes."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from rag_qa.app.service.conversations import Conversations
from rag_qa.app.service.library import Library


@dataclass(frozen=True)
class State:
    """The library and the conversations of a service."""

    library: Library
    conversations: Conversations = field(default_factory=Conversations)


def _state(request: Request) -> State:
    state: State = request.app.state.service
    return state


StateOf = Annotated[State, Depends(_state)]
