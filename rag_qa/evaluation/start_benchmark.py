"""Measure how soon a fresh process prints its first result, with numpy and with sentence-transformers, in turns."""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from rag_qa.errors import EvaluationError
from rag_qa.index.changes import Progress
from rag_qa.types import Value

RUNTIME = "RAG_QA_EMBEDDER_RUNTIME"
# What the setting `embedder_runtime` is for each of the two.
RUNTIMES = {"numpy": "auto", "sentence-transformers": "torch"}
COMMANDS = {"search": (), "ask": ("--style", "quote")}
# A line of `python -X importtime`: own microseconds, those with what it imports, and the module.
_IMPORT = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)$", re.MULTILINE)
# Packages that a share is given for; smaller ones are added up.
SHOWN = 12
OTHERS = "others"


class StartBenchmark(Value):
    """Seconds from starting a process to its first line, by command and runtime, for each run.

    `ratios` are, for each command, the median with numpy / the median with sentence-transformers. `imports` are, for
    each runtime, the seconds that a search spends importing each package's own modules, without what they import.
    """

    query: str
    seconds: Mapping[str, Mapping[str, tuple[float, ...]]]
    ratios: Mapping[str, float]
    imports: Mapping[str, Mapping[str, float]]
    provenance: Mapping[str, Any]


def bench_start(index: Path, query: str, *, runs: int, progress: Progress) -> StartBenchmark:
    """Time fresh processes that search and ask, with each runtime in turn, after an untimed first run of each.

    `progress` is called with (stage, done, total). Raises EvaluationError if such a process fails.
    """
    pairs = [(command, runtime) for command in COMMANDS for runtime in RUNTIMES]
    for runtime in RUNTIMES:
        first_line("search", runtime, index, query)
    seconds: dict[tuple[str, str], list[float]] = {pair: [] for pair in pairs}
    for done in range(runs):
        progress("starting", done, runs)
        for command, runtime in pairs:
            seconds[command, runtime].append(first_line(command, runtime, index, query))
    progress("starting", runs, runs)
    medians = {pair: median(times) for pair, times in seconds.items()}
    light, heavy = RUNTIMES
    return StartBenchmark(
        query=query,
        seconds={
            command: {runtime: tuple(seconds[command, runtime]) for runtime in RUNTIMES}
            for command in COMMANDS
        },
        ratios={command: medians[command, light] / medians[command, heavy] for command in COMMANDS},
        imports={runtime: import_shares(_imports(runtime, index, query)) for runtime in RUNTIMES},
        provenance=_provenance(),
    )


def first_line(command: str, runtime: str, index: Path, query: str) -> float:
    """Return the seconds from starting `rag-qa COMMAND` to the first line that it prints."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *_program(command, index, query)],
        env=_environment(runtime),
        text=True,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        seconds = time.perf_counter() - started
        _, errors = child.communicate()
    if child.returncode != 0 or not line.strip():
        raise _failed(errors, index)
    return seconds


def _program(command: str, index: Path, query: str) -> list[str]:
    # Unbuffered, so that a line is seen once it is printed.
    return ["-u", "-m", "rag_qa", command, query, "--index", str(index), *COMMANDS[command]]


def import_shares(printed: str) -> dict[str, float]:
    """Return from what `-X importtime` prints the seconds in each package's own modules, most first."""
    spent: Counter[str] = Counter()
    for microseconds, module in _IMPORT.findall(printed):
        spent[module.split(".")[0]] += int(microseconds)
    first = spent.most_common(SHOWN)
    rest = spent.total() - sum(own for _, own in first)
    return {name: round(own / 1e6, 3) for name, own in [*first, (OTHERS, rest)]}


def _imports(runtime: str, index: Path, query: str) -> str:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *_program("search", index, query)],
        env=_environment(runtime),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise _failed(done.stderr, index)
    return done.stderr


def _environment(runtime: str) -> dict[str, str]:
    return {**os.environ, RUNTIME: RUNTIMES[runtime], "PYTHONIOENCODING": "utf-8"}


def _failed(errors: str, index: Path) -> EvaluationError:
    last = (errors.strip().splitlines() or ["it printed nothing"])[-1]
    return EvaluationError(
        f"a process that was to be timed failed ({last}); see `rag-qa doctor --index {index}`"
    )


def _provenance() -> dict[str, Any]:
    from rag_qa.evaluation.provenance import describe_run

    return describe_run()


def render(found: StartBenchmark) -> str:
    """Return the figures as lines of text."""
    lines = []
    for command, by_runtime in found.seconds.items():
        shown = (f"{runtime} {median(times):.2f}" for runtime, times in by_runtime.items())
        lines.append(
            f"{command}, seconds to the first line: {', '.join(shown)}; ratio {found.ratios[command]:.2f}"
        )
    for runtime, spent in found.imports.items():
        total = sum(spent.values())
        shares = [f"{name} {own / total:.0%}" for name, own in spent.items() if own]
        lines.append(f"imports with {runtime}, {total:.2f} s: {', '.join(shares)}")
    return "\n".join(lines)
