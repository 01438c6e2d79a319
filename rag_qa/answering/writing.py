"""Evidence → prose by the language model, sentence by sentence, each checked before anyone sees it."""

from collections.abc import Generator as Pieces
from collections.abc import Iterator, Sequence
from contextlib import closing

from rag_qa.answering.citing import REFUSED, Draft, cite, parse_drafts
from rag_qa.answering.composing import quote
from rag_qa.answering.grammar import answer_grammar
from rag_qa.answering.orders import gives_orders
from rag_qa.answering.prompting import PromptTemplate, by_paper, fit_evidence
from rag_qa.answering.receipts import Receipt
from rag_qa.protocols import EntailmentJudge, Generator, Prompt
from rag_qa.settings import Settings
from rag_qa.types import Evidence, ModelInput, Sentence

MAX_SENTENCES = 3
DECLINED = "the language model finds no answer in the sentences nearest to this question"


class Writer:
    """Writes answers with one generator and one prompt."""

    def __init__(
        self, generator: Generator, template: PromptTemplate, settings: Settings, verifier: EntailmentJudge
    ) -> None:
        self._generator = generator
        self._template = template
        self._settings = settings
        self._verifier = verifier

    def write(
        self,
        question: str,
        evidence: Sequence[Evidence],
        best: Sequence[Evidence],
        titles: dict[str, str],
        receipt: Receipt,
    ) -> Iterator[Sentence]:
        """Yield supported prose; a sentence that its citations do not support gives way to what it cites, quoted.

        Where the settings are strict it is left out. A reply without one usable sentence gives way to the `best`
        evidence, quoted; one that is the refusal yields nothing and notes that on the receipt. A sentence with a
        label that does not exist, from a runtime that ignores grammars, is dropped. Evidence that gives orders is not
        offered to the model, and quoted where there is no other.
        """
        settings = self._settings
        offered = [e for e in evidence if not gives_orders(f"{titles[e.paper_id]} {e.sentence}")]
        if not offered:
            yield from map(quote, best)
            return
        with receipt.timed("prompt"):
            prompt, kept = fit_evidence(
                self._template,
                question,
                offered,
                titles,
                generator=self._generator,
                budget=self._generator.spec.n_ctx - settings.max_tokens,
            )
            labels = [[e.label for e in group] for group in by_paper(kept)]
            grammar = answer_grammar(labels, max_sentences=MAX_SENTENCES)
            receipt.note_generation(
                self._generator,
                given=ModelInput(system=prompt.system, user=prompt.user, grammar=grammar),
                prompt_sha256=self._template.sha256,
                tokens=self._generator.count_tokens(prompt),
                dropped=len(evidence) - len(kept),
            )
        by_label = {e.label: e for e in kept}
        said: set[str] = set()
        with closing(self._generate(prompt, grammar)) as pieces:
            for draft in _timed(parse_drafts(pieces), receipt):
                if draft == REFUSED and not said:
                    receipt.declined = DECLINED
                    return
                if not draft.labels or not by_label.keys() >= set(draft.labels):
                    continue
                for sentence in self._checked(draft.text, [by_label[number] for number in draft.labels]):
                    if sentence.text not in said:
                        said.add(sentence.text)
                        yield sentence
        if not said:
            yield from map(quote, best)

    def _generate(self, prompt: Prompt, grammar: str) -> Pieces[str, None, None]:
        settings = self._settings
        return self._generator.generate(
            prompt,
            grammar=grammar,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            seed=settings.seed,
        )

    def _checked(self, text: str, cited: Sequence[Evidence]) -> list[Sentence]:
        verdict = self._verifier.judge(text, [e.sentence for e in cited])
        if verdict.label != "supported":
            return [] if self._settings.strict else [quote(e) for e in cited]
        labels = {e.label: e for e in cited}
        return [Sentence(text=text, kind="prose", citations=cite(list(labels), labels), verdict=verdict)]


def _timed(drafts: Iterator[Draft], receipt: Receipt) -> Iterator[Draft]:
    """Yield the drafts, adding the time that the model takes for them to the stage `generate`."""
    while True:
        with receipt.timed("generate"):
            draft = next(drafts, None)
        if draft is None:
            return
        yield draft
