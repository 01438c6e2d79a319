"""Run a question set: ask and search every question, score and time it, and keep the provenance."""

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, Protocol

import numpy as np

from rag_qa.errors import QuestionError
from rag_qa.evaluation.caching import CachedGenerator, Calls
from rag_qa.evaluation.datasets import Question, QuestionSet
from rag_qa.evaluation.facts import (
    key_facts_cited,
    key_facts_prose,
    key_facts_shown,
    missing_facts,
    prose_text,
    says_yes_or_no,
    shown_text,
)
from rag_qa.evaluation.grounding import (
    Lookup,
    Support,
    citation_precision,
    citation_recall,
    cited_papers,
    faithfulness,
    invalid_citations,
    quote_exactness,
    unsupported_sentences,
    verbatim,
)
from rag_qa.evaluation.metrics import abstention_scores, area_under_roc, risk_coverage
from rag_qa.evaluation.provenance import describe_run, merge
from rag_qa.evaluation.qrels import Grades, gold
from rag_qa.evaluation.retrieval_runs import Progress, Searcher, indexed_qrels, means, retrieval_scores
from rag_qa.evaluation.significance import area_interval, bootstrap_interval
from rag_qa.types import Answer, EvalReport

DEPTH = 10
COUNTS = frozenset({"invalid_citations"})
MEDIANS = frozenset({"words_shown", "words_prose"})
PROSE = ("key_facts_prose", "words_prose")

Row = dict[str, Any]


class Asker(Searcher, Protocol):
    """The part of an assistant that a question set uses."""

    def ask(self, question: str, /) -> Answer: ...


