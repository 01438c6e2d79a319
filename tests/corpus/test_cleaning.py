"""One clean line of any text, by a fast path if there is nothing to remove."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.corpus.cleaning import clean_text, is_soup


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (" We knit. ", "We knit."),
        ("We\u00a0 knit\r\n\ta scarf.", "We knit a scarf."),
        ("Cafe\u0301  au lait", "Caf\u00e9 au lait"),
        ("We \x1b[31mknit\x1b[0m\u200b so\u00adcks.", "We knit socks."),
        ("We knit\ud800.", "We knit\ufffd."),
        ("We\ufdd4 knit \ue020.", "We knit \ue020."),
    ],
)
def test_a_text_becomes_one_clean_line(text, line):
    """White space is one blank, letters are composed, and escapes, invisible and broken characters go."""
    assert clean_text(text) == line


@given(st.text(st.sampled_from("aé \u0301\n\u2000\u200b\x1b[m\x85\x1c\u3000\ud800Å")))
def test_a_clean_line_is_clean(text):
    """The line of any text is printable, composed, single-spaced, and unchanged when cleaned again."""
    line = clean_text(text)
    assert line.isprintable()
    assert line == unicodedata.normalize("NFC", line) == clean_text(line)
    assert not re.search(r"^\s|\s\s|\s$", line)


@pytest.mark.parametrize(
    ("raw", "soup"),
    [
        ("We knit.", False),
        ("We\nknit.\x00", False),
        ("12.5 %", True),
        ("\x01\x02 a\x03\x04", True),
        ("�" * 9, True),
    ],
)
def test_bytes_are_no_words(raw, soup):
    """A text without letters, or with many controls or undecodable characters, is not readable."""
    assert is_soup(raw, clean_text(raw)) is soup
