"""Running a question set: every question asked and searched for, scored, timed, with provenance."""

import time
from collections.abc import Callable, Collection
from typing import Any, Protocol

import numpy as np

from rag_qa.errors import QuestionError
from rag_qa.evaluation.datasets import Question, QuestionSet
from rag_qa.evaluation.facts import key_fact_coverage, missing_facts
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
from rag_qa.types import Answer, EvalReport

DEPTH = 10
COUNTS = frozenset({"invalid_citations"})

Row = dict[str, Any]


class Asker(Searcher, Protocol):
    """What a question set needs of an assistant."""

    def ask(self, question: str, /) -> Answer: ...


def run_question_set(
    assistant: Asker,
    question_set: QuestionSet,
    *,
    support: Support = verbatim,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> EvalReport:
    """Ask every question, search for every answerable one, and report the figures in total and by kind.

    `support` decides whether quotes support a sentence that is not verbatim; `progress` is told (done,
    total); `clock` gives seconds. Scores are means over the questions to which they apply,
    `invalid_citations` is a count, and `name/kind` is a score over one kind of question. Raises
    EvaluationError when the index holds none of the set's gold papers.
    """
    qrels, missing = indexed_qrels(assistant, question_set.qrels)
    rows: list[Row] = []
    answers: list[Answer] = []
    for done, question in enumerate(question_set.questions, 1):
        row, answer = _ask(assistant, question, clock)
        answers.append(answer)
        grades = qrels.get(question.id, {})
        row["gold"] = sorted(gold(grades))
        row["unsupported"] = list(unsupported_sentences(answer, assistant.paper, support))
        row["scores"] = _scores(assistant, question, answer, grades, support)
        rows.append(row)
        if progress:
            progress(done, len(question_set.questions))
    return EvalReport(
        name=question_set.name,
        scores=_totals(rows) | _selective(rows) | _seconds(rows),
        per_query=tuple(rows),
        provenance=describe_run()
        | {
            "set_sha256": question_set.sha256,
            "questions": len(rows),
            "support": f"{support.__module__}.{getattr(support, '__qualname__', type(support).__qualname__)}",
            "gold_not_in_index": missing,
            "answers": merge(answer.provenance for answer in answers),
        },
    )


def _ask(assistant: Asker, question: Question, clock: Callable[[], float]) -> tuple[Row, Answer]:
    """Ask, timed, before any search warms a cache; a told error about the question counts as a refusal."""
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
    """Every figure that applies to the question and its answer."""
    scores = dict(abstention_scores(answerable=question.answerable, refused=answer.abstained))
    scores |= grounding_scores(answer, assistant.paper, support)
    if question.answerable:
        scores |= _found(assistant, question, grades) | _gold_cited(answer, grades)
        facts = key_fact_coverage(answer, question.key_facts)
        scores |= {} if facts is None else {"key_fact_coverage": facts}
    return scores


def _found(assistant: Asker, question: Question, grades: Grades) -> dict[str, float]:
    try:
        ranking = [hit.paper.id for hit in assistant.search(question.text, k=DEPTH)]
    except QuestionError:
        ranking = []
    return retrieval_scores(ranking, grades, recalls=(5, 10), k=DEPTH)


def _gold_cited(answer: Answer, grades: Grades) -> dict[str, float]:
    """How the papers cited meet the gold ones: the share of gold cited, and of the cited that is gold."""
    wanted, cited = gold(grades), frozenset(cited_papers(answer))
    scores = {"paper_recall": len(wanted & cited) / len(wanted)}
    return scores | ({"paper_precision": len(wanted & cited) / len(cited)} if cited else {})


def grounding_scores(answer: Answer, lookup: Lookup, support: Support = verbatim) -> dict[str, float]:
    """Return the figures of one answer's citations; those that do not apply are left out."""
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
    return totals | {name: sum(row["scores"].get(name, 0) for row in rows) for name in COUNTS & totals.keys()}


def _confidence(answer: Answer) -> float:
    """What the answer says of itself; where it says nothing, whether it answers."""
    return float(not answer.abstained) if answer.confidence is None else answer.confidence


def _selective(rows: Collection[Row]) -> dict[str, float]:
    """How well confidence tells the answerable from each unanswerable kind, and what answering more costs.

    An answer to an unanswerable question is the error counted. Nothing where a set has questions of one sort alone.
    """
    ours = [row["confidence"] for row in rows if row["answerable"]]
    others: dict[str, list[float]] = {}
    for row in rows:
        if not row["answerable"]:
            others.setdefault(row["kind"], []).append(row["confidence"])
    if not ours or not others:
        return {}
    curve = risk_coverage([row["confidence"] for row in rows], [not row["answerable"] for row in rows])
    areas = {f"abstention_auroc/{kind}": area_under_roc(ours, found) for kind, found in others.items()}
    every = [confidence for found in others.values() for confidence in found]
    return {"abstention_auroc": area_under_roc(ours, every), "abstention_aurc": curve.area} | areas


def _seconds(rows: list[Row]) -> dict[str, float]:
    """Median and 95th percentile, in total and as `figure/stage`, with the first question told apart.

    The first loads the models, so it is left out of the others (unless it is the only one).
    """
    warm = rows[1:] or rows
    scores: dict[str, float] = {"seconds_first": rows[0]["seconds"]}
    scores |= _quantiles([row["seconds"] for row in warm])
    for stage in dict.fromkeys(stage for row in warm for stage in row["stages"]):
        spent = [row["stages"][stage] for row in warm if stage in row["stages"]]
        scores |= {f"{name}/{stage}": value for name, value in _quantiles(spent).items()}
    return scores


def _quantiles(seconds: Collection[float]) -> dict[str, float]:
    median, p95 = np.quantile(list(seconds), [0.5, 0.95])
    return {"seconds_median": float(median), "seconds_p95": float(p95)}
