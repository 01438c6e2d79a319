"""What the language model reads, decides and writes, with what keeps it honest: writing and verdict put together.

A sentence reaches the reader with what supports it, or not at all: one that nothing supports is written once more, then
gives way to the quote that comes near to it, and else is left out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rag_qa.answering.quoting import quote
from rag_qa.answering.trace import Trace
from rag_qa.answering.writing.attribution import Attribution, attribute, each_alone, known_question, least
from rag_qa.answering.writing.grammar import PROSE
from rag_qa.answering.writing.injection import gives_orders
from rag_qa.answering.writing.writer import (
    FEW_PAPERS,
    Reading,
    SentenceReader,
    Writer,
    calling,
    statement,
    without_yes_or_no,
)
from rag_qa.protocols import EntailmentJudge
from rag_qa.settings import Settings
from rag_qa.types import Event, Evidence, ModelInput, Query, Sentence, Verdict

UNSUPPORTED = (
    "what the language model makes of the sentences nearest to this question is not supported by them"
)
# So many of the best sentences may be quoted where nothing written is supported.
QUOTED = 2
# What is said of several papers must hold of so many.
SEVERAL = 2
# A further quote must come this close to the best sentence read.
WORTH_SAYING = 0.6


class Material(NamedTuple):
    """What an answer is made of: a query, what the model reads, and all that may be cited, with the papers' titles."""

    query: Query
    reading: Reading
    candidates: Sequence[Evidence]
    titles: Mapping[str, str]


class Synthesis:
    """Answers in prose of which every sentence is judged."""

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
        """Return what an answer is made of: `evidence` is read, the candidates may be cited.

        None where all of the evidence addresses its reader.
        """
        with trace.timed("prompt"):
            reading = self._writer.read(query.text, evidence, titles)
        if reading is None:
            return None
        trace.provenance["evidence_dropped"] = len(evidence) - len(reading.evidence)
        kept = [e for e in candidates if not gives_orders(f"{titles[e.paper_id]} {e.sentence}")]
        return Material(query, reading, kept, titles)

    def states(self, material: Material, trace: Trace) -> float | None:
        """Return how probably the evidence states the answer; None by a model that is not good enough to say."""
        if not self._writer.reads:
            return None
        with trace.timed("decide"):
            return self._writer.states(material.reading)

    def write(
        self, material: Material, trace: Trace, *, accepts: Callable[[float, float | None], bool]
    ) -> Iterator[Event]:
        """Yield the answer as it is written, and each sentence once it is known what supports it.

        What the first sentence cites is read once more, alone: nothing is said unless `accepts` takes the probability
        that it states the answer, and that of the verdict. An answer of one sentence is followed by a quote. Where
        nothing written is supported a quote stands in that is accepted by itself, without a verdict.
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

    def introduce(
        self, query: Query, evidence: Sequence[Evidence], titles: Mapping[str, str], trace: Trace
    ) -> Iterator[Event]:
        """Yield a sentence on what the papers of a list have to do with a request, if it is supported.

        It begins with their titles where they are few. Papers whose evidence does not support it by itself are left
        out of it; nothing is said of one paper alone where there are several.
        """
        material = self.read(query, evidence, evidence, titles, trace)
        if material is None:
            return
        listed = material.candidates
        opening = calling([titles[e.paper_id] for e in listed])
        self._note(material.reading, opening, trace)
        for text in self._written(material.reading, opening, trace):
            if isinstance(text, Event):
                yield text
                continue
            said = text.removeprefix(opening)
            with trace.timed("attribute"):
                judged = each_alone(said, listed, titles, self._judge, question=query.text)
            held = [(e, verdict) for e, verdict in zip(listed, judged, strict=True) if _holds(verdict)]
            if held and len(held) >= min(len(listed), SEVERAL):
                named = (
                    opening if len(listed) > FEW_PAPERS else calling([titles[e.paper_id] for e, _ in held])
                )
                sentence = Sentence(
                    text=named + said,
                    kind="prose",
                    citations=tuple(e.citation for e, _ in held),
                    verdict=least(verdict for _, verdict in held),
                )
                yield Event(kind="sentence", sentence=sentence)
            return

    def _opening(self, material: Material, trace: Trace) -> str:
        """Return how the answer to a yes/no question begins, where the model is sure of it."""
        if material.query.kind != "yesno" or not self._writer.reads:
            return ""
        with trace.timed("decide"):
            affirmed = self._writer.affirms(material.reading)
        trace.provenance["affirmed"] = affirmed._asdict()
        return affirmed.opening

    def _written(self, reading: Reading, opening: str, trace: Trace) -> Iterator[Event | str]:
        """Yield pieces of text as they are written, as events, and then whole sentences as texts.

        The model does one thing at a time: it can be asked about a sentence once it has written them all.
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
            )

    def _likelihood(self, text: str, found: Attribution, material: Material) -> float:
        """Return how probably what was found supports a sentence, the words of the question being known."""
        if known_question(material.query) == material.query.text:
            return found.verdict.probability
        titles = [material.titles[e.paper_id] for e in found.evidence]
        quotes = [e.sentence for e in found.evidence]
        verdict = self._judge.judge(statement(text), quotes, context=titles, question=material.query.text)
        return verdict.probability

    def _confirmed(self, material: Material, opening: str, cited: Sequence[Evidence], trace: Trace) -> float:
        """Return how probably what a sentence cites states, by itself, the answer to the question.

        Not at all if the answer begins with a Yes or a No and what is cited says the other.
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
        """Return the first quote that states the answer, where nothing written could be supported."""
        for piece in material.reading.evidence[:QUOTED]:
            if accepts(self._confirmed(material, opening, [piece], trace), None):
                return {piece.sentence: quote(piece)}
        return {}

    def _again(
        self, material: Material, text: str, found: Attribution | None, trace: Trace
    ) -> tuple[str, Attribution | None]:
        """Return the sentence written once more, with the objection, or the first where that is no better."""
        reasons = found.verdict.reasons if found else ()
        with trace.timed("write"):
            other = self._writer.rewrite(material.reading, text, reasons or ("no sentence states it",))
        other = without_yes_or_no(other)
        again = self._attributed(other, material, trace) if other else None
        return (other, again) if _supports(again) else (text, found)

    def _sentence(self, text: str, found: Attribution | None) -> Sentence | None:
        """Return the sentence where it is supported, else the quote that comes near, else None."""
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


def _holds(verdict: Verdict) -> bool:
    return verdict.label == "supported"


def _supports(found: Attribution | None) -> bool:
    return found is not None and _holds(found.verdict)


def _further(material: Material, sentence: Sentence) -> Iterator[Event]:
    """Yield, as a quote, what the papers that a sentence cites say next nearest to the question, if it comes near."""
    evidence = material.reading.evidence
    cited = {citation.paper_id for citation in sentence.citations}
    for piece in evidence:
        near = piece.score >= WORTH_SAYING * max(e.score for e in evidence)
        if near and piece.paper_id in cited and piece.citation not in sentence.citations:
            yield Event(kind="sentence", sentence=quote(piece))
            return
