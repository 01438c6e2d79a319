"""What the engine needs of a model, as small Protocols: a fake of each is a few lines (see rag_qa.testing)."""

from collections.abc import Generator as Pieces
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rag_qa.types import Value, Verdict

# Vectors as rows, shape (n, d), or one vector, shape (d,).
Matrix = NDArray[np.float32]
Role = Literal["query", "document", "sentence"]


class EmbedderSpec(Value):
    """What makes two embedders interchangeable. An index stores it in its manifest and compares it when opened.

    `weights_sha256` is the hash of the weights file, `dtype` the number format of the computation (the vectors are
    float32 in any case), `dimension` the length d of a vector, and `max_tokens` the number of tokens that the model
    reads, special tokens included. The prompts are prefixes of queries and documents.
    """

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
    """The vectors of a text and of its tokens in context, all of length 1.

    Token vectors serve late interaction (MaxSim; Khattab & Zaharia, ColBERT, 2020).

    `vector` has shape (d,), `tokens` has shape (t, e) with t ≥ 1. The length e of a token's vector may differ from d.
    `spans` has shape (t, 2): where each token begins and ends in the text, in characters. Special tokens and tokens
    beyond the limit of the model are left out.
    """

    vector: NDArray[np.float32]
    tokens: Matrix
    spans: NDArray[np.int64]


class GeneratorSpec(Value):
    """The language model that really ran, for an answer's provenance. `n_ctx` is its context in tokens."""

    name: str
    sha256: str
    n_ctx: int
    threads: int
    gpu_layers: int
    offload_supported: bool
    runtime: str


ONE_AT_A_TIME = "a text is being written; take it to its end or close it before the model is asked again"


class Prompt(Value):
    """A chat prompt. Its texts are data: special tokens in them have no effect on the model.

    The user's message is `context` followed by `user`. A generator reads the beginning that prompts share, `system` and
    `context`, once and keeps it. `reply` is the beginning of the model's reply.
    """

    system: str
    context: str = ""
    user: str
    reply: str = ""


class Embedder(Protocol):
    """Turns texts into vectors of length 1, so that their dot product is their cosine.

    A `document` is a passage of an index, or what is compared with those; a `sentence` is compared with sentences and
    questions. Models that were trained with prompts have one for queries, and one for the two others; and documents may
    be computed with less precision, as there are many. Calls may come from several threads.
    """

    @property
    def spec(self) -> EmbedderSpec:
        """The description of the model; available before the model is loaded."""
        ...

    def encode(self, texts: Sequence[str], *, role: Role) -> Matrix:
        """Return one row for each text, in their order: shape (n, d), float32, rows of length 1.

        A text beyond `spec.max_tokens` is cut. The batch changes a vector by no more than rounding. No texts give shape
        (0, d). Raises ValueError for a blank text, BackendError if the model cannot be loaded.
        """
        ...

    def encode_tokens(self, texts: Sequence[str], *, role: Role) -> list[TokenEncoding]:
        """Return each text's vector with those of its tokens, in the order of the texts. Raises like `encode`."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return each text's length in tokens: special tokens included, prompts not, nothing cut."""
        ...


class Generator(Protocol):
    """Writes text under a grammar, and chooses between words. A result never depends on earlier calls.

    One text at a time: other threads wait, and the thread whose text is unfinished gets a RuntimeError.
    """

    @property
    def spec(self) -> GeneratorSpec:
        """The description of the model; asking for it may load the model."""
        ...

    def generate(
        self, prompt: Prompt, *, grammar: str | None, max_tokens: int, temperature: float, seed: int
    ) -> Pieces[str, None, None]:
        """Yield pieces of text; closing the iterator early stops the model and leaves it usable.

        `grammar` is GBNF with a rule `root`. Temperature 0 takes the likeliest token; above 0, the same `seed` gives
        the same text. Raises BackendError if the grammar is bad or the prompt leaves no room for `max_tokens`.
        """
        ...

    def choose(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        """Return the probability that the reply begins with each option; they add up to 1.

        Only the first token of an option counts. Raises ValueError if two options begin with the same token,
        BackendError if the prompt is too long.
        """
        ...

    def count_tokens(self, prompt: Prompt) -> int:
        """Return the length of the rendered prompt in tokens."""
        ...


@runtime_checkable
class ReadableGenerator(Generator, Protocol):
    """A generator that also tells what it holds of a prompt inside."""

    def hidden_state(self, prompt: Prompt, *, layer: int) -> NDArray[np.float32]:
        """Return the output of a layer, counted from 0, for the last token of a prompt: shape (e,), float32.

        Raises BackendError if the prompt is too long or there is no such layer.
        """
        ...


class Reranker(Protocol):
    """Scores texts against a query."""

    def score(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """Return one finite score for each text, in their order; higher is better, and the scale is the model's own.

        No text's score depends on the other texts. Raises ValueError for a blank query or text.
        """
        ...


class EntailmentJudge(Protocol):
    """Judges whether evidence supports a sentence (natural-language inference)."""

    def judge(
        self, sentence: str, evidence: Sequence[str], *, context: Sequence[str] = (), question: str = ""
    ) -> Verdict:
        """Return how well the evidence supports the sentence.

        `context` holds texts that name the subject of the evidence, such as the titles of its papers. `question` is the
        question that the sentence answers. Raises BackendError if the model cannot be used.
        """
        ...
