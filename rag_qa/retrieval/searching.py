"""A question → ranked papers: dense and BM25 candidates, every candidate scored by both, then fused."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rag_qa.index.reader import Index
from rag_qa.index.store import PassageRow
from rag_qa.protocols import Embedder, Matrix
from rag_qa.retrieval.fusion import Scores, mean_of_max_scaled
from rag_qa.types import Hit, Paper, Passage


class BestPassage(NamedTuple):
    """The passage of a paper that is most like the query, and its cosine similarity."""

    row: PassageRow
    similarity: float


class Retriever:
    """Searches one opened index with the embedder that it was built with."""

    def __init__(self, index: Index, embedder: Embedder, *, pool: int) -> None:
        self._index = index
        self._embedder = embedder
        self._pool = pool

    def search(self, query: str, k: int, *, within: Sequence[str] | None = None) -> list[Hit]:
        """Return the k best papers for a query that is not blank: best first, ties in order of ids.

        `within` restricts to papers by id or alias; those that the index does not hold are left out.
        """
        if not self._index.manifest.counts.papers:
            return []
        vector = self._embedder.encode([query], role="query")[0]
        bm25 = self._index.lexical.scores(query)
        ids = self._candidates(vector, bm25, k) if within is None else self._index.resolve(within)
        best = self._best_passages(sorted(ids), vector)
        places = self._index.lexical.places
        components = {
            "dense": np.array([passage.similarity for passage in best.values()], dtype=np.float32),
            "lexical": bm25[[places[paper] for paper in best]],
        }
        return self._hits(best, components, k)

    def _candidates(self, vector: Matrix, bm25: Scores, k: int) -> set[str]:
        """Return the papers that either component puts among its best."""
        pool = max(self._pool, k)
        near, _ = self._index.vectors.search(vector, pool)
        matching = np.flatnonzero(bm25 > 0)
        top = matching[np.argsort(-bm25[matching], kind="stable")[:pool]]
        ids = self._index.lexical.paper_ids
        return self._index.papers_of_passages(near) | {ids[place] for place in top}

    def _best_passages(self, ids: Sequence[str], vector: Matrix) -> dict[str, BestPassage]:
        """Return each paper's passage that is most like the query (the first of equals), in order of ids."""
        rows, vectors = self._index.passage_vectors(ids)
        best: dict[str, BestPassage] = {}
        for row, similarity in zip(rows, (vectors @ vector).tolist(), strict=True):
            if row.paper_id not in best or similarity > best[row.paper_id].similarity:
                best[row.paper_id] = BestPassage(row, similarity)
        return best

    def _hits(self, best: dict[str, BestPassage], components: dict[str, Scores], k: int) -> list[Hit]:
        fused = mean_of_max_scaled(components)
        ids = list(best)
        order = np.argsort(-fused, kind="stable")[:k]
        papers = self._index.papers_by_id([ids[n] for n in order])
        return [
            Hit(
                paper=papers[ids[n]],
                passage=_passage(papers[ids[n]], best[ids[n]].row),
                score=float(fused[n]),
                rank=rank,
                components={name: float(scores[n]) for name, scores in components.items()},
            )
            for rank, n in enumerate(order, 1)
        ]


def _passage(paper: Paper, row: PassageRow) -> Passage:
    text = paper.abstract[row.start : row.end]
    return Passage(id=row.id, paper_id=paper.id, text=text, start=row.start, end=row.end)
