"""Bytes of every usual encoding become the text that was written, and the encoding is named."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.corpus.decoding import decode
from rag_qa.corpus.reading import read_source
from rag_qa.corpus.sources import SourceFile

WRITTEN = {
    "Chinese": (
        "我们编织了一条围巾，它保暖的时间更长。用羊毛比用棉花好。",
        ["gb18030", "utf-16-le", "utf-16-be", "utf-32-le"],
    ),
    "Traditional Chinese": (
        "我們編織了一條圍巾，它保暖的時間更長。用羊毛比用棉花好。",
        ["big5", "utf-16-be"],
    ),
    "Japanese": (
        "毛糸でマフラーを編んだ。綿よりも暖かさが長く続いた。",
        ["shift_jis", "euc_jp", "iso2022_jp"],
    ),
    "Korean": ("우리는 양털로 목도리를 떴다. 면보다 더 오래 따뜻했다.", ["euc_kr", "cp949"]),
    "Russian": (
        "Мы связали шарф из шерсти. Он греет дольше, чем хлопок.",
        ["cp1251", "koi8_r", "cp866", "mac_cyrillic"],
    ),
    "Greek": ("Πλέξαμε ένα κασκόλ από μαλλί. Ζεσταίνει περισσότερο από το βαμβάκι.", ["cp1253", "iso8859_7"]),
    "Polish": ("Zrobiliśmy szalik z wełny. Grzeje dłużej niż bawełna, lecz źle się pierze.", ["cp1250"]),
    "Hebrew": ("סרגנו צעיף מצמר. הוא מחמם יותר מכותנה אבל קשה לכבס אותו.", ["cp1255", "iso8859_8"]),
    "Lithuanian": (
        "Mes numezgėme šaliką iš vilnos. Jis šildo ilgiau už medvilnę, bet sunkiai skalbiamas.",
        ["cp1257"],
    ),
    "French, with the sign of the euro": ("L'été, une écharpe coûte 5 € à l'œil.", ["iso8859_15"]),
    "French": ("Nous avons tricoté une écharpe. L’été, elle est très chaude.", ["cp1252", "mac_roman"]),
    "German": (
        "Wir strickten einen Schal. Die Größe zählt; schöner wärmt er.",
        ["cp1252", "latin-1", "mac_roman"],
    ),
    "English": ("We knit a scarf – it’s “warm” at 5 °C, says Müller.", ["cp1252", "mac_roman", "utf-16-le"]),
}


@pytest.mark.parametrize(
    ("text", "encoding"), [(text, encoding) for text, encodings in WRITTEN.values() for encoding in encodings]
)
@pytest.mark.parametrize(
    "shape", ['{{"title": "1", "abstract": "{}"}}\n', "@article{{k1,\n abstract = {{{}}},\n}}\n"]
)
def test_an_encoding_is_told_by_its_bytes(text, encoding, shape):
    """No byte-order mark is needed, and syntax in ASCII around the text does not mislead."""
    written = shape.format(text)
    assert decode(written.encode(encoding)).text == written


def test_utf_8_is_never_guessed_at():
    """What is valid UTF-8, with a mark or without, is read as such."""
    assert decode("Größe".encode()) == ("Größe", "utf-8")
    assert decode("Größe".encode("utf-8-sig")) == ("Größe", "utf-8")


def test_lines_in_another_encoding_spoil_no_others():
    """A file of UTF-8 keeps its accents if some lines are in another encoding, and both are named."""
    raw = "Größe\n编织\n".encode() + "Länge zählt\n".encode("cp1252")
    assert decode(raw) == ("Größe\n编织\nLänge zählt\n", "utf-8 and cp1252")


def test_a_character_cut_in_two_costs_only_itself():
    """A character that a tool cut in two does not change the rest of its line."""
    raw = "Мы связали шарф".encode()[:-1]
    assert decode(raw) == ("Мы связали шар\ufffd", "utf-8")


def test_marks_inside_a_file_go():
    """Files with byte-order marks, joined end to end, are one text."""
    record = json.dumps({"abstract": "We knit."}).encode("utf-8-sig") + b"\n"
    assert "\ufeff" not in decode(record * 3).text
    assert decode(gzip.compress(record)).text == decode(record).text


def test_characters_of_private_use_stay_and_noncharacters_go():
    """A font's own signs are text; characters that Unicode keeps for programs could pass for our marks."""
    raw = "@article{a, abstract = {Words enough {\\o} \ue020 10\ufdd46\ufdd6 to read.}}".encode()
    assert read_source(SourceFile(path="a.bib", digest="", content=raw)).papers[0].abstract == (
        "Words enough ø \ue020 106 to read."
    )


@given(st.binary(max_size=300))
def test_any_bytes_become_text(raw):
    """No bytes raise, except those of a damaged gzip stream."""
    if not raw.startswith(b"\x1f\x8b"):
        assert isinstance(decode(raw).text, str)
