"""Does a sentence say what it cites? Judged by its words, numbers and names against exactly the cited quotes."""

import re
from collections.abc import Sequence

from rag_qa.answering.terms import WORD, content_terms, in_digits, numbers, stems, topic_terms
from rag_qa.types import Verdict, VerdictLabel

SUPPORTED = 0.8
PARTIAL = 0.5
# A word with two capitals or a digit is a name anywhere; one with a single capital only inside a sentence.
NAME = re.compile(r"\b[A-Z]\w*[A-Z0-9]\w*\b|(?<!^)(?<![.!?] )\b[A-Z][a-z]+\b")
NEGATION = re.compile(
    r"\b(?:no|not|never|nor|without|neither|cannot|fails?|failed)\b|n['\u2019]t\b", re.IGNORECASE
)

OPPOSITES = (
    ("increase rise grow", "decrease reduce drop shrink"),
    ("improve", "degrade worsen harm hurt"),
    ("higher", "lower"),
    ("better", "worse"),
    ("faster", "slower"),
    ("larger bigger greater", "smaller"),
    ("more", "less fewer"),
    ("outperform", "underperform"),
)

VERBATIM = Verdict(label="supported", probability=1.0, reasons=("verbatim",))


def judge(sentence: str, evidence: Sequence[str]) -> Verdict:
    """Return how far the evidence supports the sentence.

    `probability` is the share of the sentence's content words that the evidence holds, zero for a sentence
    without evidence; a number, a name or a negation that the evidence lacks makes a sentence unsupported.
    """
    cited = " ".join(evidence)
    reasons = tuple(_contradictions(sentence, cited))
    if _is_verbatim(sentence, evidence, bool(reasons)):
        return VERBATIM
    terms = content_terms(in_digits(sentence))
    known = set(content_terms(in_digits(cited)))
    share = sum(term in known for term in terms) / len(terms) if terms else 0.0
    return Verdict(label=_label(share, bool(reasons)), probability=share, reasons=reasons)


def _is_verbatim(sentence: str, evidence: Sequence[str], contradicted: bool) -> bool:
    """Return whether the sentence is a quote, or a part of one that leaves no negation out."""
    said, quotes = _plain(sentence), [_plain(quote) for quote in evidence]
    return bool(said) and (said in quotes or (not contradicted and any(said in quote for quote in quotes)))


def _label(share: float, contradicted: bool) -> VerdictLabel:
    if contradicted or share < PARTIAL:
        return "unsupported"
    return "supported" if share >= SUPPORTED else "partial"


def _contradictions(sentence: str, cited: str) -> list[str]:
    reasons = []
    if unseen := numbers(sentence) - numbers(cited):
        reasons.append(f"numbers not in the source: {', '.join(sorted(unseen))}")
    known = {word.casefold() for word in WORD.findall(cited)}
    names = {name for name in NAME.findall(sentence) if not _words(name) <= known} | _subject(sentence, cited)
    if names:
        reasons.append(f"names not in the source: {', '.join(sorted(names))}")
    if bool(NEGATION.search(sentence)) != bool(NEGATION.search(cited)):
        reasons.append("a negation on one side only")
    if _opposite(stems(sentence), stems(cited)):
        reasons.append("the opposite of the source")
    return reasons


def _opposite(said: set[str], cited: set[str]) -> bool:
    """Return whether one side says only "more" where the other says only "less", in any such pair."""
    for one, other in OPPOSITES:
        sides = (stems(one), stems(other))
        here, there = [[bool(words & side) for side in sides] for words in (said, cited)]
        if here in ([True, False], [False, True]) and there == here[::-1]:
            return True
    return False


def _subject(sentence: str, cited: str) -> set[str]:
    """Return the opening word where the source does not have it: at a sentence's head any word may be a name."""
    opening = WORD.search(sentence)
    terms = topic_terms(opening.group()) if opening else []
    return {opening.group()} if opening and not set(terms) <= stems(cited) else set()


def _words(name: str) -> set[str]:
    return {word.casefold() for word in WORD.findall(name)}


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".!?")
