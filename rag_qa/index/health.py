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
from rag_qa.index.integrity import find_damage
from rag_qa.index.lexical import Lexical
from rag_qa.index.lock import hold, let_go
from rag_qa.index.manifest import Manifest
from rag_qa.index.store import Store
from rag_qa.index.vectors import Vectors
from rag_qa.types import Value

SAMPLE = 50
NEAREST = 10
TIMEOUT_S = 3600
SAME_VECTOR = 0.999
# An approximate graph may miss a stored vector; damage is found by hashes.
MISSED = 0.1
ROUNDING = 1e-5


class Health(Value):
    """What a check found.

    `graph_recall` is the share of the exact nearest passages that Chroma's graph finds, 0 to 1. Without `hashed`, a
    version without hashes wrote the index, and damage to its papers is found only by their passages.
    """

    problems: tuple[str, ...] = ()
    graph_recall: float | None = None
    hashed: bool = True

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
        held = hold(folder)  # so that no update removes it meanwhile
        try:
            problems = [*_damage(store, manifest), *_derived_problems(manifest, folder)]
            return Health(problems=tuple(problems)) if problems else _retrieval_health(store, folder)
        finally:
            let_go(held)
    except RagQAError as exc:
        return Health(problems=(str(exc),))


def _damage(store: Store, manifest: Manifest) -> list[str]:
    """Return what is damaged in the store, also what SQLite says when it cannot read on."""
    found: list[str] = []
    try:
        found.extend(find_damage(store, manifest))
    except RagQAError as exc:
        found.append(str(exc))
    return found


def _derived_problems(manifest: Manifest, folder: Path) -> list[str]:
    if not folder.is_dir():
        return [f"{folder} is missing"]
    if not stamp_matches(folder, thorough=True):
        return [f"{folder} has changed since it was built"]
    counts = manifest.counts
    found = {
        "papers are in the lexical index": (len(Lexical(folder / "lexical").paper_ids), counts.papers),
    }
    if has_graph(folder):
        found["passages are in Chroma"] = (len(Vectors(folder / "chroma")), counts.passages)
    return [f"{n} {what} and {wanted} were recorded" for what, (n, wanted) in found.items() if n != wanted]


def _retrieval_health(store: Store, folder: Path) -> Health:
    """Search Chroma for a sample of the stored vectors, and compare with a scan of all of them."""
    count = store.count("passages")
    if not count or not has_graph(folder):
        return Health(hashed=store.has_hashes)
    vectors, matrix = Vectors(folder / "chroma"), np.asarray(Exact(folder / "exact").vectors)
    rows = list(range(0, count, max(1, count // SAMPLE)))
    lost, recalls = 0, []
    for row in rows:
        _, found = vectors.search(matrix[row], NEAREST)
        lost += not len(found) or found[0] < SAME_VECTOR
        nearest = np.sort(matrix @ matrix[row])[-NEAREST:]
        # Compared by similarity, not by id: equally near passages are equally good.
        recalls.append(np.count_nonzero(found >= nearest[0] - ROUNDING) / len(nearest))
    told = f"{lost} of {len(rows)} stored vectors are not found in Chroma"
    problems = (told,) if lost > MISSED * len(rows) else ()
    return Health(problems=problems, graph_recall=float(np.mean(recalls)), hashed=store.has_hashes)


def finds_itself(vectors: Vectors | ServerVectors, stored: bytes) -> bool:
    """Return whether a stored vector is found in Chroma."""
    _, similarities = vectors.search(np.frombuffer(stored, dtype=np.float32), 1)
    return bool(len(similarities) and similarities[0] > SAME_VECTOR)


if __name__ == "__main__":
    print(examine(Path(sys.argv[1])).model_dump_json())
