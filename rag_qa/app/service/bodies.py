"""What a service is asked and what it answers, beside the public values."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from rag_qa.app.filtering import make_filter
from rag_qa.settings import Style
from rag_qa.types import Answer, Explanation, Filter, Hit, Value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(_as_list)]


class Filtered(BaseModel):
    """The filters of the command line, by the names of its flags."""

    model_config = ConfigDict(extra="forbid")

    year: str | None = Field(
        None, description="only papers of these years: 2020, 2019..2022, 2019.. or ..2022"
    )
    since: int | None = Field(None, description="only papers of this year or later")
    venue: Names = Field([], description="only papers at any of these venues")
    author: Names = Field([], description="only papers by all of these authors")
    source: Names = Field([], description="only papers from these files: parts of paths, or patterns")
    status: Names = Field([], description="only papers so marked: retracted, concern, corrected, preprint")
    without: Names = Field([], description="no papers so marked")

    @property
    def filter(self) -> Filter:
        """The filter that these describe. Raises FilterError for years and statuses that cannot be read."""
        return make_filter(
            year=self.year,
            since=self.since,
            venues=self.venue,
            authors=self.author,
            sources=self.source,
            statuses=self.status,
            without=self.without,
        )


class SearchQuery(Filtered):
    """What `/api/search` takes."""

    q: str = Field(description="what to look for")
    k: int | None = Field(None, ge=1, le=1000, description="how many papers")
    index: str | None = Field(None, description="name of the index; default: the first")
    explain: bool = Field(False, description="also why each paper was found")
    full: bool = Field(False, description="whole hits, with papers and passages")


class SimilarQuery(BaseModel):
    """What `GET /api/similar` takes."""

    model_config = ConfigDict(extra="forbid")

    paper_id: str = Field(description="id or alias of a paper of the index")
    k: int | None = Field(None, ge=1, le=1000, description="how many papers")
    index: str | None = Field(None, description="name of the index; default: the first")
    full: bool = Field(False, description="whole hits, with papers and passages")


class SimilarBody(BaseModel):
    """What `POST /api/similar` takes: a text instead of a paper."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(description="an abstract, or some pages of text")
    k: int | None = Field(None, ge=1, le=1000, description="how many papers")
    index: str | None = Field(None, description="name of the index; default: the first")
    full: bool = Field(False, description="whole hits, with papers and passages")


class AskBody(Filtered):
    """What `/api/ask` takes. A conversation goes on by its id, or by the answers that it had so far."""

    question: str
    index: str | None = Field(None, description="name of the index; default: the first")
    conversation: str | None = Field(None, description="id of a conversation, as its first answer gave it")
    history: tuple[Answer, ...] = Field((), description="the turns before, oldest first, instead of an id")
    keep: bool = Field(True, description="whether to keep the answer, so that one may ask on")
    literal: bool = Field(False, description="take the question as it stands")
    style: Style | None = Field(None, description="quote, synthesis, or as the service was started")


class ExportBody(BaseModel):
    """What `/api/export` takes."""

    model_config = ConfigDict(extra="forbid")

    answer: Answer
    format: str = Field(description="md, json, html; of the papers that it cites bib, ris, csl or text")


class IndexInfo(Value):
    """An index of this service; `model` is the language model that writes, None where answers are quotes."""

    name: str
    papers: int
    model: str | None
    style: Style


class FoundPaper(Value):
    """A paper found, as `search --json` prints it; the last three with `explain` alone."""

    paper_id: str
    title: str
    status: str | None
    score: float
    components: dict[str, float]
    words: tuple[str, ...] | None = None
    sentence: str | None = None
    similarity: float | None = None


class Found(Value):
    """Whole hits, and with `explain` why each was found."""

    hits: tuple[Hit, ...]
    reasons: tuple[Explanation, ...] = ()


class ServiceHealth(Value):
    """That the service is up, and which version it is."""

    status: Literal["ok"] = "ok"
    version: str


class Identity(Value):
    """The version of a service, and a proof that it knows the secret of its announcement."""

    version: str
    proof: str


class ErrorDetail(Value):
    """What went wrong and what to do about it, in the shape that OpenAI's clients read."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(Value):
    """An error."""

    error: ErrorDetail


INDEXES = TypeAdapter(list[IndexInfo])
