"""Evidence → what the language model makes of it: whether it answers the question, and sentences that do.

The model reads the evidence once; the decision, yes or no, and the writing go on from there. It writes no labels, and
nothing here checks what it writes: see `attribution`.
"""

import math
import re
from collections.abc import Generator as Pieces
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

import numpy as np

from rag_qa.answering.writing.grammar import PROSE, held
from rag_qa.answering.writing.injection import gives_orders
from rag_qa.answering.writing.prompt import PromptFile, defuse, fit_evidence, layout
from rag_qa.corpus.cleaning import clean_text
from rag_qa.protocols import Generator, Prompt
from rag_qa.settings import Settings
from rag_qa.text.sentences import split_sentences
from rag_qa.types import Evidence

MAX_SENTENCES = 3
YES_NO = ("Yes", "No")
YES_NO_MAYBE = ("Yes", "No", "Maybe")
LETTERS = ("A", "B", "C")
# A probability that is no more than rounding.
LEAST = 1e-6
SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")
OPENINGS = YES, NO = ("Yes, ", "No, ")
# What speaks of the sentences read and not of the papers: the model's way to say that they don't say.
OF_THE_PROMPT = re.compile(r"\s*(?:the|these|those)\s+(?:\w+\s+)?sentences\b", re.IGNORECASE)
# So many papers are called by their titles.
FEW_PAPERS = 3
# Logarithms of the ratio of Yes to No: up to the first one the answer is No, and from the other one on Yes. The model
# prefers to agree: of 71 questions of PubMedQA its Yes was right for 19 of 27 from twice as probable on.
SURELY_NO, SURELY_YES = 0.15, 0.7
# Share of the tokens of a text that are pieces of it: several tokens may make one character.
CUT_OFF = 0.75


class Reading(NamedTuple):
    """A question with the evidence that the model reads, as text and piece by piece."""

    question: str
    text: str
    evidence: tuple[Evidence, ...]


def calling(titles: Sequence[str]) -> str:
    """Return how a sentence on a list of papers begins: with their titles where they are few."""
    if len(titles) > FEW_PAPERS:
        return "These papers"
    *others, last = [f"“{defuse(title)}”" for title in dict.fromkeys(titles)]
    return f"The papers {', '.join(others)} and {last}" if others else f"The paper {last}"


def statement(text: str, titles: Sequence[str] = ()) -> str:
    """Return what a sentence states: without the "Yes, " or "No, ", or the titles of papers, that it may begin with.

    It is "" for one that speaks of the sentences read and not of the papers.
    """
    openings = (*OPENINGS, calling(titles)) if titles else OPENINGS
    rest = next((text.removeprefix(opening) for opening in openings if text.startswith(opening)), text)
    return rest.strip() if re.search(r"\w", rest) and not OF_THE_PROMPT.match(rest) else ""


def without_yes_or_no(text: str) -> str:
    """Return a sentence without the Yes or No that the model began it with of its own accord."""
    rest = statement(text)
    return text if rest == text.strip() else rest[:1].upper() + rest[1:]


class Affirmation(NamedTuple):
    """How probably the answer to a yes/no question is Yes, No and Maybe; they add up to 1."""

    yes: float
    no: float
    maybe: float

    @property
    def opening(self) -> str:
        """How an answer begins: "Yes, " or "No, ", or with neither if the evidence is not clear about it."""
        if self.maybe > max(self.yes, self.no):
            return ""
        if self.yes <= math.exp(SURELY_NO) * self.no:
            return NO
        return YES if self.yes >= math.exp(SURELY_YES) * self.no else ""

    def contradicts(self, opening: str) -> bool:
        """Return whether it is the other one of Yes and No."""
        return {self.opening, opening} == set(OPENINGS)


