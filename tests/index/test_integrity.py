"""What is stored is compared with its hash when it is read: damage is an error that names the paper and the cure."""

import os
import shutil
import sqlite3

import pytest

from rag_qa import Assistant, Settings
from rag_qa.errors import IndexDamagedError
from rag_qa.index.health import examine
from rag_qa.index.integrity import row_hash
from rag_qa.index.store import Store
from rag_qa.retrieval.searching import Retriever
from rag_qa.testing import HashingEmbedder

CURE = "rag-qa doctor --repair --index"


@pytest.fixture
def built(library, world):
    """A library of three papers with an index."""
    library.write({**world.GAMES, "authors": ["Ada Lovelace"], "venue": "ICLR"}, world.SOUP, world.BEES)
    library.build()
    return library


def change(library, query):
    """Change the store behind the back of the hashes."""
    db = sqlite3.connect(library.index / "papers.sqlite3")
    changed = db.execute(query).rowcount
    db.commit()
    db.close()
    assert changed > 0


def replaced(column, old, new, table="papers"):
    return f"UPDATE {table} SET {column} = replace({column}, '{old}', '{new}') WHERE {column} LIKE '%{old}%'"


@pytest.mark.parametrize(
    ("old", "new"),
    [("in a game", "in a gamy"), ("Ada Lovelace", "Ida Lovelace"), ("ICLR", "ICML"), (":2020", ":2021")],
)
def test_a_changed_paper_is_neither_found_nor_listed(built, old, new):
    """A change of text, author, venue or year of a paper is an error wherever it would be shown."""
    change(built, replaced("body", old, new))
    with Assistant.open(
        built.index, settings=Settings(style="quote"), embedder=HashingEmbedder()
    ) as assistant:
        for use in (
            lambda: assistant.ask("which papers discuss players in a game?"),
            lambda: assistant.search("players in a game"),
            lambda: list(assistant.papers()),
            lambda: assistant.paper("games"),
        ):
            with pytest.raises(IndexDamagedError, match=f"'games'.*{CURE}"):
                use()
        assert assistant.paper("soup").title == "On soup"


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM papers WHERE id = 'games'",
        "UPDATE papers SET id = 'gamez' WHERE id = 'games'",
        "UPDATE passages SET last = last - 1 WHERE paper_id = 'games'",
        "DELETE FROM passages WHERE paper_id = 'games'",
    ],
)
def test_what_is_lost_is_told(built, query):
    """A paper or passage that the store lost is an error and not a shorter list."""
    change(built, query)
    index = built.open()
    with (
        Assistant.open(
            built.index, settings=Settings(style="quote"), embedder=HashingEmbedder()
        ) as assistant,
        pytest.raises(IndexDamagedError, match=CURE),
    ):
        assistant.search("players in a game")
    index.close()


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (replaced("body", "in a game", "in a gamy"), "the paper 'games' is not as it was stored"),
        (replaced("body", "in a game", "in a gamy", "records"), "the record 'games' of"),
        ("UPDATE sources SET digest = 'x'", "the source "),
        ("UPDATE vectors SET vector = zeroblob(length(vector))", "the vector of a passage is not"),
        (replaced("value", "hashing", "hushing", "meta"), "the manifest"),
        (
            "UPDATE passages SET first = 1 WHERE paper_id = 'games'",
            "passages or aliases of the paper 'games'",
        ),
        ("DELETE FROM aliases", "passages or aliases of the paper 'soup'"),
        ("DELETE FROM vectors", "passages have no vector"),
        ("DELETE FROM records WHERE id = 'games'", "papers have no record"),
        ("DELETE FROM papers WHERE id = 'games'", "2 papers are stored and 3 were recorded"),
    ],
)
def test_a_check_names_what_is_damaged(built, query, name):
    """The check of an index names each kind of damage, and finds nothing wrong before it."""
    store = Store.open(built.index)
    assert store.quick_check() == []
    store.close()
    change(built, query)
    assert any(name in problem for problem in examine(built.index).problems)


@pytest.mark.parametrize("table", ["passages", "aliases"])
def test_a_passage_or_alias_of_another_paper_is_no_traceback(built, table):
    """If a passage or an alias names a paper that is not there, a search gives a result or an error of ours."""
    change(built, f"UPDATE {table} SET paper_id = 'sou~' WHERE paper_id = 'soup'")
    index = built.open(graph=True)
    retriever = Retriever(index, HashingEmbedder(), dense="hnsw")
    with pytest.raises(IndexDamagedError, match=CURE):
        retriever.search("salt the water", 3, within=["doi:10.1000/soup"] if table == "aliases" else None)
    index.close()


def test_a_damaged_record_is_merged_into_nothing(built, world):
    """An update that would read a damaged record is refused, so that its text is not written as if it were sound."""
    change(built, replaced("body", "in a game", "in a gamy", "records"))
    built.write({**world.GAMES, "id": "again"}, name="new.jsonl")
    with pytest.raises(IndexDamagedError, match=f"the record 'games' of .*{CURE}"):
        built.build()


@pytest.mark.parametrize("name", ["exact/vectors.npy", "lexical/data.csc.index.npy", "pairs/scores.npy"])
def test_a_damaged_derived_file_is_told(built, name):
    """A file of the derived ones that differs with its size and time unchanged is named when a search reads it."""
    path = built.derived() / name
    status, content = path.stat(), bytearray(path.read_bytes())
    content[-20] ^= 4
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    index = built.open()
    with pytest.raises(IndexDamagedError, match=f"{name}.*{CURE}"):
        Retriever(index, HashingEmbedder()).search("players of a game", 3)
    index.close()


def test_a_damaged_vector_is_not_built_upon(built):
    """Derived files are not built from a damaged vector."""
    change(built, "UPDATE vectors SET vector = zeroblob(length(vector))")
    shutil.rmtree(built.index / "derived")
    with pytest.raises(IndexDamagedError, match=f"the vector of a passage.*{CURE}"):
        built.open()


def test_hashes_are_of_values_and_their_bounds():
    """A row's hash changes if text moves from one column to the next."""
    assert row_hash("ab", "c") != row_hash("a", "bc")
    assert row_hash("ab", b"c") == row_hash("ab", "c")


def test_an_index_without_hashes_gets_them_when_it_is_written(built, world):
    """An index of a version without hashes is read, reported as such, and has hashes after the next update."""
    db = sqlite3.connect(built.index / "papers.sqlite3")
    for table in ("meta", "sources", "records", "papers", "vectors"):
        db.execute(f"ALTER TABLE {table} DROP COLUMN hash")
    db.execute("UPDATE meta SET value = replace(value, '\"schema_version\":2', '\"schema_version\":1')")
    db.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
    db.commit()
    db.close()
    assert built.ids() == ["bees", "games", "soup"]
    store = Store.open(built.index)
    assert not store.has_hashes
    store.close()
    health = examine(built.index)
    assert (health.ok, health.hashed) == (True, False)
    built.write(
        {**world.BEES, "id": "wasps", "title": "Wasps", "abstract": "Wasps do not dance."}, name="new.jsonl"
    )
    assert built.build().embedded == 1
    assert examine(built.index).hashed
    change(built, replaced("body", "in a game", "in a gamy"))
    assert "the paper 'games' is not as it was stored" in examine(built.index).problems
