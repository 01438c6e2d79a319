"""Install the pinned torch into the running environment, on Linux from the small CPU index.

PyPI's torch for Linux needs gigabytes of CUDA libraries that rag_qa does not use. TORCH_INDEX names
another index (https://download.pytorch.org/whl/cu128 for an NVIDIA GPU), and an empty one means PyPI.
If an index cannot be reached, pip's own index is used. A torch that is installed stays.
constraints.txt has the hashes of the CPU builds and of PyPI's; builds of another index come with its own hashes
and its own CUDA libraries.
"""

import os
import re
import subprocess
import sys
import urllib.request
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints.txt"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
REACH_SECONDS = 5.0


def main() -> None:
    """Install torch at the version in constraints.txt."""
    requirement = pinned("torch")
    if installed("torch") == requirement.partition("==")[2]:
        return
    default = CPU_INDEX if sys.platform == "linux" else ""
    index = os.environ.get("TORCH_INDEX", default)
    checked = ("--no-deps", f"--constraint={CONSTRAINTS}")
    if not index:
        done = pip(*checked, requirement)
    elif reachable(index):
        done = pip(f"--index-url={index}", *(checked if index == CPU_INDEX else ()), requirement)
    else:
        print(f"{index} cannot be reached; torch comes from pip's own index.", file=sys.stderr)
        # A folder of wheels that pip knows may hold the CPU build, which pip would not prefer.
        cpu = index == CPU_INDEX and pip(*checked, f"{requirement}+cpu", quiet=True)
        done = cpu or pip(*checked, requirement)
    if not done:
        sys.exit("torch could not be installed; the lines above say why. Run make again to go on.")


def pip(*arguments: str, quiet: bool = False) -> bool:
    """Run `pip install` and return whether it succeeded; its messages are hidden on request."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-qq", *arguments]
    return subprocess.run(command, check=False, capture_output=quiet).returncode == 0


def pinned(name: str) -> str:
    """Return the requirement of constraints.txt for a package, as `name==version`."""
    found = re.search(rf"^{re.escape(name)}==\S+", CONSTRAINTS.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        sys.exit(f"constraints.txt does not name {name}. Run: make constraints")
    return found[0]


def installed(name: str) -> str | None:
    """Return the installed version of a package, without a build's tag such as +cpu; None if it is not installed."""
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return None


def reachable(index: str) -> bool:
    """Return whether an index answers within a few seconds."""
    try:
        with urllib.request.urlopen(f"{index.rstrip('/')}/torch/", timeout=REACH_SECONDS):
            return True
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    main()
