"""Fit what a language model holds of a prompt inside, before it replies; write rag_qa/answering/writing/probes.npz.

    python eval/fit/probes.py SHARED_DATA_FOLDER             # fit on sets/stated/dev.jsonl, and write
    python eval/fit/probes.py SHARED_DATA_FOLDER --measure   # measure what is written on sets/stated/heldout.jsonl

The probe is a logistic regression over the output of one layer of Qwen2.5-Coder-1.5B-Instruct, for the last token of
the prompt `decide`: whether the evidence states the answer. Half of the questions are answered by an abstract, half are
near misses about the same work; the evidence is what an answer would read. Answerable questions whose paper is not in
the evidence are left out. Prints the area under ROC of what the model replies, and of the probe when each writer's
questions are left out.

Takes 5 s a question on two cores the first time (states are kept). Then fit the decision (eval/fit/decision.py).
"""

from collections.abc import Generator as Pieces
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]

from eval.logistic import fit_logistic
from eval.programs import parser_for, read_rows
from rag_qa.answering.assistant import Assistant
from rag_qa.answering.writing.probe import FILE, Probe, load_probe, save_probes, texts_of
from rag_qa.answering.writing.prompt import defuse, load_prompt
from rag_qa.answering.writing.writer import YES_NO
from rag_qa.backends.embedding import open_embedder
from rag_qa.backends.llama import open_generator
from rag_qa.evaluation.caching import CachedGenerator
from rag_qa.evaluation.corpora import select_papers
from rag_qa.index.builder import build_index
from rag_qa.protocols import Prompt
from rag_qa.settings import Settings

NAME = "decide"
SETS = Path(__file__).parents[1] / "sets" / "stated"
SOURCES = (
    "ml_abstracts/documents.jsonl.gz",
    "scifact/documents.jsonl.gz",
    "csfcube/documents.jsonl.gz",
    "classic/cranfield/documents.jsonl.gz",
    "classic/cisi/documents.jsonl.gz",
)
# Neighbouring layers are nearly as good; early ones know nothing, and late ones less.
LAYER = 18
# Inverse strength of the penalty: there are more coefficients than questions.
STRENGTH = 3e-3
# How many times an answerable question counts: people ask more of them than near misses.
ODDS = 3.0


def main() -> None:
    """Fit and write, or measure."""
    parser = parser_for(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--writers", type=int, default=6, help="how many writers' questions to fit on")
    options = parser.parse_args()
    settings = Settings(style="synthesis", model="Qwen2.5-Coder-1.5B-Instruct")
    generator = CachedGenerator(open_generator(settings), user_cache_path("rag_qa") / "generations")
    prompts = load_prompt("answer")
    half = "heldout" if options.measure else "dev"
    rows = read_rows(SETS / f"{half}.jsonl")
    if not options.measure:
        rows = [row for row in rows if row["writer"] < options.writers]
    with TemporaryDirectory() as work:
        found = list(_asked(options.data, Path(work), rows, generator, settings))
    true = np.array([row["answerable"] for row, _ in found])
    said = [generator.choose(prompt, YES_NO)[0] for _, prompt in found]
    states = np.array([generator.hidden_state(prompt, layer=LAYER) for _, prompt in found])
    print(
        f"# {half}: {true.sum()} answerable, {(~true).sum()} near; area under ROC of the reply "
        f"{roc_auc_score(true, said):.3f}"
    )
    if options.measure:
        probe = load_probe(NAME)
        inside = np.array([probe.probability(state) for state in states])
        print(f"# the probe {roc_auc_score(true, inside):.3f}; right {((inside > 0.5) == true).mean():.3f}")
        return
    odds = _left_out(states, true, np.array([row["writer"] for row, _ in found]))
    print(
        f"# the probe, each writer left out, {roc_auc_score(true, odds):.3f}; right "
        f"{((odds > 0) == true).mean():.3f}"
    )
    weights, intercept = _fit(states, true)
    save_probes(FILE, Probe(NAME, texts_of(prompts, NAME), generator.spec.sha256, LAYER, weights, intercept))


def _fit(states: NDArray[np.float32], true: NDArray[np.bool_]) -> tuple[NDArray[np.float32], float]:
    """Return the coefficients, shape (e,), and the intercept, for states as they are."""
    scaler = StandardScaler().fit(states)
    model = fit_logistic(scaler.transform(states), true, strength=STRENGTH, weights=np.where(true, ODDS, 1.0))
    weights = model.coef_[0] / scaler.scale_
    return weights.astype(np.float32), float(model.intercept_[0] - weights @ scaler.mean_)


def _left_out(
    states: NDArray[np.float32], true: NDArray[np.bool_], writers: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the log odds of each row by a probe fitted on what others wrote."""
    found = np.zeros(len(true))
    for own in np.unique(writers):
        weights, intercept = _fit(states[writers != own], true[writers != own])
        found[writers == own] = states[writers == own] @ weights + intercept
    return found


def _asked(
    data: Path, work: Path, rows: Sequence[dict[str, Any]], generator: CachedGenerator, settings: Settings
) -> Iterator[tuple[dict[str, Any], Prompt]]:
    """Yield the questions that evidence is read for, each with the prompt `decide` for it."""
    embedder = open_embedder(settings)
    papers = select_papers([data / name for name in SOURCES], SETS / "ids.txt", work / "papers.jsonl")
    build_index([papers], work / "index", embedder=embedder)
    listener = _Listener(generator)
    with Assistant.open(
        work / "index", settings=settings, embedder=embedder, generator=listener
    ) as assistant:
        for row in rows:
            with suppress(_Heard):
                assistant.ask(row["text"])
            heading = defuse(assistant.paper(row["paper"]).heading)
            asked = "\nDo these sentences state" in listener.heard.user
            if asked and (f"From “{heading}”" in listener.heard.context or not row["answerable"]):
                yield row, listener.heard


class _Heard(Exception):
    """The model has been asked."""


class _Listener:
    """Keeps the first prompt that the model is asked, and ends the answer there."""

    def __init__(self, generator: CachedGenerator) -> None:
        self.spec = generator.spec
        self.heard = Prompt(system="", user="")
        self.count_tokens = generator.count_tokens

    def choose(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        """Keep the prompt. Raises _Heard."""
        self.heard = prompt
        raise _Heard

    def generate(self, prompt: Prompt, **_: Any) -> Pieces[str, None, None]:
        """Keep the prompt. Raises _Heard."""
        self.heard = prompt
        raise _Heard


if __name__ == "__main__":
    main()
