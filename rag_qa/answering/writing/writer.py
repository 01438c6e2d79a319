"""Evidence → what the language model makes of it: whether it states the answer, yes or no, and an answer in prose.

All prompts over the same evidence begin with it, so the model reads it once. It writes no citations, and nothing here
checks what it writes: `attribution` does.
"""

import logging
import math
import re
from collections.abc import Generator as Pieces
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

import numpy as np

from rag_qa.answering.writing.grammar import PROSE, conform
from rag_qa.answering.writing.probe import AFFIRMED, MATCHED, STATED, SUPPORTED, load_probe
from rag_qa.answering.writing.prompt import PromptFile, defuse, fit_evidence, layout
from rag_qa.corpus.cleaning import clean_text
from rag_qa.errors import BackendError
from rag_qa.protocols import Generator, Prompt, ReadableGenerator
from rag_qa.settings import Settings
from rag_qa.text.sentences import split_sentences
from rag_qa.types import Evidence

log = logging.getLogger(__name__)

MAX_SENTENCES = 3
YES_NO = ("Yes", "No")
YES_NO_MAYBE = ("Yes", "No", "Maybe")
LETTERS = ("A", "B", "C")
# Probabilities below this are rounding errors.
LEAST = 1e-6
SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")
OPENINGS = YES, NO = ("Yes, ", "No, ")
# A sentence about the prompt and not about the papers: the model's way to say that the evidence has no answer.
OF_THE_PROMPT = re.compile(r"\s*(?:the|these|those)\s+(?:\w+\s+)?sentences\b", re.IGNORECASE)
# Quotation marks, and those of inches or seconds, which may be some of them.
QUOTATION_MARK, INCHES = re.compile(r"[“”\"]"), re.compile(r"\d\"")
# Up to this number of papers are called by their titles.
FEW_PAPERS = 3
# How much the model prefers to reply Yes, in log(P(yes) / P(no)), and the least that the rest of it must be for the
# answer to say Yes or No. Of 71 questions of PubMedQA, 19 of 27 answers were right when the reply was Yes at twice the
# probability of No.
AGREES, SURELY = 0.425, 0.275
# A text is taken for cut off at max_tokens if it came in this share of as many pieces: a piece may have several tokens.
CUT_OFF = 0.75


class Reading(NamedTuple):
    """A question, and the evidence that the model reads for it: as the text of the prompt, and piece by piece."""

    question: str
    text: str
    evidence: tuple[Evidence, ...]


def call_papers(titles: Sequence[str]) -> str:
    """Return how a sentence about several papers begins: with their titles if they are few, else "These papers".

    >>> call_papers(["On soup", "On bees"])
    'The papers “On soup” and “On bees”'
    """
    if len(titles) > FEW_PAPERS:
        return "These papers"
    *others, last = [f"“{defuse(title)}”" for title in dict.fromkeys(titles)]
    return f"The papers {', '.join(others)} and {last}" if others else f"The paper {last}"


def statement(text: str, titles: Sequence[str] = ()) -> str:
    """Return the claim of a sentence: without "Yes, ", "No, " or the titles that it may begin with.

    Return "" for a sentence about the prompt ("These sentences do not say …"), and for one with a quotation that does
    not begin or end. Call with `titles` for the introduction of a list of these papers.

    >>> statement("Yes, bees dance.")
    'bees dance.'
    """
    openings = (*OPENINGS, call_papers(titles)) if titles else OPENINGS
    rest = next((text.removeprefix(opening) for opening in openings if text.startswith(opening)), text)
    claims = re.search(r"\w", rest) and not OF_THE_PROMPT.match(rest) and not _quotes_in_part(rest)
    return rest.strip() if claims else ""


def _quotes_in_part(text: str) -> bool:
    """Return whether a quotation in a sentence does not begin or not end."""
    marks, inches = (len(pattern.findall(text)) for pattern in (QUOTATION_MARK, INCHES))
    return marks % 2 == 1 and (marks - inches) % 2 == 1


def without_yes_or_no(text: str) -> str:
    """Return a sentence without a "Yes, " or "No, " that the model wrote of its own accord."""
    rest = statement(text)
    return text if rest == text.strip() else rest[:1].upper() + rest[1:]


class Affirmation(NamedTuple):
    """The probabilities that the answer to a yes/no question is Yes, No and Maybe; they add up to 1."""

    yes: float
    no: float
    maybe: float

    @property
    def opening(self) -> str:
        """How the answer begins: "Yes, ", "No, ", or "" if the evidence is not clear."""
        if self.maybe > max(self.yes, self.no):
            return ""
        if self.no >= math.exp(SURELY) * self.yes:
            return NO
        return YES if self.yes >= math.exp(SURELY) * self.no else ""

    def contradicts(self, opening: str) -> bool:
        """Return whether this says Yes and the opening says No, or the other way round."""
        return {self.opening, opening} == set(OPENINGS)


