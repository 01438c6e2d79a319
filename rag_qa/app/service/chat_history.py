"""The turns before a question, from messages alone: earlier answers are found by the words of the conversation.

If the answer of a turn is unknown, because the service was restarted or a message was edited, its question is still
parsed: a follow-up question may refer to it.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence

from rag_qa.answering.assistant import Assistant
from rag_qa.app.service.chat_bodies import ANSWERER, TURNS, Message
from rag_qa.app.service.conversations import Conversations
from rag_qa.errors import QuestionError, UnknownNameError
from rag_qa.types import Answer

# Unknown turns that are parsed at most: each may need the language model.
UNDERSTOOD = 2


def turns_of(messages: Sequence[Message]) -> list[Message]:
    """Return the messages that are turns. Raises QuestionError if the last is not a question."""
    turns = [message for message in messages if message.role in TURNS]
    if not turns or turns[-1].role == ANSWERER:
        raise QuestionError("the last message is not the user's; end with a question")
    return turns


def key_of(index: str, turns: Sequence[Message], reply: str | None = None) -> str:
    """Return the key of a conversation with an index: a hash of its words, with one more reply if given."""
    said = [[turn.role, " ".join(turn.text.split())] for turn in turns]
    said += [[ANSWERER, " ".join(reply.split())]] if reply is not None else []
    return hashlib.sha256(json.dumps([index, said]).encode()).hexdigest()


def known_turns(
    index: str, turns: Sequence[Message], kept: Conversations
) -> tuple[list[Answer], list[Message]]:
    """Return the answers of the longest known beginning of a conversation, and the messages after it."""
    ends = [n for n, turn in enumerate(turns, 1) if turn.role == ANSWERER]
    for end in reversed(ends):
        try:
            return list(kept.turns(key_of(index, turns[:end]))), list(turns[end:])
        except UnknownNameError:
            continue
    return [], list(turns)


def understood_turns(
    unknown: Sequence[Message], history: Sequence[Answer], assistant: Assistant
) -> Iterator[Answer]:
    """Yield the questions among unknown messages as abstentions: parsed, but without an answer."""
    questions = [turn.text for turn in unknown if turn.role != ANSWERER]
    before = list(history)
    for question in questions[-UNDERSTOOD:]:
        try:
            query = assistant.understand(question, history=before)
        except QuestionError:
            continue
        before.append(
            Answer(
                question=question,
                abstained=True,
                reason="not asked of this service",
                sentences=(),
                papers=(),
                provenance={},
                timings={},
                query=query,
            )
        )
        yield before[-1]
