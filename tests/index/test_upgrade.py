"""Indexes of earlier versions are upgraded: nothing is embedded again, and they answer.

`first_index.sql` is the store that the first version of 0.1 made of RECORDS, with PAPERS for the path of the file. Its
tables have columns that later versions do not write, its papers lack fields that came later, and its derived files
have another layout.
"""

import sqlite3
from pathlib import Path

import pytest

from rag_qa import Assistant, Settings
from rag_qa.retrieval.searching import Retriever
from rag_qa.testing import HashingEmbedder
from rag_qa.version import __version__

RECORDS = """\
{"id": "games", "title": "Eigenvectors as a game", "abstract": "Principal components are found by players in a game. \
Each player owns one vector.", "year": 2020}
{"id": "soup", "title": "On soup", "abstract": "Salt the water before the onions go in. Stock is better than water, \
as every cook knows.", "doi": "10.1000/soup", "venue": "Journal of Broth"}
{"id": "broken", "title": "No abstract"}
"""
TABLES = Path(__file__).with_name("first_index.sql")


@pytest.fixture
def first(library):
    """A library whose index was made by the first version."""
    path = library.sources / "papers.jsonl"
    path.write_text(RECORDS, encoding="utf-8")
    derived = library.index / "derived" / "1"
    for part in ("chroma", "lexical"):
        (derived / part).mkdir(parents=True)
    (derived / "stamp.json").write_text("{}")
    db = sqlite3.connect(library.index / "papers.sqlite3")
    db.executescript(TABLES.read_text("utf-8").replace("PAPERS", str(path).replace("'", "''")))
    db.close()
    return library


def found(library, query):
    index = library.open(graph=True)
    hits = Retriever(index, HashingEmbedder()).search(query, 1)
    index.close()
    return [hit.paper.id for hit in hits]


def test_the_first_index_answers(first):
    """An index of the first version, opened as it is, answers with a quote of the right paper."""
    with Assistant.open(
        first.index, settings=Settings(style="quote"), embedder=HashingEmbedder()
    ) as assistant:
        answer = assistant.ask("which papers discuss players in a game?")
    assert [paper.id for paper in answer.papers] == ["games"]
    citations = [citation for sentence in answer.sentences for citation in sentence.citations]
    assert citations
    (paper,) = answer.papers
    assert all(paper.abstract[c.start : c.end] == c.quote for c in citations)


def test_the_first_index_is_searched_in_every_way(first):
    """Words, bigrams, vectors, Chroma's graph and facets are built for it when it is opened."""
    assert found(first, "salt the water") == ["soup"]
    assert found(first, "principal components") == ["games"]
    index = first.open()
    assert index.facets.venues.values == ["Journal of Broth"]
    assert index.facets.years.tolist() == [2020, 0]
    assert index.paper("10.1000/soup").id == "soup"
    assert index.manifest.generation == 2
    index.close()


def test_indexing_its_sources_again_embeds_nothing(first):
    """The next indexing run reports every record, embeds nothing and writes the manifest of this version."""
    report = first.build()
    assert first.counts(report, "found", "unchanged", "skipped", "embedded", "papers") == [3, 2, 1, 0, 2]
    assert first.embedder.encoded == []
    index = first.open()
    assert index.manifest.rag_qa_version == __version__
    index.close()


def test_papers_are_added_to_it_and_removed(first, world):
    """New papers are the only ones embedded, and papers may go, as in any index."""
    new = first.write(world.BEES, name="new.jsonl")
    report = first.build()
    assert first.counts(report, "added", "unchanged", "embedded", "papers") == [1, 2, 1, 3]
    assert found(first, "a dance of bees") == ["bees"]
    new.unlink()
    assert first.counts(first.build(prune=True), "removed", "embedded", "papers") == [1, 0, 2]
    assert first.ids() == ["games", "soup"]
