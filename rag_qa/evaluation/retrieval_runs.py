"""Runs: the ranking of each query of a judged set, scored, and written as TREC run files."""

import gzip
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rag_qa.errors import EvaluationError
from rag_qa.evaluation.complaints import fail
from rag_qa.evaluation.datasets import RetrievalSet
from rag_qa.evaluation.metrics import ndcg_at, recall_at, reciprocal_rank_at
from rag_qa.evaluation.provenance import describe_run
from rag_qa.evaluation.qrels import Grades, Qrels, gold
from rag_qa.text.lines import read_lines
from rag_qa.types import EvalReport, Hit, Paper, Value

Progress = Callable[[int, int], None]

RECALLS = (5, 20, 100)
RUN_CURE = "a line is `query Q0 document rank score tag`"


class Searcher(Protocol):
    """The part of an assistant that retrieval evaluation uses."""

    def search(self, question: str, /, *, k: int) -> Sequence[Hit]: ...

    def paper(self, paper_id: str, /) -> Paper:
        """Return the paper with this id or alias; raise KeyError if the index has none."""
        ...


class Run(Value):
    """For each query the (document id, score) pairs found, best first."""

    name: str
    rankings: Mapping[str, tuple[tuple[str, float], ...]]

    def ranking(self, query: str) -> tuple[str, ...]:
        """The document ids found for a query, best first; empty if the run does not have the query."""
        return tuple(document for document, _ in self.rankings.get(query, ()))


def run_retrieval(
    assistant: Searcher,
    beir: RetrievalSet,
    *,
    k: int = 100,
    run_file: Path | None = None,
    progress: Progress | None = None,
) -> EvalReport:
    """Search for every query of the set, k papers deep, and score the rankings.

    With `run_file`, the rankings are written there as a TREC run file. Relevant papers have the ids of the judgments,
    and no scores are equal, so that other tools compute the same figures. Raises EvaluationError if the index holds
    none of the judged papers.
    """
    names, missing = gold_names(assistant, beir.qrels)
    run = search_run(assistant, beir, k=k, progress=progress)
    if run_file is not None:
        write_run(_untied(_under_judged_ids(run, beir.qrels, names)), run_file)
    report = score_run(run, _indexed(beir, names), k=k)
    return report.model_copy(update={"provenance": {**report.provenance, "gold_not_in_index": missing}})


def score_foreign_run(
    assistant: Searcher, run: Run, beir: RetrievalSet, *, recalls: Iterable[int] = RECALLS, k: int = 100
) -> EvalReport:
    """Score a run of another system, whose documents may have any id that the index knows.

    Raises EvaluationError if it ranks none of the set's queries.
    """
    if not run.rankings.keys() & beir.qrels.keys():
        raise EvaluationError(
            f"the run {run.name!r} ranks no query of {beir.name!r}; give a run over its queries, or the --split "
            "that it was made on"
        )
    names, _ = gold_names(assistant, beir.qrels)
    return score_run(_renamed_run(run, lambda query: names), _indexed(beir, names), recalls=recalls, k=k)


def search_run(
    assistant: Searcher, beir: RetrievalSet, *, k: int = 100, progress: Progress | None = None
) -> Run:
    """Search for every query of the set; `progress` is called with (done, total) after each."""
    rankings = {}
    for done, (query, text) in enumerate(beir.queries.items(), 1):
        rankings[query] = tuple((hit.paper.id, float(hit.score)) for hit in assistant.search(text, k=k))
        if progress:
            progress(done, len(beir.queries))
    return Run(name=beir.name, rankings=rankings)


def score_run(run: Run, beir: RetrievalSet, *, recalls: Iterable[int] = RECALLS, k: int = 100) -> EvalReport:
    """Score a run: the means over the set's queries of nDCG@10, MRR@10 and recall at 5, 20 and 100.

    A query that the run does not have scores 0; cut-offs beyond k are left out.
    """
    cuts = tuple(recalls)
    rows = tuple(
        {"id": query, "scores": retrieval_scores(run.ranking(query), grades, recalls=cuts, k=k)}
        for query, grades in beir.qrels.items()
    )
    provenance: dict[str, Any] = describe_run() | {
        "set_sha256": beir.sha256,
        "queries": len(rows),
        "depth": k,
    }
    return EvalReport(name=beir.name, scores=means(rows), per_query=rows, provenance=provenance)


def retrieval_scores(
    ranking: Sequence[str], grades: Grades, *, recalls: Iterable[int], k: int
) -> dict[str, float]:
    """Return the scores of one ranking of depth k; cut-offs beyond k are left out."""
    scores = {f"recall@{cut}": recall_at(ranking, grades, cut) for cut in recalls if cut <= k}
    if k >= 10:
        scores["mrr@10"] = reciprocal_rank_at(ranking, grades)
        scores["ndcg@10"] = ndcg_at(ranking, grades)
    return scores


def means(rows: Collection[Mapping[str, Any]]) -> dict[str, float]:
    """Return each score's mean over the rows that have it."""
    values: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row["scores"].items():
            values.setdefault(name, []).append(value)
    return {name: math.fsum(found) / len(found) for name, found in values.items()}