def run_question_set(
    assistant: Asker,
    question_set: QuestionSet,
    *,
    support: Support = verbatim,
    cache: CachedGenerator | None = None,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> EvalReport:
    """Ask every question, search for every answerable one, and report the scores in total and by kind.

    Scores are means over the questions to which they apply; `invalid_citations` is a count, `words_…` are medians, and
    `name/kind` is a score over one kind of question.

    Args:
        assistant: what is measured.
        question_set: the questions, with gold papers and key facts.
        support: decides whether quotes support a sentence that is not verbatim.
        cache: the assistant's generator if it keeps results; questions with a cached result are not timed.
        progress: called with (done, total) after each question.
        clock: gives seconds.

    Raises EvaluationError if the index holds none of the set's gold papers.
    """
    qrels, missing = indexed_qrels(assistant, question_set.qrels)
    rows: list[Row] = []
    answers: list[Answer] = []
    for done, question in enumerate(question_set.questions, 1):
        before = cache.calls if cache else Calls()
        row, answer = _ask(assistant, question, clock)
        made = cache.calls.since(before) if cache else Calls()
        row |= {"model_calls": made.asked, "cached_calls": made.cached} if cache else {}
        answers.append(answer)
        grades = qrels.get(question.id, {})
        row["gold"] = sorted(gold(grades))
        row["unsupported"] = list(unsupported_sentences(answer, assistant.paper, support))
        row["scores"] = _scores(assistant, question, answer, grades, support)
        rows.append(row)
        if progress:
            progress(done, len(question_set.questions))
    if not any(map(prose_text, answers)):
        for row in rows:
            row["scores"] = {name: score for name, score in row["scores"].items() if name not in PROSE}
    return EvalReport(
        name=question_set.name,
        scores=_totals(rows) | _selective(rows) | _seconds(rows),
        intervals=_intervals(rows),
        per_query=tuple(rows),
        provenance=describe_run()
        | {
            "set_sha256": question_set.sha256,
            "questions": len(rows),
            "support": f"{support.__module__}.{getattr(support, '__qualname__', type(support).__qualname__)}",
            "gold_not_in_index": missing,
            "answers": merge(answer.provenance for answer in answers),
        }
        | ({"model_calls": cache.calls._asdict()} if cache else {}),
    )


def _ask(assistant: Asker, question: Question, clock: Callable[[], float]) -> tuple[Row, Answer]:
    """Ask and time it, before a search warms a cache; an error about the question counts as a refusal."""
    began = clock()
    try:
        answer = assistant.ask(question.text)
    except QuestionError as exc:
        answer = _refusal(question, str(exc))
    seconds = clock() - began
    row: Row = {
        "id": question.id,
        "text": question.text,
        "kind": question.kind,
        "answerable": question.answerable,
        "refused": answer.abstained,
        "reason": answer.reason,
        "confidence": _confidence(answer),
        "clues": answer.provenance.get("clues", {}),
        "cited": list(cited_papers(answer)),
        "missing_facts": list(missing_facts(answer, question.key_facts)),
        "seconds": seconds,
        "stages": dict(answer.timings),
        "scores": {},
    }
    return row, answer


def _refusal(question: Question, reason: str) -> Answer:
    return Answer(
        question=question.text,
        abstained=True,
        reason=reason,
        sentences=(),
        papers=(),
        provenance={},
        timings={},
    )


def _scores(
    assistant: Asker, question: Question, answer: Answer, grades: Grades, support: Support
) -> dict[str, float]:
    """Every score that applies to the question and its answer."""
    scores = dict(
        abstention_scores(answerable=question.answerable, refused=answer.abstained, kind=question.kind)
    )
    scores |= grounding_scores(answer, assistant.paper, support) | _lengths(answer)
    if question.answerable:
        scores |= _found(assistant, question, grades) | _facts_stated(question, answer)
        scores |= _gold_cited(assistant, question, answer, grades)
    return scores


def _facts_stated(question: Question, answer: Answer) -> dict[str, float]:
    """The shares of key facts stated, and whether a yes/no answer begins with the right word."""
    facts = {
        "key_facts_shown": key_facts_shown(answer, question.key_facts),
        "key_facts_prose": key_facts_prose(answer, question.key_facts),
        "key_facts_cited": key_facts_cited(answer, question.key_facts),
    }
    scores = {name: share for name, share in facts.items() if share is not None}
    if question.yesno:
        scores["yesno_accuracy"] = float(says_yes_or_no(answer) == question.yesno)
    return scores


def _lengths(answer: Answer) -> dict[str, float]:
    """The number of words that a reader sees, and of those that the model wrote."""
    counts = {"words_shown": len(shown_text(answer).split()), "words_prose": len(prose_text(answer).split())}
    return {name: float(count) for name, count in counts.items() if count}


def _found(assistant: Asker, question: Question, grades: Grades) -> dict[str, float]:
    try:
        ranking = [hit.paper.id for hit in assistant.search(question.text, k=DEPTH)]
    except QuestionError:
        ranking = []
    return retrieval_scores(ranking, grades, recalls=(5, 10), k=DEPTH)


def _gold_cited(assistant: Asker, question: Question, answer: Answer, grades: Grades) -> dict[str, float]:
    """Recall and precision of the papers cited against the gold papers; lists have both under a second name.

    Papers that a list may hold or leave out do not count.
    """
    wanted = gold(grades)
    cited = frozenset(cited_papers(answer)) - _indexed_ids(assistant, question.maybe)
    scores = {"recall": len(wanted & cited) / len(wanted)}
    scores |= {"precision": len(wanted & cited) / len(cited)} if cited else {}
    names = ["paper", *(["list"] if question.kind == "which" else [])]
    return {f"{name}_{score}": value for name in names for score, value in scores.items()}


def _indexed_ids(assistant: Asker, papers: Collection[str]) -> frozenset[str]:
    """The index's own ids of papers, as far as it holds them."""
    found = set()
    for paper in papers:
        with suppress(KeyError):
            found.add(assistant.paper(paper).id)
    return frozenset(found)


def grounding_scores(answer: Answer, lookup: Lookup, support: Support = verbatim) -> dict[str, float]:
    """Return the citation scores of one answer, as far as they apply."""
    scores = {
        "citation_recall": citation_recall(answer, lookup, support),
        "citation_precision": citation_precision(answer, lookup, support),
        "faithfulness": faithfulness(answer, lookup, support),
        "quote_exactness": quote_exactness(answer, lookup),
        "invalid_citations": float(invalid_citations(answer, lookup)),
    }
    return {name: score for name, score in scores.items() if score is not None}


def _totals(rows: Collection[Row]) -> dict[str, float]:
    """Every figure over all rows, and as `figure/kind` over the rows of each kind."""
    totals = _total(rows)
    for kind in dict.fromkeys(row["kind"] for row in rows):
        of_kind = _total([row for row in rows if row["kind"] == kind])
        totals |= {f"{name}/{kind}": value for name, value in of_kind.items()}
    return totals


def _total(rows: Collection[Row]) -> dict[str, float]:
    totals = means(rows)
    totals |= {name: sum(row["scores"].get(name, 0) for row in rows) for name in COUNTS & totals.keys()}
    return totals | {name: float(np.median(_values(rows, name))) for name in MEDIANS & totals.keys()}


def _values(rows: Collection[Row], name: str) -> list[float]:
    return [row["scores"][name] for row in rows if name in row["scores"]]


def _intervals(rows: Collection[Row]) -> dict[str, tuple[float, float]]:
    """The 95% interval of every total, except counts and times."""
    names = dict.fromkeys(name for row in rows for name in row["scores"] if name not in COUNTS)
    intervals = {
        name: bootstrap_interval(_values(rows, name), np.median, resamples=2_000)
        if name in MEDIANS
        else bootstrap_interval(_values(rows, name))
        for name in names
    }
    ours, others = _confidences(rows)
    areas = {f"abstention_auroc/{kind}": found for kind, found in others.items()}
    areas["abstention_auroc"] = [confidence for found in others.values() for confidence in found]
    return intervals | {name: area_interval(ours, found) for name, found in areas.items() if ours and found}


def _confidences(rows: Collection[Row]) -> tuple[list[float], dict[str, list[float]]]:
    """The confidences of the answerable questions, and those of the others by kind."""
    others: dict[str, list[float]] = {}
    for row in rows:
        if not row["answerable"]:
            others.setdefault(row["kind"], []).append(row["confidence"])
    return [row["confidence"] for row in rows if row["answerable"]], others


def _confidence(answer: Answer) -> float:
    """The answer's confidence; if it has none, 1 for an answer and 0 for an abstention."""
    return float(not answer.abstained) if answer.confidence is None else answer.confidence


def _selective(rows: Collection[Row]) -> dict[str, float]:
    """How well confidence separates answerable questions from each unanswerable kind: AUROC and AURC.

    The risk is an answer to an unanswerable question. Empty if all questions are answerable, or none is.
    """
    ours, others = _confidences(rows)
    if not ours or not others:
        return {}
    curve = risk_coverage([row["confidence"] for row in rows], [not row["answerable"] for row in rows])
    areas = {f"abstention_auroc/{kind}": area_under_roc(ours, found) for kind, found in others.items()}
    every = [confidence for found in others.values() for confidence in found]
    return {"abstention_auroc": area_under_roc(ours, every), "abstention_aurc": curve.area} | areas


def _seconds(rows: list[Row]) -> dict[str, float]:
    """Median and 95th percentile of seconds, in total and as `score/stage`, and those of the first question.

    The first question loads the models, so the others are timed without it (unless it is the only one). Questions with
    a cached result measure no speed and are left out.
    """
    timed = [row for row in rows if not row.get("cached_calls")]
    warm = [row for row in timed if row is not rows[0]] or timed
    if not timed:
        return {}
    scores: dict[str, float] = {"seconds_first": rows[0]["seconds"]} if timed[0] is rows[0] else {}
    scores |= _quantiles([row["seconds"] for row in warm])
    for stage in dict.fromkeys(stage for row in warm for stage in row["stages"]):
        spent = [row["stages"][stage] for row in warm if stage in row["stages"]]
        scores |= {f"{name}/{stage}": value for name, value in _quantiles(spent).items()}
    return scores


def _quantiles(seconds: Collection[float]) -> dict[str, float]:
    median, p95 = np.quantile(list(seconds), [0.5, 0.95])
    return {"seconds_median": float(median), "seconds_p95": float(p95)}
