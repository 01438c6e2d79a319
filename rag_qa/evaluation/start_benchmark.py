"""Seconds from starting a process to its first result, with ONNX Runtime and with sentence-transformers, in turns."""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from rag_qa.errors import EvaluationError
from rag_qa.evaluation.provenance import describe_run
from rag_qa.types import Value

Progress = Callable[[str, int, int], None]
RUNTIME = "RAG_QA_EMBEDDER_RUNTIME"
# The setting `embedder_runtime` for each runtime.
RUNTIMES = {"ONNX Runtime": "auto", "sentence-transformers": "torch"}
COMMANDS = {"search": (), "ask": ("--style", "quote")}
# A line of `python -X importtime`: own microseconds, those with what it imports, and the module.
_IMPORT = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)$", re.MULTILINE)
# Packages that are listed; smaller ones are added up.
SHOWN = 12
OTHERS = "others"


class StartBenchmark(Value):
    """Seconds from starting a process to its first line, by command and runtime, run by run.

    `ratios`: for each command, the median with ONNX Runtime divided by the median with sentence-transformers.
    `imports`: for each runtime, the seconds that a search spends importing each package's own modules.
    """

    query: str
    seconds: Mapping[str, Mapping[str, tuple[float, ...]]]
    ratios: Mapping[str, float]
    imports: Mapping[str, Mapping[str, float]]
    provenance: Mapping[str, Any]


def bench_start(index: Path, query: str, *, runs: int, progress: Progress) -> StartBenchmark:
    """Time fresh processes that search and ask, with each runtime in turn; the first start of each is not timed.

    Raises EvaluationError if a process fails.
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
        provenance=describe_run(),
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
    # Unbuffered: a line is seen when it is printed.
    return ["-u", "-m", "rag_qa", command, query, "--index", str(index), *COMMANDS[command]]


def import_shares(printed: str) -> dict[str, float]:
    """Return the seconds in each package's own modules, most first, from the output of `-X importtime`."""
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
    return EvaluationError(f"a process that was timed failed ({last}); see `rag-qa doctor --index {index}`")


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
