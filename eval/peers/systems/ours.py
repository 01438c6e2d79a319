"""rag_qa from Python, with its defaults: `build_index`, `Assistant.open`, `search`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "chromadb", "onnxruntime", "sentence-transformers", "torch")


class System:
    """An index once it is built or opened; models load when they are first used, as in every use of rag_qa."""

    SETTINGS: Mapping[str, Any] = {}

    def __init__(self, embedder: str) -> None:
        from rag_qa.settings import Settings

        self._settings = Settings(style="quote", embedder=embedder, **self.SETTINGS)

    def warm(self) -> None:
        """Embed a text, so that everything is loaded."""
        from rag_qa.backends.embedding import open_embedder

        self._embedder = open_embedder(self._settings)
        self._embedder.encode(["warm"], role="document")

    def build(self, papers: Sequence[dict[str, Any]], folder: str) -> None:
        """Write the records as a file, then read, merge, cut, embed and store."""
        from rag_qa import build_index

        source = Path(folder) / "papers.jsonl"
        source.parent.mkdir(parents=True)
        with source.open("w", encoding="utf-8") as file:
            for paper in papers:
                record = {name: paper[name] for name in ("id", "title", "abstract")}
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
        build_index([source], self._index(folder), settings=self._settings, embedder=self._embedder)

    def open(self, folder: str) -> None:
        """Open what was built."""
        from rag_qa import Assistant

        self._opened = self._index(folder)
        self._assistant = Assistant.open(self._opened, settings=self._settings)

    def search(self, question: str, k: int) -> list[str]:
        """Return the ids of the first k papers."""
        return [hit.paper.id for hit in self._assistant.search(question, k)]

    def load_writer(self, model: str) -> None:
        """Open the index anew, with the language model."""
        from rag_qa import Assistant

        self._assistant.close()
        written = self._settings.model_copy(update={"style": "synthesis", "model": model})
        self._assistant = Assistant.open(self._opened, settings=written)

    def answer(self, question: str) -> dict[str, Any]:
        """Return the text, the papers cited, and the quotes under the text."""
        found = self._assistant.ask(question)
        citations = [citation for sentence in found.sentences for citation in sentence.citations]
        return {
            "text": " ".join(sentence.text for sentence in found.sentences),
            "cited": [citation.paper_id for citation in citations],
            "quotes": " ".join(dict.fromkeys(citation.quote for citation in citations)),
            "refused": found.abstained,
        }

    def _index(self, folder: str) -> Path:
        return Path(folder) / "index"
