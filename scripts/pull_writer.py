"""Download the language model that writes, unless it is here; if that fails, the set-up goes on without it."""

import sys

from rag_qa.app.models_page import size_text
from rag_qa.backends.catalogue import ModelEntry, find_entry
from rag_qa.backends.hub import pull_model
from rag_qa.backends.locating import WRITER, locate_entry
from rag_qa.errors import ModelError


def main() -> None:
    """Download the writer; a failure is one line on stderr, not an error."""
    entry = find_entry(WRITER, kind="generator")
    if is_here(entry):
        return
    size = size_text(entry.size_mb)
    report(
        f"Downloading {entry.name}, the language model that writes: {size}, once (WRITER=no leaves it out)"
    )
    try:
        report(f"{entry.name} is in {pull_model(entry, note=report).path}")
    except ModelError as exc:
        report(f"Going on without it; `{entry.install_command}` downloads it later. The reason: {exc}")


def is_here(entry: ModelEntry) -> bool:
    """Whether the model is on this machine, with the right hash."""
    try:
        locate_entry(entry)
    except ModelError:
        return False
    return True


def report(line: str) -> None:
    """Print a line to stderr."""
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
