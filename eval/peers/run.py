"""Measure other libraries and rag_qa on the same papers, questions, embedder and cores; write the table into README.md.

    python eval/peers/run.py DATA WORK [--papers 2000] [--repeats 3] [--systems NAME …]

DATA is the folder of test data (`$RAG_QA_SHARED/data`). WORK keeps an environment for each system (about 1.2 GB each,
made from requirements/NAME.txt; needs PyPI once), the task, and what was measured: every step that is finished is
skipped the next time. Give another WORK, or remove WORK/runs-…, to measure anew.

In every repeat each system in turn builds an index and searches it, each in a fresh process, in another order each
time. The systems run by the recipes of their documentation (systems/NAME.py), offline, with the embedder that rag_qa
installed. Takes about 5 minutes a repeat with 2,000 papers on two cores. Run it on an idle machine.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import venv
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from eval.peers.table import fill, summarise
from eval.peers.task import read_gold, write_task
from eval.programs import parser_for
from rag_qa.backends.locating import locate_model
from rag_qa.errors import EvaluationError
from rag_qa.evaluation.provenance import describe_run
from rag_qa.settings import Settings

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OURS = "ours"
SYSTEMS = (OURS, "llamaindex", "langchain", "txtai", "paperqa")
STEPS = ("build", "search")
# Papers asked of each system.
DEPTH = 20
# No system may look for anything on the network.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "ANONYMIZED_TELEMETRY": "False",
}


def main() -> None:
    options = _parser().parse_args()
    task, runs = (options.work / f"{name}-{options.papers}" for name in ("task", "runs"))
    for name in options.systems:
        _make_environment(options.work, name)
    write_task(options.data, task, options.papers)
    for repeat in range(options.repeats):
        for name in turned(options.systems, repeat):
            for step in STEPS:
                _measure(options, step, name, task, runs / str(repeat) / name)
    found = {name: list(_found(runs, options.repeats, name)) for name in options.systems}
    gold = read_gold(task)
    summary = {name: summarise(rows, gold) for name, rows in found.items()}
    said = describe_run() | {"papers": options.papers, "questions": len(gold), "repeats": options.repeats}
    options.results.write_text(json.dumps({"provenance": said, "systems": summary}, indent=1) + "\n", "utf-8")
    fill(options.readme, said, summary)


def _parser() -> ArgumentParser:
    parser = parser_for(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--papers", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--results", type=Path, default=HERE.parent / "benchmarks" / "peers.json")
    parser.add_argument("--readme", type=Path, default=HERE / "README.md")
    return parser


def turned(names: Sequence[str], repeat: int) -> list[str]:
    """Return the names in the order of a repeat: each comes first once, and so on."""
    start = repeat % len(names)
    return [*names[start:], *names[:start]]


def _make_environment(work: Path, name: str) -> None:
    """Install what a system requires, unless that is done; rag_qa runs in the environment that runs this program."""
    if name == OURS:
        return
    requirements = HERE / "requirements" / f"{name}.txt"
    folder = work / "envs" / name
    mark = folder / "requirements.txt"
    if mark.exists() and mark.read_text("utf-8") == requirements.read_text("utf-8"):
        return
    print(f"{name}: installing", flush=True)
    venv.create(folder, with_pip=True)
    _run(
        [str(_python(work, name)), "-m", "pip", "install", "-q", "--no-cache-dir", "-r", str(requirements)],
        name,
    )
    shutil.copyfile(requirements, mark)


def _python(work: Path, name: str) -> Path:
    return Path(sys.executable) if name == OURS else work / "envs" / name / "bin" / "python"


def _measure(options: Namespace, step: str, name: str, task: Path, folder: Path) -> None:
    """Run a step in a fresh process and keep what it found, unless it is kept already."""
    kept = folder / f"{step}.json"
    if kept.exists():
        return
    index = folder / "index"
    if step == "build":
        shutil.rmtree(index, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{folder.parent.name} {name}: {step}", flush=True)
    request = {
        "embedder": str(locate_model(Settings().embedder, kind="embedder").path),
        "papers": str(task / "papers.jsonl"),
        "questions": str(task / "questions.jsonl"),
        "folder": str(index),
        "k": DEPTH,
        "started": time.monotonic(),
    }
    asked = folder / f"{step}.request.json"
    asked.write_text(json.dumps(request), "utf-8")
    printed = _run([str(_python(options.work, name)), str(HERE / "measure.py"), step, name, str(asked)], name)
    kept.write_text(printed.splitlines()[-1], "utf-8")


def _run(command: list[str], name: str) -> str:
    environment = {**os.environ, **OFFLINE, "PYTHONPATH": str(ROOT) if name == OURS else ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EvaluationError(
            f"{name}: {' '.join(command)} failed; see its last lines:\n{done.stderr[-2000:]}"
        )
    return done.stdout


def _found(runs: Path, repeats: int, name: str) -> Iterator[dict[str, Any]]:
    for repeat in range(repeats):
        folder = runs / str(repeat) / name
        yield {step: json.loads((folder / f"{step}.json").read_text("utf-8")) for step in STEPS}


if __name__ == "__main__":
    main()
