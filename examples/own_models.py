"""Use an embedder and a generator of your own: any objects with the methods of rag_qa.protocols.

python examples/own_models.py PAPERS INDEX QUESTION

The embedder here counts groups of three letters. The generator asks any function from text to text; put a call to
your model there. It is given no grammar, so that it must itself keep to plain sentences.
"""

import hashlib
import sys
from collections.abc import Callable, Generator, Sequence

import numpy as np

from rag_qa import Assistant, Settings, build_index
from rag_qa.protocols import EmbedderSpec, GeneratorSpec, Matrix, Prompt, Role, TokenEncoding

DIMENSION = 256


class TrigramEmbedder:
    """Vectors of letter trigrams. An index remembers `spec`, and refuses another embedder."""

    spec = EmbedderSpec(
        name="trigrams", revision="1", weights_sha256="", dtype="float32", dimension=DIMENSION, max_tokens=512
    )

    def encode(self, texts: Sequence[str], *, role: Role) -> Matrix:
        """Return unit vectors, shape (len(texts), DIMENSION)."""
        return np.array([self._vector(text) for text in texts], dtype=np.float32).reshape(-1, DIMENSION)

    def encode_tokens(self, texts: Sequence[str], *, role: Role) -> list[TokenEncoding]:
        """Return each text's vector, and those of its words with their offsets in characters."""
        return [self._encoding(text) for text in texts]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the number of words of each text."""
        return [len(text.split()) for text in texts]

    def _encoding(self, text: str) -> TokenEncoding:
        spans, start = [], 0
        for word in text.split():
            start = text.index(word, start)
            spans.append((start, start + len(word)))
            start += len(word)
        vectors = np.stack([self._vector(text[begin:end]) for begin, end in spans])
        return TokenEncoding(self._vector(text), vectors, np.array(spans))

    def _vector(self, text: str) -> Matrix:
        padded = f"  {text.lower()} "
        vector = np.zeros(DIMENSION, dtype=np.float32)
        for at in range(len(padded) - 2):
            digest = hashlib.blake2b(padded[at : at + 3].encode(), digest_size=2).digest()
            vector[int.from_bytes(digest, "big") % DIMENSION] += 1
        return vector / np.linalg.norm(vector)


class FunctionGenerator:
    """Writes with a function from a prompt to a text."""

    def __init__(self, name: str, write: Callable[[str], str]) -> None:
        self.spec = GeneratorSpec(
            name=name, sha256="", n_ctx=8192, threads=1, gpu_layers=0, offload_supported=False, runtime="own"
        )
        self._write = write

    def generate(
        self, prompt: Prompt, *, grammar: str | None, max_tokens: int, temperature: float, seed: int
    ) -> Generator[str, None, None]:
        """Yield the text in one piece; a model that streams yields more."""
        yield self._write(f"{prompt.system}\n{prompt.context}{prompt.user}")

    def choose(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        """Return a probability for each option. Without access to them, all are equal."""
        return [1 / len(options)] * len(options)

    def count_tokens(self, prompt: Prompt) -> int:
        """Return about how many tokens a prompt has."""
        return len(f"{prompt.system}{prompt.context}{prompt.user}") // 4


def first_sentence(prompt: str) -> str:
    """Write the first sentence that the prompt lists: the place of a call to a real model."""
    return next(
        (line[2:] for line in prompt.splitlines() if line.startswith("- ")), "The papers say nothing."
    )


def main(papers: str, index: str, question: str) -> None:
    """Build an index with the embedder, and ask it with both."""
    embedder = TrigramEmbedder()
    build_index([papers], index, embedder=embedder)
    generator = FunctionGenerator("first-sentence", first_sentence)
    settings = Settings(style="synthesis", min_relevance=0.0)
    with Assistant.open(index, settings=settings, embedder=embedder, generator=generator) as assistant:
        answer = assistant.ask(question)
    print(answer.text or answer.reason)
    print(answer.provenance["embedder"]["name"], answer.provenance["generator"]["name"])


if __name__ == "__main__":
    main(*sys.argv[1:])
