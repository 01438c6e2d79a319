"""Verdicts: does the evidence that a sentence cites support it, or is the sentence a hallucination?

A calibrated logistic regression over readable features (verdict.toml, fitted by eval/fit/verdict.py, which says on what
and how well it does) under certain rules. A verbatim quote is supported. A sentence with a number that the source does
not have, a negation on one side only, an opposite word or another subject is unsupported. One with a code-like name
that the source does not have, or with a third of its words missing there, is partial at most, unless a language model
finds it there (`with_reading`). It knows no inference, no world knowledge and no contradictions in other words.
Probabilities assume that half of all sentences are supported.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag_qa.answering.logistic import load_model, log_odds, read_toml
from rag_qa.answering.verdict.contradictions import Contrast
from rag_qa.answering.verdict.features import Comparison, Features, compare
from rag_qa.backends.embedding import open_embedder
from rag_qa.backends.entailment import open_entailment
from rag_qa.protocols import Embedder, EntailmentJudge, Matrix, Role, TokenEncoding
from rag_qa.settings import Settings
from rag_qa.text.quantities import in_digits
from rag_qa.text.words import content_terms
from rag_qa.types import Verdict, VerdictLabel

MODELS = ("rag_qa.answering.verdict", "verdict.toml")
# How a verdict and what a language model holds inside count together; written by eval/fit/claims.py.
READ = ("rag_qa.answering.verdict", "read.toml", "read")
# What stands behind these words in the same clause is not asserted.
ASKED = re.compile(r"\b(?:whether|if)\b")
CLAUSE_END = re.compile(r"(?<!\b\w)[.;:](?:\s|$)")
NOT_STATED = "no sentence states it"
VERBATIM = Verdict(label="supported", probability=1.0, reasons=("verbatim",))
NO_EVIDENCE = Verdict(label="unsupported", probability=0.0, reasons=("nothing is cited",))
NO_CONTENT = Verdict(label="unsupported", probability=0.0, reasons=("the sentence says nothing",))
# Texts whose vectors are kept; all have the role `document`.
REMEMBERED = 512
# Missing words and names that a reason lists.
NAMED = 5


class RememberingEmbedder:
    """An embedder that keeps the vectors of the last texts: a sentence is judged against several sets of evidence."""

    def __init__(self, embedder: Embedder) -> None:
        self.spec = embedder.spec
        self._embedder = embedder
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str], *, role: Role) -> Matrix:
        """Return float32 unit vectors, shape (len(texts), dimension), in the order of the texts."""
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if len(self._vectors) + len(new) > REMEMBERED:
            self._vectors.clear()
            new = list(dict.fromkeys(texts))
        if new:
            self._vectors.update(zip(new, self._embedder.encode(new, role=role), strict=True))
        return np.stack([self._vectors[text] for text in texts])

    def encode_tokens(self, texts: Sequence[str], *, role: Role) -> list[TokenEncoding]:
        """Return what the embedder returns."""
        return self._embedder.encode_tokens(texts, role=role)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return what the embedder returns."""
        return self._embedder.count_tokens(texts)


class Verifier:
    """Judges sentences with one embedder; with an entailment model, the probability is that model's."""

    def __init__(self, embedder: Embedder, entailment: EntailmentJudge | None = None) -> None:
        self._embedder = RememberingEmbedder(embedder)
        self._entailment = entailment

    def judge(
        self, sentence: str, evidence: Sequence[str], *, context: Sequence[str] = (), question: str = ""
    ) -> Verdict:
        """Return how far this evidence, and no other, supports the sentence.

        Words, names and numbers of the context (such as the titles of the papers) and of the question count as known.
        What a rule decides costs no embedding. Similarities count only with the embedder that the model was fitted for.
        """
        cited = [text for text in evidence if text.strip()]
        decided = _decide(sentence, cited)
        if decided is not None:
            return decided
        comparison = compare(sentence, cited, None, context, question)
        if self._entailment is not None and not _contradictions(comparison):
            return _under_rules(comparison, self._entailment.judge(sentence, cited, context=context))
        fitted = self._embedder.spec.name == _parameters()["embedder"] and not _contradictions(comparison)
        if fitted:
            comparison = compare(sentence, cited, self._embedder, context, question)
        probability = support_probability(comparison.features, alike=fitted)
        if label_of(probability) == "supported" and _is_foreign(comparison):
            probability = min(probability, _parameters()["foreign"])
        label = label_of(probability)
        reasons = () if label == "supported" else _doubts(comparison)
        return _under_rules(comparison, Verdict(label=label, probability=probability, reasons=reasons))


