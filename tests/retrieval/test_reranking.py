"""What reranking changes of a ranking, and what it keeps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.retrieval.reranking import rerank, text_of
from rag_qa.testing import OverlapReranker
from rag_qa.types import Hit, Paper, Passage


class Given:
    """A reranker with the scores that it was given, in order of the texts."""

    def __init__(self, *scores):
        self.scores = scores

    def score(self, query, texts):
        return self.scores[: len(texts)]


def hits(*titles):
    """Hits in the order of the titles, with scores that fall by a tenth."""
    found = []
    for rank, title in enumerate(titles, 1):
        paper = Paper(id=f"p{rank}", title=title, abstract=f"Text {rank}. More of it.")
        passage = Passage(id=f"p{rank}#0", paper_id=paper.id, text=f"Text {rank}.", start=0, end=7)
        score = 1 - rank / 10
        found.append(
            Hit(paper=paper, passage=passage, score=score, rank=rank, components={"dense": score / 2})
        )
    return found


def ids(found):
    return [hit.paper.id for hit in found]


def test_the_first_hits_stand_in_the_rerankers_order():
    """The first N hits are ordered by the reranker's scores, best first."""
    assert ids(rerank("q", hits("a", "b", "c"), Given(0.1, 0.9, 0.5), depth=3)) == ["p2", "p3", "p1"]


def test_the_rest_keep_their_order_behind_them():
    """Hits beyond the depth are not scored, are not marked, and stand where they stood."""
    found = rerank("q", hits("a", "b", "c", "d"), Given(-3.0, -2.0), depth=2)
    assert ids(found) == ["p2", "p1", "p3", "p4"]
    assert ["rerank" in hit.components for hit in found] == [True, True, False, False]
    assert found[2:] == hits("a", "b", "c", "d")[2:]


def test_the_score_is_recorded_beside_the_others():
    """`components` keeps what it held and gains the reranker's score."""
    found = rerank("q", hits("a", "b"), Given(-0.5, 2.5), depth=2)
    assert [dict(hit.components) for hit in found] == [
        {"dense": 0.4, "rerank": 2.5},
        {"dense": 0.45, "rerank": -0.5},
    ]


def test_ties_stay_in_the_former_order():
    """Hits with equal scores of the reranker keep their order."""
    assert ids(rerank("q", hits("a", "b", "c", "d"), Given(1, 2, 1, 2), depth=4)) == ["p2", "p4", "p1", "p3"]


def test_it_reads_the_heading_and_the_best_passage():
    """A text is the paper's heading and its best passage; without a title the heading is the opening words."""
    reranker = OverlapReranker()
    rerank("on bees", hits("On bees", ""), reranker, depth=2)
    assert reranker.scored == [
        "On bees. Text 1.",
        "Text 2. More of it. (untitled). Text 2.",
    ]
    assert reranker.scored == [text_of(hit) for hit in hits("On bees", "")]


def test_no_hits_ask_no_reranker():
    """Without hits the reranker is not asked."""
    assert rerank("q", [], None, depth=5) == []


def test_hits_given_are_left_as_they_are():
    """The hits that came in are not changed."""
    before = hits("a", "b")
    rerank("q", before, Given(1, 2), depth=2)
    assert before == hits("a", "b")


def test_a_reranker_that_loses_a_text_is_a_bug():
    """Scores that are fewer than the texts raise, instead of dropping a paper."""
    with pytest.raises(ValueError, match="shorter"):
        rerank("q", hits("a", "b", "c"), Given(1, 2), depth=3)


@given(st.lists(st.floats(-20, 20), max_size=9), st.integers(1, 12))
def test_no_hit_is_lost_and_places_are_those_of_the_search(scores, depth):
    """Any scores and any depth give the same papers, ranks from 1 and the search's falling scores."""
    before = hits(*"abcdefghi"[: len(scores)])
    found = rerank("q", before, Given(*scores), depth=depth)
    assert sorted(ids(found)) == sorted(ids(before))
    assert [hit.rank for hit in found] == list(range(1, len(before) + 1))
    assert [hit.score for hit in found] == [hit.score for hit in before]
    own = [hit.components["rerank"] for hit in found if "rerank" in hit.components]
    assert own == sorted(scores[:depth], reverse=True)
