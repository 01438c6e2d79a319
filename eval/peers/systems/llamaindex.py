"""LlamaIndex with Chroma: the recipe "Chroma Vector Store" of its documentation, with its default splitter."""

import os
import re
from collections.abc import Sequence
from typing import Any

PACKAGES = (
    "llama-index-core",
    "llama-index-vector-stores-chroma",
    "chromadb",
    "sentence-transformers",
    "torch",
)
# Passages asked for, so that enough papers are among them.
PASSAGES = 60


class System:
    """An embedder, and an index once it is built or opened."""

    def __init__(self, embedder: str) -> None:
        from llama_index.core import Settings
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        Settings.llm = None
        self._embedder = HuggingFaceEmbedding(model_name=embedder)

    def warm(self) -> None:
        """Embed a text, so that everything is loaded."""
        self._embedder.get_text_embedding("warm")

    def build(self, papers: Sequence[dict[str, Any]], folder: str) -> None:
        """Split, embed and store."""
        from llama_index.core import Document, StorageContext, VectorStoreIndex

        documents = [Document(text=paper["text"], id_=paper["id"]) for paper in papers]
        context = StorageContext.from_defaults(vector_store=_store(folder))
        VectorStoreIndex.from_documents(documents, storage_context=context, embed_model=self._embedder)

    def open(self, folder: str) -> None:
        """Open what was built."""
        from llama_index.core import VectorStoreIndex

        self._index = VectorStoreIndex.from_vector_store(_store(folder), embed_model=self._embedder)
        self._retriever = self._index.as_retriever(similarity_top_k=PASSAGES)

    def search(self, question: str, k: int) -> list[str]:
        """Return the ids of the first k papers."""
        found = self._retriever.retrieve(question)
        return list(dict.fromkeys(hit.node.ref_doc_id for hit in found))[:k]

    def load_writer(self, model: str) -> None:
        """Load the language model into the documentation's `CitationQueryEngine`, with its three sources."""
        from llama_index.core.query_engine import CitationQueryEngine
        from llama_index.llms.llama_cpp import LlamaCPP

        writer = LlamaCPP(
            model_path=model,
            temperature=0.0,
            max_new_tokens=256,
            context_window=4096,
            messages_to_prompt=_chatml,
            completion_to_prompt=_completion,
            model_kwargs={"n_threads": len(os.sched_getaffinity(0))},
            verbose=False,
        )
        self._engine = CitationQueryEngine.from_args(
            self._index, llm=writer, similarity_top_k=3, citation_chunk_size=512
        )

    def answer(self, question: str) -> dict[str, Any]:
        """Return the text and the papers cited: those that the marks [n] name; None for a mark without a source."""
        found = self._engine.query(question)
        sources = dict(enumerate((hit.node.ref_doc_id for hit in found.source_nodes), 1))
        marks = re.findall(r"\[(\d+)\]", str(found))
        return {"text": str(found), "cited": [sources.get(int(mark)) for mark in marks]}


def _chatml(messages: Sequence[Any]) -> str:
    turns = (f"<|im_start|>{message.role.value}\n{message.content}<|im_end|>\n" for message in messages)
    return f"{''.join(turns)}<|im_start|>assistant\n"


def _completion(prompt: str) -> str:
    return f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"


def _store(folder: str) -> Any:
    import chromadb
    from llama_index.vector_stores.chroma import ChromaVectorStore

    collection = chromadb.PersistentClient(path=folder).get_or_create_collection("papers")
    return ChromaVectorStore(chroma_collection=collection)
