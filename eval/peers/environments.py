"""An environment for each system, and how its processes are run."""

import os
import shutil
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

from rag_qa.errors import EvaluationError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OURS = ("ours", "ours_float32")
# No system may look for anything on the network.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "ANONYMIZED_TELEMETRY": "False",
}
# What runs the language model. Every system uses the same build: the one of the environment that runs this program.
LLAMA = ("llama_cpp", "diskcache")


def make_environment(work: Path, name: str) -> None:
    """Install what a system requires, unless that is done; rag_qa runs in the environment that runs this program.

    `requirements/NAME.no-deps.txt` lists packages without which they require: these would compile llama.cpp again.
    """
    if name in OURS:
        return
    requirements = HERE / "requirements" / f"{name}.txt"
    alone = requirements.with_suffix(".no-deps.txt")
    folder = work / "envs" / name
    mark = folder / "requirements.txt"
    if mark.exists() and mark.read_text("utf-8") == requirements.read_text("utf-8"):
        return
    print(f"{name}: installing", flush=True)
    venv.create(folder, with_pip=True)
    install = [str(_python(work, name)), "-m", "pip", "install", "-q", "--no-cache-dir"]
    _run([*install, "-r", str(requirements)], name)
    if alone.exists():
        _run([*install, "--no-deps", "-r", str(alone)], name)
    shutil.copyfile(requirements, mark)


def link_llama(work: Path) -> None:
    """Make the build of llama.cpp importable for every system, under WORK/llama."""
    folder = work / "llama"
    folder.mkdir(parents=True, exist_ok=True)
    for name in LLAMA:
        found = find_spec(name)
        if found is None or not found.submodule_search_locations:
            raise EvaluationError(f"{name} is missing; install it with `pip install '.[starter]'`")
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(found.submodule_search_locations[0])


def measure(work: Path, step: str, name: str, request: Path) -> str:
    """Run a step of measure.py in the system's environment, and return the line of JSON that it prints last.

    Raises EvaluationError with the last lines of what a failed process wrote.
    """
    command = [str(_python(work, name)), str(HERE / "measure.py"), step, name, str(request)]
    return _run(command, name, path=ROOT if name in OURS else work / "llama").splitlines()[-1]


def _python(work: Path, name: str) -> Path:
    return Path(sys.executable) if name in OURS else work / "envs" / name / "bin" / "python"


def _run(command: list[str], name: str, path: Path | None = None) -> str:
    environment = {**os.environ, **OFFLINE, "PYTHONPATH": str(path or "")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EvaluationError(
            f"{name}: `{' '.join(command)}` failed; mend what its last lines name, and run this program again:\n"
            f"{done.stderr[-2000:]}"
        )
    return done.stdout
