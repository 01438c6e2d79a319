"""Texts → scores, by how likely the language model finds the query after each text (query likelihood).

After Sachan et al., Improving Passage Retrieval with Zero-Shot Question Generation, EMNLP 2022. Content is data, as
in `llama`: special tokens in queries and texts are plain text to the model.
"""

from collections.abc import Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from rag_qa.backends.llama import LlamaGenerator
from rag_qa.errors import BackendError

if TYPE_CHECKING:
    from llama_cpp._internals import LlamaBatch, LlamaContext

CONTEXT_TOKENS = 512
QUERY_TOKENS = 128
PASSAGE = "Passage:"
REQUEST = "\nPlease write a question based on this passage.\nQuestion:"


class LikelihoodReranker:
    """Scores a text by the mean log-probability (nats, at most 0) of the query's tokens after it.

    It shares the weights of a generator and has a context of its own, so that the generator keeps its state. Texts
    are decoded one by one: with one thread, four in a batch took as long. Logits are kept for the query's tokens
    alone, where `logits_all` would keep a row as long as the vocabulary for every token.
    """

    def __init__(self, generator: LlamaGenerator, *, request: str = REQUEST) -> None:
        """`request` stands between text and query, and asks for what a query is."""
        self._generator = generator
        self._request = request
        self._lock = Lock()

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return a score a text, one caller at a time; a long query counts with its first 128 tokens.

        What of a text does not fit in 512 tokens is cut off. Raises ValueError for a blank query or text.
        """
        if not query.strip() or any(not text.strip() for text in texts):
            raise ValueError("a blank query or text cannot be scored; leave it out")
        with self._lock:
            return [self._likelihood(query, text) for text in texts]

    def _likelihood(self, query: str, text: str) -> float:
        before, after = self._tokens(query, text)
        tokens = before + after
        first = len(before) - 1
        self._batch.set_batch(tokens[:-1], n_past=0, logits_all=False)
        for place in range(first, len(tokens) - 1):
            self._batch.batch.logits[place] = True
        self._context.kv_cache_clear()  # type: ignore[no-untyped-call]
        try:
            self._context.decode(self._batch)
        except RuntimeError as exc:
            raise BackendError(f"llama.cpp cannot score a text: {exc}; try `rag-qa doctor`") from exc
        shape = (len(after), self._context.model.n_vocab())
        pointer = self._context.get_logits()  # type: ignore[no-untyped-call]
        logits = np.ctypeslib.as_array(pointer, shape=shape)
        highest = logits.max(axis=1)
        normalisers = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
        return float((logits[np.arange(len(after)), after] - normalisers).mean())

    def _tokens(self, query: str, text: str) -> tuple[list[int], list[int]]:
        """Return the tokens of text and request, and those of the query."""
        tokenize = self._generator.tokenize
        after = tokenize(f" {query}")[:QUERY_TOKENS]
        head, request = self._opening + tokenize(PASSAGE), tokenize(self._request)
        room = CONTEXT_TOKENS - len(head) - len(request) - len(after)
        return head + tokenize(f" {text}")[:room] + request, after

    @cached_property
    def _context(self) -> "LlamaContext":
        return self._generator.open_context(tokens=CONTEXT_TOKENS, outputs=QUERY_TOKENS)

    @cached_property
    def _batch(self) -> "LlamaBatch":
        from llama_cpp._internals import LlamaBatch

        return LlamaBatch(n_tokens=CONTEXT_TOKENS, embd=0, n_seq_max=1)

    @cached_property
    def _opening(self) -> list[int]:
        """The token that begins a text, where the model was trained with one."""
        model = self._context.model
        return [model.token_bos()] if model.add_bos_token() else []
