"""A written sentence → the smallest set of evidence sentences that supports it, and the verdict on it.

The model says nothing of where it read what it wrote. All sentences of the papers found are candidates; they are
ranked by the words of the sentence that they hold, and the best are judged one by one, then in pairs. So a citation
always resolves, and the verdict is of exactly what is cited, under the titles of the papers.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from rag_qa.protocols import EntailmentJudge
from rag_qa.text.words import content_terms
from rag_qa.types import Citation, Evidence, Verdict

# Candidates that are judged alone, and pairs of them that are.
SINGLES, PAIRS = 4, 4


class Attribution(NamedTuple):
    """The evidence that a sentence cites, and how well that supports it."""

    evidence: tuple[Evidence, ...]
    verdict: Verdict

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The citations of the evidence."""
        return tuple(e.citation for e in self.evidence)


def attribute(
    sentence: str, candidates: Sequence[Evidence], titles: Mapping[str, str], judge: EntailmentJudge
) -> Attribution | None:
    """Return the best attribution: one candidate if it supports the sentence, else two; None without candidates.

    Where nothing supports the sentence, the one that comes nearest is returned with its verdict.
    """
    best: Attribution | None = None
    for sets in _sets(sentence, _ranked(sentence, candidates, titles), titles):
        for cited in sets:
            verdict = judge.judge(
                sentence, [e.sentence for e in cited], context=tuple(titles[e.paper_id] for e in cited)
            )
            if best is None or verdict.probability > best.verdict.probability:
                best = Attribution(cited, verdict)
        if best is not None and best.verdict.label == "supported":
            break
    return best


def _sets(
    sentence: str, ranked: Sequence[Evidence], titles: Mapping[str, str]
) -> Iterator[list[tuple[Evidence, ...]]]:
    """Yield what may be cited: the first candidates alone, then pairs of them, the best first."""
    singles = ranked[:SINGLES]
    yield [(candidate,) for candidate in singles]
    pairs = ((a, b) for n, b in enumerate(singles) for a in singles[:n] if _both_say(sentence, a, b, titles))
    yield list(islice(pairs, PAIRS))


def _both_say(sentence: str, a: Evidence, b: Evidence, titles: Mapping[str, str]) -> bool:
    """Return whether each of two papers says more of the sentence than a name: the result of one is not the other's."""
    if a.paper_id == b.paper_id:
        return True
    named = {term for e in (a, b) for term in content_terms(titles[e.paper_id])}
    wanted = set(content_terms(sentence)) - named
    one, other = (wanted & set(content_terms(e.sentence)) for e in (a, b))
    return bool(one - other) and bool(other - one)


def _ranked(sentence: str, candidates: Sequence[Evidence], titles: Mapping[str, str]) -> list[Evidence]:
    """Return the candidates by the share of the sentence's words that they hold, titles at half, then by score."""
    wanted = set(content_terms(sentence))

    def held(candidate: Evidence) -> float:
        own = set(content_terms(candidate.sentence))
        title = set(content_terms(titles[candidate.paper_id])) - own
        shared = len(wanted & own) + len(wanted & title) / 2
        return shared / max(1, len(wanted)) + candidate.score

    return sorted(candidates, key=held, reverse=True)
