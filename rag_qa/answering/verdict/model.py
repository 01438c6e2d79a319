"""Does a sentence say what it cites? A calibrated model over readable features, under rules that are certain.

The model is a logistic regression whose coefficients are data (verdict.toml), fitted by eval/fit/verdict.py, which
says on what and how well it does. The rules are what a reader expects: a verbatim quote is supported; a number that
the source does not have, a negation on one side only, or the opposite word in its place is not; and a sentence with
a foreign name, or of which the source lacks a third of the words, is partial at most. What it does not know:
inference, world knowledge, and contradictions in other words. Probabilities are those of a sentence that is as
often supported as not.
"""

import math
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag_qa.answering.verdict.contradictions import Contrast
from rag_qa.answering.verdict.features import Comparison, Features, compare
from rag_qa.backends.embedding import open_embedder
from rag_qa.backends.entailment import open_entailment
from rag_qa.protocols import Embedder, EntailmentJudge, Matrix, Role, TokenEncoding
from rag_qa.settings import Settings
from rag_qa.text.quantities import in_digits
from rag_qa.text.words import content_terms
from rag_qa.types import Verdict, VerdictLabel

VERBATIM = Verdict(label="supported", probability=1.0, reasons=("verbatim",))
NO_EVIDENCE = Verdict(label="unsupported", probability=0.0, reasons=("nothing is cited",))
NO_CONTENT = Verdict(label="unsupported", probability=0.0, reasons=("the sentence says nothing",))
# Texts whose vectors are kept, all judged as documents.
REMEMBERED = 512
# Missing words that a reason names.
NAMED = 5


class RememberingEmbedder:
    """An embedder that keeps the vectors of the last texts: one sentence is judged against several sets of evidence."""

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
        """Return what the embedder does."""
        return self._embedder.encode_tokens(texts, role=role)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return what the embedder does."""
        return self._embedder.count_tokens(texts)


class Verifier:
    """Judges sentences with one embedder; where there is a judge of entailment, the probability is its own."""

    def __init__(self, embedder: Embedder, entailment: EntailmentJudge | None = None) -> None:
        self._embedder = RememberingEmbedder(embedder)
        self._entailment = entailment

    def judge(
        self, sentence: str, evidence: Sequence[str], *, context: Sequence[str] = (), question: str = ""
    ) -> Verdict:
        """Return how far exactly this evidence supports the sentence.

        Words, names and numbers of the context, such as the titles of the papers that the evidence is from, count as
        known, and so do those of the question that the sentence answers. What a rule decides costs no embedding.
        Another embedder than the fitted one counts for nothing.
        """
        cited = [text for text in evidence if text.strip()]
        decided = _decide(sentence, cited)
        if decided is not None:
            return decided
        comparison = compare(sentence, cited, None, context, question)
        if self._entailment is not None and not _contradictions(comparison):
            return _under_rules(comparison, self._entailment.judge(sentence, cited, context=context))
        fitted = self._embedder.spec.name == _model()["embedder"] and not _contradictions(comparison)
        if fitted:
            comparison = compare(sentence, cited, self._embedder, context, question)
        probability = support_probability(comparison.features, alike=fitted)
        if label_of(probability) == "supported" and _is_foreign(comparison):
            probability = min(probability, _model()["foreign"])
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

    `context` says what the evidence speaks of, such as the title of the paper that it is from; `question` is what the
    sentence answers: its words need not stand in the evidence.

    `label` is supported, partial or unsupported; `probability` that of being supported; `reasons` are for people.
    Without an embedder the one that the settings name is opened, where one is needed. Raises ModelNotFoundError.
    """
    if embedder is None:
        cited = [text for text in evidence if text.strip()]
        return _decide(sentence, cited) or _default().judge(
            sentence, cited, context=context, question=question
        )
    return Verifier(embedder).judge(sentence, evidence, context=context, question=question)


def open_verifier(settings: Settings, embedder: Embedder) -> Verifier:
    """Return the judge of prose: with the model of entailment that the settings name, if any.

    Raises ModelNotFoundError where that is not on this machine.
    """
    return Verifier(embedder, open_entailment(settings))


def support_probability(features: Features, *, alike: bool) -> float:
    """Return the probability of support by the model with the similarities (`alike`) or by the one of words alone."""
    model = _model()["alike" if alike else "words"]
    logit = model["intercept"]
    logit += sum(getattr(features, name) * value for name, value in model["coefficients"].items())
    return float(1 / (1 + math.exp(-logit)))


def label_of(probability: float) -> VerdictLabel:
    """Return the label of a probability that no rule overrules."""
    if probability >= _model()["supported"]:
        return "supported"
    return "partial" if probability >= _model()["partial"] else "unsupported"


def _decide(sentence: str, cited: Sequence[str]) -> Verdict | None:
    """Return the verdict that needs no model, if there is one."""
    said, quotes = _plain(sentence), [_plain(quote) for quote in cited]
    if said and said in quotes:
        return VERBATIM
    if not content_terms(in_digits(sentence)):
        return NO_CONTENT
    if not cited:
        return NO_EVIDENCE
    within = [text for text, quote in zip(cited, quotes, strict=True) if f" {said} " in f" {quote} "]
    return VERBATIM if within and not compare(sentence, within, None).contrasts else None


def _under_rules(comparison: Comparison, verdict: Verdict) -> Verdict:
    """Return the verdict, but for a sentence that contradicts its source or has a number that is not there."""
    against = _contradictions(comparison)
    if not against:
        return verdict
    probability = min(verdict.probability, _model()["ruled_out"])
    return Verdict(label="unsupported", probability=probability, reasons=(*against, *verdict.reasons))


def _is_foreign(comparison: Comparison) -> bool:
    return bool(comparison.codes) or comparison.features.coverage < _model()["covered"]


def _contradictions(comparison: Comparison) -> list[str]:
    """Return what no true sentence has, in words for people."""
    replaced = {contrast.said for contrast in comparison.contrasts if contrast.kind == "number"}
    missing = [q for q in comparison.quantities if q.number not in replaced]
    found = [f"the number {quantity} is not in the source" for quantity in missing]
    return [*found, *map(_told, comparison.contrasts)]


def _told(contrast: Contrast) -> str:
    if contrast.kind != "negation":
        return f"says “{contrast.said}” where the source says “{contrast.found}”"
    if contrast.said:
        return f"denies (“{contrast.said}”) what the source says"
    return f"says what the source denies (“{contrast.found}”)"


def _doubts(comparison: Comparison) -> tuple[str, ...]:
    """Return what makes support less likely, in words for people."""
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


@cache
def _model() -> dict[str, Any]:
    return tomllib.loads((files("rag_qa.answering.verdict") / "verdict.toml").read_text(encoding="utf-8"))
