"""An index opened for search: pinned to one finished generation, and rebuilt first if derived files are damaged."""

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from rag_qa.corpus.ids import arxiv_form, doi_form, normalise_arxiv_id, normalise_doi
from rag_qa.errors import IndexDamagedError, IndexNotFoundError, PaperIndexError
from rag_qa.index.chroma_server import ServerVectors
from rag_qa.index.derived import (
    build_aside,
    build_derived,
    derived_folder,
    drop_old_generations,
    has_graph,
    stamp_matches,
)
from rag_qa.index.exact import Exact
from rag_qa.index.facets import Facets
from rag_qa.index.health import finds_itself
from rag_qa.index.lexical import Lexical
from rag_qa.index.lock import hold, let_go, writing
from rag_qa.index.manifest import Manifest
from rag_qa.index.pairs import Pairs
from rag_qa.index.store import PassageRow, Store
from rag_qa.index.vectors import Vectors
from rag_qa.protocols import Matrix
from rag_qa.types import Paper


class Index:
    """Papers, passages, vectors and BM25 of one generation. Open it with `Index.open`, and close it."""

    def __init__(self, store: Store, manifest: Manifest, derived: Path, files: ExitStack) -> None:
        self.manifest = manifest
        self.exact = Exact(derived / "exact")
        self.lexical = Lexical(derived / "lexical")
        self.pairs = Pairs(derived / "pairs", self.lexical)
        self.facets = Facets(derived / "facets")
        self._derived = derived
        self._store = store
        self._files = files

    @classmethod
    def open(cls, folder: Path, *, graph: bool = False, server: str | None = None) -> "Index":
        """Open the last finished update.

        Lost or damaged derived files are built again first, in a temporary folder if this one is not writable. With
        `graph`, Chroma is opened and tried too, in the folder or, with an address, on a `server`.

        Raises IndexNotFoundError, IndexMismatchError (schema), IndexDamagedError (the SQLite file), IndexLockedError
        (damage during an update), PaperIndexError (no folder to write to, no server).
        """
        if graph and server:
            opened = cls.open(folder)
            try:
                opened._ask_server(server)
            except BaseException:
                opened.close()
                raise
            return opened
        folder = folder.absolute()
        index, generation = cls._open(folder, graph)
        if index is None and not os.access(folder, os.W_OK):
            return cls._open_aside(folder, graph)
        if index is None:
            rebuild_derived(folder, generation, graph=graph)
            index, generation = cls._open(folder, graph)
        if index is None:
            raise IndexDamagedError(
                f"{folder} does not find its own papers, though it was just rebuilt; move it away and build "
                "it again with `rag-qa index`"
            )
        return index

    @classmethod
    def _open(cls, folder: Path, graph: bool) -> tuple["Index | None", int]:
        """Return the index, None if its derived files are not sound, and the generation."""
        with ExitStack() as files:
            store = Store.open(folder)
            files.callback(store.close)
            manifest = _finished(store)
            derived = derived_folder(folder, manifest.generation)
            files.callback(let_go, hold(derived))
            opened = cls(store, manifest, derived, files)
            if not stamp_matches(derived) or (graph and not opened._graph_is_sound()):
                return None, manifest.generation
            opened._files = files.pop_all()
            return opened, manifest.generation

    @classmethod
    def _open_aside(cls, folder: Path, graph: bool) -> "Index":
        """Return the index of a read-only folder, with derived files built in a temporary one."""
        with ExitStack() as files:
            store = Store.open(folder)
            files.callback(store.close)
            manifest = _finished(store)
            try:
                aside = Path(
                    files.enter_context(TemporaryDirectory(prefix="rag-qa-", ignore_cleanup_errors=True))
                )
                build_aside(store, aside, manifest.embedder.dimension, graph=graph)
            except OSError as exc:
                raise _not_writable(folder) from exc
            opened = cls(store, manifest, aside, files)
            opened._files = files.pop_all()
            return opened

    @cached_property
    def vectors(self) -> Vectors | ServerVectors:
        """The vectors in Chroma, opened at the first use. Raises IndexDamagedError."""
        vectors = Vectors(self._derived / "chroma")
        self._files.callback(vectors.close)
        return vectors

    def _ask_server(self, url: str) -> None:
        """Let a Chroma server find the nearest passages. Raises PaperIndexError if it does not hold this generation."""
        name = self._store.chroma_collection(self.manifest.generation)
        if name is None:
            raise PaperIndexError(
                f"the vectors of {self._store.folder} as it is now were not written to a Chroma server; run "
                f"`rag-qa index SOURCE --index {self._store.folder} --chroma {url}`"
            )
        self.vectors = ServerVectors(url, name, self.manifest.counts.passages)
        self._files.callback(self.vectors.close)

    def _graph_is_sound(self) -> bool:
        """Return whether Chroma opens and finds a vector that it holds; False if it was left out."""
        if not has_graph(self._derived):
            return False
        sample = next(self._store.passage_vectors(), None)
        try:
            return finds_itself(self.vectors, sample[1]) if sample else len(self.vectors) == 0
        except IndexDamagedError:
            return False

    def close(self) -> None:
        """Close the files."""
        self._files.close()

    def paper(self, paper_id: str) -> Paper:
        """Return the paper with this id, alias, DOI or arXiv id, also as a URL. Raises KeyError if there is none."""
        forms = [paper_id]
        if doi := normalise_doi(paper_id):
            forms.append(doi_form(doi))
        if arxiv_id := normalise_arxiv_id(paper_id):
            forms.append(arxiv_form(arxiv_id))
        known = self._store.resolve(forms)
        resolved = next((known[form] for form in forms if form in known), paper_id)
        return self._store.papers_by_id([resolved])[resolved]

    def papers(self) -> Iterator[Paper]:
        """Yield every paper, in order of ids."""
        return self._store.papers()

    def records(self) -> Iterator[Paper]:
        """Yield every record that the papers were made from, as it was read."""
        return (record for _, _, record in self._store.records())

    def papers_by_id(self, ids: Sequence[str]) -> dict[str, Paper]:
        """Return the papers with these ids (not aliases), by id; ids that no paper has are left out."""
        return self._store.papers_by_id(ids)

    def resolve(self, ids: Sequence[str]) -> set[str]:
        """Return the ids of the papers with these ids or aliases; those that no paper has are left out."""
        return set(self._store.resolve(ids).values())

    def papers_of_passages(self, passage_ids: Sequence[str]) -> set[str]:
        """Return the ids of the papers that hold the passages."""
        return self._store.papers_of_passages(passage_ids)

    def passages(self, paper_id: str) -> list[PassageRow]:
        """Return the passages of a paper, in the order of their text."""
        return self._store.passages(paper_id)

    def passage_vectors(self, paper_ids: Sequence[str]) -> tuple[list[PassageRow], Matrix]:
        """Return the passages of papers, and their vectors, shape (n, d) float32, rows of length 1."""
        found = list(self._store.passage_vectors(paper_ids))
        vectors = np.frombuffer(b"".join(vector for _, vector in found), dtype=np.float32)
        return [row for row, _ in found], vectors.reshape(len(found), self.manifest.embedder.dimension)

    def term_weights(self, terms: Sequence[str]) -> dict[str, float]:
        """Return each stemmed term's inverse document frequency, as in BM25: ln(1 + (N - df + 0.5) / (df + 0.5))."""
        total = self.manifest.counts.papers
        frequencies = self.lexical.document_frequencies(terms)
        return {t: math.log(1 + (total - df + 0.5) / (df + 0.5)) for t, df in frequencies.items()}


