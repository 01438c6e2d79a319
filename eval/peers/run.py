"""Measure other libraries and rag_qa on the same papers, questions, embedder and cores; write the tables of README.md.

    python eval/peers/run.py DATA WORK [--papers 1500] [--repeats 3] [--answers 0] [--systems NAME …]

DATA is the folder of test data (`$RAG_QA_SHARED/data`). WORK keeps an environment for each system (about 1.3 GB each,
made from requirements/NAME.txt; needs PyPI once), the tasks, and what was measured: a step that is finished is skipped
the next time. Give another WORK, or remove WORK/runs-…, to measure anew.

In every repeat each system in turn builds an index and searches it, each in a fresh process, in another order each
time. The systems run by the recipes of their documentation (systems/NAME.py), offline, with the embedder that rag_qa
installed. `--answers 10` then asks the language model ten questions through each system that can.

Takes about 4 minutes a repeat with 1,500 papers on two cores, and 5 minutes for ten answers. Run it on an idle machine.
"""

import json
import time
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.peers.environments import OURS, link_llama, make_environment, measure
from eval.peers.table import fill, judge_answers, summarise
from eval.peers.task import write_answer_task, write_search_task
from eval.programs import parser_for
from rag_qa.backends.locating import locate_model
from rag_qa.evaluation.provenance import describe_run
from rag_qa.settings import Settings

HERE = Path(__file__).parent
SYSTEMS = (*OURS, "llamaindex", "langchain", "txtai", "paperqa")
# PaperQA2 wants its language model behind HTTP.
ANSWERING = (OURS[0], "llamaindex", "langchain", "txtai")
WRITER = "Qwen2.5-Coder-1.5B-Instruct"
# Papers asked of each system.
DEPTH = 20


def main() -> None:
    options = _parser().parse_args()
    for name in options.systems:
        make_environment(options.work, name)
    found = measure_searches(options.data, options.work, options.systems, options.papers, options.repeats)
    counts = {"papers": options.papers, "repeats": options.repeats, "answers": options.answers}
    results = {"provenance": describe_run() | counts, "systems": found}
    if options.answers:
        chosen = [name for name in options.systems if name in ANSWERING]
        results["answers"] = measure_answers(options.data, options.work, chosen, options.answers)
    options.results.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    fill(options.readme, results)


def _parser() -> ArgumentParser:
    parser = parser_for(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--papers", type=int, default=1500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--answers", type=int, default=0)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--results", type=Path, default=HERE.parent / "benchmarks" / "peers.json")
    parser.add_argument("--readme", type=Path, default=HERE / "README.md")
    return parser


def measure_searches(
    data: Path, work: Path, systems: Sequence[str], papers: int, repeats: int
) -> dict[str, Any]:
    """Build and search with each system in turn, and return the figures of each."""
    task, runs = work / f"task-{papers}", work / f"runs-{papers}"
    gold = write_search_task(data, task, papers)
    for repeat in range(repeats):
        for name in turned(systems, repeat):
            for step in ("build", "search"):
                take_step(work, step, name, task, runs / str(repeat) / name)
    return {
        name: summarise([_steps(runs / str(repeat) / name) for repeat in range(repeats)], gold)
        for name in systems
    }


def measure_answers(data: Path, work: Path, systems: Sequence[str], count: int) -> dict[str, Any]:
    """Ask each system the same questions over the same papers, and return the scores of its answers."""
    task, runs = work / f"task-answers-{count}", work / f"answers-{count}"
    wanted = write_answer_task(data, task, count)
    link_llama(work)
    for name in systems:
        for step in ("build", "answer"):
            take_step(work, step, name, task, runs / name)
    return {name: judge_answers(_read(runs / name, "answer")["answers"], wanted) for name in systems}


def turned(names: Sequence[str], repeat: int) -> list[str]:
    """Return the names in the order of a repeat: each comes first once, and so on."""
    start = repeat % len(names)
    return [*names[start:], *names[:start]]


def take_step(work: Path, step: str, name: str, task: Path, folder: Path) -> None:
    """Run a step in a fresh process and keep what it found in `folder`, unless it is kept already."""
    kept = folder / f"{step}.json"
    if kept.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{folder.relative_to(work)}: {step}", flush=True)
    request = {
        "embedder": str(locate_model(Settings().embedder, kind="embedder").path),
        "papers": str(task / "papers.jsonl"),
        "questions": str(task / "questions.jsonl"),
        "folder": str(folder / "index"),
        "k": DEPTH,
    }
    if step == "answer":
        request["writer"] = str(locate_model(WRITER, kind="generator").path)
    asked = folder / f"{step}.request.json"
    asked.write_text(json.dumps({**request, "started": time.monotonic()}), "utf-8")
    kept.write_text(measure(work, step, name, asked), "utf-8")


def _steps(folder: Path) -> dict[str, Any]:
    return {step: _read(folder, step) for step in ("build", "search")}


def _read(folder: Path, step: str) -> Mapping[str, Any]:
    return dict(json.loads((folder / f"{step}.json").read_text("utf-8")))


if __name__ == "__main__":
    main()
