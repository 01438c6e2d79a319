"""Answerability: do the papers found answer the question, or should it abstain? Logistic regressions over `Clues`.

There are three models in relevance.toml: `answer` if no language model reads the evidence, `read_answer` once it has
read, and `confirmed_answer` once what it wrote has been confirmed. The last two read what it said (`Said`). Without a
language model, a near miss in the words of an abstract is often answered.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import dropwhile, takewhile
from typing import NamedTuple

from rag_qa.answering.evidence.alignment import weighed_words
from rag_qa.answering.evidence.relevance import (
    Relevance,
    best_signals,
    is_on_topic,
    keep_relevant,
    list_probability,
    logistic,
    reassess,
    threshold,
    topic_probability,
)
from rag_qa.answering.logistic import log_odds
from rag_qa.text.entities import foreign_codes, foreign_names
from rag_qa.text.quantities import numbers
from rag_qa.text.words import WORD, content_terms, coverage
from rag_qa.types import Paper, Query, Value

NOTHING_RELEVANT = "no paper in the index speaks to this question"
# The names in the question are looked for in this many of the most probable papers.
FIRST_PAPERS = 3
# A word that no sentence meets better than this is missing: unrelated words are about this similar.
UNMET = 0.5
ASKING = (
    re.compile(r"\bhow\s+(?:many|much)\b", re.IGNORECASE),
    re.compile(r"\b(?:what|which)\b", re.IGNORECASE),
)
# Nouns whose value is a number. Without a language model they find near misses that the kind of question does not.
MEASURED = re.compile(
    r"\b(?:percentage|percent|proportion|fraction|share|number|rates?|ratio|size|scores?|accuracy|precision|recall"
    r"|sensitivity|specificity|speed-?up|speed|latency|throughput|frequency|incidence|prevalence|heritability|dose|dosage"
    r"|average|median|survival|length|temperature|duration|weight|cost|price|budget|epochs?|fid|auc|bleu|rouge|f1|perplexity"
    r"|gain|improvement|hours|days|months|years|error|variance|amount|quantity)\b",
    re.IGNORECASE,
)
# Two or more words in capitals, one after the other.
SHOUTED = re.compile(r"\b[A-Z]{2,}(?:\W+[A-Z]{2,})+\b")


class Clues(Value):
    """The features of answerability, each 0 to 1.

    `said` is the weighted share of the question's terms, without those of the most probable paper's title, that this
    paper's abstract holds. `name_missing` is 1 if the question has a name that none of the first papers has.
    `number_missing` is 0 unless a number is asked for; then it is how far the best sentence with a number is from
    meeting the word for what is counted.
    """

    passage_similarity: float
    sentence_similarity: float
    said: float
    alignment: float
    name_missing: float
    number_missing: float


class Said(NamedTuple):
    """What the language model said of the evidence, as probabilities; None if it was not asked.

    `stated`: the evidence states the answer. `confirmed`: the sentences that the written answer cites state it by
    themselves. `supported`: these sentences support the written answer, by its verdict.
    """

    stated: float | None = None
    confirmed: float | None = None
    supported: float | None = None


NOTHING_SAID = Said()
# `supported` of a quote that takes the place of prose: the bound below which a verdict is `unsupported`.
NOTHING_SUPPORTED = 0.25


class Decision(NamedTuple):
    """Whether the papers answer a question.

    `assessed` are all papers, most probable first; `relevant` those to answer from, [] for an abstention; `confidence`
    is the probability that they answer; `why_not` is the reason of an abstention, `clues` the features by name, with
    the probability that the papers are on the question's topic at all (`topic`).
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

    They do if the confidence reaches `wanted`. If that is None, the confidence must reach the fitted threshold, and the
    papers must be on the question's topic, by their scores or because these and what the language model says make it
    likelier than not. Once the model has read but not yet written, only what is hardly answerable is refused.

    `terms` are the question's, `weights` their inverse document frequencies.
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
    speaks = is_on_topic(assessed)
    if said.stated is not None:
        speaks = speaks or log_odds(topic_probability(assessed)) + log_odds(said.stated) > 0
    kept = keep_relevant(assessed) if confidence >= wants else []
    return _decision(query, assessed, kept, confidence, speaks, wanted, why_not, clues)


def decide_list(
    query: Query,
    assessed: Sequence[Relevance],
    papers: Sequence[Paper],
    weights: Mapping[str, float],
    *,
    wanted: float | None = None,
    matched: Mapping[str, float] | None = None,
) -> Decision:
    """Return whether the papers meet a request for papers, and which of them do.

    The confidence is by relevance, and by a language model's probabilities that single papers are what is asked for
    (`matched`, by their ids) if there are any. It must reach `wanted`, or the fitted threshold if that is None.
    `assessed` is most probable first and not empty.
    """
    model, confidence = "list", list_probability(assessed)
    clues = best_signals([paper.signals for paper in assessed]).model_dump()
    kept = keep_relevant(assessed)
    if matched:
        model = "matched_list"
        best_first = reassess(assessed, matched)
        kept = keep_relevant(best_first, "matched_paper")
        clues |= {"matched": log_odds(max(matched.values())), "best": log_odds(best_first[0].probability)}
        confidence = logistic(model, clues)
    if confidence < (threshold(model) if wanted is None else wanted):
        kept = []
    why_not = _not_said(query, assessed, papers, weights)
    return _decision(query, assessed, kept, confidence, is_on_topic(assessed), wanted, why_not, clues)


