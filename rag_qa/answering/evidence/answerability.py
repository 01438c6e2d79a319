"""Do the papers on a question's topic also answer it? A logistic regression that looks at what was asked for.

Beside the signals of relevance it reads whether the words that the best paper's title does not explain stand in that
paper, whether the question names what no good paper does, whether, where a number is asked for, a sentence with one
speaks of what is counted, and what the language model says (`Said`). Coefficients and thresholds are data
(relevance.toml): `answer` without a model that reads, `read_answer` once it has read, and `confirmed_answer` once what
it wrote has been confirmed. Without a model that reads, a near miss in the words of an abstract is often answered.
"""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import dropwhile, takewhile
from typing import NamedTuple

from rag_qa.answering.evidence.alignment import weighed_words
from rag_qa.answering.evidence.relevance import (
    Relevance,
    best_signals,
    keep_relevant,
    list_probability,
    logistic,
    speaks_to,
    threshold,
)
from rag_qa.text.entities import foreign_codes, foreign_names
from rag_qa.text.quantities import numbers
from rag_qa.text.words import WORD, content_terms, coverage
from rag_qa.types import Paper, Query, Value

NOTHING_RELEVANT = "no paper in the index speaks to this question"
# As many of the most probable papers may hold the names that are asked for.
FIRST_PAPERS = 3
# A word that no sentence meets better than this is missing: unrelated words in context are this alike.
UNMET = 0.5
ASKING = (
    re.compile(r"\bhow\s+(?:many|much)\b", re.IGNORECASE),
    re.compile(r"\b(?:what|which)\b", re.IGNORECASE),
)
# Nouns whose value is a number. Without a model that reads they find more near misses than the kind of question does.
MEASURED = re.compile(
    r"\b(?:percentage|percent|proportion|fraction|share|number|rates?|ratio|size|scores?|accuracy|precision|recall"
    r"|sensitivity|specificity|speed-?up|speed|latency|throughput|frequency|incidence|prevalence|heritability|dose|dosage"
    r"|average|median|survival|length|temperature|duration|weight|cost|price|budget|epochs?|fid|auc|bleu|rouge|f1|perplexity"
    r"|gain|improvement|hours|days|months|years|error|variance|amount|quantity)\b",
    re.IGNORECASE,
)
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


class Said(NamedTuple):
    """What a language model said of the evidence, as probabilities; None where it was not asked.

    That the evidence states the answer (`stated`); the same of what the written answer cites, alone (`confirmed`); and
    that this supports the answer (`supported`), by the verdict on it.
    """

    stated: float | None = None
    confirmed: float | None = None
    supported: float | None = None


NOTHING_SAID = Said()
# What counts for a quote, which stands in where nothing written was supported: less than a verdict of `partial`.
NOTHING_SUPPORTED = 0.25
# A sentence that repeats its source word for word is supported at .9998, and may still answer another question.
LIKELY = 0.95


class Decision(NamedTuple):
    """Whether the papers answer a question.

    All papers assessed, most probable first; those to answer from (none: it is refused); the probability that they
    answer; why they would not; and what that was read from.
    """

    assessed: Sequence[Relevance]
    relevant: list[Relevance]
    confidence: float
    why_not: str
    clues: Mapping[str, float]


def decide(
    query: Query,
    assessed: Sequence[Relevance],
    papers: Sequence[Paper],
    terms: Sequence[str],
    weights: Mapping[str, float],
    *,
    wanted: float | None = None,
    said: Said = NOTHING_SAID,
) -> Decision:
    """Return whether the papers answer a question; `assessed` is most probable first and not empty.

    They do where the confidence reaches the one wanted; where none is, the one that ships, and where they also speak
    to the question at all, by their scores or by a model that rather says so. Where a model has read but not written
    yet, only what is hardly answerable is refused.
    """
    clues = find_clues(query, assessed, papers, terms, weights).model_dump()
    model = "answer"
    if said.stated is not None:
        model = "read_answer"
    if said.confirmed is not None:
        model = "confirmed_answer"
        clues["supported"] = log_odds(NOTHING_SUPPORTED)
    clues |= {name: log_odds(p) for name, p in said._asdict().items() if p is not None}
    confidence = logistic(model, clues)
    wants = threshold(model) if wanted is None else wanted
    if model == "read_answer":
        wants = min(wants, threshold(model))
    why_not = _not_said(query, assessed, papers, weights)
    speaks = speaks_to(assessed) or (said.stated is not None and said.stated > 0.5)
    return _decision(query, assessed, confidence, confidence >= wants, speaks, wanted, why_not, clues)


