"""Sentence boundaries in scientific prose."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.corpus.cleaning import clean_text
from rag_qa.text.sentences import split_sentences


@pytest.mark.parametrize(
    "text",
    [
        "We follow Weaver et al. (2020) here.",
        "We knit, e.g. Scarves of wool.",
        "See Fig. 2 and Eq. 3 and Sec. 4.1 for more.",
        "It scores 0.98 vs. 0.97 before.",
        "Work by J. R. Smith and Dr. Jones.",
        "The U.S. National Yarn Survey is large.",
        "It is i.i.d. Gaussian noise.",
        "Yarn ... and wool … and thread.",
        "Visit arXiv.org or knit.it now.",
    ],
)
def test_a_full_stop_inside_a_sentence_ends_nothing(text):
    """Abbreviations, decimals, initials and ellipses do not end a sentence."""
    assert _split(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "We knit.|Then we purl.",
        "It holds ($p < 0.05$).|We stop.",
        "We find $p < 0.05$.|We stop.",
        'They say "knit."|Then they purl.',
        "(We knit.)|Others purl.",
        "Is it warm?|Yes!|It is.",
        "As shown by Weaver et al.|We extend this.",
        "It was made in the U.S.|The yarn is blue.",
        "We like vitamin C.|However, it is sour.",
        "We reach 0.98.|0.97 was best before.",
        "We have no doubt…|We go on.",
        "Glued results.We go on.",
        "“Wool.”|“Thread.”",
        "我们编织。|它很暖。",
    ],
)
def test_a_sentence_ends_where_a_reader_ends_it(text):
    """Brackets, quotes, formulas, and abbreviations before an opener do not hide the end of a sentence."""
    expected = text.replace("results.We", "results.|We").split("|")
    assert _split(text.replace("|", "" if "我" in text else " ")) == expected


@given(st.text(alphabet=st.sampled_from("ab AB.!?…\n\"')(0$。 "), max_size=200) | st.text(max_size=200))
def test_sentences_cover_all_but_white_space(text):
    """Spans are ordered, trimmed, do not overlap, and leave out white space only."""
    spans = split_sentences(text)
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    assert edges == sorted(edges)
    assert all(text[a:b] == text[a:b].strip() != "" for a, b in spans)
    assert not "".join(text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)).strip()


@pytest.mark.shared
@pytest.mark.parametrize(("folder", "floor"), [("scifact", 0.975), ("csfcube", 0.983)])
def test_boundaries_agree_with_people(shared, folder, floor):
    """Boundary F1 on sentence-split abstracts stays as measured."""
    right = found = wanted = 0
    with gzip.open(shared / "data" / folder / "documents.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            sentences = [clean_text(sentence) for sentence in json.loads(line)["sentences"]]
            text = " ".join(sentence for sentence in sentences if sentence)
            gold, position = set(), 0
            for sentence in filter(None, sentences):
                position = text.index(sentence, position) + len(sentence)
                gold.add(position)
            ends = {end for _, end in split_sentences(text)}
            right, found, wanted = right + len(gold & ends), found + len(ends), wanted + len(gold)
    assert 2 * right / (found + wanted) >= floor


def _split(text):
    return [text[a:b] for a, b in split_sentences(text)]
