"""The records of one paper → one paper that loses no source, variant, alias or author."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from rag_qa.corpus.ids import id_rank, normalise_text, stable_id
from rag_qa.types import Paper, Source

T = TypeVar("T")


def combine_papers(papers: Sequence[Paper]) -> Paper:
    """Return one paper for records of the same one, whatever their order.

    A real abstract goes before a synopsis and the longest before others; missing fields come from the others.
    """
    if len(papers) == 1:
        return papers[0]
    ranked = sorted(papers, key=_rank)
    best = ranked[0]
    ids = sorted({name for paper in papers for name in (paper.id, *paper.aliases)}, key=_id_order)
    return best.model_copy(
        update={
            "id": ids[0],
            "aliases": tuple(ids[1:]),
            "title": _first(ranked, lambda paper: paper.title) or "",
            "authors": _merge_authors(papers),
            "venue": _first(ranked, lambda paper: paper.venue),
            "year": _first(ranked, lambda paper: paper.year),
            "url": _first(ranked, lambda paper: paper.url),
            "doi": _first(ranked, lambda paper: paper.doi),
            "arxiv_id": _first(ranked, lambda paper: paper.arxiv_id),
            "sources": _merge_sources(papers, best.abstract),
        }
    )


def settle_ids(papers: Iterable[Paper]) -> list[Paper]:
    """Return the papers sorted by id, each id standing for one paper only.

    An id that sources gave to different papers (two files that both count from 1) says nothing: each of these
    papers takes its next id, at last the hash of its text, and the shared one is no alias of either.
    """
    papers = list(papers)
    uses = Counter(name for paper in papers for name in {paper.id, *paper.aliases})
    return sorted((_settle(paper, uses) for paper in papers), key=lambda paper: paper.id)


def _settle(paper: Paper, uses: Counter[str]) -> Paper:
    names = (paper.id, *paper.aliases)
    own = [name for name in names if uses[name] == 1]
    if len(own) == len(names):
        return paper
    own = own or [stable_id(paper.title, paper.abstract)]
    return paper.model_copy(update={"id": own[0], "aliases": tuple(own[1:])})


def _rank(paper: Paper) -> tuple[object, ...]:
    record = [(source.path, source.record) for source in paper.sources]
    return (
        paper.kind != "abstract",
        -len(paper.abstract),
        paper.abstract,
        not paper.title,
        paper.title,
        record,
    )


def _id_order(name: str) -> tuple[int, str]:
    return id_rank(name), name


def _first(ranked: Sequence[Paper], field: Callable[[Paper], T | None]) -> T | None:
    return next((value for paper in ranked if (value := field(paper))), None)


def _merge_authors(papers: Sequence[Paper]) -> tuple[str, ...]:
    """Return the longest list, and after it the names that only others have (author pages know just one)."""
    lists = sorted({paper.authors for paper in papers}, key=lambda names: (-len(names), names))
    merged: dict[str, str] = {}
    for names in lists:
        for name in names:
            merged.setdefault(_author_key(name), name)
    return tuple(merged.values())


def _author_key(name: str) -> str:
    """Return last name and first initial: "J. Smith" and "John Smith" are one author of a paper."""
    words = normalise_text(name).split() or [name]
    return f"{words[-1]} {words[0][0]}"


def _merge_sources(papers: Sequence[Paper], abstract: str) -> tuple[Source, ...]:
    texts = {
        (source.path, source.record): source.variant or paper.abstract
        for paper in sorted(papers, key=_rank)
        for source in paper.sources
    }
    return tuple(
        Source(path=path, record=record, variant=None if text == abstract else text)
        for (path, record), text in sorted(texts.items())
    )
