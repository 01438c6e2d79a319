"""Evidence → an answer in prose, guarded against hallucination: writing and verdict put together.

A sentence that its citations do not support is never shown. It is written once more; if that fails too, the quote
nearest to it takes its place, or it is left out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rag_qa.answering.quoting import quote
from rag_qa.answering.trace import Trace
from rag_qa.answering.verdict.contradictions import restates
from rag_qa.answering.verdict.model import NOT_STATED, is_settled, with_reading
from rag_qa.answering.writing.attribution import (
    Attribution,
    Reads,
    attribute,
    judge_each,
    known_question,
    weakest,
)
from rag_qa.answering.writing.grammar import PROSE
from rag_qa.answering.writing.writer import (
    FEW_PAPERS,
    NO,
    Reading,
    SentenceReader,
    Writer,
    call_papers,
    statement,
    without_yes_or_no,
)
from rag_qa.errors import PromptError
from rag_qa.protocols import EntailmentJudge
from rag_qa.settings import Settings
from rag_qa.types import Event, Evidence, ModelInput, Query, Sentence, Verdict

UNSUPPORTED = (
    "what the language model makes of the sentences nearest to this question is not supported by them"
)
# Sentences that are tried as quotes, best first, if nothing written is supported.
QUOTED = 2
# An introduction to several papers must hold for at least this many.
SEVERAL = 2
# The probability of a verdict on an answer that claims nothing.
NO_VERDICT = 0.5
# A further quote must have this share of the best sentence's score.
WORTH_SAYING = 0.6


class Material(NamedTuple):
    """What an answer is made of: the query, what the model reads, and what may be cited; titles are by paper id."""

    query: Query
    reading: Reading
    candidates: Sequence[Evidence]
    titles: Mapping[str, str]


class Synthesis:
    """Writes answers in prose; every sentence is judged against what it cites."""

    def __init__(self, writer: Writer, judge: EntailmentJudge, settings: Settings) -> None:
        self._writer = writer
        self._judge = judge
        self._settings = settings

    def read(
        self,
        query: Query,
        evidence: Sequence[Evidence],
        candidates: Sequence[Evidence],
        titles: Mapping[str, str],
        trace: Trace,
    ) -> Material | None:
        """Return the material of an answer: the model reads `evidence`, best first, and may cite the candidates.

        Return None if there is no evidence.
        """
        with trace.timed("prompt"):
            reading = self._writer.read(query.text, evidence, titles)
        if reading is None:
            return None
        trace.provenance["evidence_dropped"] = len(evidence) - len(reading.evidence)
        return Material(query, reading, candidates, titles)

    def states(self, material: Material, trace: Trace) -> float | None:
        """Return the probability that the evidence states the answer; None if the model is not trusted to say."""
        if not self._writer.reads:
            return None
        with trace.timed("decide"):
            return self._writer.states(material.reading)

    def matches(
        self, query: Query, papers: Mapping[str, Sequence[Evidence]], titles: Mapping[str, str], trace: Trace
    ) -> dict[str, float]:
        """Return the probability that each paper, by its id, is one that a request asks for, from its evidence alone.

        Return {} if the model is not trusted to say.
        """
        if not self._writer.reads:
            return {}
        with trace.timed("decide"):
            readings = {
                key: self._writer.read(query.text, evidence, titles) for key, evidence in papers.items()
            }
            return {key: self._writer.matches(reading) for key, reading in readings.items() if reading}

    def write(
        self, material: Material, trace: Trace, *, accepts: Callable[[float, float | None], bool]
    ) -> Iterator[Event]:
        """Yield pieces of text as they are written, and each sentence once it is attributed and judged.

        The model reads what the first sentence cites once more, alone. `accepts` then gets the probability that this
        states the answer and the probability of the verdict; if it returns False, nothing is answered. If nothing
        written is supported, the first accepted quote is the answer (`accepts` gets no verdict then). An answer of one
        sentence is followed by a further quote. A Yes before a sentence that denies what is asked, or a No before one
        that affirms it, is left out.
        """
        opening = self._opening(material, trace)
        self._note(material.reading, opening, trace)
        said: dict[str, Sentence] = {}
        rewritten = False
        for text in self._written(material.reading, opening, trace):
            if isinstance(text, Event):
                yield text
                continue
            text = text if opening else without_yes_or_no(text)
            found = self._attributed(text, material, trace)
            if not _supports(found) and not rewritten:
                rewritten = True
                text, found = self._again(material, text, found, trace)
            if opening and restates(statement(text), material.query.text) is (opening == NO):
                opening, text = "", without_yes_or_no(text)
            sentence = self._sentence(text, found)
            if sentence is None or found is None or sentence.text in said:
                continue
            if not said and self._writer.reads:
                cited = [e for e in found.evidence if e.citation in sentence.citations]
                confirmed = self._confirmed(material, opening, cited, trace)
                if not accepts(confirmed, self._likelihood(text, found, material)):
                    return
            said[sentence.text] = sentence
            yield Event(kind="sentence", sentence=sentence)
        if not said and self._writer.reads and not self._settings.strict:
            said = self._quoted(material, opening, trace, accepts)
            yield from (Event(kind="sentence", sentence=sentence) for sentence in said.values())
        if len(said) == 1:
            yield from _further(material, next(iter(said.values())))
        if not said:
            trace.unsupported = UNSUPPORTED

    def contrast(
        self,
        material: Material,
        sides: Sequence[Evidence],
        trace: Trace,
        *,
        accepts: Callable[[float, float | None], bool],
    ) -> Iterator[Event]:
        """Yield the quotes of two papers compared, if `accepts` gets a probability that they state the answer.

        Nothing is written, and so nothing has a verdict: a small language model gives one paper what the other says.
        """
        if not self._writer.reads or accepts(self._confirmed(material, "", sides, trace), NO_VERDICT):
            yield from (Event(kind="sentence", sentence=quote(piece)) for piece in sides)
        else:
            trace.unsupported = UNSUPPORTED

    def introduce(self, material: Material, trace: Trace) -> Iterator[Event]:
        """Yield a sentence on how the candidates meet a request for papers, if it is supported.

        It begins with their titles if they are few. Papers whose own evidence does not support it are left out. Of
        several papers, at least SEVERAL must remain.
        """
        titles, listed = material.titles, material.candidates
        opening = call_papers([titles[e.paper_id] for e in listed])
        self._note(material.reading, opening, trace)
        for text in self._written(material.reading, opening, trace):
            if isinstance(text, Event):
                yield text
                continue
            said = text.removeprefix(opening)
            with trace.timed("attribute"):
                judged = judge_each(said, listed, titles, self._judge, question=material.query.text)
            held = [(e, v) for e, v in zip(listed, judged, strict=True) if v.label == "supported"]
            if held and len(held) >= min(len(listed), SEVERAL):
                named = (
                    opening
                    if len(listed) > FEW_PAPERS
                    else call_papers([titles[e.paper_id] for e, _ in held])
                )
                sentence = Sentence(
                    text=named + said,
                    kind="prose",
                    citations=tuple(e.citation for e, _ in held),
                    verdict=weakest(verdict for _, verdict in held),
                )
                yield Event(kind="sentence", sentence=sentence)
            return

    def _opening(self, material: Material, trace: Trace) -> str:
        """Return how the answer to a yes/no question begins; "" if the model is not sure, or not trusted to say."""
        if material.query.kind != "yesno" or not self._writer.reads:
            return ""
        with trace.timed("decide"):
            affirmed = self._writer.affirms(material.reading)
        trace.provenance["affirmed"] = affirmed._asdict()
        return affirmed.opening

    def _written(self, reading: Reading, opening: str, trace: Trace) -> Iterator[Event | str]:
        """Yield pieces of text as events while they are written, and then the whole sentences as texts.

        Sentences come last, because the model cannot be asked about one while it is still writing.
        """
        sentences = SentenceReader(opening, max_tokens=self._settings.max_tokens)
        whole: list[str] = []
        pieces = self._writer.write(reading, opening=opening)
        while not sentences.full:
            with trace.timed("write"):
                piece = next(pieces, None)
            if piece is None:
                break
            yield Event(kind="piece", piece=piece)
            whole += sentences.feed(piece)
        pieces.close()
        yield from [*whole, *sentences.rest()]

    def _attributed(self, text: str, material: Material, trace: Trace) -> Attribution | None:
        with trace.timed("attribute"):
            return attribute(
                statement(text),
                material.candidates,
                material.titles,
                self._judge,
                question=known_question(material.query),
                reads=self._reads(material),
            )

    def _reads(self, material: Material) -> Reads | None:
        """Return how a verdict counts what the language model reads in what a sentence cites; None if it is not asked.

        An entailment model judges alone: nothing was fitted that adds to it.
        """
        if not self._writer.reads or self._settings.entailment is not None:
            return None

        def reads(sentence: str, cited: Sequence[Evidence], verdict: Verdict) -> Verdict:
            if is_settled(verdict):
                return verdict
            try:
                reading = self._writer.read(material.query.text, cited, material.titles)
            except PromptError:
                return verdict
            if reading is None or len(reading.evidence) < len(cited):
                return verdict
            return with_reading(verdict, self._writer.supports(sentence, reading))

        return reads

    def _likelihood(self, text: str, found: Attribution, material: Material) -> float:
        """Return the probability that the attribution supports a sentence, with the question's words as context."""
        if known_question(material.query) == material.query.text:
            return found.verdict.probability
        titles = [material.titles[e.paper_id] for e in found.evidence]
        quotes = [e.sentence for e in found.evidence]
        verdict = self._judge.judge(statement(text), quotes, context=titles, question=material.query.text)
        return with_reading(verdict, found.verdict.read).probability

    def _confirmed(self, material: Material, opening: str, cited: Sequence[Evidence], trace: Trace) -> float:
        """Return the probability that the sentences cited state the answer by themselves.

        It is 0 if the answer begins with Yes and they say No, or the other way round.
        """
        with trace.timed("decide"):
            reading = self._writer.read(material.query.text, cited, material.titles)
            if reading is None:
                return 0.0
            if opening and self._writer.affirms(reading).contradicts(opening):
                return 0.0
            return self._writer.states(reading)

    def _quoted(
        self, material: Material, opening: str, trace: Trace, accepts: Callable[[float, float | None], bool]
    ) -> dict[str, Sentence]:
        """Return the first of the best sentences that is accepted as a quote, by its text; {} if none is."""
        for piece in material.reading.evidence[:QUOTED]:
            if accepts(self._confirmed(material, opening, [piece], trace), None):
                return {piece.sentence: quote(piece)}
        return {}

    def _again(
        self, material: Material, text: str, found: Attribution | None, trace: Trace
    ) -> tuple[str, Attribution | None]:
        """Write a sentence once more, given the objections; return the old one if the new one is not supported."""
        reasons = found.verdict.reasons if found else ()
        with trace.timed("write"):
            other = self._writer.rewrite(material.reading, text, reasons or (NOT_STATED,))
        other = without_yes_or_no(other)
        again = self._attributed(other, material, trace) if other else None
        return (other, again) if _supports(again) else (text, found)

    def _sentence(self, text: str, found: Attribution | None) -> Sentence | None:
        """Return the sentence if it is supported, else a quote if one supports it in part, else None."""
        if found is None:
            return None
        if _supports(found):
            return Sentence(text=text, kind="prose", citations=found.citations, verdict=found.verdict)
        if found.verdict.label == "partial" and not self._settings.strict:
            return quote(found.evidence[0])
        return None

    def _note(self, reading: Reading, opening: str, trace: Trace) -> None:
        prompt = self._writer.prompt(reading, opening=opening)
        trace.note_generation(
            self._writer.generator,
            given=ModelInput(system=prompt.system, user=prompt.context + prompt.user, grammar=PROSE),
            prompt_sha256=self._writer.prompts.sha256,
            tokens=self._writer.generator.count_tokens(prompt),
        )


def _supports(found: Attribution | None) -> bool:
    return found is not None and found.verdict.label == "supported"


def _further(material: Material, sentence: Sentence) -> Iterator[Event]:
    """Yield the best further sentence of the papers cited as a quote, if its score comes close to the best."""
    evidence = material.reading.evidence
    cited = {citation.paper_id for citation in sentence.citations}
    for piece in evidence:
        near = piece.score >= WORTH_SAYING * max(e.score for e in evidence)
        if near and piece.paper_id in cited and piece.citation not in sentence.citations:
            yield Event(kind="sentence", sentence=quote(piece))
            return
