"""Bytes → text: gzip, byte order marks, UTF-8; if these fail, the encoding is guessed.

charset-normalizer distinguishes the encodings of Cyrillic, Greek, Chinese, Japanese and Korean. The encodings of Latin
letters share most of their bytes, so the one is chosen whose letters best fit the alphabet of one language.
"""

import codecs
import re
from collections.abc import Iterable
from typing import NamedTuple

from rag_qa.corpus.limits import DEFAULT, MEGABYTE, Limits, OverLimit, most_unpacked
from rag_qa.text.lines import UnpacksTooLarge, unzip

# UTF-32's little-endian mark begins with UTF-16's, so it comes first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
UTF_8 = "utf-8"
# Bytes and characters to guess from.
SAMPLE = 64_000
LATIN_SAMPLE = 16_000
LEAST_ZEROS = 0.04
# Byte order marks, and the noncharacters that Unicode reserves for use inside a program.
_NO_TEXT = re.compile("[\ufdd0-\ufdef\ufeff]")
_HIGH = re.compile(rb"[\x80-\xff]+")
_IN_WORDS = re.compile(rb"[A-Za-z][\x80-\xff]+|(?<![A-Za-z\x80-\xff])[\x80-\xff]+(?=[A-Za-z])")
# In Latin text most non-ASCII bytes stand alone or in words with ASCII letters; in other scripts they form runs.
MOST = 0.6
LONG_RUN = 3
_BELOW_LEADS = bytes(range(0xC0))
# Two bytes a character: the encoding, the older one with its everyday characters, and the range of their first byte.
_ASIAN = (
    ("cp949", "euc_kr", (0xB0, 0xC8)),
    ("gb18030", "gb2312", (0xB0, 0xD7)),
    ("big5hkscs", "big5", (0xA4, 0xC6)),
    ("euc_jp", "euc_jp", (0xB0, 0xCF)),
    ("cp932", "euc_jp", (0xB0, 0xCF)),
)
EVERYDAY = 0.85
_PUNCTUATION = frozenset("、。，．！？：；（）「」『』《》“”‘’…—·・　％～〜【】－＋")
# If charset-normalizer finds nothing: by far the most common of these encodings.
_USUAL = "cp1251"
_OTHERS = """gb18030 big5hkscs cp932 shift_jis_2004 euc_jp cp949 euc_kr cp1251 koi8_r koi8_u cp866 iso8859_5
    mac_cyrillic cp1253 iso8859_7 cp1255 cp1256 cp874 tis_620""".split()
# Hebrew has neither capitals nor letters from 0xFB on; Cyrillic has a seventh of its letters there.
_CYRILLIC = frozenset(("cp1251", "koi8_r", "koi8_u", "mac_cyrillic"))
_NOT_HEBREW = re.compile(rb"[\xc0-\xdf\xfb\xfc\xff]")
MANY_LETTERS = 30
# Of equally good ones the first is chosen.
_LATIN = ("cp1252", "cp1250", "mac_roman", "cp1254", "iso8859_2", "cp850", "cp1257", "iso8859_15")
_ALPHABETS = tuple(
    """éèêëàâçîïôùûüœæÿ äöüßéà áéíóúñüç áâãàçéêíóôõúü àèéìòù åäöøæéü áéíóúýþæöð ëïéèöü ąćęłńóśźż
    áčďéěíňóřšťúůýž áčďéíľĺňóôŕšťúýžä
    áéíóöőúüű ăâîșțşţ çğıöşüâîû čćđšž äõöüšž àçèéíïòóúü ąčęėįšųūž āčēģīķļņšūž""".split()
)
_SIGNS = frozenset("“”‘’„‚–—…°µμ±×÷«»€£§²³·©®™†‡•¿¡ªº≤≥≈∞αβ¼½¾¹ΔΩ\u00a0‰−")


_OPENING = {"¡": "!", "¿": "?"}


class Decoded(NamedTuple):
    """The text of a file and its encoding; "utf-8 and cp1252" if some lines are in another encoding."""

    text: str
    encoding: str


def decode_bytes(raw: bytes) -> str:
    """Return the text of a file, its line ends as "\\n". Raises ValueError if a gzip stream is damaged."""
    return decode(raw).text


def decode(raw: bytes, limits: Limits = DEFAULT) -> Decoded:
    """Return the text of a file and its encoding.

    Raises ValueError if a gzip stream is damaged, and OverLimit if it unpacks to more than it may.
    """
    data = _unpacked(raw, limits)
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :].decode(encoding, errors="replace"), encoding)
    if wide := _wide(data):
        return _decoded(data.decode(wide, errors="replace"), wide)
    if b"\x1b$" in data and (text := _strictly(data, "iso2022_jp_2")) is not None:
        return _decoded(text, "iso2022_jp")
    try:
        return _decoded(data.decode(UTF_8), UTF_8)
    except UnicodeDecodeError:
        return _guessed(data)


def _unpacked(raw: bytes, limits: Limits) -> bytes:
    most = most_unpacked(len(raw), limits)
    try:
        return unzip(raw, most)
    except UnpacksTooLarge as exc:
        raise OverLimit(
            f"a gzip file that unpacks to more than {most // MEGABYTE:,} MB: unpack it (gunzip), see whether it holds "
            "papers, and split it if it is large"
        ) from exc


