"""Where the papers of a question set are."""

import os
from pathlib import Path

from rag_qa.errors import EvaluationError
from rag_qa.evaluation.datasets import QuestionSet

SHARED = "RAG_QA_SHARED"
ROOT_MARKS = (".git", "pyproject.toml")


def resolve_corpus(question_set: QuestionSet) -> list[Path]:
    """Return the sources to index for a question set.

    "sample" is the corpus that ships with the package; "seeds" is `$RAG_QA_SHARED/seeds`, or
    `../shared/seeds` from the root of the clone that holds the set; anything else is a path, relative to
    the set's folder. Raises EvaluationError when it is not there.
    """
    if question_set.corpus == "sample":
        from rag_qa.sample import sample_papers_path

        return [sample_papers_path()]
    if question_set.corpus == "seeds":
        path, cure = _seeds(question_set.folder), f"set {SHARED} to the folder that holds seeds/"
    else:
        path = question_set.folder / Path(question_set.corpus).expanduser()
        cure = f"correct `corpus` in {question_set.folder / 'set.toml'}"
    if not path.exists():
        raise EvaluationError(
            f"the corpus of the set {question_set.name!r} is not at {path}; {cure}, "
            "or give an index of it with --index DIR"
        )
    return [path]


def _seeds(folder: Path) -> Path:
    if shared := os.environ.get(SHARED):
        return Path(shared).expanduser() / "seeds"
    above = folder.resolve().parents
    root = next(
        (p for p in above if any((p / mark).exists() for mark in ROOT_MARKS)), folder.resolve().parent
    )
    return root.parent / "shared" / "seeds"
