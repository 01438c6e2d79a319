"""Measure PubMedQA end to end: is the abstract found and cited, and is the answer yes, no or maybe?

    python eval/studies/pubmedqa.py SHARED_DATA_FOLDER/pubmedqa WORK_FOLDER [--questions 100] [--model NAME]

The questions are those of dev. All 1,000 abstracts are indexed with blank titles, since the title is the question.
WORK_FOLDER holds the index and a question set afterwards; `rag-qa eval WORK_FOLDER/set --html FILE` takes it too.

`answer` is what the answer shown begins with, else maybe. `affirmed` is what the model made of Yes and No by itself:
maybe if it is sure of neither; a refusal is none of the three. `fitted` says Yes from one ratio of Yes to No on, and No
below: the ratio that is right most often of the other questions (leave one out). `majority` is the most frequent label
among the questions asked. Generations are kept by content (`--cache FOLDER`). The writer takes about 25 s a question on
two cores. Questions are drawn by `--seed`, so compare runs of one seed.
"""

import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from eval.programs import parser_for, read_rows
from eval.studies.decisions import DECISIONS, Decision, decision_of, decision_scores
from rag_qa.answering.assistant import Assistant
from rag_qa.answering.writing.writer import NO, YES, Affirmation
from rag_qa.backends.llama import open_generator
from rag_qa.backends.locating import WRITER
from rag_qa.evaluation.caching import CachedGenerator
from rag_qa.evaluation.datasets import load_question_set
from rag_qa.evaluation.reports import render
from rag_qa.evaluation.running import run_question_set
from rag_qa.evaluation.support import is_supported
from rag_qa.index.builder import build_index
from rag_qa.settings import Settings
from rag_qa.types import Answer, Hit, Paper

HEADER = 'name = "pubmedqa"\ndescription = "PubMedQA dev"\ncorpus = "../papers.jsonl"\n'
# The decision of each opening of an answer.
OPENED: dict[str, Decision] = {YES: "yes", NO: "no", "": "maybe"}
FIELDS = ("id", "abstract", "year", "venue", "url")


class RecordingAssistant:
    """An assistant that keeps its answers, by question."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self.answers: dict[str, Answer] = {}

    def ask(self, question: str, /) -> Answer:
        self.answers[question] = self._assistant.ask(question)
        return self.answers[question]

    def search(self, query: str, /, *, k: int) -> Sequence[Hit]:
        return self._assistant.search(query, k)

    def paper(self, paper_id: str, /) -> Paper:
        return self._assistant.paper(paper_id)

    def papers(self) -> Iterator[Paper]:
        return self._assistant.papers()


def write_papers(data: Path, target: Path) -> None:
    """Write the abstracts without their titles."""
    rows = read_rows(data / "documents.jsonl.gz")
    papers = [{"title": "", **{field: row[field] for field in FIELDS}} for row in rows]
    text = "".join(json.dumps(paper, ensure_ascii=False) + "\n" for paper in papers)
    # Rebuilding the index compares the file's bytes, so a second run embeds nothing anew.
    target.write_text(text, "utf-8")


def write_set(rows: list[dict[str, Any]], folder: Path) -> None:
    """Write the questions as a question set; the gold paper of each is the one that it was made from."""
    folder.mkdir(parents=True, exist_ok=True)
    questions = [
        {"_id": row["id"], "text": row["text"], "kind": "fact", "answerable": True, "key_facts": []}
        for row in rows
    ]
    judged = [f"{row['id']}\t{row['gold_doc']}\t1" for row in rows]
    (folder / "set.toml").write_text(HEADER, "utf-8")
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in questions), "utf-8")
    (folder / "qrels.tsv").write_text("\n".join(["query_id\tdoc_id\trelevance", *judged]) + "\n", "utf-8")


def affirmed_by(answer: Answer) -> Decision | None:
    """Return the model's decision on a yes/no question, or None if it was not asked."""
    found = affirmation_of(answer)
    return OPENED[found.opening] if found else None


