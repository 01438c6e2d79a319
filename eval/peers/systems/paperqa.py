"""PaperQA2's index of passages: `Docs.aadd_texts` for each paper, kept as a pickle, as its README says.

Only this part is measured. Its whole flow asks a language model over HTTP about each document that is added and about
each passage that is found; its own search index is of files, by full text.
"""

import asyncio
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PACKAGES = ("paper-qa", "sentence-transformers", "torch")


class System:
    """An embedder, and a collection of documents once it is built or opened."""

    def __init__(self, embedder: str) -> None:
        from paperqa import Settings

        self._settings = Settings(embedding=f"st-{embedder}")
        self._embedder = self._settings.get_embedding_model()

    def warm(self) -> None:
        """Embed a text, so that everything is loaded."""
        asyncio.run(self._embedder.embed_documents(["warm"]))

    def build(self, papers: Sequence[dict[str, Any]], folder: str) -> None:
        """Add each paper as a document of one passage, and keep all of it."""
        from paperqa import Docs

        self._docs = Docs()
        asyncio.run(self._add(papers))
        Path(folder).mkdir(parents=True)
        with (Path(folder) / "docs.pkl").open("wb") as file:
            pickle.dump(self._docs, file)

    async def _add(self, papers: Sequence[dict[str, Any]]) -> None:
        from paperqa import Doc, Text

        for paper in papers:
            doc = Doc(docname=paper["id"], dockey=paper["id"], citation=paper["title"])
            texts = [Text(text=paper["text"], name=paper["id"], doc=doc)]
            await self._docs.aadd_texts(texts, doc, self._settings, self._embedder)

    def open(self, folder: str) -> None:
        """Open what was built, by this program in the step before."""
        with (Path(folder) / "docs.pkl").open("rb") as file:
            self._docs = pickle.load(file)

    def search(self, question: str, k: int) -> list[str]:
        """Return the ids of the first k papers."""
        found = asyncio.run(
            self._docs.retrieve_texts(question, k, settings=self._settings, embedding_model=self._embedder)
        )
        return [str(text.doc.dockey) for text in found]
