"""HTML, JATS, MathML and entities → text. Unknown tags stay as text: a<b, p<0.05, <x, y>, List<int>.

Inline tags are removed, block tags become line ends, and a heading ("Results") gets a colon.
"""

import re
from collections.abc import Callable
from html import unescape
from typing import TYPE_CHECKING

from rag_qa.corpus.scripts import LOWERED, RAISED, RESET, settle_scripts

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# Publishers escape text up to three times.
TIMES_ESCAPED = 3
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TAG = re.compile(
    r"""<(?P<end>/?)(?:(?P<prefix>[A-Za-z][\w.-]{0,15}):)?(?P<name>[A-Za-z][\w.-]{0,30})
    (?P<attributes>(?:\s+[A-Za-z_:][\w:.-]*\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=]+))*)\s*/?>""",
    re.VERBOSE,
)
# Any name with one of these prefixes is a tag.
_PREFIXES = frozenset("jats mml m ce sb sa o w st1 xhtml html xocs ja bk cals xlink ali tp".split())
_INLINE = frozenset(
    """em strong span font tt small big abbr acronym kbd samp strike wbr nobr italic bold ital scp sc roman
    underline overline monospace sans-serif smallcaps smcaps small-caps styled-content named-content ext-link xref
    uri inline-formula inline-graphic inlineformula tex-math alternatives formula tex milestone-start milestone-end
    private-char glyph-ref emphasis emph inline startfragment endfragment boldmath it bf rm""".split()
)
_BLOCK = frozenset(
    """div br hr ul ol li dl dt dd tr td th thead tbody tfoot blockquote pre sec list-item disp-formula def-list
    disp-quote para simple-para abstracttext abstract-sec figcaption img graphic break newline list p.""".split()
)
_HEADING = frozenset("h1 h2 h3 h4 h5 h6 title section-title sectiontitle".split())
# Names that may also be words in angle brackets: tags only if both the opening and the closing one are there.
_PAIRED_INLINE = frozenset(
    "i b u a mark del ins cite code var label dfn time data math fn bdi bdo center".split()
)
_PAIRED_BLOCK = frozenset(
    "p table caption section article abstract body html head header footer figure main".split()
)
_PAIRED = _PAIRED_INLINE | _PAIRED_BLOCK | {"title"}
_SCRIPTS = {"sub": LOWERED, "inf": LOWERED, "sb": LOWERED, "sup": RAISED, "sp": RAISED, "superscript": RAISED,
            "subscript": LOWERED}  # fmt: skip
# Italic and bold tags without their other half: one that opens before a word or closes after one.
_BROKEN_TYPE = re.compile(r"(?<![^\s(\[>])<[ibIB]>(?=\w)|(?<=[\w)])</[ibIB]>")
_OPEN_PARAGRAPH = re.compile(r"(?:^|[.!?>:])\s*$")
# Headings of the whole abstract, which are dropped.
_WHOLE = frozenset(
    """abstract summary résumé resume resumen resumo riassunto zusammenfassung kurzfassung sommario özet samenvatting
    streszczenie аннотация реферат 摘要 要旨 抄録 초록 abstrakt abstrak sammanfattning""".split()
)
# A formula written as a whole LaTeX document is at most this long on each side of \\begin{document}.
LONGEST_DOCUMENT = 4000
_HEAD_MARK, _HEAD_END = "\ufdd7", "\ufdd8"


def strip_markup(text: str) -> str:
    """Return the text without tags and with entities decoded, even if they are escaped up to three times.

    >>> strip_markup("10<sup>6</sup> &lt;i&gt;E. coli&lt;/i&gt; &amp; p<0.05")
    '10⁶ E. coli & p<0.05'
    """
    if "<" not in text and "&" not in text:
        return text
    for _ in range(TIMES_ESCAPED):
        before = text
        if "<" in text:
            text = _without_tags(text)
        if "&" in text:
            text = _ENTITY.sub(_character, text)
        if text == before:
            break
    return settle_scripts(text)


def _character(entity: re.Match[str]) -> str:
    return unescape(entity[0])


def _without_tags(text: str) -> str:
    text = _replace_between(text, "<!--", "-->", lambda inner: " ")
    text = _replace_between(text, "<![CDATA[", "]]>", lambda inner: inner)
    if not _TAG.search(text):
        return text
    for name in ("script", "style"):
        text = _replace_between(text, f"<{name}", f"</{name}>", lambda inner: " ")
    text = _without_formulas(text)
    found = [match for match in _TAG.finditer(text) if match["name"].casefold() in _PAIRED]
    opened = {match["name"].casefold() for match in found if not match["end"]}
    closed = {match["name"].casefold() for match in found if match["end"]}
    text = _TAG.sub(lambda match: _instead(match, opened & closed), text)
    return _settle_headings(_BROKEN_TYPE.sub("", text))


def _instead(match: re.Match[str], pairs: set[str]) -> str:
    """Return the replacement of a tag: nothing, a line end or a mark; the text itself if it is not a tag."""
    name, end = match["name"].casefold(), bool(match["end"])
    prefixed = match["prefix"] is not None
    if prefixed and match["prefix"].casefold() not in _PREFIXES:
        return match[0]
    if (
        name == "p"
        and not prefixed
        and _OPEN_PARAGRAPH.search(match.string, max(0, match.start() - 9), match.start())
    ):
        return "\n"
    if name in _PAIRED and not prefixed and name not in pairs:
        return match[0]
    if name in _SCRIPTS:
        return RESET if end else _SCRIPTS[name]
    if name in _HEADING:
        return _HEAD_END if end else _HEAD_MARK
    if name in _BLOCK or name in _PAIRED_BLOCK:
        return "\n"
    return "" if prefixed or name in _INLINE or name in _PAIRED else match[0]


