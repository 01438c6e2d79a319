"""`rag-qa` in a process of its own, with an embedder that needs no model."""

from rag_qa.answering import assistant
from rag_qa.backends import embedding
from rag_qa.testing import HashingEmbedder


def open_hashing(settings):
    """Return the fake embedder whatever the settings name."""
    return HashingEmbedder()


assistant.open_embedder = embedding.open_embedder = open_hashing

if __name__ == "__main__":
    from rag_qa.app.cli import main

    main()
