"""Ranked papers → the same papers, with the first ones sorted by a reranker. Knows nothing of models."""

from collections.abc import Sequence

from rag_qa.protocols import Reranker
from rag_qa.types import Hit


def rerank(query: str, hits: Sequence[Hit], reranker: Reranker, *, depth: int) -> list[Hit]:
    """Return the hits with the first `depth` sorted by the reranker's scores; ties and the rest keep their order.

    `components["rerank"]` of a reranked hit is the reranker's score. `score` stays that of the search for each rank: a
    hit takes the score of the hit that had its new rank before. So scores still fall from first to last.
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
        hit.model_copy(update={"rank": before.rank, "score": before.score})
        for hit, before in zip([*moved, *hits[depth:]], hits, strict=True)
    ]


def text_of(hit: Hit) -> str:
    """Return the text of a hit that a reranker reads: the heading and the best passage."""
    return f"{hit.paper.heading}. {hit.passage.text}"
