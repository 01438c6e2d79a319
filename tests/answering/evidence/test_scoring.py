"""Evidence: sentences with exact offsets, scored against the question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.answering.evidence.scoring import ScoredSentence, as_evidence, encode_paper, score_sentences
from rag_qa.testing import HashingEmbedder
from rag_qa.text.words import content_terms, coverage, question_terms
from rag_qa.types import Paper

GAME = Paper(
    id="game",
    title="PCA as a game",
    abstract="We cast PCA as a game. Each player owns an eigenvector of the data. The result is a Nash equilibrium.",
)
UNTITLED = Paper(
    id="gemma",
    abstract="We introduce Gemma, a family of models. It comes in 2 billion and 7 billion parameters.",
)


def scored(question: str, *papers: Paper) -> list[ScoredSentence]:
    terms = question_terms(question)
    return score_sentences(question, terms, papers, dict.fromkeys(terms, 1.0), HashingEmbedder())


def sentence(text: str, score: float, paper_id: str = "a") -> ScoredSentence:
    return ScoredSentence(
        paper_id=paper_id, text=text, start=0, end=len(text), similarity=score, coverage=score
    )


@given(st.text(min_size=1, max_size=300))
def test_every_sentence_is_cut_from_its_abstract(text):
    """Whatever the abstract holds, a sentence is the text between its offsets."""
    paper = Paper(id="x", abstract=f"{text} A sentence about games.")
    for found in scored("games", paper):
        assert paper.abstract[found.start : found.end] == found.text


def test_the_sentence_that_shares_the_questions_words_comes_first():
    """The best sentence is the one that speaks of what was asked."""
    assert (
        scored("which player owns an eigenvector?", GAME)[0].text
        == "Each player owns an eigenvector of the data."
    )


def test_an_untitled_papers_opening_words_count_for_its_sentences():
    """A sentence need not repeat the name that its untitled paper opens with."""
    by_text = {s.text: s.coverage for s in scored("Gemma parameters", UNTITLED)}
    assert by_text["It comes in 2 billion and 7 billion parameters."] == 1.0


def test_a_score_is_the_mean_of_three_signals():
    """Similarity, coverage and alignment count alike; alignment is the sum over the words met."""
    found = sentence("a", 0.3).model_copy(update={"coverage": 0.6, "met": (0.2, 0.1)})
    assert found.alignment == pytest.approx(0.3)
    assert found.score == pytest.approx(0.4)
    assert scored("which player owns an eigenvector?", GAME)[0].alignment == pytest.approx(1.0)


def test_encodings_may_be_kept():
    """Cached encodings of a paper give the same scores, with any other papers."""
    embedder = HashingEmbedder()
    kept = {paper: encode_paper(paper, embedder=embedder) for paper in (GAME, UNTITLED)}
    terms = question_terms("games")
    weights = dict.fromkeys(terms, 1.0)
    embedder.encoded.clear()
    for papers in ([GAME], [UNTITLED, GAME]):
        again = score_sentences("games", terms, papers, weights, embedder, kept.__getitem__)
        assert again == score_sentences("games", terms, papers, weights, HashingEmbedder())
    assert set(embedder.encoded) == {"games"}


def test_no_papers_give_no_sentences():
    """Without papers nothing is scored and nothing is embedded."""
    embedder = HashingEmbedder()
    assert score_sentences("games", ["game"], [], {"game": 1.0}, embedder) == []
    assert embedder.encoded == []


def test_evidence_is_the_sentence_with_its_offsets_and_score():
    """Evidence keeps the order given, and the text, offsets, paper and score of each sentence."""
    evidence = as_evidence([sentence("b", 0.9, "p"), sentence("aa", 0.3)])
    assert [(e.paper_id, e.sentence, e.start, e.end) for e in evidence] == [
        ("p", "b", 0, 1),
        ("a", "aa", 0, 2),
    ]
    assert [e.score for e in evidence] == pytest.approx([0.6, 0.2])


def test_terms_leave_out_what_only_asks():
    """A question's terms are its content stems; words that merely ask for papers are left out."""
    assert question_terms("Which papers discuss the eigendecompositions of games?") == content_terms(
        "eigendecomposition game"
    )


def test_a_question_of_asking_words_alone_keeps_them():
    """A question that has nothing but asking words is still searched by them."""
    assert question_terms("which papers?") == content_terms("papers")


def test_coverage_weighs_terms():
    """Coverage is the share of weight found, and nothing wanted is nothing covered."""
    assert coverage(["a", "b"], ["b"], {"a": 1.0, "b": 3.0}) == 0.75
    assert coverage([], ["b"], {}) == 0.0