class Writer:
    """Decides and writes with one generator; `reads` is whether its decisions can be trusted."""

    def __init__(self, generator: Generator, prompts: PromptFile, settings: Settings, *, reads: bool) -> None:
        self.generator = generator
        self.prompts = prompts
        self.reads = reads
        self._settings = settings

    def read(self, question: str, evidence: Sequence[Evidence], titles: Mapping[str, str]) -> Reading | None:
        """Return as much of the evidence as fits, best first; None if there is none.

        Raises PromptError if the question leaves no room for any.
        """
        if not evidence:
            return None
        # The longest prompt also holds a draft and the reasons against it: a reply's tokens each.
        budget = self.generator.spec.n_ctx - 2 * self._settings.max_tokens
        kept = fit_evidence(
            self.prompts,
            evidence,
            titles,
            generator=self.generator,
            wanted=self._settings.read_tokens,
            budget=budget,
            question=question,
            draft="",
            reasons="",
        )
        return Reading(question, layout(kept, titles), tuple(kept))

    def states(self, reading: Reading) -> float:
        """Return the probability that the evidence states the answer.

        A probe tells it from what the model holds inside, if one was fitted for this model and prompt; else it is that
        of the first token being Yes, not No.
        """
        inside = self._inside(STATED, reading, question=reading.question)
        return self._yes("decide", reading) if inside is None else inside

    def supports(self, sentence: str, reading: Reading) -> float | None:
        """Return the probability that the evidence states everything that a sentence says; None without a probe."""
        return self._inside(SUPPORTED, reading, claim=sentence)

    def matches(self, reading: Reading) -> float:
        """Return the probability that the paper whose evidence was read is one that a request for papers asks for.

        Found like that of `states`.
        """
        inside = self._inside(MATCHED, reading, question=reading.question)
        return self._yes("match", reading) if inside is None else inside

    def _inside(self, name: str, reading: Reading, **values: str) -> float | None:
        """Return the probability that a probe reads from inside the model; None if it does not fit, or cannot."""
        generator = self.generator
        if not isinstance(generator, ReadableGenerator):
            return None
        probe = load_probe(name)
        if not probe.is_fitted_for(generator.spec, self.prompts):
            return None
        prompt = self.prompts.fill(probe.prompt, reading.text, **values)
        try:
            return probe.probability(generator.hidden_state(prompt, layer=probe.layer))
        except BackendError as exc:
            log.warning("what the language model holds inside does not count: %s", exc)
            return None

    def _yes(self, name: str, reading: Reading) -> float:
        prompt = self.prompts.fill(name, reading.text, question=reading.question)
        return self.generator.choose(prompt, YES_NO)[0]

    def affirms(self, reading: Reading) -> Affirmation:
        """Return the probabilities that the evidence answers a yes/no question with Yes, No and Maybe.

        A probe tells Yes from No. Without one, the model chooses between lettered options three times, so that each
        option has each letter once. The geometric mean of the three removes its preference for a letter.
        """
        yes = self._inside(AFFIRMED, reading, question=reading.question)
        if yes is not None:
            return Affirmation(yes, 1 - yes, 0.0)
        found = np.zeros(len(YES_NO_MAYBE))
        for rotation in range(len(YES_NO_MAYBE)):
            order = np.roll(np.arange(len(YES_NO_MAYBE)), -rotation)
            first, second, third = (YES_NO_MAYBE[answer] for answer in order)
            prompt = self.prompts.fill(
                "affirm", reading.text, question=reading.question, first=first, second=second, third=third
            )
            found[order] += np.log(np.maximum(self.generator.choose(prompt, LETTERS), LEAST))
        means = np.exp(found / len(YES_NO_MAYBE) - (AGREES, 0, 0))
        return Affirmation(*map(float, means / means.sum()))

    def write(self, reading: Reading, *, opening: str = "") -> Pieces[str, None, None]:
        """Yield the answer in pieces of text. The reply begins with `opening`, which is not yielded."""
        return self._generate(self.prompt(reading, opening=opening))

    def rewrite(self, reading: Reading, draft: str, reasons: Sequence[str]) -> str:
        """Return the first sentence of a new answer, given a draft and the reasons against it; "" if none is whole."""
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
        """Return the prompt for which the answer is written."""
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
                yield conform(piece)


class SentenceReader:
    """Pieces of text → up to MAX_SENTENCES whole sentences, each as soon as the next one begins.

    `opening` is put before the first sentence and never split. A last sentence without a full stop is dropped if the
    text may have been cut off at `max_tokens`.
    """

    def __init__(self, opening: str = "", *, max_tokens: int = 0) -> None:
        self._opening = opening
        self._buffer = ""
        self._count = 0
        self._pieces = 0
        self._may_be_cut_off = CUT_OFF * max_tokens

    @property
    def full(self) -> bool:
        """Whether there are as many sentences as wanted."""
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
