"""Windows of whole sentences within a token limit."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.corpus.passages import cut_passages, embedding_text, passage_text
from rag_qa.errors import SettingsError
from rag_qa.text.sentences import split_sentences
from rag_qa.types import Paper

SENTENCES = " ".join(f"Sentence number {n} speaks of wool and of nothing else." for n in range(20))


def test_a_short_abstract_is_one_passage(paper, token_counter):
    """What fits is not cut."""
    (passage,) = cut_passages([paper("We knit. We purl.")], token_counter, 64)
    assert (passage.id, passage.paper_id, passage.text) == ("p1#1", "p1", "We knit. We purl.")


def test_windows_share_one_sentence(paper, token_counter):
    """Consecutive windows hold whole sentences and share one."""
    long = paper(SENTENCES, title="On Wool")
    passages = cut_passages([long], token_counter, 80)
    spans = split_sentences(SENTENCES)
    assert len(passages) > 2
    for one, two in pairwise(passages):
        assert two.start in {start for start, _ in spans}
        assert [span for span in spans if span[0] >= two.start and span[1] <= one.end] == [
            span for span in spans if span[1] == one.end
        ]


def test_tokens_are_counted_in_one_batch(paper):
    """Sentences and windows are counted in batches, not one by one."""
    calls = []

    def count(texts):
        calls.append(len(texts))
        return [2 + len(text.split()) for text in texts]

    cut_passages([paper(SENTENCES, number=n) for n in range(50)], count, 64)
    assert len(calls) == 2


def test_a_long_title_is_shortened_for_embedding_only():
    """A title that would crowd out the text is cut at a word, marked."""
    text = embedding_text("wool " * 100, "We knit a scarf of graphs.")
    assert len(text) < 240
    assert text.endswith("wool…. We knit a scarf of graphs.") or "wool…" in text
    assert embedding_text("Knit?", "We knit a scarf of graphs.") == "Knit? We knit a scarf of graphs."
    assert embedding_text("", "We knit.") == "We knit."


def test_no_room_at_all_is_a_told_error(paper):
    """A limit below the special tokens cannot be met and says so."""
    with pytest.raises(SettingsError, match="max_tokens"):
        cut_passages([paper("We knit.")], lambda texts: [9 for _ in texts], 8)


WORDS = st.sampled_from(
    ["We", "knit.", "wool", "x" * 60, "编织很多很多很多", "e.g.", "A", "(see", "Fig.", "2)", "?"]
)
ABSTRACTS = st.lists(WORDS, min_size=1, max_size=80).map(" ".join)
TITLES = st.sampled_from(["", "On Wool", "w" * 500, "编" * 300, "!?" * 200])


def _count_bytes(texts):
    """The worst tokenizer there is: a token a byte."""
    return [2 + len(text.encode()) for text in texts]


@given(st.lists(st.tuples(ABSTRACTS, TITLES), max_size=4), st.integers(90, 300), st.booleans())
def test_nothing_is_lost_and_nothing_is_too_long(items, limit, bytewise):
    """Each passage fits with its title, its offsets hold, and together they cover the abstract."""
    count = _count_bytes if bytewise else _count_words
    papers = [_paper(abstract, title, n) for n, (abstract, title) in enumerate(items)]
    passages = cut_passages(papers, count, limit)
    for one in papers:
        own = [passage for passage in passages if passage.paper_id == one.id]
        assert max(count([passage_text(one, passage) for passage in own])) <= limit
        assert all(one.abstract[passage.start : passage.end] == passage.text for passage in own)
        seen = {n for passage in own for n in range(passage.start, passage.end)}
        assert all(n in seen or character.isspace() for n, character in enumerate(one.abstract))
        assert [passage.id for passage in own] == [f"{one.id}#{n}" for n in range(1, len(own) + 1)]


def _count_words(texts):
    return [2 + sum(-(-len(word) // 4) for word in text.split()) for text in texts]


def _paper(abstract, title, number):
    return Paper(id=f"p{number}", title=title, abstract=abstract)
