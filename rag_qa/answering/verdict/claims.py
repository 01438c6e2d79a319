"""A sentence by anybody → how far papers support it, and which of the quotes given for it are verbatim."""

from collections.abc import Sequence

from rag_qa.protocols import EntailmentJudge
from rag_qa.types import Paper, Value, Verdict


class QuoteCheck(Value):
    """Whether a quote stands word for word in a paper's abstract, and where: characters `start` to `end`."""

    paper_id: str
    quote: str
    stands: bool
    start: int | None
    end: int | None


class ClaimCheck(Value):
    """How far the evidence supports a sentence, and whether its quotes are verbatim."""

    verdict: Verdict
    quotes: tuple[QuoteCheck, ...]


def check_claim(sentence: str, evidence: Sequence[tuple[Paper, str]], judge: EntailmentJudge) -> ClaimCheck:
    """Judge a sentence by quotes from papers; an empty quote means the whole abstract.

    Only quotes that stand in their paper count as evidence.
    """
    quotes = tuple(check_quote(paper, quote) for paper, quote in evidence if quote.strip())
    texts = [(paper, quote if quote.strip() else paper.abstract) for paper, quote in evidence]
    verbatim = [text for paper, text in texts if text in paper.abstract]
    verdict = judge.judge(sentence, verbatim, context=[paper.heading for paper, _ in evidence])
    return ClaimCheck(verdict=verdict, quotes=quotes)


def check_quote(paper: Paper, quote: str) -> QuoteCheck:
    """Return whether a quote stands in the abstract word for word; a blank one does not."""
    start = paper.abstract.find(quote) if quote.strip() else -1
    stands = start >= 0
    return QuoteCheck(
        paper_id=paper.id,
        quote=quote,
        stands=stands,
        start=start if stands else None,
        end=start + len(quote) if stands else None,
    )