def decide_list(
    query: Query,
    assessed: Sequence[Relevance],
    papers: Sequence[Paper],
    weights: Mapping[str, float],
    *,
    wanted: float | None = None,
) -> Decision:
    """Return whether the papers meet a request for papers, and which do.

    `assessed` is most probable first and not empty. Papers need only be on what is asked for, and nothing need be
    stated: relevance alone decides, with the confidence wanted or the one that ships.
    """
    confidence = list_probability(assessed)
    sure = confidence >= (threshold("list") if wanted is None else wanted)
    clues = best_signals([paper.signals for paper in assessed]).model_dump()
    why_not = _not_said(query, assessed, papers, weights)
    return _decision(query, assessed, confidence, sure, speaks_to(assessed), wanted, why_not, clues)


def _decision(
    query: Query,
    assessed: Sequence[Relevance],
    confidence: float,
    sure: bool,
    speaks: bool,
    wanted: float | None,
    why_not: str,
    clues: Mapping[str, float],
) -> Decision:
    """Return the decision, sure enough or not; without a confidence wanted papers must also speak to the question."""
    return Decision(
        assessed=assessed,
        relevant=keep_relevant(assessed) if sure and (speaks or wanted is not None) else [],
        confidence=confidence,
        why_not=why_not if speaks or query.within else NOTHING_RELEVANT,
        clues=clues,
    )


def decide_named(query: Query, decision: Decision, papers: Sequence[Paper], least: float) -> Decision:
    """Return the same for a question that says which papers it is about, where no model read them.

    They answer where they are at all like it; not where it names what none of them does, nor where it asks for a number
    and the most probable one has none.
    """
    first = decision.assessed[0]
    numberless = query.kind == "number" and not any(numbers(s.text) for s in first.sentences)
    if numberless or missing_names(query.topic, papers):
        return decision._replace(relevant=[])
    return decision._replace(relevant=[paper for paper in decision.assessed if paper.likeness >= least])


def log_odds(probability: float) -> float:
    """Return the natural logarithm of the odds, bounded (±2.9): no single clue outweighs all others."""
    bounded = min(max(probability, 1 - LIKELY), LIKELY)
    return math.log(bounded / (1 - bounded))


def find_clues(
    query: Query,
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
        name_missing=float(bool(missing_names(query.topic, few))),
        number_missing=_number_missing(query, assessed[0], weights),
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


def _number_missing(query: Query, first: Relevance, weights: Mapping[str, float]) -> float:
    """How far the sentences with numbers are from meeting the word for what is counted, 1 without any number."""
    if not _asks_for_number(query):
        return 0.0
    numbered = [sentence for sentence in first.sentences if numbers(sentence.text)]
    counted = _counted(query.topic)
    places = [(n, w.share) for n, w in enumerate(weighed_words(query.topic, weights)) if w.text in counted]
    if not numbered or not places:
        return 0.0 if numbered else 1.0
    place, share = places[-1]
    return 1.0 - min(1.0, max(sentence.met[place] for sentence in numbered) / share)


def _asks_for_number(query: Query) -> bool:
    """Return whether a number is asked for: by its kind, or by a noun whose value is one ("vocabulary size")."""
    if query.kind in ("which", "yesno"):
        return False
    return query.kind == "number" or bool(ASKING[0].search(query.topic) or MEASURED.search(query.topic))


def _counted(question: str) -> list[str]:
    """Return what is counted or measured: the first content words after "how many", "what" or "which"."""
    for asking in ASKING:
        if found := asking.search(question):
            words = dropwhile(_says_nothing, WORD.findall(question[found.end() :]))
            if counted := list(takewhile(lambda word: not _says_nothing(word), words)):
                return counted
    return MEASURED.findall(question)


def _says_nothing(word: str) -> bool:
    return not content_terms(word)


def _covered(terms: Sequence[str], heading: str, text: str, weights: Mapping[str, float]) -> float:
    """The share of the weight of the terms beyond a heading that a text holds; 1 where the heading has them all."""
    explained = set(content_terms(heading))
    beyond = [term for term in terms if term not in explained]
    return coverage(beyond, content_terms(text), weights) if beyond else 1.0


def _not_said(
    query: Query, assessed: Sequence[Relevance], papers: Sequence[Paper], weights: Mapping[str, float]
) -> str:
    """Say what is missing: a name that no paper has, else the word that the nearest sentences meet least."""
    if names := missing_names(query.topic, papers):
        return f"relevant papers are here, but none of them names “{names[0]}”"
    words = weighed_words(query.topic, weights)
    nearest = [s for paper in assessed[:FIRST_PAPERS] for s in paper.sentences if len(s.met) == len(words)]
    unmet = [
        (max(s.met[n] for s in nearest) / word.share, word.text)
        for n, word in enumerate(words)
        if nearest and word.share > 0
    ]
    if unmet and min(unmet)[0] < UNMET:
        return f"relevant papers are here, but none of their abstracts says that of “{min(unmet)[1]}”"
    return "relevant papers are here, but none of their abstracts says that"
