"""`rag-qa` in a process of its own, with an embedder that needs no model."""

from rag_qa.backends import embedding
from rag_qa.testing import HashingEmbedder

embedding.open_embedder = lambda settings: HashingEmbedder()

if __name__ == "__main__":
    from rag_qa.app.cli import main

    main()
