"""Libraries whose threads do not survive a fork. A forked process that goes on with them would hang for ever."""

import ctypes
import os
from weakref import WeakSet

from rag_qa.errors import BackendError

_first_used: dict[str, int] = {}


# Objects with threads of their own.
_with_threads: WeakSet[object] = WeakSet()


def never_close_after_fork(threaded: object) -> None:
    """Keep a forked process from closing an object that it got with its memory: that would wait for its threads."""
    _with_threads.add(threaded)


def _keep_open() -> None:
    for threaded in _with_threads:
        # One reference too many: not even the end of the process closes it.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(threaded))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_keep_open)


def refuse_after_fork(library: str) -> None:
    """Note that this process uses a library. Raises BackendError if a process that it was forked from has used it."""
    if _first_used.setdefault(library, os.getpid()) != os.getpid():
        raise BackendError(
            f"{library} was used before this process was forked, and its threads do not survive a fork; fork first and "
            'open the assistant in each process, or start processes with multiprocessing\'s "spawn"'
        )
