"""Ranked papers → the same papers, the first of them in a reranker's order. Knows nothing of models."""

from collections.abc import Sequence

from rag_qa.protocols import Reranker
from rag_qa.types import Hit


def rerank(query: str, hits: Sequence[Hit], reranker: Reranker, *, depth: int) -> list[Hit]:
    """Return the hits with the first `depth` in the order of the reranker's scores, ties in the former order.

    The rest keep their order behind them. `components["rerank"]` of a reranked hit is the reranker's score. `rank`
    and `score` belong to the place: a hit takes the search's score of the place where it now stands, so that
    scores still fall from first to last.
    """
    if not hits:
        return []
    first = hits[:depth]
    scores = reranker.score(query, [text_of(hit) for hit in first])
    scored = [
        hit.model_copy(update={"components": {**hit.components, "rerank": float(score)}})
        for hit, score in zip(first, scores, strict=True)
    ]
    moved = sorted(scored, key=lambda hit: -hit.components["rerank"])
    return [
        hit.model_copy(update={"rank": place.rank, "score": place.score})
        for hit, place in zip([*moved, *hits[depth:]], hits, strict=True)
    ]


def text_of(hit: Hit) -> str:
    """Return what a reranker reads of a hit: the heading and the best passage."""
    return f"{hit.paper.heading}. {hit.passage.text}"
