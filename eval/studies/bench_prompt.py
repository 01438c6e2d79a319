"""Measure how fast prompts are read, beside plain llama.cpp in the same run; print JSON.

    python eval/studies/bench_prompt.py [MODEL] [--runs 5]

Each run reads one prompt of about 300 tokens from nothing (`choose`), and the same tokens with `Llama.eval`, in turns;
then another question on the same sentences, whose beginning is kept. Takes about 20 s a run with the writer on two
cores. Run it on an idle machine; `raw/ours` should be near 1.
"""

import json
import statistics
import time
from collections.abc import Callable
from functools import partial

from eval.programs import parser_for
from rag_qa.backends.llama import open_generator
from rag_qa.protocols import Prompt
from rag_qa.settings import Settings

SENTENCE = "The method trains a small network on pairs of sentences and reports the accuracy on three held-out sets. "
SYSTEM = "You answer questions about scientific papers, using only the given sentences."


def main() -> None:
    """Measure and print medians in seconds, and the ratio of raw llama.cpp's time to ours."""
    parser = parser_for(__doc__)
    parser.add_argument("model", nargs="?", default="auto")
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    generator = open_generator(Settings(model=args.model))
    found: dict[str, list[float]] = {"ours": [], "raw": [], "kept": []}
    for run in range(args.runs + 1):
        prompt = Prompt(
            system=SYSTEM, context=f"Run {run}. {SENTENCE * 12}\n", user="Is it accurate? Reply Yes or No."
        )
        other = prompt.model_copy(update={"user": "How many sets are there? Reply with a number."})
        seconds = {"ours": _timed(partial(generator.choose, prompt, ("Yes", "No")))}
        seconds["kept"] = _timed(partial(generator.choose, other, ("1", "3")))
        tokens = [token for segment in generator._segments(prompt) for token in segment]
        llama = generator._llama
        llama.n_tokens = 0
        generator._memory._read = []
        seconds["raw"] = _timed(partial(llama.eval, tokens))
        llama.n_tokens = 0
        if run:  # the first loads the model
            for name, value in seconds.items():
                found[name].append(value)
    medians = {name: statistics.median(values) for name, values in found.items()}
    print(
        json.dumps({"tokens": len(tokens), **medians, "raw/ours": medians["raw"] / medians["ours"]}, indent=1)
    )


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
