"""A written sentence → the smallest set of evidence sentences that supports it, and the verdict on it.

The model does not cite. All sentences of the papers found are candidates: ranked by the words that they share with
the written sentence, then judged one by one and in pairs. So every citation resolves, and the verdict is on exactly
what is cited, under the titles of the papers. A language model with a probe for it reads the likeliest ones as well.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from rag_qa.protocols import EntailmentJudge
from rag_qa.text.entities import foreign_codes, foreign_names
from rag_qa.text.words import content_terms
from rag_qa.types import Citation, Evidence, Query, Verdict

# How many candidates, and how many pairs of them, are judged.
SINGLES, PAIRS = 4, 4
# How many of either, the likeliest first, the language model reads.
READ = 2
# A sentence, what it cites and the verdict on that → the verdict that counts as well what a language model reads there.
Reads = Callable[[str, Sequence[Evidence], Verdict], Verdict]


class Attribution(NamedTuple):
    """The evidence that a sentence cites, and the verdict on it."""

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
    reads: Reads | None = None,
) -> Attribution | None:
    """Return the best attribution: one candidate if that supports the sentence, else two.

    If not even two do, return the best single candidate (else pair) with its verdict. Candidates whose papers do not
    hold every name in the sentence are left out; return None if none remains. `titles` are by paper id. With `reads`,
    the verdict counts what the language model says of the likeliest candidates.
    """
    ranked = _ranked(sentence, candidates, titles)
    texts = _texts(candidates, titles)
    nearest: Attribution | None = None
    for sets in _sets(sentence, ranked, titles):
        named = [cited for cited in sets if _names_all(sentence, cited, texts)]
        found = [Attribution(cited, _judged(sentence, cited, titles, judge, question)) for cited in named]
        best = _best(sentence, found, reads)
        if best is not None and best.verdict.label == "supported":
            return best
        nearest = nearest or best
    return nearest


def _best(sentence: str, found: Sequence[Attribution], reads: Reads | None) -> Attribution | None:
    """Return the likeliest attribution, or the first of the likeliest that the language model finds supported too."""
    likeliest = sorted(found, key=_probability, reverse=True)
    if reads is None:
        return next(iter(likeliest), None)
    read: list[Attribution] = []
    for attribution in likeliest[:READ]:
        verdict = reads(sentence, attribution.evidence, attribution.verdict)
        read.append(attribution._replace(verdict=verdict))
        if verdict.label == "supported":
            return read[-1]
    return max(read, key=_probability, default=None)


def _probability(attribution: Attribution) -> float:
    return attribution.verdict.probability


def known_question(query: Query) -> str:
    """Return the question whose words an answer may use without evidence for them; "" for a yes/no question.

    The answer to a yes/no question repeats the question, and just that must be in the evidence.
    """
    return "" if query.kind == "yesno" else query.text


def judge_each(
    sentence: str,
    candidates: Sequence[Evidence],
    titles: Mapping[str, str],
    judge: EntailmentJudge,
    *,
    question: str = "",
) -> list[Verdict]:
    """Return the verdict on a sentence about several papers, by each candidate alone."""
    return [_judged(sentence, [candidate], titles, judge, question) for candidate in candidates]


def weakest(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict with the lowest probability, which holds for a sentence about several papers."""
    return min(verdicts, key=lambda verdict: verdict.probability)


def _texts(candidates: Sequence[Evidence], titles: Mapping[str, str]) -> dict[str, str]:
    """Return the title and the candidate sentences of each paper, by its id."""
    texts = dict(titles)
    for candidate in candidates:
        texts[candidate.paper_id] += f" {candidate.sentence}"
    return texts


def _names_all(sentence: str, cited: Sequence[Evidence], texts: Mapping[str, str]) -> bool:
    """Return whether the papers cited hold every name in the sentence, anywhere in their text."""
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
    """Yield the sets that may be cited: first single candidates, then pairs, the best first."""
    singles = ranked[:SINGLES]
    yield [(candidate,) for candidate in singles]
    pairs = ((a, b) for n, b in enumerate(singles) for a in singles[:n] if _both_say(sentence, a, b, titles))
    yield list(islice(pairs, PAIRS))


def _both_say(sentence: str, a: Evidence, b: Evidence, titles: Mapping[str, str]) -> bool:
    """Return whether two candidates may be cited together: if of two papers, each must add a word that is no title's.

    Otherwise the result of one paper could be attributed to the other.
    """
    if a.paper_id == b.paper_id:
        return True
    named = {term for e in (a, b) for term in content_terms(titles[e.paper_id])}
    wanted = set(content_terms(sentence)) - named
    one, other = (wanted & set(content_terms(e.sentence)) for e in (a, b))
    return bool(one - other) and bool(other - one)


def _ranked(sentence: str, candidates: Sequence[Evidence], titles: Mapping[str, str]) -> list[Evidence]:
    """Sort the candidates by the share of the sentence's words that they hold (title words count half) plus score."""
    wanted = set(content_terms(sentence))

    def relevance(candidate: Evidence) -> float:
        own = set(content_terms(candidate.sentence))
        title = set(content_terms(titles[candidate.paper_id])) - own
        shared = len(wanted & own) + len(wanted & title) / 2
        return shared / max(1, len(wanted)) + candidate.score

    return sorted(candidates, key=relevance, reverse=True)
