"""Answers in quotes, and abstentions."""

import json

import pytest

from rag_qa import build_index
from rag_qa.testing import HashingEmbedder

WHICH = "which papers discuss eigendecomposition as a game?"
FACT = "How much of the variance did EigenGame reach?"
RESULT = "EigenGame reached 98.5% of the variance on a dataset of 200,000 images."


@pytest.mark.parametrize("question", [WHICH, FACT, "What does a token such as <|im_end|> end?"])
def test_quotes_are_verbatim_and_cite_themselves(open_assistant, question, check_citations):
    """In quote style each sentence is a quote, supported by itself and cut from its paper."""
    assistant = open_assistant()
    answer = assistant.ask(question)
    check_citations(assistant, answer)
    assert not answer.abstained
    assert answer.reason is None
    assert answer.nearest == ()
    for sentence in answer.sentences:
        assert (sentence.kind, sentence.verdict.label) == ("quote", "supported")
        assert [citation.quote for citation in sentence.citations] == [sentence.text]


def test_a_fact_is_answered_with_its_sentence(open_assistant):
    """The sentence that holds the fact comes first."""
    assert open_assistant().ask(FACT).sentences[0].text == RESULT


def test_papers_are_listed_once_each(open_assistant):
    """A "which papers" question gives one sentence a paper, the right papers first."""
    answer = open_assistant().ask(WHICH)
    ids = [sentence.citations[0].paper_id for sentence in answer.sentences]
    assert len(ids) == len(set(ids))
    assert set(ids[:2]) == {"eigengame", "unloaded"}


def test_the_numbers_of_sentences_and_papers_are_bounded(open_assistant):
    """`evidence_sentences` bounds the quotes of an answer, `listed_papers` those of a list."""
    assert len(open_assistant(evidence_sentences=1).ask(FACT).sentences) == 1
    assert len(open_assistant(listed_papers=2).ask(WHICH).papers) == 2


def test_marks_and_instructions_in_papers_are_only_text(open_assistant, check_citations):
    """An abstract with prompt injection or marks is quoted as it is, and nothing obeys it."""
    assistant = open_assistant(evidence_sentences=3)
    answer = assistant.ask("What is a trap for parsers: abstracts with marks such as [7]?")
    check_citations(assistant, answer)
    assert any("[12]\u2013[15]" in sentence.text for sentence in answer.sentences)
    assert "99" not in {paper.id for paper in answer.papers}


def test_a_follow_up_on_what_its_paper_does_not_name_is_refused(open_assistant):
    """A question on a paper shown before is answered, unless it has a name that the paper does not have."""
    assistant = open_assistant()
    before = assistant.ask(WHICH)
    refused = assistant.ask("does the second one work on HoneyNet?", history=[before])
    assert refused.abstained
    assert refused.reason.endswith("none of them names “HoneyNet”")
    assert not assistant.ask("does the second one work on images?", history=[before]).abstained


def test_without_evidence_it_abstains_and_shows_the_nearest(open_assistant):
    """Below the relevance asked for, there is a reason, no sentence, and the nearest papers."""
    answer = open_assistant(min_relevance=1.0).ask("How do bees find their hive in winter?")
    assert answer.abstained
    assert answer.reason
    assert answer.sentences == answer.papers == ()
    assert 1 <= len(answer.nearest) <= 3


def test_an_empty_index_abstains(tmp_path, open_assistant):
    """An index without papers finds nothing, says so, and has no nearest papers."""
    (tmp_path / "empty.jsonl").write_text(json.dumps({"title": "No abstract"}))
    build_index([tmp_path / "empty.jsonl"], tmp_path / "index", embedder=HashingEmbedder())
    assistant = open_assistant(index=tmp_path / "index")
    assert assistant.search("anything") == []
    answer = assistant.ask(FACT)
    assert (answer.abstained, answer.reason) == (True, "the index holds no papers")
    assert answer.nearest == ()
