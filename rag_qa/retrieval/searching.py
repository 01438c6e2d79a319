"""A question → ranked papers: every paper scored by several components, then fused.

    dense      cosine of the question with the paper's best passage
    feedback   the same, when the question has moved towards the first papers that dense and lexical find
    lexical    BM25 over title and abstract, without the words that only ask for papers
    title      the same over titles

With `dense="hnsw"` only the papers that Chroma's approximate graph or BM25 put among their best are scored.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from rag_qa.index.exact import Places
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder, Matrix
from rag_qa.retrieval.feedback import FEEDBACK_PAPERS, moved_towards
from rag_qa.retrieval.fusion import Scores, mean_of_max_scaled
from rag_qa.retrieval.requests import without_request
from rag_qa.settings import DenseSearch
from rag_qa.types import Hit, Paper, Passage

# Round figures among many that do alike on LitSearch and AutoScholar dev (eval/README.md).
WEIGHTS = {"dense": 0.5, "feedback": 1.0, "lexical": 1.0, "title": 0.3}


class Retriever:
    """Searches one opened index with the embedder that it was built with."""

    def __init__(
        self,
        index: Index,
        embedder: Embedder,
        *,
        pool: int = 200,
        dense: DenseSearch = "exact",
        weights: Mapping[str, float] = WEIGHTS,
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._pool = pool
        self._dense = dense
        self._weights = weights

    def search(
        self, query: str, k: int, *, within: Sequence[str] | None = None, passing: Places | None = None
    ) -> list[Hit]:
        """Return the k best papers for a query that is not blank: best first, ties in order of ids.

        `within` restricts to papers by id or alias, before anything is ranked; those that the index does not
        hold are left out. `passing` restricts to the papers at these places, those that pass a filter.
        """
        if not self._index.manifest.counts.papers:
            return []
        vector = self._embedder.encode([query], role="query")[0]
        topic = without_request(query)
        bm25 = self._index.lexical.scores(topic)
        places = self._considered(vector, bm25, k, self._restriction(within, passing))
        if not len(places):
            return []
        components = {
            "dense": self._index.exact.similarities(vector, places),
            "lexical": bm25[places],
            "title": self._index.titles.scores(topic)[places],
        }
        components["feedback"] = self._feedback(vector, components, places)
        fused = mean_of_max_scaled(components, self._weights)
        best = top(fused, k)
        ids = self._index.lexical.paper_ids
        where = places[best]
        papers = self._index.papers_by_id([ids[place] for place in where])
        return [
            Hit(
                paper=papers[ids[place]],
                passage=self._passage(papers[ids[place]], vector, int(place)),
                score=float(fused[n]),
                rank=rank,
                components={name: float(scores[n]) for name, scores in components.items()},
            )
            for rank, (n, place) in enumerate(zip(best, where, strict=True), 1)
        ]

    def _feedback(self, vector: Matrix, components: Mapping[str, Scores], places: Places) -> Scores:
        """Return the similarities with the question moved towards the first papers."""
        first = top(
            mean_of_max_scaled({name: components[name] for name in ("dense", "lexical")}), FEEDBACK_PAPERS
        )
        moved = moved_towards(vector, self._index.exact.best_vectors(vector, places[first]))
        return self._index.exact.similarities(moved, places)

    def _restriction(self, within: Sequence[str] | None, passing: Places | None) -> Places | None:
        """Return the places of the papers that a search is restricted to, in order; None where it is not."""
        if within is None:
            return passing
        named = self._places(self._index.resolve(within))
        return named if passing is None else np.intersect1d(named, passing)

    def _considered(self, vector: Matrix, bm25: Scores, k: int, restriction: Places | None) -> Places:
        """Return the places of the papers to score, in order."""
        if restriction is not None:
            return restriction
        if self._dense == "exact":
            return np.arange(len(bm25))
        pool = max(self._pool, k)
        near, _ = self._index.vectors.search(vector, pool)
        matching = top(bm25, pool)
        matching = matching[bm25[matching] > 0]
        return np.union1d(self._places(self._index.papers_of_passages(near)), matching)

    def _places(self, paper_ids: set[str]) -> Places:
        places = self._index.lexical.places
        return np.array(sorted(places[paper] for paper in paper_ids), dtype=np.int64)

    def _passage(self, paper: Paper, vector: Matrix, place: int) -> Passage:
        row = self._index.passages(paper.id)[self._index.exact.best_passage(vector, place)]
        text = paper.abstract[row.start : row.end]
        return Passage(id=row.id, paper_id=paper.id, text=text, start=row.start, end=row.end)


def top(scores: Scores, k: int) -> Places:
    """Return the places of the k highest scores, best first, ties in order; without sorting the rest."""
    if k >= len(scores):
        return np.argsort(-scores, kind="stable")
    reached = np.flatnonzero(scores >= np.partition(scores, -k)[-k])
    return reached[np.argsort(-scores[reached], kind="stable")[:k]]
