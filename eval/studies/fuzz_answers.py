"""Check that every citation is valid and every quote verbatim, whatever a model writes under the grammar.

    python eval/studies/fuzz_answers.py [--generations 1000] [--seed 0] [--sampler text|llama]

Asks the sample set's questions, prompt injections included, over the sample papers. A generator decides at random and
writes at random whatever the grammar allows, often broken off. Every second answer is judged by a judge that calls
everything supported, so that what is written is shown. With `--sampler llama` the tokens are the starter model's, drawn
with random logits through llama.cpp's own grammar sampler. Prints counts; ends with status 1 if a fault is found.

1,000 generations of text take less than a minute on two cores, 200 of tokens some minutes.
"""

import codecs
import ctypes
import re
import sys
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Generator
from itertools import cycle
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from eval.doubles import CredulousJudge
from eval.programs import parser_for
from rag_qa import Assistant, Settings, build_index
from rag_qa.answering import assistant as assembling
from rag_qa.backends.locating import STARTER, WRITER, locate_model
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
    "marks or controls in text",
)
# As sentences are split (rag_qa/text/sentences.py): a stop, and what closes after it.
ENDED_WELL = re.compile(r"[.!?…。！？][\"'”’)\]}$*」』）]*$")
QUESTIONS = Path(__file__).parents[1] / "sets" / "sample"
# About a sentence and a half of random tokens, so that many replies break off.
MAX_TOKENS = 96
# How often a sentence is ended, and how often the reply is; by chance alone, every reply would run into its limit.
ENDED, CLOSED = 0.08, 0.02


