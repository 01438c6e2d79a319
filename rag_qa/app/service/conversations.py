"""Conversations by key, with their turns; the least recently used is dropped first."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from rag_qa.errors import UnknownNameError
from rag_qa.types import Answer

KEPT = 200
TURNS = 20


class Conversations:
    """At most `kept` conversations, each with its last turns."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._turns: OrderedDict[str, tuple[Answer, ...]] = OrderedDict()
        self._lock = Lock()

    def turns(self, key: str) -> tuple[Answer, ...]:
        """Return the turns of a conversation, oldest first. Raises UnknownNameError if it is not kept."""
        with self._lock:
            if key not in self._turns:
                raise UnknownNameError(
                    "this conversation is no longer kept; ask without it to begin a new one"
                )
            self._turns.move_to_end(key)
            return self._turns[key]

    def keep(self, key: str, turns: Sequence[Answer]) -> None:
        """Keep these as the turns of a conversation."""
        with self._lock:
            self._turns[key] = tuple(turns[-TURNS:])
            self._turns.move_to_end(key)
            while len(self._turns) > self._kept:
                self._turns.popitem(last=False)
