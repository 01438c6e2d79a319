"""The analyzer: text → words and stems. Search (BM25), evidence, counts and verdicts all use it.

Case and encoding do not matter (NFKC: ligatures, CO₂, µ and μ, full width). In scripts without spaces between words
(Chinese, Japanese, Thai), and in Korean, whose particles join words, each character and each pair of neighbours
(bigram) is a word. So any substring of a text is found as a run of its words.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

# Raise it whenever a text gives other words than before: then an index of the old words is rebuilt.
ANALYZER = 2

# Combining vowels and accents, which are not word characters to `re`; by blocks of scripts.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
    "\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u07a6-\u07b0\u0816-\u082d\u08d3-\u0903\u093a-\u094f\u0951-\u0957"
    "\u0962\u0963\u0981-\u0983\u09bc-\u09d7\u0a01-\u0a03\u0a3c-\u0a51\u0a70-\u0a83\u0abc-\u0acd\u0b01-\u0b03\u0b3c-\u0b57\u0b82"
    "\u0bbe-\u0bcd\u0c00-\u0c04\u0c3c-\u0c56\u0c81-\u0c83\u0cbc-\u0cd6\u0d00-\u0d03\u0d3b-\u0d4d\u0d81-\u0d83\u0dca-\u0ddf\u135d-\u135f"
    "\u1b00-\u1b04\u1b34-\u1b44\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d\u20d0-\u20ff\ufe20-\ufe2f"
)
# Thai, Lao, Tibetan, Myanmar, Khmer, kana, CJK ideographs, Hangul.
_UNPARTED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecd\u0f00\u0f40-\u0fbc\u1000-\u103f\u1050-\u109d\u1100-\u11ff\u1780-\u17d3\u3005-\u3007\u3041-\u3096"
    "\u3099-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3131-\u318e\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
# Names with signs: C++, C#, A*.
_SIGNED = r"[a-z](?:\+\+|[#*])(?![\w*#])"
# A word as written, for matches with offsets; `words` returns words as they are compared.
WORD = re.compile(rf"(?i:{_SIGNED})|\d+(?:[.,]\d+)*|[^\W\d_][^\W_{_MARKS}]*(?:[{_MARKS}]+[^\W_{_MARKS}]*)*")
_UNITS = (
    "mg|kg|ng|pg|μg|ug|ml|μl|ul|dl|nm|μm|um|mm|cm|km|ms|ns|μs|hz|khz|mhz|ghz|kb|mb|gb|tb|mv|kv|mw|kw|pa|kpa|mpa"
    "|ppm|mol|mmol"
)
# "3d" is one word and "10mg" are two; "++" alone is the end of a longer name ("PointNet++").
_NUMBER = rf"\d+(?:\.\d+)*(?:(?=(?:{_UNITS})(?![^\W_]))|(?=[^\W_])(?:(?![{_UNPARTED}])[^\W_])*)?"
_ASCII_NUMBER = rf"\d+(?:\.\d+)*(?:(?=(?:{_UNITS})(?![^\W_]))|[a-z][a-z0-9]*)?"
_ASCII = re.compile(rf"{_SIGNED}|{_ASCII_NUMBER}|[a-z][a-z0-9]*|(?<!\w)\.net\b|(?<=\w)\+\+", re.ASCII)
_ANY = re.compile(
    rf"(?P<unparted>[{_UNPARTED}]+)|{_SIGNED}|{_NUMBER}|(?![{_UNPARTED}\d_])\w(?:(?![{_UNPARTED}_])[\w{_MARKS}])*"
    r"|(?<!\w)\.net\b|(?<=\w)\+\+"
)
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3})((?:,\d{3}){1,5}|(?: 000){1,5})(?!,?\d)")
_HAS_THOUSANDS = re.compile(r",\d{3}| 000")
_POWER = re.compile(r"(?<=\d)([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_POWERS = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN = frozenset(map(chr, range(128)))
# Characters that are equal to a reader; and those ignored in search: soft hyphens, direction marks, and the vowel signs
# that Arabic and Hebrew mostly leave out.
_LIKE = dict(zip("‐‑‒−’ʼё" "أإآىک", "----''е" "اااي" "\u0643", strict=False)) | {
    chr(code): ""
    for first, last in (
        (0xAD, 0xAD), (0x34F, 0x34F), (0x591, 0x5BD), (0x5BF, 0x5BF), (0x5C1, 0x5C2), (0x5C7, 0x5C7), (0x640, 0x640),
        (0x64B, 0x65F), (0x670, 0x670), (0x200B, 0x200F), (0x2060, 0x2060), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    )
    for code in range(first, last + 1)
}  # fmt: skip
_DIMENSIONS = re.compile(r"(?<![\w.-])([23])-d\b")
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")

FUNCTION_WORDS = frozenset(
    """a about above across after again against all also although am among an and any are as at be because been
    before being below between both but by can cannot could did do does doing done down due during each either
    else etc every few for from further had has have having he her here hers him his how however i if in into is
    it its itself just least less let like many may me might more most much must my neither no nor not of off on
    once one only onto or other others our ours out over own per please quite rather s same shall she should
    since so some something such t than that the their theirs them then there these they this those though
    through thus to too toward towards under until up upon us use used uses using very via was we well were what
    when where whether which while who whom whose why will with within without would yet you your""".split()
)
# Words that ask for papers and do not describe their subject.
ASKING_WORDS = frozenset(
    """abstract abstracts article articles author authors cite describe described describes discuss discussed
    discusses discussing explain explains find give introduce introduced introduces know list literature
    mention mentions paper papers point present presented presents propose proposed proposes publication
    publications publish published recommend research researcher researchers show shows studies study
    studying suggest suggests tell work works""".split()
)


def fold(text: str) -> str:
    """Return a text in the form in which words are compared: case, encoding and thousands separators normalised."""
    folded = text.lower() if text.isascii() else _fold_any(text)
    if _HAS_THOUSANDS.search(folded):
        folded = _THOUSANDS.sub(
            lambda number: number[1] + number[2].replace(",", "").replace(" ", ""), folded
        )
    if "3-d" in folded or "2-d" in folded:
        folded = _DIMENSIONS.sub(r"\1d", folded)
    return folded


def _fold_any(text: str) -> str:
    # Few characters are not ASCII; looking only at them saves passes over the whole text.
    odd = set(text) - _PLAIN
    if odd & _POWERS:
        # 10⁶ is not 106, but ² after a letter is 2.
        text = _POWER.sub(r" \1", text)
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    text = text.casefold()
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    for character in set(text) - _PLAIN:
        if character in _LIKE:
            text = text.replace(character, _LIKE[character])
        elif character.isdecimal():
            text = text.replace(character, str(unicodedata.decimal(character)))
    return text.replace("i\u0307", "i")


def words(text: str) -> list[str]:
    """Return the words of a text as they are compared, in order, with repetitions, unstemmed.

    >>> words("Fine-tuning GPT-4 on 1,000 CO₂ samples")
    ['fine', 'tuning', 'gpt', '4', 'on', '1000', 'co2', 'samples']
    """
    return _words(fold(text))


def joined_words(text: str) -> list[str]:
    """Return the words of a text, with compounds as one word: "finetuning" for "fine-tuning"."""
    return _words(_HYPHEN.sub("", fold(text)))


def _words(folded: str) -> list[str]:
    if folded.isascii():
        return _ASCII.findall(folded)
    found: list[str] = []
    for match in _ANY.finditer(folded):
        if match["unparted"]:
            found += _characters_and_pairs(match[0])
        else:
            found.append(match[0])
    return found


def _characters_and_pairs(run: str) -> list[str]:
    """Return each character of a run, and after it the bigram with the next one."""
    pairs = [piece for n in range(len(run) - 1) for piece in (run[n], run[n : n + 2])]
    return [*pairs, run[-1]]


def content_terms(text: str) -> list[str]:
    """Return the stems of the content words of a text, in order, with repetitions."""
    return stem(content_words(text))


def content_words(text: str) -> list[str]:
    """Return the words of a text without function words, in order, with repetitions, unstemmed."""
    return [word for word in words(text) if word not in FUNCTION_WORDS]


def question_terms(question: str) -> list[str]:
    """Return the distinct content stems of a question; words that ask for papers only if there are no others."""
    return topic_terms(question) or list(dict.fromkeys(content_terms(question)))


def topic_terms(question: str) -> list[str]:
    """Return the distinct stems of a question's subject, without words that ask for papers; [] for "which papers?"."""
    asking = _asking_stems()
    return [term for term in dict.fromkeys(content_terms(question)) if term not in asking]


