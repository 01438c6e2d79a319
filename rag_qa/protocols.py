"""What the engine asks of a model: small Protocols, so that a fake is a few lines."""

from collections.abc import Generator as Pieces
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rag_qa.types import Value, Verdict

Matrix = NDArray[np.float32]
Role = Literal["query", "document"]


class EmbedderSpec(Value):
    """What makes two embedders interchangeable; stored in an index's manifest and compared on opening."""

    name: str
    revision: str
    weights_sha256: str
    dtype: str
    dimension: int
    max_tokens: int
    query_prompt: str = ""
    document_prompt: str = ""
    normalized: bool = True


class TokenEncoding(NamedTuple):
    """The unit vectors of a text, shape (dimension,), and of its tokens in context, shape (tokens, dimension of these).

    `spans` says where each token stands in the text, in characters, shape (tokens, 2). Special tokens are left out,
    and so is what of a text is beyond the tokens that the model takes. There is at least one token.
    """

    vector: NDArray[np.float32]
    tokens: Matrix
    spans: NDArray[np.int64]


class GeneratorSpec(Value):
    """What an answer's provenance says about the language model that really ran."""

    name: str
    sha256: str
    n_ctx: int
    threads: int
    gpu_layers: int
    offload_supported: bool
    runtime: str


ONE_AT_A_TIME = "a text is being written; take it to its end or close it before the model is asked again"


class Prompt(Value):
    """A chat prompt. The texts are content: special tokens in them have no effect on the model.

    The user's message is `context` followed by `user`. Prompts that begin with the same system and context are read
    from there on: a generator reads that beginning once and keeps it. `reply` is how the model's own reply begins.
    """

    system: str
    context: str = ""
    user: str
    reply: str = ""


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def spec(self) -> EmbedderSpec: ...

    def encode(self, texts: Sequence[str], *, role: Role) -> Matrix:
        """Return float32 unit vectors, shape (len(texts), dimension), in the order of the texts."""
        ...

    def encode_tokens(self, texts: Sequence[str], *, role: Role) -> list[TokenEncoding]:
        """Return each text's vector with those of its tokens, in the order of the texts."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return each text's length in tokens, special tokens included."""
        ...


class Generator(Protocol):
    """Writes text under a grammar, and chooses between words. A result never depends on the calls before it.

    Whoever asks while a text of theirs is unfinished gets a RuntimeError; other threads wait.
    """

    @property
    def spec(self) -> GeneratorSpec: ...

    def generate(
        self, prompt: Prompt, *, grammar: str | None, max_tokens: int, temperature: float, seed: int
    ) -> Pieces[str, None, None]:
        """Yield pieces of text; closing the iterator early stops the model and leaves it usable."""
        ...

    def choose(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        """Return how probably the reply begins with each of the options, among them; they add up to 1.

        Only the first token of an option counts. Raises ValueError for options that begin with the same token.
        """
        ...

    def count_tokens(self, prompt: Prompt) -> int:
        """Return the length of the rendered prompt in tokens."""
        ...


class Reranker(Protocol):
    """Scores texts against a query; higher is better."""

    def score(self, query: str, texts: Sequence[str]) -> Sequence[float]: ...


class EntailmentJudge(Protocol):
    """Judges whether evidence supports a sentence."""

    def judge(
        self, sentence: str, evidence: Sequence[str], *, context: Sequence[str] = (), question: str = ""
    ) -> Verdict:
        """Return how well the evidence supports the sentence.

        `context`, such as the titles of the papers that the evidence is from, says what the evidence speaks of;
        `question` is what the sentence answers.
        """
        ...
