"""Libraries whose threads do not survive a fork. A forked process that goes on with them would hang for ever."""

import os

from rag_qa.errors import BackendError

_first_used: dict[str, int] = {}


def refuse_after_fork(library: str) -> None:
    """Note that this process uses a library. Raises BackendError if a process that it was forked from has used it."""
    if _first_used.setdefault(library, os.getpid()) != os.getpid():
        raise BackendError(
            f"{library} was used before this process was forked, and its threads do not survive a fork; fork first and "
            'open the assistant in each process, or start processes with multiprocessing\'s "spawn"'
        )
