"""Find the papers of a set."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from rag_qa.errors import EvaluationError
from rag_qa.evaluation.datasets import CorpusSet, RetrievalSet
from rag_qa.files import make_private_folder, owner_only
from rag_qa.text.lines import read_json_lines, read_lines

SHARED = "RAG_QA_SHARED"
ROOT_MARKS = (".git", "pyproject.toml")


def resolve_corpus(asked: CorpusSet) -> list[Path]:
    """Return the sources to index for a set, in its order.

    "sample" is the corpus that ships with the package, and "seeds" is `$RAG_QA_SHARED/seeds`. A path may begin with
    `$RAG_QA_SHARED/`; if the variable is not set, that is `../shared` from the root of the clone that holds the set.
    Any other path is relative to the set's folder. Raises EvaluationError if a path does not exist.
    """
    return [_source(asked, name) for name in asked.corpus]


def _source(asked: CorpusSet, name: str) -> Path:
    if name == "sample":
        from rag_qa.sample import sample_papers_path

        return sample_papers_path()
    inside = "seeds" if name == "seeds" else name.removeprefix(f"${SHARED}/")
    if name == "seeds" or inside != name:
        path, cure = shared_folder(asked.folder) / inside, f"set {SHARED} to the folder that holds {inside}"
    else:
        path = asked.folder / Path(name).expanduser()
        cure = f"correct `corpus` in {asked.folder / 'set.toml'}"
    if not path.exists():
        raise EvaluationError(
            f"the corpus of the set {asked.name!r} is not at {path}; {cure}, "
            "or give an index of it with --index DIR"
        )
    return path


def corpus_of(judged: CorpusSet | RetrievalSet) -> list[Path]:
    """Return the sources to index for a set of any kind. Raises EvaluationError if it has none."""
    if isinstance(judged, CorpusSet):
        return resolve_corpus(judged)
    if judged.documents is None:
        raise EvaluationError(
            f"{judged.name} has no corpus.jsonl or documents.jsonl; name its papers with --corpus SOURCE, or an "
            "index of them with --index DIR"
        )
    return [judged.documents]


def select_papers(sources: Sequence[Path], ids: Path, target: Path) -> Path:
    """Write the records of JSON Lines files whose `_id` or `id` is in the file `ids` (one a line); return `target`.

    Raises EvaluationError if a listed paper is in none of the files.
    """
    wanted = {text.strip() for _, text in read_lines(ids, EvaluationError)}
    lines = []
    for _, record in (
        numbered for source in sources for numbered in read_json_lines(source, EvaluationError)
    ):
        if (paper := str(record.get("_id", record.get("id")))) in wanted:
            lines.append(json.dumps(record, ensure_ascii=False) + "\n")
            wanted.discard(paper)
    if wanted:
        raise EvaluationError(
            f"{ids} lists {len(wanted)} papers that are not in the corpus (the first is {min(wanted)!r}); "
            "remove them there, or name the corpus that holds them with --corpus"
        )
    make_private_folder(target.parent)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    with open(unfinished, "wb", opener=owner_only) as file:
        file.write("".join(lines).encode("utf-8"))
    return unfinished.replace(target)


def shared_folder(beside: Path) -> Path:
    """Return `$RAG_QA_SHARED`, or `../shared` from the root of the clone that holds a file or folder."""
    if shared := os.environ.get(SHARED):
        return Path(shared).expanduser()
    above = beside.resolve().parents
    root = next(
        (p for p in above if any((p / mark).exists() for mark in ROOT_MARKS)), beside.resolve().parent
    )
    return root.parent / "shared"
