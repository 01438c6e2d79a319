"""Words are the same however they are encoded and written, in every script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.text.words import content_terms, joined_words, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CO₂", "CO2"),
        ("10 µm", "10\u03bcm"),
        ("1,000 knots", "1000 knots"),
        ("10 000 knots", "10,000 knots"),
        ("café", "cafe\u0301"),
        ("\ufb01ne classi\ufb01er", "fine classifier"),
        ("soft\u00adhyphen", "softhyphen"),
        ("ＫＮＩＴ", "knit"),
        ("Straße", "STRASSE"),
        ("3-D", "3D"),
        ("fine\u2010tuning", "fine-tuning"),
        ("١٢", "12"),
        ("10⁶", "10^6"),
    ],
)
def test_spellings_of_one_word_are_the_same(one, other):
    """Case, encodings, separators of thousands and kinds of hyphens do not matter."""
    assert words(one) == words(other) != []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("C++, C# and C", ["c++", "c#", "and", "c"]),
        ("A* on .NET", ["a*", "on", ".net"]),
        ("KnitNet++", ["knitnet", "++"]),
        ("1,2 and 3.5", ["1", "2", "and", "3.5"]),
        ("5mg of 3D yarn", ["5", "mg", "of", "3d", "yarn"]),
        ("图神经", ["图", "图神", "神", "神经", "经"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
    ],
)
def test_words_are_parted_as_readers_part_them(text, found):
    """Names keep their signs, lists are no numbers, marks belong to letters, and ideographs go alone and in pairs."""
    assert words(text) == found


@given(
    st.text(alphabet="图神经网络很好ชาเย็น차의냉각お茶", min_size=1, max_size=12),
    st.integers(min_value=0, max_value=11),
    st.integers(min_value=1, max_value=6),
)
def test_a_part_of_a_text_without_blanks_is_a_run_of_its_words(text, start, length):
    """Any substring of a text in a script without spaces is found as a run of words."""
    part = text[start : start + length]
    found, wanted = words(text), words(part)
    assert not part or any(found[n : n + len(wanted)] == wanted for n in range(len(found)))


def test_compounds_are_one_word_when_joined():
    """A compound with a hyphen is its parts, or one word."""
    assert words("fine-tuning") == ["fine", "tuning"]
    assert joined_words("fine-tuning") == ["finetuning"]


@given(st.text(max_size=100))
def test_any_text_has_words_or_none(text):
    """No text raises, and its words have no blanks."""
    assert all(word.strip() == word != "" for word in words(text))
    assert isinstance(content_terms(text), list)
