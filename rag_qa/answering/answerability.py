"""Do the papers on a question's topic also answer it? A logistic regression that looks at what was asked for.

Beside the signals of relevance it reads whether the words that the best paper's title does not explain stand in that
paper, whether the question names what no good paper does, and, where a number is asked for, whether a sentence with
a number speaks of what is counted. Its coefficients and its threshold are data (relevance.toml, `answer`), fitted by
eval/fit_relevance.py. It does not understand what a sentence says: a near miss in the words of an abstract is still
answered.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rag_qa.answering.alignment import weighed_words
from rag_qa.answering.asking import asked
from rag_qa.answering.foreign_names import foreign_codes, foreign_names
from rag_qa.answering.quantities import numbers
from rag_qa.answering.relevance import Relevance, best_signals, keep_relevant, logistic, speaks_to, threshold
from rag_qa.answering.terms import WORD, content_terms, coverage
from rag_qa.types import Paper, Value

NOTHING_RELEVANT = "no paper in the index speaks to this question"
# As many of the most probable papers may hold the names that are asked for.
FIRST_PAPERS = 3
# Words in capitals, one after the other.
SHOUTED = re.compile(r"\b[A-Z]{2,}(?:\W+[A-Z]{2,})+\b")


class Clues(Value):
    """What answerability is read from; each 0 to 1.

    `said` is the share of the question's terms beyond the title of the most probable paper that this paper holds;
    `name_missing` is 1 where the question names what none of the first papers does; `number_missing` is, for a
    question that asks for a number, how far the best sentence with one is from meeting the word for what is counted.
    """

    passage_similarity: float
    sentence_similarity: float
    said: float
    alignment: float
    name_missing: float
    number_missing: float


class Judged(NamedTuple):
    """All papers assessed, those to answer from (none: refused), the probability that they do, why they would not."""

    assessed: Sequence[Relevance]
    relevant: list[Relevance]
    confidence: float
    why_not: str


def judge_answer(
    question: str,
    assessed: Sequence[Relevance],
    papers: Sequence[Paper],
    terms: Sequence[str],
    weights: Mapping[str, float],
    wanted: float | None,
) -> Judged:
    """Return whether the papers answer a question; `assessed` is most probable first and not empty.

    They do where the confidence reaches the one wanted; where none is, the one that ships, and where they also speak
    to the question at all.
    """
    speaks = speaks_to(assessed)
    confidence = logistic("answer", find_clues(question, assessed, papers, terms, weights).model_dump())
    answers = confidence >= wanted if wanted is not None else speaks and confidence >= threshold("answer")
    return Judged(
        assessed=assessed,
        relevant=keep_relevant(assessed) if answers else [],
        confidence=confidence,
        why_not=_not_said(question, papers) if speaks else NOTHING_RELEVANT,
    )


def judge_named(question: str, judged: Judged, papers: Sequence[Paper], least: float) -> Judged:
    """Return the same for a question that says which papers it is about: they answer, where they are at all like it.

    They do not where the question names what none of them does, nor where it asks for a number and the most probable
    one has none.
    """
    first = judged.assessed[0]
    numberless = asked(question).type == "number" and not any(numbers(s.text) for s in first.sentences)
    if numberless or missing_names(question, papers):
        return judged._replace(relevant=[], why_not=_not_said(question, papers))
    return judged._replace(relevant=[paper for paper in judged.assessed if paper.likeness >= least])


def find_clues(
    question: str,
    assessed: Sequence[Relevance],
    papers: Sequence[Paper],
    terms: Sequence[str],
    weights: Mapping[str, float],
) -> Clues:
    """Return the clues; `terms` are the question's, `weights` say how much each tells papers apart."""
    best = best_signals([paper.signals for paper in assessed])
    by_id = {paper.id: paper for paper in papers}
    first = by_id[assessed[0].paper_id]
    few = [by_id[relevance.paper_id] for relevance in assessed[:FIRST_PAPERS]]
    return Clues(
        passage_similarity=best.passage_similarity,
        sentence_similarity=best.sentence_similarity,
        said=_covered(terms, first.heading, first.abstract, weights),
        alignment=assessed[0].signals.alignment,
        name_missing=float(bool(missing_names(question, few))),
        number_missing=_number_missing(question, assessed[0], weights),
    )


def missing_names(question: str, papers: Sequence[Paper]) -> list[str]:
    """Return the names of the question that no paper has, where capitals tell names (NOT SO HERE, Nor In Titles)."""
    known, words = " ".join(map(_all_of, papers)), question.split()
    title_case = 2 * sum(word[0].isupper() for word in words) > len(words)
    spoken = SHOUTED.sub(" ", question)
    return foreign_codes(spoken, known) + ([] if title_case else foreign_names(spoken, known))


def _all_of(paper: Paper) -> str:
    """The paper's text with its metadata, which a question may name too."""
    return " ".join([paper.title, paper.abstract, *paper.authors, paper.venue or "", str(paper.year or "")])


def _number_missing(question: str, first: Relevance, weights: Mapping[str, float]) -> float:
    """How far the sentences with numbers are from meeting the last word of the attribute asked for, 1 without any."""
    wanted = asked(question)
    if wanted.type != "number":
        return 0.0
    numbered = [sentence for sentence in first.sentences if numbers(sentence.text)]
    counted = {word.casefold() for word in WORD.findall(wanted.attribute)}
    places = [
        (n, word.share)
        for n, word in enumerate(weighed_words(question, weights))
        if word.text.casefold() in counted
    ]
    if not numbered or not places:
        return 0.0 if numbered else 1.0
    place, share = places[-1]
    return 1.0 - min(1.0, max(sentence.met[place] for sentence in numbered) / share)


def _covered(terms: Sequence[str], heading: str, text: str, weights: Mapping[str, float]) -> float:
    """The share of the weight of the terms beyond a heading that a text holds; 1 where the heading has them all."""
    explained = set(content_terms(heading))
    beyond = [term for term in terms if term not in explained]
    return coverage(beyond, content_terms(text), weights) if beyond else 1.0


def _not_said(question: str, papers: Sequence[Paper]) -> str:
    if names := missing_names(question, papers):
        return f"relevant papers are here, but none of them names “{names[0]}”"
    attribute = asked(question).attribute
    what = f"“{attribute}”" if attribute else "that"
    return f"relevant papers are here, but none of their abstracts says {what}"
