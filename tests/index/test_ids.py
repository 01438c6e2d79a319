"""The ids of papers: merged, odd, and given twice."""

import pytest


def test_duplicates_merge_and_resolve(library, world):
    """Records of one paper in two files make one paper, whose other ids resolve to it."""
    library.write(world.SOUP, world.BEES, name="a.jsonl")
    library.write({**world.SOUP, "id": "soup-2"}, name="b.jsonl")
    report = library.build()
    assert library.counts(report, "read", "added", "merged", "papers", "embedded") == [3, 2, 1, 2, 2]
    index = library.open()
    paper = index.paper("soup")
    assert {index.paper(name).id for name in (paper.id, "soup-2", "doi:10.1000/soup")} == {paper.id}
    assert len(paper.sources) == 2
    with pytest.raises(KeyError):
        index.paper("nobody")
    index.close()


@pytest.mark.parametrize("paper_id", ["a#1", "50%25", "x" * 200, "漢 字/§'\"; DROP TABLE papers", "-", "?"])
def test_odd_ids(library, world, paper_id):
    """Ids may hold any characters, and are not changed."""
    library.write({**world.GAMES, "id": paper_id}, {**world.SOUP, "id": "a"})
    library.build()
    assert set(library.ids()) == {paper_id, "a"}
    index = library.open()
    assert index.paper(paper_id).title == world.GAMES["title"]
    assert index.papers_of_passages([row.id for row in index.passage_vectors([paper_id])[0]]) == {paper_id}
    index.close()


def test_one_id_for_two_papers(library, world):
    """Two sources that give one id to different papers make two papers, the same ones in every run."""
    library.write({**world.GAMES, "id": "1"}, name="a.jsonl")
    library.write({**world.SOUP, "id": "1"}, name="b.jsonl")
    report = library.build()
    assert library.counts(report, "read", "added", "merged", "papers") == [2, 2, 0, 2]
    ids = library.ids()
    assert library.counts(library.build(), "unchanged", "embedded") == [2, 0]
    assert library.ids() == ids


def test_one_id_twice_in_a_file(library, world):
    """Two papers under one id in one file are both kept."""
    library.write({**world.GAMES, "id": "1"}, {**world.SOUP, "id": "1"}, {**world.BEES, "id": "1"})
    assert library.counts(library.build(), "read", "papers") == [3, 3]