def affirmation_of(answer: Answer) -> Affirmation | None:
    """Return the model's probabilities of Yes and No, or None if it was not asked."""
    found = answer.provenance.get("affirmed")
    return Affirmation(**found) if found else None


def fitted(answers: Sequence[Answer], wanted: Sequence[Decision]) -> list[Decision | None]:
    """Return yes or no for each answer, by the ratio that is right most often for the others."""
    ratios = [log_ratio(found) if (found := affirmation_of(answer)) else None for answer in answers]
    known = [(ratio, answer) for ratio, answer in zip(ratios, wanted, strict=True) if ratio is not None]
    best: list[Decision | None] = []
    for n, ratio in enumerate(ratios):
        others = [pair for m, pair in enumerate(known) if m != n - ratios[:n].count(None)]
        best.append(None if ratio is None else "yes" if ratio >= bound(others) else "no")
    if known:
        print(f"Yes from a log ratio of {bound(known):.2f} on is right most often of all")
    return best


def bound(known: Sequence[tuple[float, Decision]]) -> float:
    """Return the log ratio that is right most often if Yes is said from there on, and No below."""
    return max(
        (ratio for ratio, _ in known),
        key=lambda least: sum(answer == ("yes" if ratio >= least else "no") for ratio, answer in known),
        default=0.0,
    )


def log_ratio(affirmation: Affirmation) -> float:
    """Return the logarithm of the ratio of Yes to No."""
    return math.log(affirmation.yes / affirmation.no)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0, help="draws the questions")
    parser.add_argument("--model", default=WRITER, help="catalogue name or GGUF file")
    parser.add_argument("--cache", type=Path, default=user_cache_path("rag_qa") / "generations")
    options = parser.parse_args()
    settings = Settings(style="synthesis", model=options.model)
    options.work.mkdir(parents=True, exist_ok=True)
    rows = read_rows(options.data / "queries.dev.jsonl")
    if options.questions < len(rows):
        rows = random.Random(options.seed).sample(rows, options.questions)
    write_papers(options.data, options.work / "papers.jsonl")
    write_set(rows, options.work / "set")
    build_index([options.work / "papers.jsonl"], options.work / "index", settings=settings, prune=True)
    generator = CachedGenerator(open_generator(settings), options.cache)
    with Assistant.open(options.work / "index", settings=settings, generator=generator) as opened:
        assistant = RecordingAssistant(opened)
        questions = load_question_set(options.work / "set")
        report = run_question_set(assistant, questions, support=is_supported, cache=generator)
    print(render(report))
    scores = [row["scores"] for row in report.per_query]
    first = [s["mrr@10"] == 1 for s in scores]
    cited = [s["paper_recall"] == 1 for s in scores]
    print(f"answered                       {1 - report.scores['refused']:.3f}")
    print(f"gold abstract first            {sum(first) / len(rows):.3f}")
    print(f"gold abstract cited            {sum(cited) / len(rows):.3f}")
    print(f"gold abstract first and cited  {sum(map(all, zip(first, cited, strict=True))) / len(rows):.3f}\n")
    wanted: list[Decision] = [row["answer"] for row in rows]
    answers = [assistant.answers[row["text"]] for row in rows]
    decided: dict[str, list[Decision | None]] = {
        "majority": [Counter(wanted).most_common(1)[0][0]] * len(rows),
        "answer": [decision_of(answer) for answer in answers],
        "affirmed": [affirmed_by(answer) for answer in answers],
        "fitted": fitted(answers, wanted),
    }
    print(
        f"| decided by | accuracy | macro-F1 | {' | '.join(DECISIONS)} | none |\n|---|---|---|---|---|---|---|"
    )
    for name, found in decided.items():
        shares = decision_scores(found, wanted)
        counts = " | ".join(str(found.count(decision)) for decision in (*DECISIONS, None))
        print(f"| {name} | {shares['accuracy']:.3f} | {shares['macro_f1']:.3f} | {counts} |")
    wanted_counts = " | ".join(str(wanted.count(decision)) for decision in DECISIONS)
    print(f"| the annotators | 1 | 1 | {wanted_counts} | 0 |")


if __name__ == "__main__":
    main()
