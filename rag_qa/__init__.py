"""Ask questions of scientific papers; every sentence of an answer cites a verbatim quote."""

from typing import TYPE_CHECKING, Any

from rag_qa.answering.assistant import Assistant
from rag_qa.answering.verdict.model import judge
from rag_qa.errors import RagQAError
from rag_qa.settings import Settings
from rag_qa.types import (
    Answer,
    Citation,
    EvalReport,
    Event,
    Evidence,
    Explanation,
    Fate,
    Filter,
    Hit,
    Hits,
    IndexReport,
    Paper,
    Passage,
    Sentence,
    Skipped,
    Source,
    Verdict,
    Version,
)
from rag_qa.version import __version__

if TYPE_CHECKING:
    from rag_qa.index.builder import build_index

__all__ = [
    "Answer",
    "Assistant",
    "Citation",
    "EvalReport",
    "Event",
    "Evidence",
    "Explanation",
    "Fate",
    "Filter",
    "Hit",
    "Hits",
    "IndexReport",
    "Paper",
    "Passage",
    "RagQAError",
    "Sentence",
    "Settings",
    "Skipped",
    "Source",
    "Verdict",
    "Version",
    "__version__",
    "build_index",
    "judge",
]


def __getattr__(name: str) -> Any:
    """Import `build_index` at its first use: it imports all readers, which a search does not need."""
    if name != "build_index":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rag_qa.index.builder import build_index

    return build_index
