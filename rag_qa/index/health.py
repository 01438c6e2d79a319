"""Is an index sound? Asked in a child process, because a damaged Chroma folder ends the process that opens it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from rag_qa.errors import RagQAError
from rag_qa.index.derived import derived_folder
from rag_qa.index.lexical import Lexical
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
    """Check the truth and what is derived from it: counts, and that stored vectors find themselves."""
    command = [sys.executable, "-m", "rag_qa.index.health", str(index)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
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
    except RagQAError as exc:
        return [str(exc)]
    if manifest is None:
        return ["no update has finished yet; run `rag-qa index` again"]
    folder = derived_folder(index, manifest.generation)
    problems = _count_problems(store, folder)
    return problems or _retrieval_problems(store, folder)


def _count_problems(store: Store, folder: Path) -> list[str]:
    manifest = store.manifest()
    if manifest is None or not folder.is_dir():
        return [f"{folder} is missing"]
    problems = []
    for table in ("papers", "passages"):
        stored = store.count(table)
        if stored != getattr(manifest.counts, table):
            problems.append(f"{stored} {table} are stored and {getattr(manifest.counts, table)} were recorded")
    if manifest.counts.papers and len(Lexical(folder / "lexical").paper_ids) != manifest.counts.papers:
        problems.append("the lexical index holds another number of papers")
    if len(Vectors(folder / "chroma")) != manifest.counts.passages:
        problems.append("Chroma holds another number of passages")
    return problems


def _retrieval_problems(store: Store, folder: Path) -> list[str]:
    rows = list(store.passage_rows())
    vectors = Vectors(folder / "chroma")
    lost = 0
    for row in rows[:: max(1, len(rows) // SAMPLE)]:
        _, similarities = vectors.search(np.frombuffer(row[-1], dtype=np.float32), 1)
        lost += not (len(similarities) and similarities[0] > SAME_VECTOR)
    return [f"{lost} of the stored vectors are not found in Chroma"] if lost else []


if __name__ == "__main__":
    print(json.dumps(find_problems(Path(sys.argv[1]))))
