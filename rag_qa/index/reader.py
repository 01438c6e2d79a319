"""An index opened to be searched: pinned to one finished generation, mended first where it is damaged."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from rag_qa.errors import IndexDamagedError, IndexNotFoundError
from rag_qa.index.derived import build_derived, derived_folder, stamp_matches, write_stamp
from rag_qa.index.health import check_index
from rag_qa.index.lexical import Lexical
from rag_qa.index.lock import writing
from rag_qa.index.manifest import Manifest
from rag_qa.index.store import FILE_NAME, Store
from rag_qa.index.vectors import Vectors
from rag_qa.protocols import Matrix
from rag_qa.types import Paper, Passage


class Index:
    """Papers, passages, vectors and BM25 of one generation. Use `Index.open`, and close it."""

    def __init__(self, store: Store, manifest: Manifest, vectors: Vectors, lexical: Lexical | None) -> None:
        self.manifest = manifest
        self.vectors = vectors
        self.lexical = lexical
        self._store = store

    @classmethod
    def open(cls, folder: Path) -> "Index":
        """Open the last finished update; derived files that are lost or damaged are built again first.

        Raises IndexNotFoundError, IndexMismatchError (schema), IndexDamagedError (the truth file).
        """
        store, manifest = _open_store(folder)
        derived = derived_folder(folder, manifest.generation)
        if not stamp_matches(derived):
            store.close()
            mend(folder)
            store, manifest = _open_store(folder)
            derived = derived_folder(folder, manifest.generation)
        lexical = Lexical(derived / "lexical") if manifest.counts.papers else None
        return cls(store, manifest, Vectors(derived / "chroma"), lexical)

    def close(self) -> None:
        """Let go of the files."""
        self.vectors.close()
        self._store.close()

    def paper(self, paper_id: str) -> Paper:
        """Return the paper with this id or alias. Raises KeyError where there is none."""
        resolved = self._store.resolve(paper_id)
        if resolved is None:
            raise KeyError(paper_id)
        return self._store.papers_by_id([resolved])[resolved]

    def papers(self) -> Iterator[Paper]:
        """Yield every paper."""
        return (paper for _, paper in self._store.papers())

    def papers_by_id(self, ids: Sequence[str]) -> dict[str, Paper]:
        """Return the papers that exist among the ids (not aliases)."""
        return self._store.papers_by_id(ids)

    def passages_of(self, papers: Sequence[Paper]) -> list[Passage]:
        """Return the passages of the papers."""
        abstracts = {paper.id: paper.abstract for paper in papers}
        return [
            Passage(id=key, paper_id=paper_id, text=abstracts[paper_id][start:end], start=start, end=end)
            for key, paper_id, start, end in self._store.passages_of(list(abstracts))
        ]

    def passage_ids_of(self, paper_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Return (passage id, paper id) of the papers' passages."""
        return [(row[0], row[1]) for row in self._store.passages_of(paper_ids)]

    def papers_of_passages(self, passage_ids: Sequence[str]) -> list[str]:
        """Return the ids of the papers that hold the passages."""
        return self._store.papers_of_passages(passage_ids)

    def term_weights(self, terms: Sequence[str]) -> dict[str, float]:
        """Return how much each stemmed term tells papers apart: its inverse document frequency, as BM25 has it."""
        total = self.manifest.counts.papers
        frequencies = self.lexical.document_frequencies(terms) if self.lexical else dict.fromkeys(terms, 0)
        return {t: math.log(1 + (total - df + 0.5) / (df + 0.5)) for t, df in frequencies.items()}

    def vectors_of(self, passage_ids: Sequence[str]) -> Matrix:
        """Return the passages' vectors, shape (len(passage_ids), dimension)."""
        if not passage_ids:
            return np.empty((0, self.manifest.embedder.dimension), dtype=np.float32)
        return self._store.vectors_of(passage_ids)


def mend(folder: Path) -> bool:
    """Check the derived files in a child process; build them again if that fails. Returns whether it had to.

    Raises IndexLockedError while an update runs, IndexDamagedError where the truth itself is not sound.
    """
    with writing(folder):
        store = Store.create(folder)
        try:
            manifest = store.manifest()
            if manifest is None:
                raise _not_found(folder)
            derived = derived_folder(folder, manifest.generation)
            if check_index(folder).ok:
                write_stamp(derived)
                return False
            with store.transaction():
                build_derived(store, manifest.generation)
        finally:
            store.close()
    if not (health := check_index(folder)).ok:
        raise IndexDamagedError(
            f"{folder} is damaged beyond what can be rebuilt ({'; '.join(health.problems)}); move it away and "
            "build it again with `rag-qa index`"
        )
    return True


def _open_store(folder: Path) -> tuple[Store, Manifest]:
    if not (folder / FILE_NAME).is_file():
        raise _not_found(folder)
    store = Store.open(folder)
    manifest = store.manifest()
    if manifest is None:
        store.close()
        raise _not_found(folder)
    return store, manifest


def _not_found(folder: Path) -> IndexNotFoundError:
    return IndexNotFoundError(
        f"there is no finished index in {folder}; make one with `rag-qa index SOURCE --index {folder}`"
    )
