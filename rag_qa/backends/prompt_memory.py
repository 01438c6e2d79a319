"""The beginnings of prompts that a language model keeps, so that it reads none of them twice.

A prompt is a list of segments, each a list of tokens. Knows nothing of templates or texts.
"""

from collections import deque
from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from rag_qa.backends.llama_native import State, copy_state, keep_tokens, restore_state

if TYPE_CHECKING:
    from llama_cpp import Llama

# Beginnings kept besides the last prompt's: one of writing an answer, and those of checking what it may cite. About
# 12 MB each.
BOOKMARKS = 4


class Bookmark(NamedTuple):
    """The beginning of a prompt that was read, and llama.cpp's state after it."""

    segments: list[list[int]]
    state: State


class PromptMemory:
    """Reads prompts, and skips the beginning that a prompt shares with the last one or with a bookmark."""

    def __init__(self) -> None:
        self.bookmarks: deque[Bookmark] = deque(maxlen=BOOKMARKS)
        # The segments that llama.cpp has evaluated, in order.
        self._read: list[list[int]] = []

    def read(self, llama: "Llama", segments: Sequence[list[int]]) -> None:
        """Evaluate a prompt, except for the segments that are kept.

        Each segment is evaluated by itself. So the logits are the same whether a segment was kept or read again: other
        borders of batches would change them by up to 0.4.
        """
        kept = _shared(self._read, segments)
        marked = max(self.bookmarks, key=lambda mark: _shared(mark.segments, segments), default=None)
        beginning = self._read[:-1]
        if kept < len(beginning) and all(mark.segments != beginning for mark in self.bookmarks):
            self.bookmarks.append(Bookmark(beginning, copy_state(llama)))
        if marked is not None and _shared(marked.segments, segments) > kept:
            restore_state(llama, marked.state)
            kept = _shared(marked.segments, segments)
        self._read = list(segments[:kept])
        keep_tokens(llama, sum(map(len, self._read)))
        for segment in segments[kept:]:
            llama.eval(segment)
            self._read.append(segment)


def _shared(before: Sequence[list[int]], segments: Sequence[list[int]]) -> int:
    """Return how many segments two prompts begin with in common; the last one never counts."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(before, segments[:-1], strict=False))
    return sum(1 for _ in same)