def indexed_qrels(assistant: Searcher, qrels: Qrels) -> tuple[dict[str, Grades], list[str]]:
    """Return the judgments under the index's own ids, and the relevant papers that it does not hold.

    A paper that is not in the index stays judged: it counts as not found. Raises EvaluationError if the index holds
    none of the relevant papers, since it is then of another corpus.
    """
    names, missing = gold_names(assistant, qrels)
    return {query: _renamed(grades, names) for query, grades in qrels.items()}, missing


def gold_names(assistant: Searcher, qrels: Qrels) -> tuple[dict[str, str], list[str]]:
    """Return a mapping from every id of a relevant paper to the index's own, and the relevant papers not in the index.

    Raises EvaluationError if the index holds none of them, since it is then of another corpus.
    """
    names: dict[str, str] = {}
    missing: set[str] = set()
    for document in sorted({document for grades in qrels.values() for document in gold(grades)}):
        try:
            paper = assistant.paper(document)
        except KeyError:
            missing.add(document)
        else:
            names |= dict.fromkeys((document, paper.id, *paper.aliases), paper.id)
    if missing and not names:
        raise EvaluationError(
            f"the index holds none of the {len(missing)} papers that the set judges relevant (the first is "
            f"{min(missing)!r}); build it from the set's corpus with `rag-qa index`, or give --index DIR"
        )
    return names, sorted(missing)


def _indexed(beir: RetrievalSet, names: Mapping[str, str]) -> RetrievalSet:
    qrels = {query: _renamed(grades, names) for query, grades in beir.qrels.items()}
    return beir.model_copy(update={"qrels": qrels})


def _renamed(grades: Grades, names: Mapping[str, str]) -> dict[str, int]:
    """The judgments under the index's ids; two that are one paper there get the higher grade."""
    renamed: dict[str, int] = {}
    for document, grade in grades.items():
        paper = names.get(document, document)
        renamed[paper] = max(grade, renamed.get(paper, grade))
    return renamed


def _renamed_run(run: Run, names_of: Callable[[str], Mapping[str, str]]) -> Run:
    """The run with the documents renamed that have another name."""
    rankings = {}
    for query, found in run.rankings.items():
        names = names_of(query)
        rankings[query] = tuple((names.get(document, document), score) for document, score in found)
    return Run(name=run.name, rankings=rankings)


def _under_judged_ids(run: Run, qrels: Qrels, names: Mapping[str, str]) -> Run:
    """The run with the relevant papers of each query under the ids by which it judges them."""
    return _renamed_run(run, lambda query: {names[d]: d for d in gold(qrels[query]) if d in names})


def _untied(run: Run) -> Run:
    """The run with falling scores: trec_eval keeps 32 bits and sorts equal scores by id, whatever their ranks."""
    rankings = {}
    for query, found in run.rankings.items():
        lower: list[tuple[str, float]] = []
        ceiling = np.float32(np.inf)
        for document, score in found:
            ceiling = min(np.float32(score), np.nextafter(ceiling, np.float32(-np.inf)))
            lower.append((document, float(ceiling)))
        rankings[query] = tuple(lower)
    return Run(name=run.name, rankings=rankings)


def write_run(run: Run, path: Path) -> None:
    """Write a TREC run file: `query Q0 document rank score tag` a line, ranks from 1; gzipped for `.gz`.

    Raises EvaluationError if an id holds white space, which the format cannot express, or the file cannot be written.
    """
    tag = "-".join(run.name.split()) or "rag_qa"
    lines = []
    for query, found in run.rankings.items():
        for rank, (document, score) in enumerate(found, 1):
            if len(f"{query} {document}".split()) != 2 or not query or not document:
                raise EvaluationError(
                    f"{path}: a TREC run cannot hold the ids {query!r} and {document!r}; "
                    "use ids without white space"
                )
            lines.append(f"{query} Q0 {document} {rank} {score!r} {tag}\n")
    content = "".join(lines).encode()
    try:
        Path(path).write_bytes(gzip.compress(content, mtime=0) if Path(path).suffix == ".gz" else content)
    except OSError as exc:
        raise EvaluationError(f"{path} cannot be written ({exc}); name another file with --run") from exc


def read_run(path: Path) -> Run:
    """Read a TREC run file, plain or `.gz`; documents are ordered by score, then by rank.

    Raises EvaluationError naming file and line of a broken row or of a document found twice for a query.
    """
    rows: dict[str, dict[str, tuple[float, int]]] = {}
    name = Path(path).name
    for number, text in read_lines(Path(path), EvaluationError):
        fields = text.split()
        if len(fields) != 6:
            fail(path, number, f"{len(fields)} fields instead of six", RUN_CURE)
        query, _, document, rank, score, name = fields
        if document in rows.setdefault(query, {}):
            fail(path, number, f"{document!r} is found twice for {query!r}", "remove one of the two rows")
        try:
            rows[query][document] = _sort_key(score, rank)
        except ValueError:
            fail(path, number, f"rank {rank!r} and score {score!r} are not both numbers", RUN_CURE)
    rankings = {
        query: tuple((document, -found[document][0]) for document in sorted(found, key=found.__getitem__))
        for query, found in rows.items()
    }
    return Run(name=name, rankings=rankings)


def _sort_key(score: str, rank: str) -> tuple[float, int]:
    """Sort documents by higher score, then by lower rank."""
    value = float(score)
    if math.isnan(value):
        raise ValueError("a score must be a number")
    return -value, int(rank)
