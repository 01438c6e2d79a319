"""Fit what a language model holds of a prompt inside, before it replies; write rag_qa/answering/writing/probes.npz.

    python eval/fit/probes.py SHARED_DATA_FOLDER             # fit on sets/stated/dev.jsonl, and write
    python eval/fit/probes.py SHARED_DATA_FOLDER --measure   # measure what is written on sets/stated/heldout.jsonl

A probe is a logistic regression over the output of one layer of Qwen2.5-Coder-1.5B-Instruct, for the last token of the
prompt `decide`: `stated`, whether the evidence states the answer, and `affirmed`, whether the answer to a yes/no
question is Yes. Half of the questions are answered by an abstract, half are near misses about the same work; the
evidence is what an answer would read. Answerable questions whose paper is not in the evidence are left out. Some are
asked of papers in other fields besides, which do not answer them. Prints the area under ROC of what the model replies,
and of the probes when each writer's questions are left out.

Takes 5 s a question on two cores the first time (states are kept). Then fit the decision (eval/fit/decision.py).
"""

import json
import math
from collections.abc import Generator as Pieces
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

from eval.logistic import fit_states
from eval.programs import parser_for, read_rows
from rag_qa.answering.assistant import Assistant
from rag_qa.answering.writing.probe import (
    AFFIRMED,
    FILE,
    STATED,
    Probe,
    load_probe,
    save_probes,
    texts_of,
)
from rag_qa.answering.writing.prompt import defuse, load_prompt
from rag_qa.answering.writing.writer import YES_NO
from rag_qa.backends.embedding import open_embedder
from rag_qa.backends.llama import open_generator
from rag_qa.evaluation.caching import CachedGenerator
from rag_qa.evaluation.corpora import select_papers
from rag_qa.index.builder import build_index
from rag_qa.protocols import Prompt
from rag_qa.settings import Settings

PROMPT = "decide"
SETS = Path(__file__).parents[1] / "sets" / "stated"
SOURCES = (
    "ml_abstracts/documents.jsonl.gz",
    "scifact/documents.jsonl.gz",
    "csfcube/documents.jsonl.gz",
    "classic/cranfield/documents.jsonl.gz",
    "classic/cisi/documents.jsonl.gz",
)
# The layer of each probe: neighbouring ones are nearly as good, early ones know nothing, and late ones less.
LAYERS = {STATED: 18, AFFIRMED: 22}
# Inverse strength of the penalty: there are more coefficients than questions.
STRENGTHS = {STATED: 3e-3, AFFIRMED: 1e-2}
# How many times a row that is true counts: people ask more questions that are answered than near misses.
ODDS = {STATED: 3.0, AFFIRMED: 1.0}
NOTHING = Prompt(system="", user="")
# How the ids of papers in biology, aeronautics and library science begin; the others are in computer science.
OTHER_FIELDS = ("s2-", "cran-", "cisi-")
# Every so many questions, one is asked of the other fields as well.
FAR_EVERY = 4


class Heard(NamedTuple):
    """A question, what the model replies to the prompt for it, and the outputs of layers by probe, shape (e,).

    `far` is whether it was asked of papers in other fields; the reply is not read then (NaN).
    """

    row: dict[str, Any]
    replied: float
    states: dict[str, NDArray[np.float32]]
    far: bool


def main() -> None:
    """Fit and write, or measure."""
    parser = parser_for(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--measure", action="store_true")
    options = parser.parse_args()
    settings = Settings(style="synthesis", model="Qwen2.5-Coder-1.5B-Instruct")
    generator = CachedGenerator(open_generator(settings), user_cache_path("rag_qa") / "generations")
    half = "heldout" if options.measure else "dev"
    with TemporaryDirectory() as work:
        heard = list(_heard(options.data, Path(work), read_rows(SETS / f"{half}.jsonl"), generator, settings))
    probes = []
    for name in LAYERS:
        chosen = [one for one in heard if name in one.states]
        true = np.array([_is_true(name, one) for one in chosen])
        far = np.array([one.far for one in chosen])
        states = np.array([one.states[name] for one in chosen])
        replied = np.array([one.replied for one in chosen])
        print(f"# {half}, {name}: {true.sum()} true, {(~true).sum()} not, {far.sum()} of them far")
        if options.measure:
            probe = load_probe(name)
            odds = states @ probe.weights + probe.intercept
        else:
            odds = _left_out(name, states, true, np.array([one.row["writer"] for one in chosen]))
            weights, intercept = _fit(name, states, true)
            texts = texts_of(load_prompt("answer"), PROMPT)
            probes.append(Probe(name, PROMPT, texts, generator.spec.sha256, LAYERS[name], weights, intercept))
        probed = "the probe" if options.measure else "the probe, each writer left out,"
        for what, scores in (("the reply", replied), (probed, odds)):
            print(
                f"# without far ones, area under ROC of {what} {roc_auc_score(true[~far], scores[~far]):.3f}"
            )
        print(
            f"# the probe is right in {((odds > 0) == true)[~far].mean():.3f}; of far ones it takes for true:",
            end=" ",
        )
        print((odds[far] > 0).sum())
    if probes:
        save_probes(FILE, *probes)


def _is_true(name: str, one: Heard) -> bool:
    """Return what a probe should say of a question."""
    if name == AFFIRMED:
        return bool(one.row["answer"].lower().startswith("yes"))
    return bool(one.row["answerable"]) and not one.far


def _fit(
    name: str, states: NDArray[np.float32], true: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], float]:
    return fit_states(states, true, strength=STRENGTHS[name], weights=np.where(true, ODDS[name], 1.0))


