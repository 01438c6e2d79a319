"""A question → ranked papers: dense and BM25 candidates, every candidate scored by both, then fused."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rag_qa.index.lexical import Lexical
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder, Matrix
from rag_qa.retrieval.fusion import Scores, mean_of_max_scaled
from rag_qa.types import Hit


class BestPassage(NamedTuple):
    """The passage of a paper that is most like the query, and its cosine similarity."""

    id: str
    similarity: float


class Retriever:
    """Searches one opened index with the embedder that it was built with."""

    def __init__(self, index: Index, embedder: Embedder, *, pool: int) -> None:
        self._index = index
        self._embedder = embedder
        self._pool = pool

    def search(self, query: str, k: int, *, within: Sequence[str] | None = None) -> list[Hit]:
        """Return the k best papers for a query that is not blank, best first; `within` restricts to paper ids."""
        lexical = self._index.lexical
        if lexical is None:
            return []
        vector = self._embedder.encode([query], role="query")[0]
        bm25 = lexical.scores(query)
        ids = self._candidates(vector, lexical, bm25, k) if within is None else sorted(set(within))
        best = self._best_passages(ids, vector)
        components = {
            "dense": np.array([best[paper].similarity for paper in ids], dtype=np.float32),
            "lexical": bm25[[lexical.places[paper] for paper in ids]],
        }
        return self._hits(ids, best, components, k)

    def _candidates(self, vector: Matrix, lexical: Lexical, bm25: Scores, k: int) -> list[str]:
        """Return the papers that either component puts among its best, sorted by id."""
        pool = max(self._pool, k)
        near = self._index.papers_of_passages(self._index.vectors.search(vector, pool)[0])
        top = np.argsort(-bm25, kind="stable")[:pool]
        return sorted(set(near) | {str(lexical.paper_ids[place]) for place in top if bm25[place] > 0})

    def _best_passages(self, ids: Sequence[str], vector: Matrix) -> dict[str, BestPassage]:
        passages = self._index.passage_ids_of(ids)
        similarities = self._index.vectors_of([passage for passage, _ in passages]) @ vector
        best: dict[str, BestPassage] = {}
        for (passage, paper), similarity in zip(passages, similarities, strict=True):
            if paper not in best or similarity > best[paper].similarity:
                best[paper] = BestPassage(passage, float(similarity))
        return best

    def _hits(
        self, ids: Sequence[str], best: dict[str, BestPassage], components: dict[str, Scores], k: int
    ) -> list[Hit]:
        fused = mean_of_max_scaled(components)
        order = np.argsort(-fused, kind="stable")[:k]
        papers = self._index.papers_by_id([ids[n] for n in order])
        passages = {passage.id: passage for passage in self._index.passages_of(list(papers.values()))}
        return [
            Hit(
                paper=papers[ids[n]],
                passage=passages[best[ids[n]].id],
                score=float(fused[n]),
                rank=rank,
                components={name: float(scores[n]) for name, scores in components.items()},
            )
            for rank, n in enumerate(order, 1)
        ]