def judge(
    sentence: str,
    evidence: Sequence[str],
    *,
    context: Sequence[str] = (),
    question: str = "",
    embedder: Embedder | None = None,
) -> Verdict:
    """Return how far the evidence supports the sentence, with the reasons against it.

    `context`, such as the title of the paper, says what the evidence is about; `question` is what the sentence answers.
    The words of both need not be in the evidence. The verdict has a `label` (supported, partial or unsupported), the
    `probability` of support, and `reasons` for people. Without an embedder, the one that the settings name is opened
    if it is needed. Raises ModelNotFoundError if that is not on this machine.

    >>> judge("Bees dance.", ["Bees dance."]).label
    'supported'
    """
    if embedder is None:
        cited = [text for text in evidence if text.strip()]
        return _decide(sentence, cited) or _default().judge(
            sentence, cited, context=context, question=question
        )
    return Verifier(embedder).judge(sentence, evidence, context=context, question=question)


def open_verifier(settings: Settings, embedder: Embedder) -> Verifier:
    """Return the judge of prose, with the entailment model that the settings name, if any.

    Raises ModelNotFoundError if that is not on this machine.
    """
    return Verifier(embedder, open_entailment(settings))


def support_probability(features: Features, *, alike: bool) -> float:
    """Return the probability of support, by the model with similarities (`alike`) or the one with words alone."""
    return load_model(*MODELS, "alike" if alike else "words").probability(features.model_dump())


def is_settled(verdict: Verdict) -> bool:
    """Return whether no reading changes a verdict: that on a verbatim quote, and `unsupported`."""
    return verdict == VERBATIM or verdict.label == "unsupported"


def with_reading(verdict: Verdict, inside: float | None) -> Verdict:
    """Return a verdict that also counts how likely a language model finds the support (`inside`; None: not asked)."""
    if inside is None or is_settled(verdict):
        return verdict
    odds = {"judged": log_odds(verdict.probability), "inside": log_odds(inside)}
    probability = load_model(*READ).probability({**odds, "lesser": min(odds.values())})
    label = label_of(probability)
    reasons = () if label == "supported" else verdict.reasons or (NOT_STATED,)
    return Verdict(label=label, probability=probability, reasons=reasons, read=inside)


def label_of(probability: float) -> VerdictLabel:
    """Return the label for a probability."""
    if probability >= _parameters()["supported"]:
        return "supported"
    return "partial" if probability >= _parameters()["partial"] else "unsupported"


def _decide(sentence: str, cited: Sequence[str]) -> Verdict | None:
    """Return the verdict if it needs no model, else None."""
    said, quotes = _plain(sentence), [_plain(quote) for quote in cited]
    if said and said in quotes:
        return VERBATIM
    if not content_terms(in_digits(sentence)):
        return NO_CONTENT
    if not cited:
        return NO_EVIDENCE
    within = [text for text, quote in zip(cited, quotes, strict=True) if _asserts(quote, said)]
    return VERBATIM if within and not compare(sentence, within, None).contrasts else None


def _asserts(quote: str, said: str) -> bool:
    """Return whether a quote holds what is said, and not as something that it only asks about ("whether …")."""
    *before, _ = f" {quote} ".split(f" {said} ")
    return any(not ASKED.search(CLAUSE_END.split(text)[-1]) for text in before)


def _under_rules(comparison: Comparison, verdict: Verdict) -> Verdict:
    """Return the verdict, or `unsupported` if the sentence contradicts its source or has a number that is not there."""
    against = _contradictions(comparison)
    if not against:
        return verdict
    probability = min(verdict.probability, _parameters()["ruled_out"])
    return Verdict(label="unsupported", probability=probability, reasons=(*against, *verdict.reasons))


def _is_foreign(comparison: Comparison) -> bool:
    return bool(comparison.codes) or comparison.features.coverage < _parameters()["covered"]


def _contradictions(comparison: Comparison) -> list[str]:
    """Return the reasons that rule out support."""
    replaced = {contrast.said for contrast in comparison.contrasts if contrast.kind == "number"}
    missing = [q for q in comparison.quantities if q.number not in replaced]
    found = [f"the number {quantity} is not in the source" for quantity in missing]
    return [*found, *map(_in_words, comparison.contrasts)]


def _in_words(contrast: Contrast) -> str:
    if contrast.kind != "negation":
        return f"says “{contrast.said}” where the source says “{contrast.found}”"
    if contrast.said:
        return f"denies (“{contrast.said}”) what the source says"
    return f"says what the source denies (“{contrast.found}”)"


def _doubts(comparison: Comparison) -> tuple[str, ...]:
    """Return the reasons that make support less likely."""
    names = [*comparison.codes, *comparison.names]
    found = [f"the source does not name {_listed(names)}"] if names else []
    words = [word for word in comparison.missing if word not in names]
    if words:
        found.append(f"the source does not have the words {_listed(words)}")
    return tuple(found) or ("no sentence of the source is close enough to it",)


def _listed(words: Sequence[str]) -> str:
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + more


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".!? ")


@cache
def _default() -> Verifier:
    return Verifier(open_embedder(Settings()))


def _parameters() -> dict[str, Any]:
    return read_toml(*MODELS)
