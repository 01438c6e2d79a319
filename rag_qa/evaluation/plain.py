"""The libraries underneath a search, used plainly, to compare with: sentence-transformers, a numpy product, bm25s."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rag_qa.corpus.passages import embedding_text
from rag_qa.index.store import Store
from rag_qa.protocols import Matrix

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class PlainTimes(NamedTuple):
    """Seconds to embed a query, to multiply with every vector and take the best, and to rank by bm25s."""

    embedding: float
    product: float
    bm25: float


class PlainSearch:
    """Searches the passages of an index once with vectors and once with words; fuses nothing."""

    def __init__(self, model: "SentenceTransformer", texts: Sequence[str], vectors: Matrix) -> None:
        """Take the texts of the passages and their vectors, shape (passages, d)."""
        import bm25s  # type: ignore[import-untyped]

        self._model = model
        self._vectors = vectors
        self._words = bm25s.BM25()
        self._words.index(bm25s.tokenize(list(texts), show_progress=False), show_progress=False)

    def time(self, query: str, k: int) -> PlainTimes:
        """Return the seconds that each step takes to find the best k passages."""
        import bm25s

        k = min(k, len(self._vectors))
        started = time.perf_counter()
        vector = self._model.encode([query], show_progress_bar=False, normalize_embeddings=True)[0]
        embedded = time.perf_counter()
        similarities = self._vectors @ vector
        best = np.argpartition(-similarities, k - 1)[:k]
        best[np.argsort(-similarities[best])]
        multiplied = time.perf_counter()
        words = bm25s.tokenize([query], show_progress=False)
        self._words.retrieve(words, k=k, show_progress=False)
        return PlainTimes(embedded - started, multiplied - embedded, time.perf_counter() - multiplied)


def read_passages(index: Path) -> tuple[list[str], Matrix]:
    """Return the texts that were embedded for an index, and their vectors, shape (passages, d)."""
    store = Store.open(index)
    papers = {paper.id: paper for paper in store.papers()}
    texts, vectors = [], []
    for row, vector in store.passage_vectors():
        paper = papers[row.paper_id]
        texts.append(embedding_text(paper.title, paper.abstract[row.start : row.end]))
        vectors.append(np.frombuffer(vector, dtype=np.float32))
    store.close()
    return texts, np.stack(vectors)
