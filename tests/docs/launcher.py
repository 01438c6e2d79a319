"""`rag-qa` as a program of its own that serves with the hashing embedder: python launcher.py serve …"""

import signal

from rag_qa.answering import assistant
from rag_qa.app.cli import main
from rag_qa.app.service import running
from rag_qa.testing import HashingEmbedder


def open_hashing(settings):
    """Return the fake embedder whatever the settings name."""
    return HashingEmbedder()


if __name__ == "__main__":
    # What a shell starts in the background ignores Ctrl-C, by which the tests stop this process.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assistant.open_embedder = running.open_embedder = open_hashing
    main()
