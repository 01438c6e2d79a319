"""Search and answers with a reranker."""

import pytest

from rag_qa import Assistant, Settings
from rag_qa.backends.locating import STARTER
from rag_qa.testing import HashingEmbedder, OverlapReranker

WHICH = "which papers discuss eigendecomposition as a game?"
FAR = "How long must an onion be fried in butter?"


class Backwards:
    """A reranker that likes later texts better."""

    def score(self, query, texts):
        return list(range(len(texts)))


@pytest.fixture
def open_reranked(library, request):
    """A function that opens an assistant over the library with a reranker."""

    def open_one(reranker, **fields):
        settings = Settings(model=STARTER, style="quote", **fields)
        assistant = Assistant.open(library, settings=settings, embedder=HashingEmbedder(), reranker=reranker)
        request.addfinalizer(assistant.close)
        return assistant

    return open_one


def ids(hits):
    return [hit.paper.id for hit in hits]


def test_the_first_papers_are_chosen_from_the_whole_depth(open_reranked):
    """The reranker sees `rerank_depth` papers for any k, and a paper far down can come first."""
    plain = ids(open_reranked(None).search("a game of players", 5))
    assert ids(open_reranked(Backwards()).search("a game of players", 2)) == plain[::-1][:2]
    assert ids(open_reranked(Backwards(), rerank_depth=3).search("a game of players", 5)) == [
        *plain[:3][::-1],
        *plain[3:],
    ]


def test_answers_stand_on_reranked_papers(open_reranked):
    """The papers whose sentences are considered are the reranker's first ones."""
    considered = {"evidence_papers": 1, "listed_papers": 1, "min_relevance": 0.0}
    question = "How much of the variance did EigenGame reach?"
    (last,) = ids(open_reranked(Backwards(), **considered).search(question, 1))
    answer = open_reranked(Backwards(), **considered).ask(question)
    assert [paper.id for paper in answer.papers] == [last]


def test_relevance_reads_the_same_signals_as_without(open_reranked):
    """A reranker that keeps all papers in view changes neither what is answered nor what is refused."""
    for question in (WHICH, FAR):
        plain, reranked = (open_reranked(r).ask(question) for r in (None, OverlapReranker()))
        assert reranked.abstained == plain.abstained
        assert reranked.sentences == plain.sentences
    assert open_reranked(OverlapReranker()).ask(FAR).abstained
