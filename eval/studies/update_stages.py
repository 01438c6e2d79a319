"""Measure how long an update takes, stage by stage, if embedding costs nothing.

    python eval/studies/update_stages.py build papers.jsonl.gz WORK --papers 128353 --new 1000
    python eval/studies/update_stages.py copy WORK
    python eval/studies/update_stages.py update WORK
    python eval/studies/update_stages.py prune WORK

`build` makes an index of all papers but the new ones; `update` adds these to a copy of it, and `prune` removes them
again. Vectors are sums of random vectors of the words, with the dimension of a real embedder, so that Chroma and the
matrix have their real sizes.
Seconds are of wall-clock time; "cpu" are those of the process.
"""

import hashlib
import json
import random
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eval.programs import parser_for
from rag_qa import build_index
from rag_qa.corpus.reading import read_source
from rag_qa.corpus.sources import expand_sources
from rag_qa.index import builder, changes, derived
from rag_qa.index.store import Store
from rag_qa.protocols import EmbedderSpec, Matrix, Role, TokenEncoding

DIMENSION = 384
# Functions whose time is shown, if this version has them: (module or class, name).
STAGES = (
    (changes, "read_source"),
    (builder, "find_change"),
    (changes, "merge_papers"),
    (builder, "fates_of"),
    (builder, "cut_passages"),
    (builder, "embed_missing"),
    (builder, "_write"),
    (builder, "_manifest"),
    (builder, "build_derived"),
    (derived, "build_vectors"),
    (derived, "_carry_over"),
    (derived, "build_exact"),
    (derived, "build_lexical"),
    (derived, "build_pairs"),
    (derived, "build_facets"),
    (derived, "update_exact"),
    (derived, "update_lexical"),
    (derived, "update_pairs"),
    (derived, "update_facets"),
    (derived, "_stamp"),
    (Store, "linked_records"),
    (Store, "drop_unused_vectors"),
)


class WordVectors:
    """An embedder whose vectors are sums of random vectors of the words."""

    def __init__(self) -> None:
        weights = hashlib.sha256(b"word vectors").hexdigest()
        self.spec = EmbedderSpec(
            name="words",
            revision="1",
            weights_sha256=weights,
            dtype="float32",
            dimension=DIMENSION,
            max_tokens=256,
        )
        self._table = np.random.default_rng(0).standard_normal((65_536, DIMENSION), dtype=np.float32)
        self._numbers: dict[str, int] = {}

    def encode(self, texts: Sequence[str], *, role: Role) -> Matrix:
        """Return vectors of length 1."""
        vectors = np.stack(
            [self._table[[self._number(word) for word in text.split()]].sum(0) for text in texts]
        )
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)

    def encode_tokens(self, texts: Sequence[str], *, role: Role) -> list[TokenEncoding]:
        """Not needed to index."""
        raise NotImplementedError

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the number of words and two."""
        return [len(text.split()) + 2 for text in texts]

    def _number(self, word: str) -> int:
        if word not in self._numbers:
            self._numbers[word] = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=2).digest())
        return self._numbers[word]


def build(source: Path, work: Path, papers: int, new: int) -> None:
    """Write the files and build the index of the older papers."""
    (file,) = expand_sources([source])
    drawn = list(read_source(file).papers[:papers])
    random.Random(0).shuffle(drawn)
    (work / "papers").mkdir(parents=True)
    for name, part in (("old", drawn[new:]), ("new", drawn[:new])):
        lines = (paper.model_copy(update={"sources": ()}).model_dump_json() for paper in part)
        (work / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    shutil.move(work / "old.jsonl", work / "papers" / "old.jsonl")
    report = build_index([work / "papers"], work / "index", embedder=WordVectors())
    print(report.papers, "papers")


def copy(work: Path) -> None:
    """Copy the index, to update the copy."""
    shutil.rmtree(work / "copy", ignore_errors=True)
    shutil.copytree(work / "index", work / "copy")


def update(work: Path) -> None:
    """Add the new papers to the copy of the index."""
    shutil.copy(work / "new.jsonl", work / "papers" / "new.jsonl")
    report = build_index([work / "papers"], work / "copy", embedder=WordVectors())
    (work / "papers" / "new.jsonl").unlink()
    print(report.added, "added,", report.papers, "papers")


def prune(work: Path) -> None:
    """Remove the new papers from the copy of the index."""
    report = build_index([work / "papers"], work / "copy", embedder=WordVectors(), prune=True)
    print(report.removed, "removed,", report.papers, "papers")


def timed(function: Callable[[], object]) -> None:
    """Run a function, and print the time of each stage as JSON."""
    seconds: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for place, name in STAGES:
        if hasattr(place, name):
            setattr(place, name, _timed(getattr(place, name), seconds[name]))
    whole = seconds["all"]
    _timed(function, whole)()
    rows = {name: {"wall": round(a, 2), "cpu": round(b, 2)} for name, (a, b) in seconds.items()}
    print(json.dumps(rows, indent=1))


def _timed(function: Callable[..., Any], total: list[float]) -> Callable[..., Any]:
    def run(*given: Any, **named: Any) -> Any:
        started = time.perf_counter(), time.process_time()
        try:
            return function(*given, **named)
        finally:
            total[0] += time.perf_counter() - started[0]
            total[1] += time.process_time() - started[1]

    return run


def main() -> None:
    parser = parser_for(__doc__ or "")
    parser.add_argument("what", choices=("build", "copy", "update", "prune"))
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--papers", type=int, default=128_353)
    parser.add_argument("--new", type=int, default=1_000)
    told = parser.parse_args()
    if told.what == "build":
        timed(lambda: build(told.paths[0], told.paths[1], told.papers, told.new))
    else:
        run = {"copy": copy, "update": update, "prune": prune}[told.what]
        timed(lambda: run(*told.paths))


if __name__ == "__main__":
    main()
