"""Whether llama.cpp works on this processor: a child process generates one token.

A llama.cpp that was built for other instructions, or for AMX, kills its process (ggml-org/llama.cpp#20824) without a
Python exception, so a child process has to try. `python -m rag_qa.backends.probing MODEL` is the child.
"""

import hashlib
import json
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_cache_path

from rag_qa.backends.hashing import memory_file, read_memory, write_memory
from rag_qa.backends.llama_native import can_offload, system_info
from rag_qa.backends.processor import cpu_flags
from rag_qa.errors import BackendError
from rag_qa.types import Value

TIMEOUT_SECONDS = 300.0
MEMORY_NAME = "llama-probes.json"
PROMPT = "Large language models sometimes state facts that are wrong, so each sentence should cite a source"
NO_AMX = "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
REBUILD = (
    f"CFLAGS='{NO_AMX}' CXXFLAGS='{NO_AMX}' pip install --force-reinstall --no-cache-dir --no-deps "
    "--no-binary llama-cpp-python llama-cpp-python"
)


class ProbeResult(Value):
    """The result of the child; `failure` is None if it generated a token, else the reason with the cure."""

    failure: str | None
    seconds: float
    system_info: str = ""
    offload: bool = False

    @property
    def ok(self) -> bool:
        """Whether a token was generated."""
        return self.failure is None


def ensure_llama_works(model_path: Path) -> None:
    """Raise BackendError if llama.cpp cannot generate a token with this model on this processor.

    Success is remembered in the user's cache folder, for this build, processor and model file.
    """
    memory = memory_file(user_cache_path, MEMORY_NAME)
    key = _fingerprint(model_path)
    if key in read_memory(memory):
        return
    result = probe_llama(model_path)
    if result.failure is not None:
        raise BackendError(result.failure)
    write_memory(memory, {**read_memory(memory), key: f"{result.seconds:.1f} s"})


def probe_llama(
    model_path: Path, *, timeout: float = TIMEOUT_SECONDS, command: Sequence[str] | None = None
) -> ProbeResult:
    """Generate one token in a child process and return the result; `timeout` is in seconds.

    `command` replaces the child process (default: this module, with the model's path).
    """
    child = command or [sys.executable, "-P", "-m", __name__, str(model_path)]
    start = time.perf_counter()
    try:
        done = subprocess.run(child, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return ProbeResult(failure=_too_slow(timeout), seconds=timeout)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        return ProbeResult(failure=_failure(done, model_path), seconds=seconds)
    return ProbeResult(failure=None, seconds=seconds, **json.loads(done.stdout.splitlines()[-1]))


def _too_slow(timeout: float) -> str:
    return (
        f"llama.cpp generated no token within {timeout:.0f} s. Close what else uses the processor, "
        "or choose a smaller model with --model; `rag-qa models list` names some."
    )


def _failure(done: "subprocess.CompletedProcess[str]", model_path: Path) -> str:
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return (
            f"llama.cpp crashed on this processor ({name}) while it generated one token: it was built for "
            f"other instructions (see ggml-org/llama.cpp#20824). Run `make llama` in a clone, or: {REBUILD}"
        )
    reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    if "ModuleNotFoundError" in reason and "llama_cpp" in reason:
        return "llama-cpp-python is not installed. Run: pip install llama-cpp-python"
    return (
        f"llama.cpp cannot use {model_path}: {reason}. Check the file, "
        "or choose another model with --model; `rag-qa models list` names some."
    )


def _fingerprint(model_path: Path) -> str:
    """Return a hash that changes with the build of llama.cpp, the processor or the model file."""
    spec = find_spec("llama_cpp")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    processor = " ".join([platform.machine(), *sorted(cpu_flags())])
    libraries = sorted(file for folder in folders for file in Path(folder, "lib").glob("*"))
    parts = [llama_version() or "", processor, *(_identity(file) for file in [*libraries, model_path])]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _identity(file: Path) -> str:
    stat = file.stat()
    return f"{file.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"


def llama_version() -> str | None:
    """Return the version of llama-cpp-python, None if it is not installed."""
    try:
        return version("llama_cpp_python")
    except PackageNotFoundError:
        return None


def main(arguments: Sequence[str]) -> None:
    """Generate a token with the model at the given path, and print what llama.cpp says of its build."""
    import llama_cpp

    model = llama_cpp.Llama(model_path=arguments[0], n_ctx=128, n_threads=1, verbose=False)
    model.create_completion(PROMPT, max_tokens=1, temperature=0.0)
    report = {
        "system_info": system_info(),
        "offload": can_offload(),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1:])