def _decision(
    query: Query,
    assessed: Sequence[Relevance],
    kept: list[Relevance],
    confidence: float,
    speaks: bool,
    wanted: float | None,
    why_not: str,
    clues: Mapping[str, float],
) -> Decision:
    """Return the decision: papers are kept if, unless a confidence is wanted, they are on the question's topic."""
    return Decision(
        assessed=assessed,
        relevant=kept if speaks or wanted is not None else [],
        confidence=confidence,
        why_not=why_not if speaks or query.within else NOTHING_RELEVANT,
        clues={**clues, "topic": topic_probability(assessed)},
    )


def decide_named(query: Query, decision: Decision, papers: Sequence[Paper], least: float) -> Decision:
    """Return the decision on a question that names its papers, if no language model reads them: rules replace scores.

    Every paper counts whose likeness reaches `least`. None does if the question has a name that no paper has, or if it
    asks for a number and the most probable paper has none.
    """
    first = decision.assessed[0]
    numberless = query.kind == "number" and not any(numbers(s.text) for s in first.sentences)
    if numberless or missing_names(query.topic, papers):
        return decision._replace(relevant=[])
    return decision._replace(relevant=[paper for paper in decision.assessed if paper.likeness >= least])


def find_clues(
    query: Query,
    assessed: Sequence[Relevance],
    papers: Sequence[Paper],
    terms: Sequence[str],
    weights: Mapping[str, float],
) -> Clues:
    """Return the clues; `terms` are the question's, `weights` their inverse document frequencies."""
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
    """Return the names in a question that no paper has. Names are known by capitals, unless Most Words Have Them."""
    known, words = " ".join(map(_all_of, papers)), question.split()
    title_case = 2 * sum(word[0].isupper() for word in words) > len(words)
    spoken = SHOUTED.sub(" ", question)
    return foreign_codes(spoken, known) + ([] if title_case else foreign_names(spoken, known))


def _all_of(paper: Paper) -> str:
    """Return the paper's text and metadata: all that a question may name."""
    return " ".join([paper.title, paper.abstract, *paper.authors, paper.venue or "", str(paper.year or "")])


def _number_missing(query: Query, first: Relevance, weights: Mapping[str, float]) -> float:
    """Return how far the sentences with numbers are from meeting the word for what is counted; 1 if there are none."""
    if not _asks_for_number(query):
        return 0.0
    numbered = [sentence for sentence in first.sentences if numbers(sentence.text)]
    counted = _counted(query.topic)
    columns = [(n, w.share) for n, w in enumerate(weighed_words(query.topic, weights)) if w.text in counted]
    if not numbered or not columns:
        return 0.0 if numbered else 1.0
    column, share = columns[-1]
    return 1.0 - min(1.0, max(sentence.met[column] for sentence in numbered) / share)


def _asks_for_number(query: Query) -> bool:
    """Return whether a question asks for a number: by its kind, or by a noun whose value is one ("vocabulary size")."""
    if query.kind in ("which", "yesno"):
        return False
    return query.kind == "number" or bool(ASKING[0].search(query.topic) or MEASURED.search(query.topic))


def _counted(question: str) -> list[str]:
    """Return the words for what is counted or measured: the first content words after "how many", "what" or "which"."""
    for asking in ASKING:
        if found := asking.search(question):
            words = dropwhile(_says_nothing, WORD.findall(question[found.end() :]))
            if counted := list(takewhile(lambda word: not _says_nothing(word), words)):
                return counted
    return MEASURED.findall(question)


def _says_nothing(word: str) -> bool:
    return not content_terms(word)


def _covered(terms: Sequence[str], heading: str, text: str, weights: Mapping[str, float]) -> float:
    """Return the weighted share of the terms that a text holds, without those of the heading; 1 if none is left."""
    explained = set(content_terms(heading))
    beyond = [term for term in terms if term not in explained]
    return coverage(beyond, content_terms(text), weights) if beyond else 1.0


def _not_said(
    query: Query, assessed: Sequence[Relevance], papers: Sequence[Paper], weights: Mapping[str, float]
) -> str:
    """Return the reason of an abstention: a name that no paper has, else what is asked for if no sentence has it."""
    if names := missing_names(query.topic, papers):
        return f"relevant papers are here, but none of them names “{names[0]}”"
    words = weighed_words(query.topic, weights)
    nearest = [s for paper in assessed[:FIRST_PAPERS] for s in paper.sentences if len(s.met) == len(words)]
    unmet = [
        word.text
        for n, word in enumerate(words)
        if nearest and max(s.met[n] for s in nearest) < UNMET * word.share
    ]
    match _counted(query.topic):
        case [word] if word in unmet and f"{word} of " not in query.topic:
            return f"relevant papers are here, but none of their abstracts says that of “{word}”"
    return "relevant papers are here, but none of their abstracts says that"
