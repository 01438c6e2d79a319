"""Public fakes: an embedder, a generator and a reranker that need no model, for tests of what is built on rag_qa."""

import hashlib
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from rag_qa.errors import BackendError
from rag_qa.protocols import EmbedderSpec, GeneratorSpec, Matrix, Prompt, Role

DIMENSION = 64
SPECIAL_TOKENS = 2
_WORD = re.compile(r"\w+")
_PIECE = re.compile(r"\s*\S+|\s+\Z")


class HashingEmbedder:
    """An embedder whose vectors are bags of hashed words: texts that share words are near.

    `encoded` holds every text that it was asked to encode, in order.
    """

    def __init__(self, *, name: str = "hashing", max_tokens: int = 256) -> None:
        self.spec = EmbedderSpec(
            name=name,
            revision="1",
            weights_sha256=hashlib.sha256(name.encode()).hexdigest(),
            dtype="float32",
            dimension=DIMENSION,
            max_tokens=max_tokens,
        )
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str], *, role: Role) -> Matrix:
        """Return float32 unit vectors, shape (len(texts), 64). Raises ValueError for a blank text."""
        if any(not text.strip() for text in texts):
            raise ValueError("a blank text cannot be embedded; leave it out")
        self.encoded.extend(texts)
        return np.stack([_bag(text) for text in texts]) if texts else np.empty((0, DIMENSION), np.float32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return each text's number of words, and two for the special tokens that real models add."""
        return [len(text.split()) + SPECIAL_TOKENS for text in texts]


class QueuedGenerator:
    """A generator that gives its replies in turn, whatever it is asked; `prompts` holds what it was asked.

    A reply comes word by word, at most `max_tokens` words of it. It is not held to the grammar.
    """

    def __init__(self, replies: Iterable[str] = (), *, name: str = "queued", n_ctx: int = 4096) -> None:
        self.spec = GeneratorSpec(
            name=name,
            sha256=hashlib.sha256(name.encode()).hexdigest(),
            n_ctx=n_ctx,
            threads=1,
            gpu_layers=0,
            offload_supported=False,
            runtime="rag_qa.testing",
        )
        self.replies = deque(replies)
        self.prompts: list[Prompt] = []

    def generate(
        self, prompt: Prompt, *, grammar: str | None, max_tokens: int, temperature: float, seed: int
    ) -> Iterator[str]:
        """Yield the next reply in pieces.

        Raises BackendError where the prompt leaves no room for `max_tokens`, IndexError where no reply is left.
        """
        self.prompts.append(prompt)
        if self.count_tokens(prompt) + max_tokens > self.spec.n_ctx:
            raise BackendError(
                f"the prompt leaves no room for {max_tokens} tokens; shorten it or raise n_ctx"
            )
        yield from _PIECE.findall(self.replies.popleft())[:max_tokens]

    def count_tokens(self, prompt: Prompt) -> int:
        """Return the number of words of the prompt."""
        return len(prompt.system.split()) + len(prompt.user.split())


class OverlapReranker:
    """A reranker whose score is the share of the query's words that a text holds.

    `scored` holds every text that it was asked to score, in order.
    """

    def __init__(self) -> None:
        self.scored: list[str] = []

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return a score a text, each 0 to 1. Raises ValueError for a blank query or text."""
        if not query.strip() or any(not text.strip() for text in texts):
            raise ValueError("a blank query or text cannot be scored; leave it out")
        self.scored.extend(texts)
        wanted = set(_WORD.findall(query.lower()))
        return [len(wanted & set(_WORD.findall(text.lower()))) / max(1, len(wanted)) for text in texts]


def _bag(text: str) -> Matrix:
    """Return a unit vector with a count at the place of each word; a text without words counts as one word."""
    vector = np.zeros(DIMENSION, dtype=np.float32)
    for word in _WORD.findall(text.lower()) or [text]:
        vector[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % DIMENSION] += 1
    return vector / np.linalg.norm(vector)
