"""Evaluate a set from start to end: index its papers if no index is given, open the models, ask, score."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_cache_path

from rag_qa.answering.assistant import Assistant, style_of
from rag_qa.backends.home import home_folder
from rag_qa.backends.llama import open_generator
from rag_qa.backends.locating import choose_model
from rag_qa.errors import EvaluationError
from rag_qa.evaluation.caching import CachedGenerator
from rag_qa.evaluation.corpora import corpus_of, select_papers
from rag_qa.evaluation.datasets import CorpusSet
from rag_qa.evaluation.evaluating import evaluate, load_set
from rag_qa.evaluation.support import is_supported
from rag_qa.settings import Settings
from rag_qa.types import EvalReport

if TYPE_CHECKING:
    from rag_qa.index.changes import Progress


def measure(
    folder: Path,
    settings: Settings,
    *,
    index: Path | None = None,
    corpus: Sequence[Path] = (),
    ids: Path | None = None,
    split: str | None = None,
    cache: Path | None = None,
    progress: "Progress | None" = None,
    **options: Any,
) -> EvalReport:
    """Evaluate the set in a folder, on an index or on one of its papers that is kept in the user's cache.

    `corpus` are papers to index instead of the set's own, and of these only the `ids` listed in a file. `cache` is the
    folder that keeps what the language model wrote; without one everything is generated anew. `progress` is called
    with a stage, how much is done, and how much there is. Further options are those of `evaluate`. Raises
    EvaluationError for a malformed set and for one without papers.
    """
    report = progress or (lambda stage, done, total: None)
    # Chosen once: between two choices memory may have become free or scarce.
    settings = settings.model_copy(update={"model": choose_model(settings.model).name})
    if index is None:
        judged = load_set(folder, split=split)
        listed = None if corpus or not isinstance(judged, CorpusSet) else judged.ids
        index = index_papers(corpus or corpus_of(judged), ids or listed, settings, report)
    generator = None
    if cache is not None and style_of(settings) == "synthesis":
        generator = CachedGenerator(open_generator(settings), cache)
    with Assistant.open(index, settings=settings, generator=generator) as assistant:
        return evaluate(
            folder,
            assistant,
            split=split,
            support=is_supported,
            cache=generator,
            progress=lambda done, total: report("asking", done, total),
            **options,
        )


def index_papers(sources: Sequence[Path], ids: Path | None, settings: Settings, progress: "Progress") -> Path:
    """Return an up-to-date index of the papers; it is kept in the user's cache by their paths and the embedder."""
    from rag_qa.index.builder import build_index

    parts = [str(path.expanduser().resolve()) for path in [*sources, *([ids] if ids else [])]]
    key = hashlib.sha256("\0".join([*parts, settings.embedder]).encode()).hexdigest()[:12]
    cache = home_folder(user_cache_path)
    if cache is None:
        raise EvaluationError("this user has no home folder; name one for caches with XDG_CACHE_HOME")
    index = cache / "eval" / f"{(ids or sources[0]).resolve().name}-{key}"
    if ids is not None:
        sources = [select_papers(sources, ids, index.with_name(f"{index.name}.jsonl"))]
    build_index(sources, index, settings=settings, prune=True, progress=progress)
    return index