def _settle_headings(text: str) -> str:
    """Give each heading a colon; drop empty ones and those of the whole ("Abstract")."""
    if _HEAD_MARK not in text:
        return text.replace(_HEAD_END, " ")
    first, *rest = text.split(_HEAD_MARK)
    pieces = [first]
    for piece in rest:
        heading, _, after = piece.partition(_HEAD_END)
        heading = " ".join(heading.split())
        if heading.casefold().rstrip(".:") in _WHOLE or not heading:
            pieces.append(f" {after}")
        elif heading[-1].isalnum() or heading[-1] in ")]":
            pieces.append(f" {heading}: {after}" if after.strip() else f" {heading}")
        else:
            pieces.append(f" {heading} {after}")
    return "".join(pieces).replace(_HEAD_END, " ")


def _replace_between(text: str, begin: str, end: str, instead: Callable[[str], str]) -> str:
    """Replace each part from `begin` to `end`, both included; a part without an `end` stays."""
    start = text.find(begin)
    if start < 0:
        return text
    pieces, position = [], 0
    while start >= 0 and (stop := text.find(end, start + len(begin))) >= 0:
        pieces += [text[position:start], instead(text[start + len(begin) : stop])]
        position = stop + len(end)
        start = text.find(begin, position)
    return "".join([*pieces, text[position:]])


# --- formulas

_MATH = re.compile(r"<(?:(?P<prefix>mml|m):)?math\b", re.IGNORECASE)
_TEX_MATH = re.compile(r"<(/?)(?:jats:)?tex-math\b[^<>]*>", re.IGNORECASE)
_MATH_PREFIX = re.compile(r"(</?)(?:mml|m):", re.IGNORECASE)
_ATTRIBUTES = re.compile(r"(<[A-Za-z][\w.-]*)\s[^<>]*?(/?>)")
_XML_ENTITIES = ("&lt;", "&gt;", "&amp;", "&quot;", "&apos;")


def _without_formulas(text: str) -> str:
    """Return the text with MathML formulas as text; the TeX next to them is a copy and is dropped."""
    if "\\documentclass" in text:
        text = _without_documents(text)
    found = _MATH.search(text)
    if not found:
        return text
    if _TEX_MATH.search(text):
        text = _TEX_MATH.sub(r"<\1tex-math>", text)
        text = _replace_between(text, "<tex-math>", "</tex-math>", lambda inner: "")
    text = _MATH_PREFIX.sub(r"\1", text)
    return _replace_between(text, "<math", "</math>", _formula)


def _without_documents(text: str) -> str:
    """Return the text with each formula written as a whole LaTeX document replaced by the document's body."""
    pieces, position = [], 0
    start = text.find("\\documentclass")
    while start >= 0:
        begin = _find_near(text, "\\begin{document}", start)
        end = _find_near(text, "\\end{document}", begin) if begin >= 0 else -1
        if end >= 0:
            body = text[begin + len("\\begin{document}") : end]
            pieces += [text[position:start], body.replace("$$", "$")]
            position = end + len("\\end{document}")
        start = text.find("\\documentclass", max(position, start + 1))
    return "".join([*pieces, text[position:]])


def _find_near(text: str, wanted: str, start: int) -> int:
    return text.find(wanted, start, start + LONGEST_DOCUMENT + 2 * len(wanted))


def _formula(inner: str) -> str:
    """Return a MathML formula as text; if it is not valid, only its letters."""
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    source = _ATTRIBUTES.sub(r"\1\2", f"<math{inner}</math>")
    source = _ENTITY.sub(lambda match: match[0] if match[0] in _XML_ENTITIES else unescape(match[0]), source)
    try:
        return _shown(fromstring(source))
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        return re.sub(r"<[^<>]*>", " ", f"<math{inner}")


def _shown(element: "Element") -> str:
    name = element.tag.casefold()
    children = list(element)
    if name in ("annotation", "annotation-xml", "mphantom", "maction"):
        return ""
    if name == "semantics":
        return _shown(children[0]) if children else ""
    if name == "mspace":
        return " "
    parts = [_shown(child) for child in children]
    text = (element.text or "").strip() + "".join(
        part + (child.tail or "").strip() for part, child in zip(parts, children, strict=True)
    )
    if name in ("msup", "mover") and len(parts) == 2:
        return parts[0] + (f"{RAISED}{parts[1]}{RESET}" if name == "msup" else parts[1])
    if name == "msub" and len(parts) == 2:
        return f"{parts[0]}{LOWERED}{parts[1]}{RESET}"
    if name == "msubsup" and len(parts) == 3:
        return f"{parts[0]}{LOWERED}{parts[1]}{RESET}{RAISED}{parts[2]}{RESET}"
    if name == "mfrac" and len(parts) == 2:
        return "/".join(part if part.isalnum() else f"({part})" for part in parts)
    if name == "msqrt":
        return f"√({text})" if len(text) > 1 else f"√{text}"
    if name == "mfenced":
        return f"{element.get('open', '(')}{', '.join(parts)}{element.get('close', ')')}"
    if name == "mtr":
        return f"{', '.join(parts)}; "
    return text
