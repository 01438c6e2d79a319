"""txtai: the recipe of its README, `Embeddings(path=…, content=True)`: Faiss and SQLite, a vector for each text."""

import os
from collections.abc import Sequence
from typing import Any

PACKAGES = ("txtai", "faiss-cpu", "transformers", "torch")

TEMPLATE = """
Answer the following question using only the context below. Only include information
specifically discussed.

question: {question}
context: {context} """


class System:
    """An embeddings database once it is built or opened."""

    def __init__(self, embedder: str) -> None:
        from txtai import Embeddings

        self._embeddings = Embeddings(path=embedder, content=True)

    def warm(self) -> None:
        """Embed a text, so that everything is loaded."""
        self._embeddings.transform("warm")

    def build(self, papers: Sequence[dict[str, Any]], folder: str) -> None:
        """Embed and store; there is no splitter."""
        self._embeddings.index((paper["id"], paper["text"]) for paper in papers)
        self._embeddings.save(folder)

    def open(self, folder: str) -> None:
        """Open what was built."""
        self._embeddings.load(folder)

    def search(self, question: str, k: int) -> list[str]:
        """Return the ids of the first k papers."""
        return [str(hit["id"]) for hit in self._embeddings.search(question, k)]

    def load_writer(self, model: str) -> None:
        """Load the language model into the documentation's `RAG`, which names one source."""
        from txtai import RAG

        self._rag = RAG(
            self._embeddings,
            model,
            system="You are a friendly assistant. You answer questions from users.",
            template=TEMPLATE,
            output="reference",
            n_ctx=4096,
            n_threads=len(os.sched_getaffinity(0)),
        )

    def answer(self, question: str) -> dict[str, Any]:
        """Return the text, and the source that txtai names: the one most like the answer."""
        found = self._rag(question, maxlength=256, temperature=0.0)
        return {"text": found["answer"], "cited": [str(found["reference"])]}
