"""The task on which peers are compared: which papers are searched for which questions. Data, chosen by a rule.

The questions are LitSearch dev: 100 questions that researchers would ask about papers on machine learning and language,
with one or two gold papers each. The papers are all their gold papers, and others of the small corpus, those whose
hashes are lowest, up to a number. Nobody's tuning made use of which papers these are.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from eval.programs import read_rows
from rag_qa.errors import EvaluationError
from rag_qa.evaluation.qrels import read_qrels
from rag_qa.text.lines import read_lines

PAPERS = "ml_abstracts/documents.jsonl.gz"
IDS = "paper_search_corpus_small/ids.txt"
QUESTIONS = "litsearch/queries.dev.jsonl"
QRELS = "litsearch/qrels.dev.tsv"
KEPT = ("id", "title", "abstract")


def write_task(data: Path, folder: Path, count: int) -> None:
    """Write papers.jsonl, questions.jsonl and gold.json into a folder, unless they are there."""
    done = folder / "gold.json"
    if done.exists():
        return
    gold = {query: sorted(grades) for query, grades in read_qrels(data / QRELS).items()}
    chosen = choose({paper for papers in gold.values() for paper in papers}, data, count)
    folder.mkdir(parents=True, exist_ok=True)
    papers = [row for row in read_rows(data / PAPERS) if row["id"] in chosen]
    _write(folder / "papers.jsonl", [{name: row[name] for name in KEPT} for row in papers])
    questions = [row for row in read_rows(data / QUESTIONS) if row["id"] in gold]
    _write(folder / "questions.jsonl", [{"id": row["id"], "text": row["text"]} for row in questions])
    done.write_text(json.dumps(gold), "utf-8")


def choose(gold: set[str], data: Path, count: int) -> set[str]:
    """Return the ids of the gold papers and of others up to `count`, always the same."""
    others = {text.strip() for _, text in read_lines(data / IDS, EvaluationError)} - gold
    ordered = sorted(others, key=lambda paper: hashlib.sha256(paper.encode()).hexdigest())
    return gold | set(ordered[: max(0, count - len(gold))])


def read_gold(folder: Path) -> Mapping[str, list[str]]:
    """Return the gold papers of each question."""
    return dict(json.loads((folder / "gold.json").read_text("utf-8")))


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
