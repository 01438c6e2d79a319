"""Whatever a model writes under the grammar, is every citation valid and every quote verbatim?

    python eval/fuzz_answers.py [--generations 1000] [--seed 0] [--sampler text|llama]

The sample set's questions, hostile ones included, over the sample papers, answered in prose by a generator that writes
at random whatever the grammar allows, often broken off. With `--sampler llama` the tokens are the starter model's,
drawn with random logits through llama.cpp's own grammar sampler. Prints counts; fails where a fault is found.
"""

import argparse
import codecs
import ctypes
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import numpy as np

from rag_qa import Assistant, Settings, build_index
from rag_qa.answering.writing.grammar import MAX_CHARACTERS, REFUSAL
from rag_qa.backends.locating import locate_model
from rag_qa.corpus.cleaning import clean_text
from rag_qa.errors import RagQAError
from rag_qa.evaluation.datasets import load_question_set
from rag_qa.evaluation.grounding import invalid_citations, quote_exactness
from rag_qa.protocols import Prompt
from rag_qa.sample import sample_papers_path
from rag_qa.testing import HashingEmbedder, RandomGenerator
from rag_qa.types import Answer

FAULTS = (
    "crashes",
    "invalid citations",
    "quotes not verbatim",
    "cut-off sentences",
    "refusals shown as text",
)
QUESTIONS = Path(__file__).parent / "sample"
# About a sentence and a half of random tokens, so that many replies break off.
MAX_TOKENS = 96
# How often a label is taken where one may stand, and the refusal at the beginning; by chance alone every sentence
# would run into its limit.
ENDED = 0.05


class RandomTokens(RandomGenerator):
    """Draws the starter model's tokens with random logits through llama.cpp's grammar sampler."""

    def __init__(self, seed: int) -> None:
        import llama_cpp

        super().__init__(seed, name="random tokens")
        path = locate_model(Settings().model, kind="generator").path
        self._model = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
        self._numbers = np.random.default_rng(seed)
        tokens = range(self._model.n_vocab())
        self._pieces = [self._model.detokenize([token], special=True) for token in tokens]
        self._labels = np.array([piece.startswith(b"[") for piece in self._pieces])
        self._refusals = np.array([piece.startswith(b"(") for piece in self._pieces])

    def generate(
        self, prompt: Prompt, *, grammar: str | None, max_tokens: int, temperature: float, seed: int
    ) -> Iterator[str]:
        """Yield a piece a token. Raises AssertionError at a dead end, where no token may follow."""
        import llama_cpp

        self.prompts.append(prompt)
        vocabulary = self._model._model.vocab
        sampler = llama_cpp.llama_sampler_init_grammar(vocabulary, str(grammar).encode(), b"root")
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.broke_off, pieces = True, []
        try:
            for _ in range(max_tokens):
                allowed = self._allowed(sampler)
                assert len(allowed), f"no token may follow {''.join(pieces)!r}"
                ends = allowed[(self._labels if pieces else self._refusals)[allowed]]
                choices = ends if len(ends) and self._numbers.random() < ENDED else allowed
                token = int(self._numbers.choice(choices))
                if llama_cpp.llama_vocab_is_eog(vocabulary, token):
                    self.broke_off = False
                    break
                llama_cpp.llama_sampler_accept(sampler, token)
                pieces.append(decoder.decode(self._pieces[token]))
        finally:
            llama_cpp.llama_sampler_free(sampler)
        self.replies.append("".join(pieces))
        yield from pieces

    def _allowed(self, sampler: object) -> np.ndarray:
        """Return the tokens that the grammar lets follow."""
        import llama_cpp

        size = len(self._pieces)
        data = (llama_cpp.llama_token_data * size)()
        view = np.frombuffer(data, dtype=[("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])
        view["id"] = np.arange(size)
        view["logit"] = self._numbers.standard_normal(size)
        candidates = llama_cpp.llama_token_data_array(data=data, size=size, selected=-1, sorted=False)
        llama_cpp.llama_sampler_apply(sampler, ctypes.byref(candidates))
        return np.flatnonzero(np.isfinite(view["logit"]))


def faults_of(answer: Answer, assistant: Assistant, reply: str) -> Counter[str]:
    """Return how often an answer shows what no answer may show; `reply` is what the model wrote for it."""
    exactness = quote_exactness(answer, assistant.paper)
    quotes = [s for s in answer.sentences if s.kind == "quote"]
    finished = clean_text(reply[: reply.rfind("]") + 1])
    prose = [s.text for s in answer.sentences if s.kind == "prose"]
    return Counter(
        {
            "invalid citations": invalid_citations(answer, assistant.paper)
            + sum(not s.citations for s in answer.sentences),
            "quotes not verbatim": int(exactness not in (None, 1.0))
            + sum(s.text != s.citations[0].quote for s in quotes),
            "cut-off sentences": sum(
                text.rstrip(".") not in finished or len(text) > MAX_CHARACTERS + 1 for text in prose
            ),
            "refusals shown as text": sum(REFUSAL.strip("(.)") in s.text for s in answer.sentences),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sampler", choices=("text", "llama"), default="text")
    options = parser.parse_args()
    generator = (RandomGenerator if options.sampler == "text" else RandomTokens)(options.seed)
    settings = Settings(style="synthesis", min_relevance=0.0, max_tokens=MAX_TOKENS)
    questions = [q.text for q in load_question_set(QUESTIONS).questions if q.kind != "which"]
    found, faults = Counter(), Counter(dict.fromkeys(FAULTS, 0))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        build_index([sample_papers_path()], folder, embedder=HashingEmbedder())
        with Assistant.open(
            folder, settings=settings, embedder=HashingEmbedder(), generator=generator
        ) as assistant:
            for question in cycle(questions):
                if len(generator.prompts) >= options.generations:
                    break
                asked = len(generator.prompts)
                try:
                    answer = assistant.ask(question)
                except RagQAError:
                    found["told errors"] += 1
                    continue
                except Exception as exc:
                    faults["crashes"] += 1
                    print(f"{type(exc).__name__}: {exc}", file=sys.stderr)
                    continue
                if len(generator.prompts) == asked:
                    continue
                reply = generator.replies[-1]
                faults.update(faults_of(answer, assistant, reply))
                found["refusals"] += answer.abstained
                found["replies broken off"] += generator.broke_off
                found.update(f"sentences: {s.kind}" for s in answer.sentences)
                found["citations"] += sum(len(s.citations) for s in answer.sentences)
    print(f"{len(generator.prompts)} generations in {time.perf_counter() - began:.0f} s, seed {options.seed}")
    for name, count in [*sorted(found.items()), *faults.items()]:
        print(f"{count:6} {name}")
    sys.exit(1 if any(faults.values()) else 0)


if __name__ == "__main__":
    main()
