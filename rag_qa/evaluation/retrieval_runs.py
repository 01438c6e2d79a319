"""Runs: what a search returned for each query of a judged set, scored, and kept as TREC run files."""

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
    """What a retrieval evaluation needs of an assistant."""

    def search(self, question: str, /, *, k: int) -> Sequence[Hit]: ...

    def paper(self, paper_id: str, /) -> Paper:
        """Return the paper with this id or alias; raise KeyError when the index holds none."""
        ...


class Run(Value):
    """For each query the documents found with their scores, best first."""

    name: str
    rankings: Mapping[str, tuple[tuple[str, float], ...]]

    def ranking(self, query: str) -> tuple[str, ...]:
        """The ids found for a query, best first; none for a query that the run does not hold."""
        return tuple(document for document, _ in self.rankings.get(query, ()))


def run_retrieval(
    assistant: Searcher,
    beir: RetrievalSet,
    *,
    k: int = 100,
    run_file: Path | None = None,
    progress: Progress | None = None,
) -> EvalReport:
    """Search for every query of the set and score what was found, at depth k.

    With `run_file`, what was found is written there as a TREC run file, the relevant papers under the ids of
    the judgments and without equal scores, so that other tools score it alike. Raises EvaluationError when the
    index holds none of the judged papers.
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
    """Score a run made elsewhere, whose documents may go by any id that the index knows them by.

    Raises EvaluationError when it ranks none of the set's queries.
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
    """Search for every query of the set; `progress` is told (done, total) after each."""
    rankings = {}
    for done, (query, text) in enumerate(beir.queries.items(), 1):
        rankings[query] = tuple((hit.paper.id, float(hit.score)) for hit in assistant.search(text, k=k))
        if progress:
            progress(done, len(beir.queries))
    return Run(name=beir.name, rankings=rankings)


def score_run(run: Run, beir: RetrievalSet, *, recalls: Iterable[int] = RECALLS, k: int = 100) -> EvalReport:
    """Score a run made here or elsewhere; a query that it does not hold scores 0.

    nDCG@10, MRR@10 and recall at 5, 20 and 100 (as far as k reaches), means over the set's queries.
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
    """Return the figures of one ranking of depth k; a cut-off beyond the depth is left out."""
    scores = {f"recall@{cut}": recall_at(ranking, grades, cut) for cut in recalls if cut <= k}
    if k >= 10:
        scores["mrr@10"] = reciprocal_rank_at(ranking, grades)
        scores["ndcg@10"] = ndcg_at(ranking, grades)
    return scores


def means(rows: Collection[Mapping[str, Any]]) -> dict[str, float]:
    """Return each figure's mean over the rows that have it."""
    values: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row["scores"].items():
            values.setdefault(name, []).append(value)
    return {name: math.fsum(found) / len(found) for name, found in values.items()}


def indexed_qrels(assistant: Searcher, qrels: Qrels) -> tuple[dict[str, Grades], list[str]]:
    """Return the judgments under the index's own ids, and the relevant papers that it does not hold.

    A paper that is not in the index stays judged: it counts as not found. Raises EvaluationError when the
    index holds none of the relevant papers: it is then of another corpus.
    """
    names, missing = gold_names(assistant, qrels)
    return {query: _renamed(grades, names) for query, grades in qrels.items()}, missing


def gold_names(assistant: Searcher, qrels: Qrels) -> tuple[dict[str, str], list[str]]:
    """Return the index's id of each relevant paper under all its names, and the relevant papers not there.

    Raises EvaluationError when the index holds none of them: it is then of another corpus.
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
    """The judgments under the index's ids; of two that are one paper there, the higher grade."""
    renamed: dict[str, int] = {}
    for document, grade in grades.items():
        paper = names.get(document, document)
        renamed[paper] = max(grade, renamed.get(paper, grade))
    return renamed


def _renamed_run(run: Run, names_of: Callable[[str], Mapping[str, str]]) -> Run:
    """The run with each query's documents renamed, where a name is known for them."""
    rankings = {}
    for query, found in run.rankings.items():
        names = names_of(query)
        rankings[query] = tuple((names.get(document, document), score) for document, score in found)
    return Run(name=run.name, rankings=rankings)


def _under_judged_ids(run: Run, qrels: Qrels, names: Mapping[str, str]) -> Run:
    """The run with the relevant papers of each query under the ids by which it judges them."""
    return _renamed_run(run, lambda query: {names[d]: d for d in gold(qrels[query]) if d in names})


def _untied(run: Run) -> Run:
    """The run with falling scores: trec_eval keeps 32 bits and orders equal scores by id, whatever their ranks."""
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

    Raises EvaluationError for an id that holds white space, which the format cannot express, and when the
    file cannot be written.
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
            fail(path, number, f"{len(fields)} fields where six are needed", RUN_CURE)
        query, _, document, rank, score, name = fields
        if document in rows.setdefault(query, {}):
            fail(path, number, f"{document!r} is found twice for {query!r}", "remove one of the two rows")
        try:
            rows[query][document] = _place(score, rank)
        except ValueError:
            fail(path, number, f"rank {rank!r} and score {score!r} are not both numbers", RUN_CURE)
    rankings = {
        query: tuple((document, -found[document][0]) for document in sorted(found, key=found.__getitem__))
        for query, found in rows.items()
    }
    return Run(name=name, rankings=rankings)


def _place(score: str, rank: str) -> tuple[float, int]:
    """What documents are ordered by: the higher score first, then the lower rank."""
    value = float(score)
    if math.isnan(value):
        raise ValueError("a score that is not a number orders nothing")
    return -value, int(rank)
