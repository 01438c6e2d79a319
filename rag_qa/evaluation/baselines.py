"""Compare a report with a baseline: a TREC run file, or an earlier report."""

import hashlib
from pathlib import Path

from rag_qa.evaluation.datasets import RetrievalSet
from rag_qa.evaluation.reports import read_results
from rag_qa.evaluation.retrieval_runs import Run, Searcher, read_run, score_foreign_run
from rag_qa.evaluation.significance import differences
from rag_qa.types import EvalReport, Value

RECALLS = (5, 10, 20, 100)


class Baseline(Value):
    """A run or a report to compare with, and the name and SHA-256 of its file."""

    file: str
    sha256: str
    content: Run | EvalReport


def read_baseline(path: Path) -> Baseline:
    """Read a report of `rag-qa eval` if the name ends in `.json`, else a TREC run file, plain or `.gz`.

    Raises EvaluationError if it is neither.
    """
    path = Path(path)
    content = read_results(path) if path.suffix == ".json" else read_run(path)
    return Baseline(file=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), content=content)


def with_differences(
    report: EvalReport, baseline: Baseline, judged: RetrievalSet, assistant: Searcher
) -> EvalReport:
    """Return the report with the difference of every score to the baseline.

    Raises EvaluationError if the two have no query or no score in common.
    """
    before = baseline.content
    if isinstance(before, Run):
        before = score_foreign_run(assistant, before, judged, recalls=RECALLS)
    provenance = {**report.provenance, "baseline": {"file": baseline.file, "sha256": baseline.sha256}}
    return report.model_copy(update={"differences": differences(before, report), "provenance": provenance})
