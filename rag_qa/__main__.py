"""`python -m rag_qa` is `rag-qa`."""

from rag_qa.app.cli import main

main()
