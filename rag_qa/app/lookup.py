"""A paper by its id, or an error that names the ids most like it."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from rag_qa.app.nearest import nearest
from rag_qa.errors import QuestionError
from rag_qa.types import Paper

NEAR = 3


class PaperHolder(Protocol):
    """Something that holds papers: an index, or the assistant that opened it."""

    def paper(self, paper_id: str) -> Paper: ...

    def papers(self) -> Iterator[Paper]: ...


def find_paper(holder: PaperHolder, paper_id: str) -> Paper:
    """Return the paper with this id, alias, DOI or arXiv id. Raises QuestionError that names similar ids."""
    try:
        return holder.paper(paper_id)
    except KeyError as exc:
        raise QuestionError(_no_paper(paper_id, [paper.id for paper in holder.papers()])) from exc


def _no_paper(paper_id: str, known: Sequence[str]) -> str:
    near = nearest(paper_id, known, count=NEAR)
    hint = f"did you mean {' or '.join(near)}?" if near else "`rag-qa papers` lists all ids"
    return f"the index has no paper {paper_id!r}; {hint}"
