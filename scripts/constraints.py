"""Write constraints.txt: every package of a fresh resolution of rag_qa with its extras and dev tools.

Nothing is installed. Run it through `make constraints`, which passes the newest pip.
"""

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# Versions that are chosen, not resolved.
CHOSEN = ["torch==2.13.0"]
# What builds rag_qa and llama-cpp-python.
BUILD_TOOLS = ["hatchling", "editables", "scikit-build-core"]
HEADER = """\
# Every package of the environment, resolved by `make constraints` ({python}, {system}). Do not edit:
# change pyproject.toml or CHOSEN in scripts/constraints.py and run it again. Other systems take these
# versions where they apply; torch's own CUDA packages on Linux are pinned by torch.
"""


def main() -> None:
    """Resolve, and replace constraints.txt only when that went well."""
    names = sorted(
        (normalized(item["metadata"]["name"]), item["metadata"]["version"].partition("+")[0])
        for item in resolve()
        if normalized(item["metadata"]["name"]) != "rag-qa"
    )
    header = HEADER.format(
        python=f"Python {platform.python_version()}", system=f"{platform.system()} {platform.machine()}"
    )
    lines = [f"{name}=={version}\n" for name, version in names]
    (ROOT / "constraints.txt").write_text(header + "".join(lines), encoding="utf-8")
    print(f"constraints.txt: {len(lines)} packages", file=sys.stderr)


def resolve() -> list[dict[str, Any]]:
    """Ask pip what it would install into an empty environment."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "-qq"]
        wanted = [
            f"{ROOT}[starter]",
            "--group",
            f"{ROOT / 'pyproject.toml'}:dev",
            "pip",
            *CHOSEN,
            *BUILD_TOOLS,
        ]
        subprocess.run([*command, "--report", str(report), *wanted], check=True)
        found: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["install"]
        return found


def normalized(name: str) -> str:
    """A package's name as PyPI compares it."""
    return name.lower().replace("_", "-").replace(".", "-")


if __name__ == "__main__":
    main()
