"""`rag-qa` in a process of its own, with an embedder that needs no model."""

from rag_qa.answering import assistant
from rag_qa.backends import embedding
from rag_qa.testing import HashingEmbedder

assistant.open_embedder = embedding.open_embedder = lambda settings: HashingEmbedder()

if __name__ == "__main__":
    from rag_qa.app.cli import main

    main()
