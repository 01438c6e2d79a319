"""What an update does to the files that are built from the store."""

import pytest

from rag_qa.index import derived
from rag_qa.index.health import check_index
from rag_qa.testing import HashingEmbedder


def never(*_):
    """Fail where it is called."""
    raise AssertionError("this way was not to be taken")


@pytest.fixture
def built(library, world):
    """A library of twenty papers with an index."""
    library.write(*world.made_up(range(20)))
    library.build()
    return library


def nearest(library, text):
    """The passage that Chroma's graph finds first for a text, and how like it is."""
    index = library.open(graph=True)
    (vector,) = HashingEmbedder().encode([text], role="query")
    ids, similarities = index.vectors.search(vector, 1)
    count = len(index.vectors)
    passages = index.manifest.counts.passages
    index.close()
    assert count == passages
    return ids[0], float(similarities[0])


@pytest.mark.process
def test_a_small_update_changes_a_copy_of_the_collection(built, world, monkeypatch):
    """A paper added, one changed and one gone are so in Chroma, without building the collection anew."""
    monkeypatch.setattr(derived, "build_vectors", never)
    papers = world.made_up(range(1, 20))
    papers[0]["abstract"] = "Wholly other words stand here now, on lighthouses."
    built.write(*papers, world.SOUP)
    report = built.build(prune=True)
    assert (report.added, report.changed, report.removed) == (1, 1, 1)
    found, likeness = nearest(built, f"{papers[0]['title']}. {papers[0]['abstract']}")
    assert (found, likeness) == ("p00001#1", pytest.approx(1, abs=1e-3))
    assert nearest(built, f"{world.SOUP['title']}. {world.SOUP['abstract']}")[0] == "soup#1"
    assert nearest(built, world.made_up([0])[0]["abstract"])[0] != "p00000#1"
    assert check_index(built.index).ok


@pytest.mark.process
def test_papers_that_only_go_are_taken_out(built, world, monkeypatch):
    """An update that adds nothing changes a copy, too."""
    monkeypatch.setattr(derived, "build_vectors", never)
    built.write(*world.made_up(range(2, 20)))
    assert built.build(prune=True).removed == 2
    assert nearest(built, world.made_up([0])[0]["abstract"])[0] not in ("p00000#1", "p00001#1")
    assert check_index(built.index).ok


@pytest.mark.process
def test_a_large_update_builds_the_collection_anew(built, world, monkeypatch):
    """Where more than a fifth changes nothing is copied: Chroma keeps on disk what is taken out of it."""
    monkeypatch.setattr(derived, "extend_vectors", never)
    built.write(*world.made_up(range(10, 25)))
    built.build(prune=True)
    assert check_index(built.index).ok


@pytest.mark.process
def test_a_check_tells_what_the_graph_finds(built):
    """The graph of a small collection finds the exact nearest passages."""
    assert check_index(built.index).graph_recall == 1.0


def test_a_moved_source_is_where_filters_find_it(built):
    """A file under another name is known by it at once, though no paper has changed."""
    (built.sources / "papers.jsonl").rename(built.sources / "renamed.jsonl")
    built.build(prune=True)
    index = built.open()
    assert [path.endswith("renamed.jsonl") for path in index.facets.files.values] == [True]
    index.close()
