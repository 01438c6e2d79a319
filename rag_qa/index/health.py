"""Whether an index is sound. A child process checks, because a damaged Chroma folder can crash the process."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from rag_qa.errors import RagQAError
from rag_qa.index.chroma_server import ServerVectors
from rag_qa.index.derived import derived_folder, has_graph, stamp_matches
from rag_qa.index.exact import Exact
from rag_qa.index.lexical import Lexical
from rag_qa.index.manifest import Manifest
from rag_qa.index.store import Store
from rag_qa.index.vectors import Vectors
from rag_qa.types import Value

SAMPLE = 50
NEAREST = 10
TIMEOUT_S = 300
SAME_VECTOR = 0.999
ROUNDING = 1e-5


class Health(Value):
    """What a check found.

    `graph_recall` is the share of the exact nearest passages that Chroma's graph finds, 0 to 1.
    """

    problems: tuple[str, ...] = ()
    graph_recall: float | None = None

    @property
    def ok(self) -> bool:
        """Whether no problem was found."""
        return not self.problems


def check_index(index: Path) -> Health:
    """Check the SQLite file and the derived files: hashes, counts, and whether stored passages find themselves."""
    # With -P and PYTHONPATH the child imports what this process would, and nothing from the working directory.
    command = [sys.executable, "-P", "-m", "rag_qa.index.health", str(index)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        return Health(problems=(f"the check of {index} did not end within {TIMEOUT_S} s",))
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return Health(problems=(f"reading it ended a process with status {done.returncode}: {last}",))
    return Health.model_validate_json(done.stdout.splitlines()[-1])


def examine(index: Path) -> Health:
    """Check in this process, which damage may crash."""
    try:
        store = Store.open(index)
        manifest = store.manifest()
        if manifest is None:
            return Health(problems=(f"no update has finished in {index}; run `rag-qa index`",))
        folder = derived_folder(index, manifest.generation)
        if not folder.is_dir():
            return Health(problems=(f"{folder} is missing",))
        if problems := _count_problems(store, manifest, folder):
            return Health(problems=tuple(problems))
        return _retrieval_health(store, folder)
    except RagQAError as exc:
        return Health(problems=(str(exc),))


def _count_problems(store: Store, manifest: Manifest, folder: Path) -> list[str]:
    if not stamp_matches(folder):
        return [f"{folder} has changed since it was built"]
    counts = manifest.counts
    found = {
        "papers are stored": (store.count("papers"), counts.papers),
        "passages are stored": (store.count("passages"), counts.passages),
        "papers are in the lexical index": (len(Lexical(folder / "lexical").paper_ids), counts.papers),
    }
    if has_graph(folder):
        found["passages are in Chroma"] = (len(Vectors(folder / "chroma")), counts.passages)
    return [f"{n} {what} and {wanted} were recorded" for what, (n, wanted) in found.items() if n != wanted]


def _retrieval_health(store: Store, folder: Path) -> Health:
    """Search Chroma for a sample of the stored vectors, and compare with a scan of all of them."""
    count = store.count("passages")
    if not count or not has_graph(folder):
        return Health()
    vectors, exact = Vectors(folder / "chroma"), Exact(folder / "exact")
    rows = list(range(0, count, max(1, count // SAMPLE)))
    lost, recalls = 0, []
    for row in rows:
        _, found = vectors.search(exact.vectors[row], NEAREST)
        lost += not len(found) or found[0] < SAME_VECTOR
        nearest = np.sort(exact.vectors @ exact.vectors[row])[-NEAREST:]
        # Compared by similarity, not by id: equally near passages are equally good.
        recalls.append(np.count_nonzero(found >= nearest[0] - ROUNDING) / len(nearest))
    problems = (f"{lost} of {len(rows)} stored vectors are not found in Chroma",) if lost else ()
    return Health(problems=problems, graph_recall=float(np.mean(recalls)))


def finds_itself(vectors: Vectors | ServerVectors, stored: bytes) -> bool:
    """Return whether a stored vector is found in Chroma."""
    _, similarities = vectors.search(np.frombuffer(stored, dtype=np.float32), 1)
    return bool(len(similarities) and similarities[0] > SAME_VECTOR)


if __name__ == "__main__":
    print(examine(Path(sys.argv[1])).model_dump_json())
