"""Conversations by key: the turns of each, as many as are wanted, the least recently used forgotten first."""

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
        """Return the turns so far, oldest first. Raises UnknownNameError for one that is not kept."""
        with self._lock:
            if key not in self._turns:
                raise UnknownNameError(
                    "this conversation is not kept any more; ask again without it to begin a new one"
                )
            self._turns.move_to_end(key)
            return self._turns[key]

    def keep(self, key: str, turns: Sequence[Answer]) -> None:
        """Keep the turns of a conversation in place of those that it had."""
        with self._lock:
            self._turns[key] = tuple(turns[-TURNS:])
            self._turns.move_to_end(key)
            while len(self._turns) > self._kept:
                self._turns.popitem(last=False)
