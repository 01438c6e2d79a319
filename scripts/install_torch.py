"""Install the pinned torch into the running environment, on Linux from the small CPU index.

PyPI's torch for Linux brings gigabytes of CUDA libraries that rag_qa does not need. TORCH_INDEX names
another index (https://download.pytorch.org/whl/cu128 for an NVIDIA GPU), and an empty one means PyPI.
An index that cannot be reached is not used: pip would ask it again and again. A torch that is installed stays.
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
    """Install torch at the version that constraints.txt names."""
    requirement = pinned("torch")
    if installed("torch") == requirement.partition("==")[2]:
        return
    default = CPU_INDEX if sys.platform == "linux" else ""
    index = os.environ.get("TORCH_INDEX", default)
    options = ["-qq", "--no-deps"]
    if index and reachable(index):
        options += ["--index-url", index]
    elif index:
        print(f"{index} cannot be reached; torch comes from pip's own index.", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "pip", "install", *options, requirement], check=True)


def pinned(name: str) -> str:
    """Return the requirement of constraints.txt for a package, as `name==version`."""
    found = re.search(rf"^{re.escape(name)}==\S+", CONSTRAINTS.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        sys.exit(f"constraints.txt does not name {name}. Run: make constraints")
    return found[0]


def installed(name: str) -> str | None:
    """The version of a package that is installed, without a build's tag such as +cpu."""
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return None


def reachable(index: str) -> bool:
    """Whether an index answers within a few seconds."""
    try:
        with urllib.request.urlopen(f"{index.rstrip('/')}/torch/", timeout=REACH_SECONDS):
            return True
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    main()
