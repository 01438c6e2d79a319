"""Measure how fast the language model reads prompts, against plain llama.cpp in the same run."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from rag_qa.backends.llama import BATCH_TOKENS, LlamaGenerator, open_generator
from rag_qa.backends.locating import locate_model
from rag_qa.backends.processor import physical_cores
from rag_qa.evaluation.provenance import describe_run
from rag_qa.index.changes import Progress
from rag_qa.protocols import Prompt
from rag_qa.settings import Settings
from rag_qa.types import Value

if TYPE_CHECKING:
    from llama_cpp import Llama

SYSTEM = "You answer questions about scientific papers, using only the given sentences."
SENTENCE = "The method trains a small network on pairs of sentences and reports the accuracy on three held-out sets. "
SENTENCES = 12
QUESTIONS = ("Is it accurate? Reply Yes or No.", "Are there three sets? Reply Yes or No.")
OPTIONS = ("Yes", "No")


class PromptBenchmark(Value):
    """Seconds to read a prompt of `tokens` tokens, run by run.

    `reading_s` is our reading of a new prompt, `plain_s` that of as many tokens by plain llama.cpp, and `kept_s` that
    of another question on the same sentences, whose beginning is kept. `ratio` and `kept_ratio` are the medians of
    `plain_s` over ours: 1 is as fast as plain llama.cpp, more is faster.
    """

    tokens: int
    reading_s: tuple[float, ...]
    plain_s: tuple[float, ...]
    kept_s: tuple[float, ...]
    ratio: float
    kept_ratio: float
    provenance: Mapping[str, Any]


def bench_prompt(settings: Settings, *, runs: int, progress: Progress) -> PromptBenchmark:
    """Read prompts in turns, with our generator and with a plain `Llama` over the same file; the first is not timed.

    `progress` is called with (stage, done, total). Raises ModelNotFoundError, ModelHashError and BackendError.
    """
    generator, plain = open_generator(settings), _open_plain(settings)
    rows = []
    for run in range(runs + 1):
        progress("reading prompts", run, runs + 1)
        rows.append(_read_in_turns(generator, plain, run))
    progress("reading prompts", runs + 1, runs + 1)
    reading, raw, kept = zip(*(row[1:] for row in rows[1:]), strict=True)
    return PromptBenchmark(
        tokens=rows[-1][0],
        reading_s=reading,
        plain_s=raw,
        kept_s=kept,
        ratio=median(p / r for p, r in zip(raw, reading, strict=True)),
        kept_ratio=median(p / k for p, k in zip(raw, kept, strict=True)),
        provenance=describe_run() | {"model": generator.spec.model_dump()},
    )


def _open_plain(settings: Settings) -> "Llama":
    """Return llama.cpp's model as its Python library opens it, with the threads and the context of ours."""
    import llama_cpp

    return llama_cpp.Llama(
        str(locate_model(settings.model, kind="generator").path),
        n_ctx=settings.context_tokens,
        n_batch=BATCH_TOKENS,
        n_threads=settings.threads or physical_cores(),
        n_threads_batch=settings.threads or physical_cores(),
        flash_attn=True,
        verbose=False,
    )


def _read_in_turns(generator: LlamaGenerator, plain: "Llama", run: int) -> tuple[int, float, float, float]:
    """Return the number of tokens, and the seconds of our reading, the plain one, and ours with a kept beginning."""
    # The number makes the beginning one that is not kept.
    context = f"Run {run}. {SENTENCE * SENTENCES}\n"
    first, second = (Prompt(system=SYSTEM, context=context, user=question) for question in QUESTIONS)
    count = generator.count_tokens(first)
    tokens = generator.tokenize(context * 2)[:count]
    ours = _timed(partial(generator.choose, first, OPTIONS))
    plain.reset()  # type: ignore[no-untyped-call]
    raw = _timed(partial(plain.eval, tokens))
    kept = _timed(partial(generator.choose, second, OPTIONS))
    return count, ours, raw, kept


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
