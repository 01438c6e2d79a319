"""The bodies of requests and responses, beside the public values."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from rag_qa.app.filtering import FIELDS, make_filter
from rag_qa.settings import Style
from rag_qa.types import Answer, Filter, Value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(_as_list)]


class Filtered(BaseModel):
    """The filters, by the names of the command line's flags."""

    model_config = ConfigDict(extra="forbid")

    year: str | None = Field(
        None, description="only papers of these years: 2020, 2019..2022, 2019.. or ..2022"
    )
    since: int | None = Field(None, description="only papers of this year or later")
    venue: Names = Field([], description="only papers at any of these venues")
    author: Names = Field([], description="only papers by all of these authors")
    source: Names = Field([], description="only papers from these files: parts of paths, or patterns")
    status: Names = Field(
        [], description="only papers with these statuses: retracted, concern, corrected, preprint"
    )
    without: Names = Field([], description="no papers with these statuses")

    @property
    def filter(self) -> Filter:
        """The filter that the fields describe. Raises FilterError for a year or a status that cannot be read."""
        return make_filter(**{name: getattr(self, name) for name in FIELDS})


class SearchQuery(Filtered):
    """The query of `/api/search`."""

    q: str = Field(description="what to look for")
    k: int | None = Field(None, ge=1, le=1000, description="how many papers")
    index: str | None = Field(None, description="name of the index; default: the first")
    explain: bool = Field(False, description="also why each paper was found")
    full: bool = Field(False, description="whole hits, with papers and passages")


class SimilarQuery(BaseModel):
    """The query of `GET /api/similar`."""

    model_config = ConfigDict(extra="forbid")

    paper_id: str = Field(description="id or alias of a paper of the index")
    k: int | None = Field(None, ge=1, le=1000, description="how many papers")
    index: str | None = Field(None, description="name of the index; default: the first")
    full: bool = Field(False, description="whole hits, with papers and passages")


class SimilarBody(BaseModel):
    """The body of `POST /api/similar`: a text instead of a paper."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(description="an abstract, or some pages of text")
    k: int | None = Field(None, ge=1, le=1000, description="how many papers")
    index: str | None = Field(None, description="name of the index; default: the first")
    full: bool = Field(False, description="whole hits, with papers and passages")


class AskBody(Filtered):
    """The body of `/api/ask`. A conversation is continued by its id, or by its answers so far."""

    question: str
    index: str | None = Field(None, description="name of the index; default: the first")
    conversation: str | None = Field(None, description="id of a conversation, which its first answer gave")
    history: tuple[Answer, ...] = Field((), description="the earlier turns, oldest first, instead of an id")
    keep: bool = Field(True, description="whether to keep the answer for follow-up questions")
    literal: bool = Field(False, description="take the question literally")
    style: Style | None = Field(None, description="quote or synthesis; default: as the service was started")


class ExportBody(BaseModel):
    """The body of `/api/export`."""

    model_config = ConfigDict(extra="forbid")

    answer: Answer
    format: str = Field(description="md, json or html; bib, ris, csl or text for the papers cited")


class IndexInfo(Value):
    """An index of this service; `model` is the language model that writes, None if answers are quotes."""

    name: str
    papers: int
    model: str | None
    style: Style


class FoundPaper(Value):
    """A paper found, as `search --json` prints it; the last three fields only with `explain`."""

    paper_id: str
    title: str
    status: str | None
    score: float
    components: dict[str, float]
    words: tuple[str, ...] | None = None
    sentence: str | None = None
    similarity: float | None = None


class ServiceHealth(Value):
    """The state of the service, and its version."""

    status: Literal["ok"] = "ok"
    version: str


class Identity(Value):
    """The version of a service, and a proof that it knows the secret of its announcement."""

    version: str
    proof: str


class ErrorDetail(Value):
    """An error message with its cure, in the shape that OpenAI's clients read."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(Value):
    """The body of every error response."""

    error: ErrorDetail


INDEXES = TypeAdapter(list[IndexInfo])
