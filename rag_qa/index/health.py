"""Is an index sound? Asked in a child process, because a damaged Chroma folder ends the one that opens it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from rag_qa.errors import RagQAError
from rag_qa.index.derived import derived_folder, stamp_matches
from rag_qa.index.lexical import Lexical
from rag_qa.index.manifest import Manifest
from rag_qa.index.store import Store
from rag_qa.index.vectors import Vectors
from rag_qa.types import Value

SAMPLE = 20
TIMEOUT_S = 300
SAME_VECTOR = 0.999


class Health(Value):
    """What a check found."""

    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check_index(index: Path) -> Health:
    """Check the truth and what is derived from it: hashes, counts, and that stored passages find themselves."""
    # -P and PYTHONPATH: the child imports what this process would, and nothing from the working directory.
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
    return Health(problems=tuple(json.loads(done.stdout.splitlines()[-1])))


def find_problems(index: Path) -> list[str]:
    """Return what is wrong, looking in this process, which damage may end."""
    try:
        store = Store.open(index)
        manifest = store.manifest()
        if manifest is None:
            return [f"no update has finished in {index}; run `rag-qa index`"]
        folder = derived_folder(index, manifest.generation)
        if not folder.is_dir():
            return [f"{folder} is missing"]
        return _count_problems(store, manifest, folder) or _retrieval_problems(store, folder)
    except RagQAError as exc:
        return [str(exc)]


def _count_problems(store: Store, manifest: Manifest, folder: Path) -> list[str]:
    if not stamp_matches(folder):
        return [f"{folder} is not as it was built"]
    counts = manifest.counts
    found = {
        "papers are stored": (store.count("papers"), counts.papers),
        "passages are stored": (store.count("passages"), counts.passages),
        "papers are in the lexical index": (len(Lexical(folder / "lexical").paper_ids), counts.papers),
        "passages are in Chroma": (len(Vectors(folder / "chroma")), counts.passages),
    }
    return [f"{n} {what} and {wanted} were recorded" for what, (n, wanted) in found.items() if n != wanted]


def _retrieval_problems(store: Store, folder: Path) -> list[str]:
    stored = list(store.passage_vectors())
    vectors = Vectors(folder / "chroma")
    sample = stored[:: max(1, len(stored) // SAMPLE)]
    lost = sum(not finds_itself(vectors, vector) for _, vector in sample)
    return [f"{lost} of the stored vectors are not found in Chroma"] if lost else []


def finds_itself(vectors: Vectors, stored: bytes) -> bool:
    """Return whether a stored vector is found in Chroma."""
    _, similarities = vectors.search(np.frombuffer(stored, dtype=np.float32), 1)
    return bool(len(similarities) and similarities[0] > SAME_VECTOR)


if __name__ == "__main__":
    print(json.dumps(find_problems(Path(sys.argv[1]))))
