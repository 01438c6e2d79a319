"""LangChain with Chroma: the recipes "Build a semantic search engine" and "Chroma" of its documentation."""

import os
from collections.abc import Sequence
from typing import Any

PACKAGES = (
    "langchain-core",
    "langchain-chroma",
    "langchain-huggingface",
    "chromadb",
    "sentence-transformers",
    "torch",
)
# Passages asked for, so that enough papers are among them.
PASSAGES = 60
# Chroma refuses more documents in one call.
MOST_ADDED = 5000


class System:
    """An embedder, and a vector store once it is built or opened."""

    def __init__(self, embedder: str) -> None:
        from langchain_huggingface import HuggingFaceEmbeddings

        self._embedder = HuggingFaceEmbeddings(model_name=embedder)

    def warm(self) -> None:
        """Embed a text, so that everything is loaded."""
        self._embedder.embed_documents(["warm"])

    def build(self, papers: Sequence[dict[str, Any]], folder: str) -> None:
        """Split (1,000 characters, 200 shared), embed and store."""
        from langchain_core.documents import Document
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        documents = [
            Document(page_content=paper["text"], metadata={"paper": paper["id"]}) for paper in papers
        ]
        splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200, add_start_index=True)
        passages = splitter.split_documents(documents)
        store = self._store(folder)
        for start in range(0, len(passages), MOST_ADDED):
            store.add_documents(documents=passages[start : start + MOST_ADDED])

    def open(self, folder: str) -> None:
        """Open what was built."""
        self._opened = self._store(folder)

    def search(self, question: str, k: int) -> list[str]:
        """Return the ids of the first k papers."""
        found = self._opened.similarity_search(question, k=PASSAGES)
        return list(dict.fromkeys(str(document.metadata["paper"]) for document in found))[:k]

    def load_writer(self, model: str) -> None:
        """Load the language model as its documentation's guide to citations does: it must fill a form."""
        from langchain_community.chat_models import ChatLlamaCpp
        from pydantic import BaseModel, Field

        class CitedAnswer(BaseModel):
            """Answer the user question based only on the given sources, and cite the sources used."""

            answer: str = Field(
                description="The answer to the user question, which is based only on the given sources."
            )
            citations: list[int] = Field(
                description="The integer IDs of the SPECIFIC sources which justify the answer."
            )

        writer = ChatLlamaCpp(
            model_path=model,
            temperature=0.0,
            max_tokens=256,
            n_ctx=4096,
            n_batch=512,
            n_threads=len(os.sched_getaffinity(0)),
            verbose=False,
        )
        self._writer = writer.with_structured_output(CitedAnswer, include_raw=True)

    def answer(self, question: str) -> dict[str, Any]:
        """Return the text and the papers cited, None for a number without a source; four sources, as by default."""
        found = self._opened.similarity_search(question)
        sources = "\n\n".join(f"Source ID: {n}\n{document.page_content}" for n, document in enumerate(found))
        system = f"Given a user question and some sources, answer the user question. Here are the sources: {sources}"
        filled = self._writer.invoke([("system", system), ("human", question)])
        if filled["parsed"] is None:
            return {"text": str(filled["raw"].content), "cited": []}
        papers = {n: str(document.metadata["paper"]) for n, document in enumerate(found)}
        return {"text": filled["parsed"].answer, "cited": [papers.get(n) for n in filled["parsed"].citations]}

    def _store(self, folder: str) -> Any:
        from langchain_chroma import Chroma

        return Chroma(collection_name="papers", embedding_function=self._embedder, persist_directory=folder)
