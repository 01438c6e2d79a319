"""Which sentences are quoted, and which a language model reads."""

from rag_qa import Settings
from rag_qa.answering.evidence.choosing import WORTH_READING, both_sides, choose_sentences, to_read
from rag_qa.answering.evidence.relevance import Relevance, Signals
from rag_qa.answering.evidence.scoring import ScoredSentence
from rag_qa.types import Query


def settings(sentences: int, papers: int = 9) -> Settings:
    return Settings(evidence_sentences=sentences, listed_papers=papers, read_sentences=sentences)


def sentence(text: str, score: float, paper_id: str = "a") -> ScoredSentence:
    return ScoredSentence(
        paper_id=paper_id, text=text, start=0, end=len(text), similarity=score, coverage=score
    )


def relevant(paper_id: str, *sentences: ScoredSentence) -> Relevance:
    signals = Signals(**dict.fromkeys(Signals.model_fields, 0.5))
    return Relevance(paper_id=paper_id, probability=0.5, sentences=sentences, signals=signals)


def test_a_list_of_papers_shows_each_ones_best_sentence():
    """A which-question quotes one sentence a paper, in the papers' order, and at most so many papers."""
    papers = [
        relevant("a", sentence("a1", 0.5), sentence("a2", 0.4)),
        relevant("b", sentence("b1", 0.9, "b")),
    ]
    assert [s.text for s in choose_sentences(papers, "which", settings(9))] == ["a1", "b1"]
    assert len(choose_sentences(papers, "which", settings(9, papers=1))) == 1


def test_a_fact_is_answered_by_the_best_sentences_of_two_papers():
    """A fact quotes the best sentences of the two most probable papers, without those far below the best."""
    worth, poor = WORTH_READING + 0.05, WORTH_READING - 0.05
    papers = [
        relevant("a", sentence("a1", worth), sentence("a2", poor)),
        relevant("b", sentence("b1", 1.0, "b")),
        relevant("c", sentence("c1", 0.9, "c")),
    ]
    assert [s.text for s in choose_sentences(papers, "fact", settings(3))] == ["b1", "a1"]


def test_a_comparison_taken_for_a_fact_shows_both_papers():
    """One paper's good sentences do not crowd out the other's: each has as many as an answer quotes."""
    papers = [
        relevant("a", sentence("a1", 0.9), sentence("a2", 0.8), sentence("a3", 0.7)),
        relevant("b", sentence("b1", 0.65, "b")),
    ]
    assert [s.text for s in choose_sentences(papers, "fact", settings(2))] == ["a1", "a2", "b1"]
    assert choose_sentences([], "fact", settings(2)) == []


def test_a_comparison_keeps_its_papers_apart():
    """A comparison quotes the best sentences of each of two papers, one paper after the other."""
    papers = [
        relevant("a", sentence("a1", 0.4), sentence("a2", 0.39), sentence("a3", 0.38)),
        relevant("b", sentence("b1", 1.0, "b"), sentence("b2", WORTH_READING - 0.05, "b")),
        relevant("c", sentence("c1", 0.9, "c")),
    ]
    chosen = choose_sentences(papers, "comparison", settings(2))
    assert [s.text for s in chosen] == ["a1", "a2", "b1"]
    alone = choose_sentences(papers[1:2], "comparison", settings(2))
    assert [s.text for s in alone] == ["b1"]


def test_both_sides_of_a_comparison_are_probable_papers():
    """Two papers are sides of a comparison only if both are more probable than not; two sentences of each."""
    query = Query(text="a or b?", topic="a or b?", kind="comparison")
    first = relevant("a", sentence("a1", 0.9), sentence("a2", 0.8), sentence("a3", 0.7))
    second = relevant("b", sentence("b1", 0.5, "b"))
    sure = [paper.model_copy(update={"probability": 0.6}) for paper in (first, second)]
    assert [s.text for s in both_sides(sure, query)] == ["a1", "a2", "b1"]
    assert both_sides([sure[0], second], query) == []
    assert both_sides(sure[:1], query) == []
    assert both_sides(sure, query.model_copy(update={"kind": "fact"})) == []


def read(assessed, sentences, **fields):
    """The texts that a model reads for a query with these fields."""
    query = Query(text="Why?", topic="Why?", **fields)
    return [s.text for s in to_read(assessed, query, settings(sentences))]


LONG = relevant("a", sentence("a1", 0.2), sentence("a2", 0.1), sentence("a3", 0.05))
GOOD = relevant("b", sentence("b1", 0.9, "b"), sentence("b2", 0.15, "b"))


def test_a_model_reads_the_best_sentences_of_all_papers():
    """For a fact the model reads so many sentences, the best first, even those far below the best."""
    assert read([LONG, GOOD], 3) == ["b1", "a1", "b2"]
    assert read([LONG, GOOD], 50) == ["b1", "a1", "b2", "a2", "a3"]


def test_a_model_reads_as_much_of_both_sides_of_a_comparison():
    """For a comparison the model reads as many sentences of each of the two most probable papers."""
    other = relevant("c", sentence("c1", 1.0, "c"))
    assert read([LONG, GOOD, other], 4, kind="comparison") == ["a1", "a2", "b1", "b2"]
    assert read([LONG], 2, kind="comparison") == ["a1", "a2"]


def test_a_model_reads_all_of_the_papers_that_are_named():
    """Of one or two papers that the question names the model reads whole abstracts, of more the best sentences."""
    other = relevant("c", sentence("c1", 1.0, "c"))
    assert read([LONG], 1, within=("a",)) == ["a1", "a2", "a3"]
    assert read([LONG, GOOD], 1, within=("a", "b")) == ["a1", "a2", "a3", "b1", "b2"]
    assert read([LONG, GOOD, other], 1, within=("a", "b", "c")) == ["c1"]
