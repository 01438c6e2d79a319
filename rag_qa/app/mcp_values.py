"""What the tools of the MCP server return: papers and answers without the paths of this machine."""

from collections.abc import Sequence

from rag_qa.exports.references import address_of
from rag_qa.types import Answer, Hit, Paper, PaperKind, PaperStatus, Sentence, Value


class PaperCard(Value):
    """A paper as a reference; `status` says whether it was retracted or corrected, or is a preprint.

    `kind` says whether its text is the authors' abstract, a synopsis by others, or was found in a PDF.
    """

    paper_id: str
    title: str
    authors: tuple[str, ...]
    venue: str | None
    year: int | None
    status: PaperStatus | None
    address: str
    kind: PaperKind


class FullPaper(PaperCard):
    """A paper with its abstract."""

    abstract: str
    doi: str | None
    arxiv_id: str | None
    pmid: str | None


class PaperMatch(PaperCard):
    """A paper that a search found, best first, with the passage that fits best."""

    rank: int
    score: float
    passage: str


class SearchResult(Value):
    """The papers that a search found."""

    papers: tuple[PaperMatch, ...]


class AskResult(Value):
    """An answer: sentences that each cite verbatim quotes, with a verdict on how far these support it.

    An abstention has a `reason` and the `nearest` papers instead, and no sentences. Papers `set_aside` hold text that
    addresses its reader, such as orders to an assistant; it was not used.
    """

    question: str
    understood_as: str | None
    abstained: bool
    reason: str | None
    sentences: tuple[Sentence, ...]
    papers: tuple[PaperCard, ...]
    nearest: tuple[PaperCard, ...]
    set_aside: tuple[PaperCard, ...] = ()


class References(Value):
    """References in one format, ready for a file."""

    format: str
    text: str


def card(paper: Paper) -> PaperCard:
    """Return a paper as a reference."""
    return PaperCard(**_card(paper))


def full(paper: Paper) -> FullPaper:
    """Return a paper with its abstract."""
    ids = paper.model_dump(include={"abstract", "doi", "arxiv_id", "pmid"})
    return FullPaper(**_card(paper), **ids)


def found(hits: Sequence[Hit]) -> SearchResult:
    """Return hits as the result of a search."""
    papers = [
        PaperMatch(**_card(hit.paper), rank=hit.rank, score=hit.score, passage=hit.passage.text)
        for hit in hits
    ]
    return SearchResult(papers=tuple(papers))


def asked(answer: Answer) -> AskResult:
    """Return an answer as the result of a question."""
    return AskResult(
        question=answer.question,
        understood_as=answer.query.understood_as if answer.query else None,
        abstained=answer.abstained,
        reason=answer.reason,
        sentences=answer.sentences,
        papers=tuple(map(card, answer.papers)),
        nearest=tuple(map(card, answer.nearest)),
        set_aside=tuple(map(card, answer.set_aside)),
    )


def _card(paper: Paper) -> dict[str, object]:
    known = paper.model_dump(include={"authors", "venue", "year", "status", "kind"})
    return known | {"paper_id": paper.id, "title": paper.heading, "address": address_of(paper)}
