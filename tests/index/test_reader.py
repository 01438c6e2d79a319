"""What a reader sees: one finished update, whatever happens to the index meanwhile."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from rag_qa.errors import IndexNotFoundError
from rag_qa.index.lock import writing
from rag_qa.index.reader import Index
from rag_qa.retrieval.searching import Retriever
from rag_qa.testing import HashingEmbedder


def seen(index, query="game dance soup water"):
    """The ids of the papers of an index, and of those that a search finds."""
    hits = Retriever(index, HashingEmbedder(), pool=10).search(query, 10)
    return [paper.id for paper in index.papers()], sorted(hit.paper.id for hit in hits)


def test_nothing_there_is_told(library):
    """A folder without an index, or none at all, is an error that names the command that makes one."""
    for folder in (library.root, library.root / "nowhere"):
        with pytest.raises(IndexNotFoundError, match="rag-qa index SOURCE --index"):
            Index.open(folder)
        assert not (folder / "papers.sqlite3").exists()


def test_begun_but_unfinished_is_told(library, world):
    """A truth file that a killed run left without content is no index yet, and the next run finishes it."""
    library.index.mkdir()
    (library.index / "papers.sqlite3").touch()
    with pytest.raises(IndexNotFoundError):
        library.open()
    library.write(world.GAMES)
    assert library.build().added == 1


@pytest.mark.parametrize("updates", [1, 2, 4])
def test_a_reader_keeps_what_it_opened(library, world, updates):
    """A reader opened before updates keeps its papers and its search; a new one sees the last update."""
    library.write(world.GAMES, world.SOUP)
    library.build()
    old = library.open()
    for number in range(updates):
        library.write(world.BEES, *world.made_up([number]))
        library.build(prune=True)
    new = library.open()
    assert seen(old) == (["games", "soup"], ["games", "soup"])
    assert seen(new)[0] == ["bees", f"p0000{updates - 1}"]
    old.close()
    new.close()


def test_generations_go_when_nobody_reads_them(library, world):
    """Folders of old generations are removed by the update after their last reader has closed."""
    library.write(world.GAMES)
    library.build()
    old = library.open()
    for number in range(3):
        library.write(world.GAMES, *world.made_up([number]))
        library.build(prune=True)
    assert sorted(folder.name for folder in (library.index / "derived").iterdir()) == ["1", "3", "4"]
    old.close()
    library.write(world.GAMES)
    library.build(prune=True)
    assert sorted(folder.name for folder in (library.index / "derived").iterdir()) == ["4", "5"]


def test_readers_of_one_process_are_apart(library, world):
    """Closing one of two readers of an index leaves the other working."""
    library.write(world.GAMES)
    library.build()
    first, second = library.open(), library.open()
    first.close()
    assert seen(second) == (["games"], ["games"])
    second.close()


def test_threads_share_a_reader(library, world):
    """Many threads may search one opened index at once and get what one thread gets."""
    papers = world.made_up(range(50))
    library.write(*papers)
    library.build()
    index = library.open()
    retriever = Retriever(index, HashingEmbedder(), pool=20)
    queries = [str(paper["title"]) for paper in papers]
    alone = [retriever.search(query, 5) for query in queries]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda query: retriever.search(query, 5), queries)) == alone
    index.close()


def test_a_reader_opens_while_an_update_runs(library, world):
    """A writer that holds the lock keeps nobody from reading what is finished."""
    library.write(world.GAMES)
    library.build()
    with writing(library.index):
        index = library.open()
    assert seen(index) == (["games"], ["games"])
    index.close()


def test_readers_that_meet_damage_at_once_mend_it_once(library, world):
    """Of several readers that find the derived files gone, one builds them and the others wait for it."""
    library.write(world.GAMES)
    library.build()
    shutil.rmtree(library.index / "derived")
    with ThreadPoolExecutor(4) as pool:
        readers = list(pool.map(lambda _: library.open(), range(4)))
    assert [seen(reader) for reader in readers] == [(["games"], ["games"])] * 4
    assert library.derived().name == "2"
    for reader in readers:
        reader.close()


def test_an_index_may_be_copied(library, world):
    """A copy of an index, with other times on its files, opens as it is."""
    library.write(world.GAMES)
    library.build()
    copy = library.root / "copy"
    shutil.copytree(library.index, copy, copy_function=shutil.copyfile)
    index = Index.open(copy)
    assert seen(index) == (["games"], ["games"])
    assert [folder.name for folder in (copy / "derived").iterdir()] == ["1"]
    index.close()


@pytest.mark.parametrize("ending", ["journal", "wal", "shm"])
def test_chromas_journal_is_no_damage(library, world, ending):
    """A reader that opens Chroma writes its journal for a moment; others do not take that for damage."""
    library.write(world.GAMES)
    library.build()
    (library.derived() / "chroma" / f"chroma.sqlite3-{ending}").touch()
    index = library.open()
    assert seen(index) == (["games"], ["games"])
    assert library.derived().name == "1"
    index.close()


@pytest.mark.parametrize("name", ["doi:10.5555/b", "10.5555/B", "https://doi.org/10.5555/b", "10.5555/a"])
def test_every_doi_of_a_merged_paper_finds_it(library, name):
    """One text under two DOIs is one paper, found by both, also as a bare DOI or an address."""
    text = "We asked people how they make tea and how long they let it draw, and they told us."
    library.write(
        *({"title": "A tea survey of people at home", "abstract": text, "doi": f"10.5555/{x}"} for x in "ab")
    )
    library.build()
    index = Index.open(library.index)
    assert index.paper(name).title == "A tea survey of people at home"
    with pytest.raises(KeyError):
        index.paper("10.5555/c")
    index.close()
