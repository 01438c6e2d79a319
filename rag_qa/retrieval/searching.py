"""A question or a paper → ranked papers: every paper is scored by several components, which are fused.

    dense      cosine of the query with the paper's best passage
    feedback   the same with the query moved towards the first papers of dense and lexical (Rocchio)
    lexical    BM25 over the words of title and abstract
    pairs      BM25 over their bigrams

Words that only ask for papers are left out of a question, and misspelt words are corrected. With `dense="auto"`, every
paper of a small index is scored; of a large one, those that may be among the best (rag_qa.retrieval.promising). With
`dense="hnsw"`, only the best papers of Chroma's approximate graph and of BM25 are scored.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from rag_qa.corpus.passages import cut_passages, passage_text
from rag_qa.index.exact import Ordinals
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder, Matrix
from rag_qa.retrieval.feedback import FEEDBACK_PAPERS, middle, moved_towards
from rag_qa.retrieval.fusion import Scores, mean_of_max_scaled
from rag_qa.retrieval.promising import promising
from rag_qa.retrieval.ranks import top
from rag_qa.retrieval.requests import without_request
from rag_qa.retrieval.typos import without_typos
from rag_qa.settings import DenseSearch
from rag_qa.types import Hit, Paper, Passage

# Rounded; chosen by cross-validation over several collections (eval/README.md).
WEIGHTS = {"dense": 0.5, "feedback": 1.0, "lexical": 1.0, "pairs": 0.15}


class Retriever:
    """Searches one opened index, with the embedder that it was built with."""

    def __init__(
        self,
        index: Index,
        embedder: Embedder,
        *,
        pool: int = 200,
        dense: DenseSearch = "auto",
        weights: Mapping[str, float] = WEIGHTS,
    ) -> None:
        """With `dense="hnsw"`, Chroma and BM25 each give up to `pool` candidates. `weights` are those of the fusion."""
        self._index = index
        self._embedder = embedder
        self._pool = pool
        self._dense = dense
        self._weights = weights

    def search(
        self, query: str, k: int, *, within: Sequence[str] | None = None, passing: Ordinals | None = None
    ) -> list[Hit]:
        """Return the k best papers for a query, best first; ties in the order of ids.

        `within` restricts the search to papers by id or alias, and ignores ids that the index does not have. `passing`
        restricts it to the papers that pass a filter (see `matching`). Raises ValueError for a blank query.
        """
        if not self._index.manifest.counts.papers:
            return []
        topic = self.topic(query)
        vector = self._embedder.encode([topic], role="query")[0]
        candidates = self._candidates(topic, vector, k, self._restriction(within, passing))
        return self._ranked(topic, vector, candidates, k)

    def topic(self, query: str) -> str:
        """Return the topic of a query: without the words that only ask for papers, and with typos corrected."""
        return without_typos(without_request(query), self._index.lexical.paper_counts)

    def similar(self, paper: Paper, k: int) -> list[Hit]:
        """Return the k papers most similar to one, best first; ties in the order of ids.

        A paper of the index is not similar to itself. A paper that is not in the index is cut and embedded first.
        """
        if not self._index.manifest.counts.papers:
            return []
        candidates = self._all_papers()
        if (own := self._index.lexical.ordinals.get(paper.id)) is not None:
            candidates = np.delete(candidates, own)
        vector = middle(self._vectors(paper, stored=own is not None))
        return self._ranked(f"{paper.title} {paper.abstract}", vector, candidates, k)

    def _vectors(self, paper: Paper, *, stored: bool) -> Matrix:
        """Return the vectors of a paper's passages, shape (n, d)."""
        if stored:
            return self._index.passage_vectors([paper.id])[1]
        passages = cut_passages([paper], self._embedder.count_tokens, self._embedder.spec.max_tokens)
        return self._embedder.encode([passage_text(paper, p) for p in passages], role="document")

    def _ranked(self, text: str, vector: Matrix, candidates: Ordinals, k: int) -> list[Hit]:
        """Return the k best candidates for a text and its vector."""
        if not len(candidates):
            return []
        words = self._words(text)
        if self._dense == "auto" and self._index.exact.reduced is not None:
            candidates = promising(self._index.exact, vector, words, self._weights, candidates, k)
        components = self._components(vector, words, candidates)
        fused = mean_of_max_scaled(components, self._weights)
        best = top(fused, k)
        ids = self._index.lexical.paper_ids
        ordinals = candidates[best]
        papers = self._index.known_papers([ids[ordinal] for ordinal in ordinals])
        return [
            Hit(
                paper=papers[ids[ordinal]],
                passage=self._passage(papers[ids[ordinal]], vector, int(ordinal)),
                score=float(fused[n]),
                rank=rank,
                components={name: float(scores[n]) for name, scores in components.items()},
            )
            for rank, (n, ordinal) in enumerate(zip(best, ordinals, strict=True), 1)
        ]

    def components(self, text: str, vector: Matrix, candidates: Ordinals) -> dict[str, Scores]:
        """Return the scores of the candidates by each component, shape (n,) each.

        `vector` has shape (d,) and length 1. `candidates` has shape (n,), in the order of ids.
        """
        return self._components(vector, self._words(text), candidates)

    def _words(self, text: str) -> dict[str, Scores]:
        """Return the scores of every paper by words and by bigrams."""
        return {"lexical": self._index.lexical.scores(text), "pairs": self._index.pairs.scores(text)}

    def _components(
        self, vector: Matrix, words: Mapping[str, Scores], candidates: Ordinals
    ) -> dict[str, Scores]:
        components = {"dense": self._index.exact.similarities(vector, candidates)}
        components |= {name: scores[candidates] for name, scores in words.items()}
        return components | {"feedback": self._feedback(vector, components, candidates)}

    def _feedback(self, vector: Matrix, components: Mapping[str, Scores], candidates: Ordinals) -> Scores:
        """Return the cosines with the vector moved towards the first papers (Rocchio)."""
        first = top(
            mean_of_max_scaled({name: components[name] for name in ("dense", "lexical")}), FEEDBACK_PAPERS
        )
        moved = moved_towards(vector, self._index.exact.best_vectors(vector, candidates[first]))
        return self._index.exact.similarities(moved, candidates)

    def _restriction(self, within: Sequence[str] | None, passing: Ordinals | None) -> Ordinals | None:
        """Return the papers that a search is restricted to, in order; None if it is not restricted."""
        if within is None:
            return passing
        named = self._ordinals(self._index.resolve(within))
        return named if passing is None else np.intersect1d(named, passing)

    def _candidates(self, topic: str, vector: Matrix, k: int, restriction: Ordinals | None) -> Ordinals:
        """Return the papers to score, in order."""
        if restriction is not None:
            return restriction
        if self._dense != "hnsw":
            return self._all_papers()
        pool = max(self._pool, k)
        near, _ = self._index.vectors.search(vector, pool)
        bm25 = self._index.lexical.scores(topic)
        matching = top(bm25, pool)
        matching = matching[bm25[matching] > 0]
        return np.union1d(self._ordinals(self._index.papers_of_passages(near)), matching)

    def _all_papers(self) -> Ordinals:
        return np.arange(len(self._index.lexical.paper_ids))

    def _ordinals(self, paper_ids: set[str]) -> Ordinals:
        return np.array(self._index.ordinals(paper_ids), dtype=np.int64)

    def _passage(self, paper: Paper, vector: Matrix, ordinal: int) -> Passage:
        return self._index.passage(paper, self._index.exact.best_passage(vector, ordinal))
