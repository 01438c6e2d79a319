"""A damaged index is mended from what is sound in it; what is lost is named with the file that brings it back."""

import random
import sqlite3

import pytest

from rag_qa.errors import IndexNotFoundError
from rag_qa.index.database import PAGE_BYTES
from rag_qa.index.health import examine
from rag_qa.index.repair import repair_index
from rag_qa.testing import HashingEmbedder


@pytest.fixture
def built(library, world):
    """A library of some papers with an index."""
    library.write(*world.made_up(range(40)), world.GAMES, world.SOUP, world.BEES)
    library.build()
    return library


def no_embedder():
    raise AssertionError("nothing was to be embedded")


def overwrite(library, edit):
    """Edit the bytes of the store."""
    path = library.index / "papers.sqlite3"
    content = bytearray(path.read_bytes())
    path.write_bytes(edit(content) or content)


def change(library, query):
    db = sqlite3.connect(library.index / "papers.sqlite3")
    assert db.execute(query).rowcount > 0
    db.commit()
    db.close()


@pytest.mark.parametrize(
    ("query", "mended"),
    [
        (
            "UPDATE papers SET body = replace(body, 'game', 'gain')",
            "the paper 'games' was made again of its records",
        ),
        ("DELETE FROM papers WHERE id = 'games'", "the paper 'games' was made again of its records"),
        ("UPDATE records SET body = replace(body, 'game', 'gain')", "the record of the paper 'games' in"),
        ("DELETE FROM records", "the record of the paper 'soup' in"),
        ("DELETE FROM aliases", "the store was written anew"),
        ("DELETE FROM sources", "the store was written anew"),
    ],
)
def test_what_is_there_twice_is_mended(built, query, mended):
    """A paper comes back from its records, a record from its paper, all else from papers; nothing is embedded."""
    before = built.contents(built.index)[0], found(built)
    change(built, query)
    assert not examine(built.index).ok
    repair = repair_index(built.index, no_embedder)
    assert any(mended in what for what in repair.mended), repair
    assert repair.lost == ()
    assert examine(built.index).ok
    assert (built.contents(built.index)[0], found(built)) == before
    assert built.build().embedded == 0


@pytest.mark.parametrize(
    ("query", "mended"),
    [
        (
            "UPDATE passages SET last = 5 WHERE paper_id = 'games'",
            "the passages of the paper 'games' were cut again",
        ),
        ("DELETE FROM passages WHERE paper_id = 'games'", "the passages of the paper 'games' were cut again"),
        ("DELETE FROM vectors", "43 passages were embedded again"),
        ("UPDATE vectors SET vector = zeroblob(length(vector))", "43 passages were embedded again"),
        ("DELETE FROM meta WHERE key = 'manifest'", "the manifest was written again"),
    ],
)
def test_passages_and_vectors_are_made_again(built, query, mended):
    """Passages are cut and vectors embedded as they were; a manifest is written for the present embedder."""
    before = built.contents(built.index)
    change(built, query)
    repair = repair_index(built.index, HashingEmbedder)
    assert any(mended in what for what in repair.mended), repair
    assert examine(built.index).ok
    assert built.contents(built.index) == before


def test_a_lost_paper_is_named_and_comes_back(built):
    """If a paper and its record are both damaged, the rest is used, and indexing the named file brings it back."""
    overwrite(built, lambda content: content.replace(b"found by players", b"lost by players!"))
    (lost,) = repair_index(built.index, no_embedder).lost
    assert (lost.id, lost.title, lost.sources) == (
        "games",
        "Eigenvectors as a game",
        (str(built.sources / "papers.jsonl"),),
    )
    assert "games" not in built.ids()
    assert examine(built.index).ok
    assert built.build(*lost.sources).added == 1
    assert "games" in built.ids()


def test_a_damaged_database_of_chroma_is_built_again(built):
    """Chroma changes its database whenever it opens it, so no hash is of it; SQLite finds the damage."""
    database = built.derived() / "chroma" / "chroma.sqlite3"
    database.write_bytes(database.read_bytes()[:8192])
    assert repair_index(built.index, no_embedder).mended == ("the derived files were built again",)
    assert examine(built.index).ok
    assert repair_index(built.index, no_embedder).mended == ()


def test_a_destroyed_first_page_is_replaced(built):
    """If the first page is random bytes, everything else is still found."""
    before = built.contents(built.index)
    overwrite(built, lambda content: random.Random(0).randbytes(PAGE_BYTES) + content[PAGE_BYTES:])
    repair = repair_index(built.index, no_embedder)
    assert repair.lost == ()
    assert built.contents(built.index) == before


def test_an_emptied_store_is_told(built):
    """If nothing is left, every paper is named as lost, and indexing its sources builds the index again."""
    overwrite(built, lambda content: b" " * 9)
    repair = repair_index(built.index, HashingEmbedder)
    assert len(repair.lost) == 43
    assert built.ids() == []
    assert built.build().added == 43


def test_the_damaged_file_is_kept(built):
    """The damaged file is kept as it was, in a folder that the report names; a second one beside the first."""
    for number in ("1", "2"):
        change(built, "UPDATE records SET body = replace(body, 'game', 'gain')")
        damaged = (built.index / "papers.sqlite3").read_bytes()
        aside = repair_index(built.index, no_embedder).aside
        assert aside == str(built.index / "damaged" / number)
        assert (built.index / "damaged" / number / "papers.sqlite3").read_bytes()[:4096] == damaged[:4096]
    assert built.build().unchanged == 43


def test_damaged_derived_files_are_built_again(built):
    """A derived file that differs by a byte, with its old size and time, is found by content and built again."""
    before = found(built)
    path = built.derived() / "exact" / "vectors.npy"
    flip(path)
    assert not examine(built.index).ok
    assert repair_index(built.index, no_embedder).mended == ("the derived files were built again",)
    assert examine(built.index).ok
    assert found(built) == before


def test_a_sound_index_stays_as_it_is(built):
    """Nothing is done to a sound index, and no index is an error."""
    assert repair_index(built.index, no_embedder).mended == ()
    assert built.derived().name == "1"
    with pytest.raises(IndexNotFoundError, match="rag-qa index"):
        repair_index(built.root / "nowhere", no_embedder)


def found(library):
    """What a search finds, with its score."""
    from rag_qa.retrieval.searching import Retriever

    index = library.open()
    hits = Retriever(index, HashingEmbedder()).search("players in a game", 5)
    index.close()
    return [(hit.paper, hit.passage, hit.score) for hit in hits]


def flip(path):
    """Change a bit in the middle of a file whose size and time stay."""
    import os

    status = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