class RandomSentences(RandomGenerator):
    """Ends a sentence now and then, since cut-off sentences are never shown and random full stops are rare."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._ends = np.random.default_rng(seed)

    def generate(self, prompt: Prompt, **limits: Any) -> Generator[str, None, None]:
        """Yield the pieces of random text, and between them, and mostly at the end, a full stop."""
        for piece in super().generate(prompt, **limits):
            yield piece
            if self._ends.random() < ENDED:
                yield ". "
        if self._ends.random() < 0.7:
            yield "."


class RandomTokens(RandomGenerator):
    """Draws the starter model's tokens with random logits through llama.cpp's grammar sampler."""

    def __init__(self, seed: int) -> None:
        import llama_cpp

        super().__init__(seed, name="random tokens")
        path = locate_model(STARTER, kind="generator").path
        self._model = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
        self._numbers = np.random.default_rng(seed)
        vocabulary = self._model._model.vocab
        tokens = range(self._model.n_vocab())
        self._pieces = [self._model.detokenize([token], special=True) for token in tokens]
        self._stops = np.array([piece in (b".", b"!", b"?") for piece in self._pieces])
        self._closing = np.array([llama_cpp.llama_vocab_is_eog(vocabulary, token) for token in tokens])

    def generate(
        self, prompt: Prompt, *, grammar: str | None, max_tokens: int, temperature: float, seed: int
    ) -> Generator[str, None, None]:
        """Yield a piece a token. Raises AssertionError if no token may follow."""
        import llama_cpp

        self.prompts.append(prompt)
        vocabulary = self._model._model.vocab
        sampler = llama_cpp.llama_sampler_init_grammar(vocabulary, str(grammar).encode(), b"root")
        assert sampler, f"llama.cpp cannot read the grammar {grammar!r}"
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        pieces: list[str] = []
        self.broke_off = True
        try:
            for _ in range(max_tokens):
                allowed = self._allowed(sampler)
                assert len(allowed), f"no token may follow {''.join(pieces)!r}"
                token = self._draw(allowed)
                if self._closing[token]:
                    self.broke_off = False
                    break
                llama_cpp.llama_sampler_accept(sampler, token)
                pieces.append(decoder.decode(self._pieces[token]))
        finally:
            llama_cpp.llama_sampler_free(sampler)
        self.replies.append("".join(pieces))
        yield from pieces

    def _draw(self, allowed: np.ndarray) -> int:
        chance = self._numbers.random()
        wanted = self._closing if chance < CLOSED else self._stops if chance < ENDED else None
        few = allowed if wanted is None else allowed[wanted[allowed]]
        return int(self._numbers.choice(few if len(few) else allowed))

    def _allowed(self, sampler: object) -> np.ndarray:
        """Return the tokens that the grammar allows next."""
        import llama_cpp

        size = len(self._pieces)
        data = (llama_cpp.llama_token_data * size)()
        view = np.frombuffer(memoryview(data), dtype=[("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])
        view["id"] = np.arange(size)
        view["logit"] = self._numbers.standard_normal(size)
        candidates = llama_cpp.llama_token_data_array(data=data, size=size, selected=-1, sorted=False)
        llama_cpp.llama_sampler_apply(sampler, ctypes.byref(candidates))
        return np.flatnonzero(np.isfinite(view["logit"]))


def marked(text: str) -> bool:
    """Return whether a text of the model holds a citation mark or a control character."""
    return any(c in "[]\u2028\u2029" or unicodedata.category(c) == "Cc" for c in text)


def faults_of(answer: Answer, assistant: Assistant) -> Counter[str]:
    """Return the number of faults of each kind in an answer."""
    exactness = quote_exactness(answer, assistant.paper)
    quotes = [s for s in answer.sentences if s.kind == "quote"]
    prose = [s.text for s in answer.sentences if s.kind == "prose"]
    return Counter(
        {
            "invalid citations": invalid_citations(answer, assistant.paper)
            + sum(not s.citations for s in answer.sentences),
            "quotes not verbatim": int(exactness not in (None, 1.0))
            + sum(s.text != s.citations[0].quote for s in quotes),
            "cut-off sentences": sum(ENDED_WELL.search(text) is None for text in prose),
            "marks or controls in text": sum(map(marked, prose)),
        }
    )


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--generations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sampler", choices=("text", "llama"), default="text")
    options = parser.parse_args()
    generator = (RandomSentences if options.sampler == "text" else RandomTokens)(options.seed)
    # The name of the writer lets the generator decide; the generator is given, so the writer need not be installed.
    settings = Settings(model=WRITER, style="synthesis", min_relevance=0.0, max_tokens=MAX_TOKENS)
    questions = [q.text for q in load_question_set(QUESTIONS).questions]
    found: Counter[str] = Counter()
    faults = Counter(dict.fromkeys(FAULTS, 0))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        build_index([sample_papers_path()], folder, embedder=HashingEmbedder())

        def opened() -> Assistant:
            return Assistant.open(folder, settings=settings, embedder=HashingEmbedder(), generator=generator)

        with patch.object(assembling, "open_verifier", lambda *given: CredulousJudge()):
            credulous = opened()
        judged = (opened(), credulous)
        turns = cycle([(question, assistant) for question in questions for assistant in judged])
        while len(generator.replies) < options.generations:
            question, assistant = next(turns)
            asked = len(generator.replies)
            try:
                answer = assistant.ask(question)
            except RagQAError:
                found["errors of the question"] += 1
                continue
            except Exception as exc:
                faults["crashes"] += 1
                print(f"{type(exc).__name__}: {exc}", file=sys.stderr)
                continue
            if len(generator.replies) == asked:
                continue
            here = faults_of(answer, assistant)
            faults.update(here)
            if any(here.values()):
                print(f"{dict(+here)}: {[s.text for s in answer.sentences]}", file=sys.stderr)
            found["refusals"] += answer.abstained
            found["last replies broken off"] += generator.broke_off
            found.update(f"sentences: {s.kind}" for s in answer.sentences)
            found["citations"] += sum(len(s.citations) for s in answer.sentences)
    print(f"{len(generator.replies)} generations in {time.perf_counter() - began:.0f} s, seed {options.seed}")
    for name, count in [*sorted(found.items()), *faults.items()]:
        print(f"{count:6} {name}")
    sys.exit(1 if any(faults.values()) else 0)


if __name__ == "__main__":
    main()
