"""Download what the set-up needs: torch, all libraries except llama.cpp, and the language model that writes.

`--writer FILE` also downloads the model, and creates FILE after the try. A step does nothing if its result is here.
"""

import os
import subprocess
import sys
from pathlib import Path

from install_libraries import ROOT, install, libraries, starter_models

SCRIPTS = ROOT / "scripts"
COMPILED = "llama-cpp-python"


def main() -> None:
    """Run the steps in order and stop at the first that fails. torch comes first: the libraries would bring another."""
    run(str(SCRIPTS / "install_torch.py"))
    install(*(line for line in libraries() if not line.startswith(COMPILED)))
    # The starter generator requires llama-cpp-python, too.
    install("--no-deps", *starter_models())
    if "--writer" in sys.argv[1:]:
        tried = Path(sys.argv[sys.argv.index("--writer") + 1])
        if not tried.exists():
            run(str(SCRIPTS / "pull_writer.py"))
            tried.touch()


def run(*arguments: str) -> None:
    """Run this Python, which finds rag_qa though it is not installed yet; exit with its status if it fails."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *arguments], env=environment, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
