"""A question or a paper → ranked papers: every paper scored by several components, then fused.

    dense      cosine with the paper's best passage
    feedback   the same, moved towards the first papers that dense and lexical find
    lexical    BM25 over title and abstract
    pairs      BM25 over pairs of neighbouring words

The words of a question that only ask for papers are left out of it, and misspelt ones mended. With `dense="hnsw"`
a question scores only the papers that Chroma's approximate graph or BM25 put among their best.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from rag_qa.corpus.passages import cut_passages, passage_text
from rag_qa.index.exact import Places
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder, Matrix
from rag_qa.retrieval.feedback import FEEDBACK_PAPERS, middle, moved_towards
from rag_qa.retrieval.fusion import Scores, mean_of_max_scaled
from rag_qa.retrieval.requests import without_request
from rag_qa.retrieval.typos import without_typos
from rag_qa.settings import DenseSearch
from rag_qa.types import Hit, Paper, Passage

# Round figures that cross-validation over several collections chooses (eval/README.md).
WEIGHTS = {"dense": 0.5, "feedback": 1.0, "lexical": 1.0, "pairs": 0.15}


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
        topic = self.topic(query)
        vector = self._embedder.encode([topic], role="query")[0]
        places = self._considered(topic, vector, k, self._restriction(within, passing))
        return self._ranked(topic, vector, places, k)

    def topic(self, query: str) -> str:
        """Return what a query is about: without the words that only ask for papers, in the papers' spelling."""
        return without_typos(without_request(query), self._index.lexical.papers_with)

    def similar(self, paper: Paper, k: int) -> list[Hit]:
        """Return the k papers most like one: best first, ties in order of ids.

        A paper of the index is left out itself; one that is not (by id) is cut into passages and embedded.
        """
        if not self._index.manifest.counts.papers:
            return []
        places = self._all_places()
        if (own := self._index.lexical.places.get(paper.id)) is not None:
            places = np.delete(places, own)
        vector = middle(self._vectors(paper, stored=own is not None))
        return self._ranked(f"{paper.title} {paper.abstract}", vector, places, k)

    def _vectors(self, paper: Paper, *, stored: bool) -> Matrix:
        """Return the vectors of a paper's passages, shape (passages, dimension)."""
        if stored:
            return self._index.passage_vectors([paper.id])[1]
        passages = cut_passages([paper], self._embedder.count_tokens, self._embedder.spec.max_tokens)
        return self._embedder.encode([passage_text(paper, p) for p in passages], role="document")

    def _ranked(self, text: str, vector: Matrix, places: Places, k: int) -> list[Hit]:
        """Return the k best of the papers at some places for a text and its unit vector."""
        if not len(places):
            return []
        components = self.components(text, vector, places)
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

    def components(self, text: str, vector: Matrix, places: Places) -> dict[str, Scores]:
        """Return each component's scores of the papers at some places (in the order of ids), shape (places,)."""
        components = {
            "dense": self._index.exact.similarities(vector, places),
            "lexical": self._index.lexical.scores(text)[places],
            "pairs": self._index.pairs.scores(text)[places],
        }
        return components | {"feedback": self._feedback(vector, components, places)}

    def _feedback(self, vector: Matrix, components: Mapping[str, Scores], places: Places) -> Scores:
        """Return the similarities with the vector moved towards the first papers."""
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

    def _considered(self, topic: str, vector: Matrix, k: int, restriction: Places | None) -> Places:
        """Return the places of the papers to score, in order."""
        if restriction is not None:
            return restriction
        if self._dense == "exact":
            return self._all_places()
        pool = max(self._pool, k)
        near, _ = self._index.vectors.search(vector, pool)
        bm25 = self._index.lexical.scores(topic)
        matching = top(bm25, pool)
        matching = matching[bm25[matching] > 0]
        return np.union1d(self._places(self._index.papers_of_passages(near)), matching)

    def _all_places(self) -> Places:
        return np.arange(len(self._index.lexical.paper_ids))

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
