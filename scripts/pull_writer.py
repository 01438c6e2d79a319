"""Download the language model that writes, unless it is here; say how large it is, and go on without it if need be."""

import sys

from rag_qa.app.models_page import size_text
from rag_qa.backends.catalogue import ModelEntry, find_entry
from rag_qa.backends.hub import pull_model
from rag_qa.backends.locating import WRITER, locate_entry
from rag_qa.errors import ModelError


def main() -> None:
    """Bring the writer to this machine; what goes wrong is told in a line and is no failure of the set-up."""
    entry = find_entry(WRITER, kind="generator")
    if is_here(entry):
        return
    size = size_text(entry.size_mb)
    tell(f"Downloading {entry.name}, the language model that writes: {size}, once (WRITER=no leaves it out)")
    try:
        tell(f"{entry.name} is in {pull_model(entry, note=tell).path}")
    except ModelError as exc:
        tell(f"Going on without it; `{entry.install_command}` brings it later. The reason: {exc}")


def is_here(entry: ModelEntry) -> bool:
    """Whether the model is on this machine, with the right hash."""
    try:
        locate_entry(entry)
    except ModelError:
        return False
    return True


def tell(line: str) -> None:
    """Print a line to stderr, as the other steps do."""
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
