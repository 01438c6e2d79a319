"""Does a sentence say what it cites? Judged by its words, numbers and names against exactly the cited quotes."""

import re
from collections.abc import Sequence

from rag_qa.answering.terms import WORD, content_terms, numbers
from rag_qa.types import Verdict, VerdictLabel

SUPPORTED = 0.8
PARTIAL = 0.5
NAME = re.compile(r"(?<!^)(?<![.!?] )\b(?:[A-Z]\w*[A-Z0-9]\w*|[A-Z][a-z]+)\b")
NEGATION = re.compile(r"\b(?:no|not|never|nor|without|neither|cannot|fails?|failed)\b|n['’]t\b", re.IGNORECASE)

VERBATIM = Verdict(label="supported", probability=1.0, reasons=("verbatim",))


def judge(sentence: str, evidence: Sequence[str]) -> Verdict:
    """Return how far the evidence supports the sentence.

    `probability` is the share of the sentence's content words that the evidence holds, zero for a sentence
    without evidence; a number, a name or a negation that the evidence lacks makes a sentence unsupported.
    """
    cited = " ".join(evidence)
    if _plain(sentence) and _plain(sentence) in _plain(cited):
        return VERBATIM
    terms = content_terms(sentence)
    known = set(content_terms(cited))
    share = sum(term in known for term in terms) / len(terms) if terms else 0.0
    reasons = tuple(_contradictions(sentence, cited))
    return Verdict(label=_label(share, bool(reasons)), probability=share, reasons=reasons)


def _label(share: float, contradicted: bool) -> VerdictLabel:
    if contradicted or share < PARTIAL:
        return "unsupported"
    return "supported" if share >= SUPPORTED else "partial"


def _contradictions(sentence: str, cited: str) -> list[str]:
    reasons = []
    if unseen := numbers(sentence) - numbers(cited):
        reasons.append(f"numbers not in the source: {', '.join(sorted(unseen))}")
    known = {word.casefold() for word in WORD.findall(cited)}
    if names := {n for n in NAME.findall(sentence) if not _words(n) <= known}:
        reasons.append(f"names not in the source: {', '.join(sorted(names))}")
    if bool(NEGATION.search(sentence)) != bool(NEGATION.search(cited)):
        reasons.append("a negation on one side only")
    return reasons


def _words(name: str) -> set[str]:
    return {word.casefold() for word in WORD.findall(name)}


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".!?")
