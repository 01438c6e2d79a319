"""Hits and answers → pandas tables, if pandas is installed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rag_qa.errors import ExportError
from rag_qa.types import Answer, Hit, Paper

if TYPE_CHECKING:
    from pandas import DataFrame

PAPER_COLUMNS = ("paper_id", "title", "authors", "venue", "year", "status")
HIT_COLUMNS = ("rank", "score", *PAPER_COLUMNS, "passage")
ANSWER_COLUMNS = (
    "sentence",
    "text",
    "kind",
    "verdict",
    "probability",
    *PAPER_COLUMNS,
    "quote",
    "start",
    "end",
)


def hits_frame(hits: Sequence[Hit]) -> "DataFrame":
    """Return a table with one row for each hit; columns are HIT_COLUMNS. Raises ExportError without pandas."""
    rows = [
        {"rank": hit.rank, "score": hit.score, **_paper(hit.paper), "passage": hit.passage.text}
        for hit in hits
    ]
    return _frame(rows, HIT_COLUMNS)


def answer_frame(answer: Answer) -> "DataFrame":
    """Return a table with one row for each citation of each sentence; columns are ANSWER_COLUMNS.

    An abstention has no rows. Raises ExportError without pandas.
    """
    papers = {paper.id: paper for paper in answer.papers}
    rows = [
        {
            "sentence": number,
            "text": sentence.text,
            "kind": sentence.kind,
            "verdict": sentence.verdict.label,
            "probability": sentence.verdict.probability,
            **_paper(papers[citation.paper_id]),
            "quote": citation.quote,
            "start": citation.start,
            "end": citation.end,
        }
        for number, sentence in enumerate(answer.sentences, 1)
        for citation in sentence.citations
    ]
    return _frame(rows, ANSWER_COLUMNS)


def _paper(paper: Paper) -> dict[str, Any]:
    known = paper.model_dump(include={"title", "venue", "year", "status"})
    return known | {"paper_id": paper.id, "authors": list(paper.authors)}


def _frame(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> "DataFrame":
    try:
        from pandas import DataFrame
    except ImportError as exc:
        raise ExportError("a table needs pandas, which is not installed; run `pip install pandas`") from exc
    frame = DataFrame(rows, columns=list(columns))
    # Years stay integers even if some papers have none.
    return frame.astype({"year": "Int64"})
