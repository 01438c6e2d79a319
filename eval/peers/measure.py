"""Measure one system once, in its own environment: `measure.py build|search|answer SYSTEM REQUEST`; print JSON.

Imports the standard library alone, besides the system (systems/SYSTEM.py). REQUEST is a JSON file: `embedder` (a
folder), `papers` and `questions` (JSON Lines), `folder` (of the index), `k`, `writer` (a GGUF file, for answers), and
`started` (`time.monotonic()` when the process was started).
"""

import json
import os
import shutil
import sys
import time
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def main() -> None:
    step, name, path = sys.argv[1:]
    request = json.loads(Path(path).read_text("utf-8"))
    module = import_module(f"systems.{name}")
    found = STEPS[step](module.System(request["embedder"]), request)
    versions = {package: _version(package) for package in module.PACKAGES}
    print(json.dumps({**found, "peak_mib": peak_mib(), "versions": versions}))
    sys.stdout.flush()
    # Some systems keep threads that would delay the end.
    os._exit(0)


def build(system: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return the seconds of building, with and without the start of the process, and the size on disk."""
    papers = read_rows(request["papers"])
    for paper in papers:
        paper["text"] = f"{paper['title']}\n{paper['abstract']}"
    # Of a build that was broken off.
    shutil.rmtree(request["folder"], ignore_errors=True)
    system.warm()
    begun, used = time.monotonic(), time.process_time()
    system.build(papers, request["folder"])
    done = time.monotonic()
    return {
        "papers": len(papers),
        "seconds": done - begun,
        "seconds_whole": done - request["started"],
        "cpu_seconds": time.process_time() - used,
        "disk_bytes": sum(
            file.stat().st_size for file in Path(request["folder"]).rglob("*") if file.is_file()
        ),
    }


def search(system: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return the seconds to the first result, each later question's milliseconds, and the papers found."""
    questions = read_rows(request["questions"])
    system.open(request["folder"])
    system.search(questions[0]["text"], request["k"])
    first = time.monotonic() - request["started"]
    milliseconds, found = [], {}
    for question in questions:
        begun = time.perf_counter()
        found[question["id"]] = system.search(question["text"], request["k"])
        milliseconds.append((time.perf_counter() - begun) * 1e3)
    return {"first_s": first, "milliseconds": milliseconds, "found": found}


def answer(system: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return what the system answers with the language model, and the seconds of each answer after the first."""
    questions = read_rows(request["questions"])
    system.open(request["folder"])
    system.load_writer(request["writer"])
    # The last one: the model keeps the beginning of what it read before.
    system.answer(questions[-1]["text"])
    answers = {}
    for question in questions:
        begun = time.monotonic()
        found = system.answer(question["text"])
        answers[question["id"]] = {**found, "seconds": time.monotonic() - begun}
    return {"answers": answers}


STEPS = {"build": build, "search": search, "answer": answer}


def read_rows(path: str) -> list[dict[str, Any]]:
    """Return the objects of a JSON Lines file."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def peak_mib() -> float:
    """Return the most memory that this process has held, in MiB (Linux)."""
    status = Path("/proc/self/status").read_text("ascii", errors="ignore")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
