"""The tasks on which peers are compared: which papers are searched for which questions. Data, chosen by a rule.

Search: the questions are LitSearch dev, 100 questions that researchers would ask about papers on machine learning and
language, with one or two gold papers each. The papers are all their gold papers, and others of the small corpus, those
whose hashes are lowest, up to a number.

Answers: questions of `eval/sets/fields/dev` that ask for a fact, those whose hashes are lowest, over its 500 abstracts.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from eval.programs import read_rows
from rag_qa.corpus.reading import read_source
from rag_qa.corpus.sources import expand_sources
from rag_qa.errors import EvaluationError
from rag_qa.evaluation import load_question_set
from rag_qa.evaluation.corpora import SHARED, select_papers
from rag_qa.evaluation.qrels import gold, read_qrels
from rag_qa.text.lines import read_lines

PAPERS = "ml_abstracts/documents.jsonl.gz"
IDS = "paper_search_corpus_small/ids.txt"
QUESTIONS = "litsearch/queries.dev.jsonl"
QRELS = "litsearch/qrels.dev.tsv"
FACTS = Path(__file__).parents[1] / "sets" / "fields" / "dev"
KEPT = ("id", "title", "abstract")


def write_search_task(data: Path, folder: Path, count: int) -> Mapping[str, list[str]]:
    """Write papers.jsonl and questions.jsonl into a folder; return the gold papers of each question."""
    wanted = {query: sorted(gold(grades)) for query, grades in read_qrels(data / QRELS).items()}
    if not (folder / "questions.jsonl").exists():
        chosen = choose({paper for papers in wanted.values() for paper in papers}, data, count)
        papers = (row for row in read_rows(data / PAPERS) if row["id"] in chosen)
        _write(folder / "papers.jsonl", ({name: row[name] for name in KEPT} for row in papers))
        questions = (row for row in read_rows(data / QUESTIONS) if row["id"] in wanted)
        _write(folder / "questions.jsonl", ({"id": row["id"], "text": row["text"]} for row in questions))
    return wanted


def write_answer_task(data: Path, folder: Path, count: int) -> Mapping[str, dict[str, Any]]:
    """Write papers.jsonl and questions.jsonl into a folder; return gold papers and key facts of each question."""
    asked = load_question_set(FACTS)
    facts = [question for question in asked.questions if question.kind == "fact" and question.key_facts]
    chosen = sorted(facts, key=lambda question: _hash(question.id))[:count]
    if not (folder / "questions.jsonl").exists():
        assert asked.ids is not None
        sources = [data / name.removeprefix(f"${SHARED}/data/") for name in asked.corpus]
        selected = select_papers(sources, asked.ids, folder / "records.jsonl")
        papers = [paper for file in expand_sources([selected]) for paper in read_source(file, None).papers]
        _write(folder / "papers.jsonl", ({name: getattr(paper, name) for name in KEPT} for paper in papers))
        _write(folder / "questions.jsonl", ({"id": one.id, "text": one.text} for one in chosen))
    return {one.id: {"gold": sorted(gold(asked.qrels[one.id])), "key_facts": one.key_facts} for one in chosen}


def choose(wanted: set[str], data: Path, count: int) -> set[str]:
    """Return the ids of the gold papers and of others up to `count`, always the same."""
    others = {text.strip() for _, text in read_lines(data / IDS, EvaluationError)} - wanted
    return wanted | set(sorted(others, key=_hash)[: max(0, count - len(wanted))])


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _write(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
