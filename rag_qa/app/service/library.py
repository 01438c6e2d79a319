"""The indexes that a service holds open, by name, with the models that they share.

Each index is opened twice: for the quick lane, which searches and quotes, and for the writing lane, where a language
model writes. Only the thread of its lane uses an opened index.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rag_qa.answering.assistant import Assistant, style_of
from rag_qa.app.service.lanes import Lane
from rag_qa.errors import IndexNotFoundError, SettingsError, UnknownNameError
from rag_qa.index.database import FILE_NAME
from rag_qa.index.manifest import Manifest
from rag_qa.index.store import Store
from rag_qa.protocols import Embedder, Generator, Reranker
from rag_qa.settings import Settings, Style

QUICK_LIMIT = 64
WRITING_LIMIT = 8


class Models(NamedTuple):
    """The models that all indexes share; `generator` is None if every answer is in quotes."""

    embedder: Embedder
    generator: Generator | None = None
    reranker: Reranker | None = None


class Stamp(NamedTuple):
    """Identifies a state of an index: another update has another stamp."""

    file: int
    manifest: Manifest


class Opened:
    """An index with an assistant over its last finished update."""

    def __init__(self, folder: Path, settings: Settings, models: Models) -> None:
        self.folder = folder
        self.settings = settings
        self._models = models
        self._stamp = read_stamp(folder)
        self._assistant = self._open()

    def assistant(self) -> Assistant:
        """Return the assistant, opened again if the index was updated. Raises as `Assistant.open` does."""
        stamp = read_stamp(self.folder)
        if stamp != self._stamp:
            newer = self._open()
            self._assistant.close()
            self._assistant, self._stamp = newer, stamp
        return self._assistant

    @property
    def papers(self) -> int:
        """The number of papers in the index when it was last opened."""
        return self._stamp.manifest.counts.papers

    def close(self) -> None:
        """Close the index."""
        self._assistant.close()

    def _open(self) -> Assistant:
        embedder, generator, reranker = self._models
        return Assistant.open(
            self.folder, settings=self.settings, embedder=embedder, generator=generator, reranker=reranker
        )


class Shelf(NamedTuple):
    """One index: opened for quotes, and for writing if there is a language model."""

    name: str
    quoting: Opened
    writing: Opened | None

    @property
    def style(self) -> Style:
        """The style of answers if a request names none."""
        return "synthesis" if self.writing else "quote"

    @property
    def model(self) -> str | None:
        """The name of the language model that writes, None if there is none."""
        return self.writing.settings.model if self.writing else None


class Desk(NamedTuple):
    """A place that answers questions: an opened index, and the lane whose thread may use it."""

    opened: Opened
    lane: Lane


class Library:
    """Opened indexes by name; the first one is the default. Close it."""

    def __init__(
        self, folders: Sequence[Path], settings: Settings, models: Models, *, limit: int = WRITING_LIMIT
    ) -> None:
        """Open the folders; `settings.model` is the name of the language model, not `auto`."""
        writes = style_of(settings) == "synthesis" and models.generator is not None
        quoting = settings.model_copy(update={"style": "quote"})
        self.shelves = {
            name: Shelf(
                name,
                Opened(folder, quoting, models._replace(generator=None)),
                Opened(folder, settings, models) if writes else None,
            )
            for name, folder in _named(folders).items()
        }
        self.quick = Lane("quick", limit=QUICK_LIMIT)
        self.writing = Lane("writing", limit=limit)

    def shelf(self, name: str | None = None) -> Shelf:
        """Return the index of this name, or the first. Raises UnknownNameError that lists the names."""
        name = next(iter(self.shelves)) if name is None else name
        if name not in self.shelves:
            raise UnknownNameError(f"there is no index {name!r} here; name one of {', '.join(self.shelves)}")
        return self.shelves[name]

    def desk(self, shelf: Shelf, style: Style | None = None) -> Desk:
        """Return the desk that answers questions to an index in a style. Raises SettingsError if there is none."""
        if style == "quote" or (shelf.writing is None and style != "synthesis"):
            return Desk(shelf.quoting, self.quick)
        if shelf.writing is None:
            raise SettingsError(
                "no language model writes here; ask in style quote, or start `rag-qa serve --style synthesis`"
            )
        return Desk(shelf.writing, self.writing)

    def close(self) -> bool:
        """End the lanes, close the indexes of those that ended, and return whether all ended."""
        quick, writing = self.quick.close(), self.writing.close()
        for shelf in self.shelves.values():
            if quick:
                shelf.quoting.close()
            if writing and shelf.writing:
                shelf.writing.close()
        return quick and writing


def read_stamp(folder: Path) -> Stamp:
    """Return the stamp of an index on disk. Raises IndexNotFoundError if there is no finished index."""
    store = Store.open(folder)
    try:
        manifest = store.manifest()
        if manifest is None:
            raise IndexNotFoundError(
                f"there is no finished index in {folder}; make one with `rag-qa index SOURCE --index {folder}`"
            )
        return Stamp((folder / FILE_NAME).stat().st_ino, manifest)
    finally:
        store.close()


def _named(folders: Sequence[Path]) -> dict[str, Path]:
    """Return the folders by their names; a repeated name gets a number."""
    named: dict[str, Path] = {}
    for folder in dict.fromkeys(folder.absolute() for folder in folders):
        name, number = folder.name, 1
        while name in named:
            number += 1
            name = f"{folder.name}-{number}"
        named[name] = folder
    return named
