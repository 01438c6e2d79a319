"""A library of small sources, and an index built from it with the fake embedder."""

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from rag_qa import IndexReport, build_index
from rag_qa.index.reader import Index
from rag_qa.index.store import Store
from rag_qa.testing import HashingEmbedder

SYLLABLES = "ba ke li mo nu ra se ti vo zu dar fen gol hix jum".split()

GAMES = {
    "id": "games",
    "title": "Eigenvectors as a game",
    "abstract": "Principal components are found by players in a game. Each player owns one vector.",
    "year": 2020,
}
SOUP = {
    "id": "soup",
    "title": "On soup",
    "abstract": "Salt the water before the onions go in. Stock is better than water, as every cook knows.",
    "doi": "10.1000/soup",
}
BEES = {
    "id": "bees",
    "title": "Dances of bees",
    "abstract": "A bee tells the others by a dance where flowers stand. The angle shows the direction.",
}


class Library:
    """Sources in a folder, an index beside it, and the embedder that built it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sources = root / "papers"
        self.index = root / "index"
        self.embedder = HashingEmbedder()
        self.sources.mkdir()

    def write(self, *papers: Mapping[str, object], name: str = "papers.jsonl") -> Path:
        """Write papers as JSON Lines; a string stands for a broken line."""
        path = self.sources / name
        lines = [paper if isinstance(paper, str) else json.dumps(paper) for paper in papers]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def build(self, *sources: Path | str, **options: object) -> IndexReport:
        """Build the index, by default from the whole folder; `embedder.encoded` holds what this run embeds."""
        self.embedder.encoded.clear()
        options = {"embedder": self.embedder} | options
        return build_index(sources or [self.sources], self.index, **options)

    def open(self, **options: bool) -> Index:
        return Index.open(self.index, **options)

    def ids(self) -> list[str]:
        """The ids of the papers that a new reader sees."""
        index = self.open()
        try:
            return [paper.id for paper in index.papers()]
        finally:
            index.close()

    @staticmethod
    def counts(report: IndexReport, *names: str) -> list[int]:
        """Some counts of a report."""
        return [getattr(report, name) for name in names]

    @staticmethod
    def contents(folder: Path) -> tuple[object, ...]:
        """The papers, passages and vectors in the store of an index."""
        store = Store.open(folder)
        held = (list(store.papers()), list(store.passage_vectors()), store.count("vectors"))
        store.close()
        return held

    def derived(self) -> Path:
        """The folder of derived files that a new reader uses."""
        return max((self.index / "derived").iterdir(), key=lambda folder: int(folder.name))


def made_up(numbers: Iterable[int]) -> list[dict[str, object]]:
    """Papers in made-up words, so that no two of them are alike."""
    return [_made_up(number) for number in numbers]


def _made_up(number: int) -> dict[str, object]:
    chance = random.Random(number)
    words = ["".join(chance.choices(SYLLABLES, k=3)) for _ in range(24)]
    sentences = [" ".join(words[start : start + 8]).capitalize() + "." for start in (0, 8, 16)]
    return {"id": f"p{number:05}", "title": f"Of {words[0]} {words[9]}", "abstract": " ".join(sentences)}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library."""
    return Library(tmp_path)


@pytest.fixture
def world() -> type["World"]:
    """What the tests of this folder share, by name."""
    return World


class World:
    """Three papers that differ, and as many made-up ones as are wanted."""

    GAMES, SOUP, BEES = GAMES, SOUP, BEES
    made_up = staticmethod(made_up)