class Writer:
    """Decides and writes with one generator; `reads` says whether the generator is good enough to decide."""

    def __init__(self, generator: Generator, prompts: PromptFile, settings: Settings, *, reads: bool) -> None:
        self.generator = generator
        self.prompts = prompts
        self.reads = reads
        self._settings = settings

    def read(self, question: str, evidence: Sequence[Evidence], titles: Mapping[str, str]) -> Reading | None:
        """Return the reading of as much evidence as fits; None where nothing is left that gives no orders.

        Raises PromptError where the question leaves no room for any.
        """
        offered = [e for e in evidence if not gives_orders(f"{titles[e.paper_id]} {e.sentence}")]
        if not offered:
            return None
        budget = self.generator.spec.n_ctx - 2 * self._settings.max_tokens
        kept = fit_evidence(
            self.prompts,
            offered,
            titles,
            generator=self.generator,
            wanted=self._settings.read_tokens,
            budget=budget,
            **_blank(question),
        )
        return Reading(question, layout(kept, titles), tuple(kept))

    def states(self, reading: Reading) -> float:
        """Return the probability that the evidence states the answer: that of Yes, read from the first token."""
        prompt = self.prompts.fill("decide", reading.text, question=reading.question)
        return self.generator.choose(prompt, YES_NO)[0]

    def affirms(self, reading: Reading) -> Affirmation:
        """Return how probably the answer to a yes/no question is Yes, No and Maybe, by the evidence.

        It is their geometric mean over the orders in which each stands once at each letter.
        """
        found = np.zeros(len(YES_NO_MAYBE))
        for turn in range(len(YES_NO_MAYBE)):
            order = np.roll(np.arange(len(YES_NO_MAYBE)), -turn)
            first, second, third = (YES_NO_MAYBE[answer] for answer in order)
            prompt = self.prompts.fill(
                "affirm", reading.text, question=reading.question, first=first, second=second, third=third
            )
            found[order] += np.log(np.maximum(self.generator.choose(prompt, LETTERS), LEAST))
        means = np.exp(found / len(YES_NO_MAYBE))
        return Affirmation(*map(float, means / means.sum()))

    def write(self, reading: Reading, *, opening: str = "") -> Pieces[str, None, None]:
        """Yield the model's answer in pieces; the reply begins with `opening`, which is not yielded."""
        return self._generate(self.prompt(reading, opening=opening))

    def rewrite(self, reading: Reading, draft: str, reasons: Sequence[str]) -> str:
        """Return the first sentence of another answer, after one that is not supported; "" where none is whole."""
        prompt = self.prompts.fill(
            "again", reading.text, question=reading.question, draft=draft, reasons="; ".join(reasons)
        )
        sentences = SentenceReader(max_tokens=self._settings.max_tokens)
        with closing(self._generate(prompt)) as pieces:
            for piece in pieces:
                for sentence in sentences.feed(piece):
                    return sentence
        return next(sentences.rest(), "")

    def prompt(self, reading: Reading, *, opening: str = "") -> Prompt:
        """Return the prompt that an answer is written for."""
        prompt = self.prompts.fill("write", reading.text, question=reading.question)
        return prompt.model_copy(update={"reply": opening})

    def _generate(self, prompt: Prompt) -> Pieces[str, None, None]:
        pieces = self.generator.generate(
            prompt,
            grammar=PROSE,
            max_tokens=self._settings.max_tokens,
            temperature=self._settings.temperature,
            seed=self._settings.seed,
        )
        with closing(pieces):
            for piece in pieces:
                yield held(piece)


class SentenceReader:
    """Pieces of text → up to three whole sentences, each as soon as the next one begins.

    The first one begins with `opening`, in which no sentence ends, whatever stands there. `max_tokens` is what the
    text may take at most: a last sentence without a full stop is taken for cut off only where the text may have
    reached that.
    """

    def __init__(self, opening: str = "", *, max_tokens: int = 0) -> None:
        self._opening = opening
        self._buffer = ""
        self._count = 0
        self._pieces = 0
        self._may_be_cut_off = CUT_OFF * max_tokens

    @property
    def full(self) -> bool:
        """Whether no further sentence is wanted."""
        return self._count == MAX_SENTENCES

    def feed(self, piece: str) -> Iterator[str]:
        """Yield the sentences that a piece completes."""
        self._buffer += piece
        self._pieces += 1
        spans = split_sentences(self._buffer)
        for start, end in spans[:-1]:
            if not self.full:
                self._count += 1
                yield self._sentence(self._buffer[0 if self._opening else start : end])
        if len(spans) > 1:
            self._buffer = self._buffer[spans[-1][0] :]

    def rest(self) -> Iterator[str]:
        """Yield the last sentence, unless it was cut off."""
        if self.full or not self._buffer.strip():
            return
        last = self._sentence(self._buffer)
        if last.rstrip("”\"')").endswith(SENTENCE_ENDS):
            yield last
        elif self._pieces < self._may_be_cut_off:
            yield f"{last}."

    def _sentence(self, text: str) -> str:
        opening, self._opening = self._opening, ""
        return clean_text(opening + text)


def _blank(question: str) -> dict[str, str]:
    """Return the values of the longest prompt, to measure it: the draft and the reasons take a reply's tokens each."""
    return {"question": question, "draft": "", "reasons": ""}
