"""`rag-qa` as a program of its own, serving too, with the hashing embedder: python launcher.py ARGUMENTS."""

import signal

from rag_qa.answering import assistant
from rag_qa.app.cli import main
from rag_qa.app.service import running
from rag_qa.testing import HashingEmbedder


def open_hashing(settings):
    """Return the fake embedder whatever the settings name."""
    return HashingEmbedder()


if __name__ == "__main__":
    # What a shell starts in the background ignores Ctrl-C, and so would this process, whose tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assistant.open_embedder = running.open_embedder = open_hashing
    main()
