"""Measure how well an assistant finds, cites, answers and refuses, without a judge model."""

from rag_qa.evaluation.corpora import resolve_corpus
from rag_qa.evaluation.datasets import QuestionSet, RetrievalSet, load_beir, load_question_set
from rag_qa.evaluation.evaluating import evaluate
from rag_qa.evaluation.reports import read_results, render, to_json, write_results
from rag_qa.evaluation.retrieval_runs import Run, read_run, run_retrieval, write_run
from rag_qa.evaluation.running import run_question_set
from rag_qa.evaluation.significance import compare, paired_interval
from rag_qa.types import Interval

__all__ = [
    "Interval",
    "QuestionSet",
    "RetrievalSet",
    "Run",
    "compare",
    "evaluate",
    "load_beir",
    "load_question_set",
    "paired_interval",
    "read_results",
    "read_run",
    "render",
    "resolve_corpus",
    "run_question_set",
    "run_retrieval",
    "to_json",
    "write_results",
    "write_run",
]