def _decoded(text: str, encoding: str) -> Decoded:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    # Files that were joined have byte order marks inside.
    return Decoded(_NO_TEXT.sub("", text), encoding)


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _wide(data: bytes) -> str | None:
    """Return UTF-16 or UTF-32 if the zero bytes of a text without a mark show it."""
    head = data[: SAMPLE - SAMPLE % 4]
    if b"\0" not in head or len(head) < 4:
        return None
    zeros = [head[n::4].count(0) / max(1, len(head[n::4])) for n in range(4)]
    for wide, empty, full in (("utf-32-le", (2, 3), 0), ("utf-32-be", (0, 1), 3)):
        if min(zeros[n] for n in empty) > 0.9 and zeros[full] < 0.1:
            return wide if _strictly(data, wide) is not None else None
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    text = (
        _strictly(data, encoding)
        if max(even, odd) > LEAST_ZEROS and min(even, odd) < max(even, odd) / 4
        else None
    )
    readable = text is not None and sum(c.isprintable() or c.isspace() for c in text[:SAMPLE])
    return encoding if text and readable > 0.95 * min(len(text), SAMPLE) else None


def _guessed(data: bytes) -> Decoded:
    """Decode bytes that are not UTF-8 as a whole; lines that are UTF-8 are still read as UTF-8."""
    lines = data.split(b"\n")
    if data.count(b"\n") < data.count(b"\r") // 2:
        lines = data.split(b"\r")
    broken = {n for n, line in enumerate(lines) if not line.isascii() and _strictly(line, UTF_8) is None}
    cut = {n for n in broken if _is_cut(lines[n])}
    encoding = guess_encoding(lines[n] for n in sorted(broken - cut)) if broken - cut else UTF_8
    sound = sum(not line.isascii() for line in lines) - len(broken) + len(cut)
    if not sound and (text := _strictly(data, encoding)) is not None:
        return _decoded(text, encoding)
    texts = [
        line.decode(encoding if n in broken and n not in cut else UTF_8, errors="replace")
        for n, line in enumerate(lines)
    ]
    return _decoded("\n".join(texts), f"{UTF_8} and {encoding}" if sound and encoding != UTF_8 else encoding)


def _is_cut(line: bytes) -> bool:
    """Return whether a line is UTF-8 except for a character cut in two, as by a tool that truncates bytes."""
    bad = line.decode(UTF_8, errors="replace").count("\ufffd")
    return 8 * bad <= len(line.translate(None, _BELOW_LEADS))


def guess_encoding(lines: Iterable[bytes]) -> str:
    """Return the most likely encoding of lines that are not UTF-8."""
    sample = b"\n".join(lines)[:SAMPLE]
    sample = sample[: sample.rfind(b"\n")] if len(sample) == SAMPLE and b"\n" in sample else sample
    runs = [len(run) for run in _HIGH.findall(sample)]
    if sum(run == 1 for run in runs) > MOST * sum(runs):
        return _latin(sample)
    if asian := _asian(sample):
        return asian
    mixed = len(_IN_WORDS.findall(sample)) > MOST * len(runs) and sum(runs) < LONG_RUN * len(runs)
    return _latin(sample) if mixed else _other(sample)


def _asian(sample: bytes) -> str | None:
    """Return the encoding of two bytes a character that gives everyday characters, if there is one."""
    shares = {encoding: _everyday(sample, encoding, table, leads) for encoding, table, leads in _ASIAN}
    best = max(shares, key=lambda encoding: shares[encoding])
    return best if shares[best] >= EVERYDAY else None


def _everyday(sample: bytes, encoding: str, table: str, leads: tuple[int, int]) -> float:
    text = _strictly(sample, encoding)
    found = [c for c in text or "" if not c.isascii() and c not in _PUNCTUATION]
    if not found:
        return 0.0
    first, last = leads
    codes = [code for c in found if (code := c.encode(table, errors="ignore"))]
    kana = (0xA4, 0xA5) if table == "euc_jp" else ()
    return sum(first <= code[0] <= last or code[0] in kana for code in codes) / len(found)


def _other(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    found = from_bytes(sample, cp_isolation=_OTHERS, preemptive_behaviour=False).best()
    encoding = found.encoding if found else _USUAL
    if (
        encoding in _CYRILLIC
        and sum(map(len, _HIGH.findall(sample))) >= MANY_LETTERS
        and not _NOT_HEBREW.search(sample)
    ):
        return "cp1255"
    return encoding


def _latin(sample: bytes) -> str:
    texts = {encoding: sample[:LATIN_SAMPLE].decode(encoding, errors="replace") for encoding in _LATIN}
    return max(_LATIN, key=lambda encoding: _plausible(texts[encoding]))


def _plausible(text: str) -> int:
    """Return how many non-ASCII characters are usual signs, or letters of the language that fits best."""
    letters: dict[str, int] = {}
    signs = 0
    for match in re.finditer(r"[^\x00-\x7f]", text):
        character, before, after = (
            match[0],
            text[match.start() - 1 : match.start()],
            text[match.end() : match.end() + 1],
        )
        if character.isalpha() and character not in _SIGNS:
            # A capital after a small letter is a misread letter.
            letters[character.lower()] = letters.get(character.lower(), 0) + (
                not (character.isupper() and before.islower())
            )
        elif character in _SIGNS:
            signs += _is_usual(character, before, after, text)
    return signs + max(sum(letters.get(letter, 0) for letter in alphabet) for alphabet in _ALPHABETS)


def _is_usual(sign: str, before: str, after: str, text: str) -> bool:
    if sign in _OPENING:
        return _OPENING[sign] in text
    if sign in "²³¹":
        return before.isalnum()
    return sign in "’‘·" or not (before.isalpha() and after.isalpha())
