"""A written sentence → the smallest set of evidence sentences that supports it, and the verdict on it.

The model says nothing of where it read what it wrote. All sentences of the papers found are candidates; they are
ranked by the words of the sentence that they hold, and the best are judged one by one, then in pairs. So a citation
always resolves, and the verdict is of exactly what is cited, under the titles of the papers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from rag_qa.protocols import EntailmentJudge
from rag_qa.text.entities import foreign_codes, foreign_names
from rag_qa.text.words import content_terms
from rag_qa.types import Citation, Evidence, Query, Verdict

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
    sentence: str,
    candidates: Sequence[Evidence],
    titles: Mapping[str, str],
    judge: EntailmentJudge,
    *,
    question: str = "",
) -> Attribution | None:
    """Return the best attribution: one candidate if it supports the sentence, else two.

    Where not even two support the sentence, what comes nearest is returned with its verdict; None without candidates
    whose papers name, somewhere, all that the sentence names.
    """
    ranked = _ranked(sentence, candidates, titles)
    texts = _texts(candidates, titles)
    nearest: Attribution | None = None
    for sets in _sets(sentence, ranked, titles):
        named = [cited for cited in sets if _names_all(sentence, cited, texts)]
        found = [Attribution(cited, _judged(sentence, cited, titles, judge, question)) for cited in named]
        best = max(found, key=lambda attribution: attribution.verdict.probability, default=None)
        if best is not None and best.verdict.label == "supported":
            return best
        nearest = nearest or best
    return nearest


def known_question(query: Query) -> str:
    """Return the question whose words are known to a sentence that answers it: none of a yes/no question.

    Such an answer says again what was asked, and that is just what must stand in the evidence.
    """
    return "" if query.kind == "yesno" else query.text


def each_alone(
    sentence: str,
    candidates: Sequence[Evidence],
    titles: Mapping[str, str],
    judge: EntailmentJudge,
    *,
    question: str = "",
) -> list[Verdict]:
    """Return the verdict of each candidate on a sentence that is said of all their papers."""
    return [_judged(sentence, [candidate], titles, judge, question) for candidate in candidates]


def least(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict that supports least: that of a sentence which is said of several papers."""
    return min(verdicts, key=lambda verdict: verdict.probability)


def _texts(candidates: Sequence[Evidence], titles: Mapping[str, str]) -> dict[str, str]:
    """Return what is known of each paper: its title and its sentences."""
    texts = dict(titles)
    for candidate in candidates:
        texts[candidate.paper_id] += f" {candidate.sentence}"
    return texts


def _names_all(sentence: str, cited: Sequence[Evidence], texts: Mapping[str, str]) -> bool:
    """Return whether the papers cited name, anywhere, all that the sentence names."""
    known = " ".join(dict.fromkeys(texts[e.paper_id] for e in cited))
    return not (foreign_names(sentence, known) or foreign_codes(sentence, known))


def _judged(
    sentence: str,
    cited: Sequence[Evidence],
    titles: Mapping[str, str],
    judge: EntailmentJudge,
    question: str,
) -> Verdict:
    context = tuple(titles[e.paper_id] for e in cited)
    return judge.judge(sentence, [e.sentence for e in cited], context=context, question=question)


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