def _left_out(
    name: str, states: NDArray[np.float32], true: NDArray[np.bool_], writers: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the log odds of each row by a probe fitted on what others wrote."""
    found = np.zeros(len(true))
    for own in np.unique(writers):
        weights, intercept = _fit(name, states[writers != own], true[writers != own])
        found[writers == own] = states[writers == own] @ weights + intercept
    return found


def _heard(
    data: Path, work: Path, rows: Sequence[dict[str, Any]], generator: CachedGenerator, settings: Settings
) -> Iterator[Heard]:
    """Yield the questions that evidence is read for."""
    embedder = open_embedder(settings)
    papers = select_papers([data / name for name in SOURCES], SETS / "ids.txt", work / "papers.jsonl")
    listener = _Listener(generator)

    def opened(name: str, sources: Sequence[Path], settings: Settings) -> Assistant:
        build_index(sources, work / name, embedder=embedder)
        return Assistant.open(work / name, settings=settings, embedder=embedder, generator=listener)

    with opened("index", [papers], settings) as assistant:
        for row in rows:
            prompt = listener.asked_for(row["text"], assistant)
            heading = defuse(assistant.paper(row["paper"]).heading)
            if prompt and (f"From “{heading}”" in prompt.context or not row["answerable"]):
                affirmed = [AFFIRMED] if row["answerable"] and row["kind"] == "yesno" else []
                yield _listened(row, prompt, generator, [STATED, *affirmed], far=False)
    # The model is asked whatever the topic.
    always = settings.model_copy(update={"min_relevance": 0.0})
    halves: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for paper in read_rows(papers):
        halves[str(paper.get("_id", paper.get("id"))).startswith(OTHER_FIELDS)].append(paper)
    for other, half in halves.items():
        source = work / f"half_{other:d}.jsonl"
        source.write_text("".join(json.dumps(paper) + "\n" for paper in half), encoding="utf-8")
        with opened(source.stem, [source], always) as assistant:
            for row in rows[::FAR_EVERY]:
                if row["paper"].startswith(OTHER_FIELDS) != other and (
                    prompt := listener.asked_for(row["text"], assistant)
                ):
                    yield _listened(row, prompt, generator, [STATED], far=True)


def _listened(
    row: dict[str, Any], prompt: Prompt, generator: CachedGenerator, names: Sequence[str], *, far: bool
) -> Heard:
    states = {name: generator.hidden_state(prompt, layer=LAYERS[name]) for name in names}
    return Heard(row, math.nan if far else generator.choose(prompt, YES_NO)[0], states, far)


class _Asked(Exception):
    """The model has been asked."""


class _Listener:
    """Keeps the first prompt that the model is asked, and ends the answer there."""

    def __init__(self, generator: CachedGenerator) -> None:
        self.spec = generator.spec
        self.asked = NOTHING
        self.count_tokens = generator.count_tokens

    def asked_for(self, question: str, assistant: Assistant) -> Prompt | None:
        """Return the prompt by which the model is asked whether a question is answered; None if it is not asked."""
        self.asked = NOTHING
        with suppress(_Asked):
            assistant.ask(question)
        return self.asked if "\nDo these sentences state" in self.asked.user else None

    def choose(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        """Keep the prompt. Raises _Asked."""
        self.asked = prompt
        raise _Asked

    def generate(self, prompt: Prompt, **_: Any) -> Pieces[str, None, None]:
        """Keep the prompt. Raises _Asked."""
        self.asked = prompt
        raise _Asked


if __name__ == "__main__":
    main()
