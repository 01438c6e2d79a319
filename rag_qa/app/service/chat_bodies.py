"""The part of OpenAI's chat interface that is supported: bodies of requests and responses."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag_qa.app.service.bodies import Filtered
from rag_qa.settings import Style
from rag_qa.types import Value, VerdictLabel

ANSWERER = "assistant"
# The roles whose messages are turns. System messages are ignored: answers come from the papers alone.
TURNS = ("user", ANSWERER)


class Part(BaseModel):
    """A part of a message."""

    type: str
    text: str = ""


class Message(BaseModel):
    """A message of a conversation; unknown fields are ignored, as in `ChatBody`."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """The text of all parts."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class StreamOptions(BaseModel):
    """What a stream holds besides the text."""

    include_usage: bool = False


class ChatOptions(Filtered):
    """Our own options in a request: the filters of the command line, `literal` and `style`."""

    literal: bool = False
    style: Style | None = None


class ChatBody(BaseModel):
    """The body of `/v1/chat/completions`. The last message is the question; those before it are the conversation.

    `temperature`, `max_tokens` and the like are ignored: they are set when the service is started.
    """

    model_config = ConfigDict(extra="ignore")

    model: str = Field("rag-qa", description="rag-qa, or rag-qa/NAME for one of several indexes")
    messages: list[Message] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
    rag_qa: ChatOptions = ChatOptions()


class Usage(Value):
    """Tokens of the prompt, and pieces of text that the model wrote; zero if answers are quotes."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCitation(Value):
    """A quote behind a mark `[n]` of the text: characters `start` to `end` of the paper's abstract."""

    mark: int
    paper_id: str
    title: str
    quote: str
    start: int
    end: int
    sentence: str
    verdict: VerdictLabel


class Reply(Value):
    """The message of a choice."""

    role: Literal["assistant"] = "assistant"
    content: str


class ChatChoice(Value):
    """The one choice of a completion."""

    index: Literal[0] = 0
    message: Reply
    finish_reason: Literal["stop"] = "stop"


class Completion(Value):
    """An answer as a chat completion; `citations` is ours."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: tuple[ChatChoice, ...]
    usage: Usage
    citations: tuple[ChatCitation, ...]


class ModelInfo(Value):
    """An index as a model."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "rag_qa"


class ModelList(Value):
    """The indexes as models."""

    object: Literal["list"] = "list"
    data: tuple[ModelInfo, ...]


class Chunk(Value):
    """A part of a streamed completion; the last with a choice has the citations."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: tuple[dict[str, Any], ...]
    usage: Usage | None = None
    citations: tuple[ChatCitation, ...] | None = None
