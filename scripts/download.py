"""Bring what the set-up downloads: torch, the libraries but llama.cpp, and the language model that writes.

`--writer FILE` brings the model, too, and leaves FILE when that was tried. A step whose result is here does nothing.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from install_torch import CONSTRAINTS

ROOT = CONSTRAINTS.parent
SCRIPTS = ROOT / "scripts"


def main() -> None:
    """Run the steps one after the other, as the libraries would bring another torch; stop at the first that fails."""
    run(str(SCRIPTS / "install_torch.py"))
    constraints = [f"--constraint={CONSTRAINTS}", f"--build-constraint={CONSTRAINTS}"]
    run("-m", "pip", "--disable-pip-version-check", "install", "-qq", *constraints, *libraries())
    if "--writer" in sys.argv[1:]:
        tried = Path(sys.argv[sys.argv.index("--writer") + 1])
        if not tried.exists():
            run(str(SCRIPTS / "pull_writer.py"))
            tried.touch()


def run(*arguments: str) -> None:
    """Run this Python, which finds rag_qa though it is not installed yet; what went wrong is on the screen."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *arguments], env=environment, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


def libraries() -> list[str]:
    """What pyproject.toml requires, without llama-cpp-python, which is compiled meanwhile."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted: list[str] = [*project["dependencies"], *project["optional-dependencies"]["starter"]]
    return [requirement for requirement in wanted if not requirement.startswith("llama-cpp-python")]


if __name__ == "__main__":
    main()
