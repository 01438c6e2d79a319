"""Where the papers of a question set are."""

import os
from pathlib import Path

from rag_qa.errors import EvaluationError
from rag_qa.evaluation.datasets import CorpusSet

SHARED = "RAG_QA_SHARED"
ROOT_MARKS = (".git", "pyproject.toml")


def resolve_corpus(asked: CorpusSet) -> list[Path]:
    """Return the sources to index for a set.

    "sample" is the corpus that ships with the package. A path may begin with `$RAG_QA_SHARED/`, which is `../shared`
    from the root of the clone that holds the set where the variable is not set, and "seeds" is `$RAG_QA_SHARED/seeds`;
    any other path is relative to the set's folder. Raises EvaluationError when it is not there.
    """
    if asked.corpus == "sample":
        from rag_qa.sample import sample_papers_path

        return [sample_papers_path()]
    inside = "seeds" if asked.corpus == "seeds" else asked.corpus.removeprefix(f"${SHARED}/")
    if asked.corpus == "seeds" or inside != asked.corpus:
        path, cure = _shared(asked.folder) / inside, f"set {SHARED} to the folder that holds {inside}"
    else:
        path = asked.folder / Path(asked.corpus).expanduser()
        cure = f"correct `corpus` in {asked.folder / 'set.toml'}"
    if not path.exists():
        raise EvaluationError(
            f"the corpus of the set {asked.name!r} is not at {path}; {cure}, "
            "or give an index of it with --index DIR"
        )
    return [path]


def _shared(folder: Path) -> Path:
    if shared := os.environ.get(SHARED):
        return Path(shared).expanduser()
    above = folder.resolve().parents
    root = next(
        (p for p in above if any((p / mark).exists() for mark in ROOT_MARKS)), folder.resolve().parent
    )
    return root.parent / "shared"
