"""Calibrate abstention on an index alone: make questions from its papers, and fit when to refuse.

Each question is asked twice: with its paper in the index, and with the paper held out (its twin, which has no answer).
No language model writes the questions. They are words of a paper's title or of one of its sentences, half of them
left out, so that they are no verbatim quotes. They are easier than people's questions, and their twins are near misses
only if the index holds other papers on the same topic. So the threshold is strict: on the 80 machine-learning abstracts
of eval/sets/dev, the one for a tenth of false answers (.885) refuses .05 of these questions, and .54 of those that a
person wrote.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from rag_qa.answering.evidence.scoring import spans_of
from rag_qa.errors import PaperIndexError
from rag_qa.evaluation.metrics import RiskPoint, area_under_roc, risk_coverage
from rag_qa.index.manifest import Calibration
from rag_qa.text.words import content_terms
from rag_qa.types import Paper, Value

MIN_PAPERS = 20
# Each takes about a second: two questions, each with its twin.
MOST_PAPERS = 50
KEPT = 0.5
FEWEST_WORDS = 3
COUNTED = re.compile(r"(?<![\w.])\d[\d,.]{0,20}+\s+(?P<thing>[a-z][a-z-]{2,}s)\b")
WORDS = re.compile(r"[^\s,;:?!()\[\]]+")


class Measured(NamedTuple):
    """A question with the confidence that the index answers it, and that the index without its paper answers it."""

    question: str
    confidence: float
    without: float


class Judge(Protocol):
    """The part of an assistant that calibration uses."""

    def papers(self) -> Iterator[Paper]: ...

    def confidences(self, question: str, held_out: str, /) -> tuple[float, float]: ...


class CalibrationReport(Value):
    """A calibration, how well confidence separates questions from their twins, and the risk–coverage curve."""

    calibration: Calibration
    auroc: float
    aurc: float
    curve: tuple[RiskPoint, ...]


def measure(
    assistant: Judge, *, seed: int = 0, progress: Callable[[str, int, int], None] | None = None
) -> list[Measured]:
    """Ask the questions of a sample of papers twice, with and without the paper.

    `progress` is called with (stage, done, total). Raises PaperIndexError if fewer than MIN_PAPERS have an abstract.
    """
    papers = [paper for paper in assistant.papers() if spans_of(paper.abstract)]
    if len(papers) < MIN_PAPERS:
        raise PaperIndexError(
            f"the index holds {len(papers)} papers with an abstract, and calibrating takes {MIN_PAPERS}; add some with "
            "`rag-qa index SOURCE`, or keep the calibration that ships"
        )
    drawn = random.Random(seed)
    chosen = drawn.sample(papers, min(MOST_PAPERS, len(papers)))
    measured = []
    for done, paper in enumerate(chosen, 1):
        for question in questions_of(paper, drawn):
            measured.append(Measured(question, *assistant.confidences(question, paper.id)))
        if progress:
            progress("asking", done, len(chosen))
    return measured


def questions_of(paper: Paper, drawn: random.Random) -> list[str]:
    """Return a request for papers from the title, and a question on a fact, or on a number if a sentence has one."""
    questions = []
    if (words := _some_words(paper.title, drawn)) is not None:
        questions.append(f"Which papers are about {words}?")
    sentences = [paper.abstract[start:end] for start, end in spans_of(paper.abstract)]
    counting = [(s, found) for s in sentences if (found := COUNTED.search(s))]
    if counting:
        sentence, found = drawn.choice(counting)
        rest = _some_words(sentence[: found.start()] + sentence[found.end() :], drawn)
        if rest is not None:
            return [*questions, f"How many {found['thing']}: {rest}?"]
    words = _some_words(drawn.choice(sentences), drawn)
    return questions if words is None else [*questions, f"What is said of {words}?"]


def _some_words(text: str, drawn: random.Random) -> str | None:
    """Half of the content words of a text, in order, or None if too few would be left."""
    words = [word for word in WORDS.findall(text) if content_terms(word)]
    wanted = max(FEWEST_WORDS, round(len(words) * KEPT))
    if len(words) < wanted:
        return None
    kept = sorted(drawn.sample(range(len(words)), wanted))
    return " ".join(words[n].strip(".") for n in kept)


def fit(measured: Sequence[Measured], wanted: float) -> CalibrationReport:
    """Fit the lowest threshold that answers no more than the wanted share of the twins; `wanted` is 0 to 1."""
    ours = [m.confidence for m in measured]
    twins = [m.without for m in measured]
    threshold = lowest_threshold(twins, wanted)
    confidences = [*ours, *twins]
    curve = risk_coverage(confidences, [False] * len(ours) + [True] * len(twins))
    return CalibrationReport(
        calibration=Calibration(
            threshold=threshold,
            wanted=wanted,
            false_answers=sum(c >= threshold for c in twins) / len(twins),
            false_refusals=sum(c < threshold for c in ours) / len(ours),
            questions=len(confidences),
        ),
        auroc=area_under_roc(ours, twins),
        aurc=curve.area,
        curve=curve.points,
    )


def lowest_threshold(confidences: Sequence[float], wanted: float) -> float:
    """Return the lowest threshold, 0 to 1, that no more than the wanted share of the confidences reaches."""
    allowed = int(wanted * len(confidences) + 1e-9)
    ordered = sorted(confidences, reverse=True)
    if allowed >= len(ordered):
        return 0.0
    higher = [c for c in ordered[:allowed] if c > ordered[allowed]]
    return (higher[-1] + ordered[allowed]) / 2 if higher else (1.0 + ordered[allowed]) / 2