def stems(text: str) -> set[str]:
    """Return the stems of all words of a text, function words included."""
    return set(stem(words(text)))


def abbreviates(name: str, text: str) -> bool:
    """Return whether a name (or its plural) is the initials of consecutive words, with or without function words."""
    short = name.casefold().removesuffix("s")
    found = [word.casefold() for word in WORD.findall(text)]
    initials = ("".join(w[0] for w in found), "".join(w[0] for w in found if w not in FUNCTION_WORDS))
    return len(short) > 1 and any(short in row for row in initials)


def coverage(wanted: Iterable[str], found: Iterable[str], weights: Mapping[str, float]) -> float:
    """Return the share (0 to 1) of the weight of `wanted` that is in `found`; 0 if nothing is wanted."""
    found = set(found)
    total = here = 0.0
    for term in wanted:
        total += weights[term]
        here += weights[term] if term in found else 0.0
    return here / total if total else 0.0


@cache
def _asking_stems() -> frozenset[str]:
    return frozenset(stem(sorted(ASKING_WORDS)))


def stem(words: list[str]) -> list[str]:
    """Return the stem of each word (Snowball's English stemmer, Porter2)."""
    stemmed: list[str] = _stemmer().stemWords(words)
    return stemmed


@cache
def _stemmer() -> Any:
    import Stemmer  # type: ignore[import-not-found]

    return Stemmer.Stemmer("english")
