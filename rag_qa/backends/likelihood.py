"""Texts → scores: how likely the language model finds the query after each text (query likelihood).

After Sachan et al., Improving Passage Retrieval with Zero-Shot Question Generation, EMNLP 2022. As in `llama`, special
tokens in queries and texts are plain text to the model.
"""

from collections.abc import Sequence
from functools import cached_property
from threading import Lock

import numpy as np

from rag_qa.backends.llama import LlamaGenerator
from rag_qa.backends.llama_native import ScoringContext
from rag_qa.errors import BackendError

CONTEXT_TOKENS = 512
QUERY_TOKENS = 128
PASSAGE = "Passage:"
REQUEST = "\nPlease write a question based on this passage.\nQuestion:"


class LikelihoodReranker:
    """Scores a text by the mean log-probability (nats, at most 0) of the query's tokens after it.

    It shares the weights of a generator and has a context of its own, so the generator keeps its state. Texts are
    evaluated one by one: with one thread, a batch of four takes as long. Only the query's tokens give logits, because
    each row of them is as long as the vocabulary.
    """

    def __init__(self, generator: LlamaGenerator, *, request: str = REQUEST) -> None:
        """Take the generator whose weights score, and the `request` that stands between a text and the query."""
        self._generator = generator
        self._request = request
        self._lock = Lock()

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return a score for each text, one caller at a time; higher is better.

        Only the first 128 tokens of a query count. A text is cut so that all of it fits in 512 tokens.
        Raises ValueError for a blank query or text.
        """
        if not query.strip() or any(not text.strip() for text in texts):
            raise ValueError("a blank query or text cannot be scored; leave it out")
        with self._lock:
            return [self._likelihood(query, text) for text in texts]

    def _likelihood(self, query: str, text: str) -> float:
        before, after = self._tokens(query, text)
        try:
            logits = self._context.logits((before + after)[:-1], last=len(after))
        except RuntimeError as exc:
            raise BackendError(f"llama.cpp cannot score a text: {exc}; try `rag-qa doctor`") from exc
        highest = logits.max(axis=1)
        normalisers = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
        return float((logits[np.arange(len(after)), after] - normalisers).mean())

    def _tokens(self, query: str, text: str) -> tuple[list[int], list[int]]:
        """Return the tokens of the text with the request, and those of the query."""
        tokenize = self._generator.tokenize
        after = tokenize(f" {query}")[:QUERY_TOKENS]
        head, request = self._opening + tokenize(PASSAGE), tokenize(self._request)
        room = CONTEXT_TOKENS - len(head) - len(request) - len(after)
        return head + tokenize(f" {text}")[:room] + request, after

    @cached_property
    def _context(self) -> ScoringContext:
        return self._generator.open_context(tokens=CONTEXT_TOKENS, outputs=QUERY_TOKENS)

    @cached_property
    def _opening(self) -> list[int]:
        """The token that begins a text, if the model was trained with one."""
        return self._context.opening