def rebuild_derived(folder: Path, generation: int, *, graph: bool = False) -> None:
    """Build the derived files again, as the next generation, unless another process has done so.

    With `graph`, Chroma's part is built, however large the index is. Raises IndexLockedError during an update,
    IndexDamagedError if the SQLite file is damaged.
    """
    with writing(folder):
        store = Store.create(folder)
        try:
            manifest = _finished(store)
            if manifest.generation == generation:
                generation += 1
                collection, index_id = store.chroma_collection(manifest.generation), store.index_id()
                with store.transaction():
                    if collection and index_id:  # it holds the same vectors
                        store.write_chroma(index_id, collection, generation)
                    store.write_manifest(manifest.model_copy(update={"generation": generation}))
                    build_derived(store, generation, manifest.embedder.dimension, graph=graph or None)
                drop_old_generations(folder, generation)
        finally:
            store.close()


def _not_writable(folder: Path) -> PaperIndexError:
    return PaperIndexError(
        f"{folder} has to be repaired or upgraded, and neither it nor the folder for temporary files can be written "
        f"to; copy it (cp -r {folder} NEW_FOLDER) and name the copy with --index NEW_FOLDER"
    )


def _finished(store: Store) -> Manifest:
    manifest = store.manifest()
    if manifest is None:
        raise IndexNotFoundError(
            f"there is no finished index in {store.folder}; make one with "
            f"`rag-qa index SOURCE --index {store.folder}`"
        )
    return manifest
