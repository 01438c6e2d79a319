"""What a paper goes by in talk, and where a question names one of the papers shown. Knows no models.

A paper goes by its nickname (the title before a colon, an abbreviation that it introduces in brackets, the initials of
its title) and by its first author's family name; after "the … paper" or before a colon, by words of its title.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rag_qa.text.words import FUNCTION_WORDS, content_terms, topic_terms
from rag_qa.types import Paper

SUBTITLE = re.compile(r":\s|\s[-–—]\s")
ABBREVIATION = re.compile(r"\(([A-Za-z][\w-]*[A-Z][\w-]*)\)")
NICKNAME_WORDS = 3
MIN_INITIALS = 3
MIN_FAMILY = 3
# "The Zhao one", "the planning paper".
LABEL = re.compile(
    r"\bthe\s+(?P<label>[\w’'-]+(?:\s+[\w’'-]+){0,3}?)\s+(?:one|paper|article|study|survey)\b", re.IGNORECASE
)
# What shows that a name is asked about, and not merely mentioned.
DOING = re.compile(r"\b(?:do|does|did)\s+$", re.IGNORECASE)
TELLING = re.compile(
    r"\b(?:tell\s+me\s+(?:more\s+)?about|more\s+(?:about|on)|summari[sz]e|describe|explain)\s+$",
    re.IGNORECASE,
)
OWNING = re.compile(r"[’']s\b|[’'](?=\s)|\s+et\s+al\b\.?|\s+and\s+(?:colleagues|coauthors)\b", re.IGNORECASE)
OPENING = re.compile(r"^\W*(?:(?:and|but|so|also|what\s+about|how\s+about|in)\s+)*$", re.IGNORECASE)
ASKING = r"(?:what|how|why|who|when|where|which|is|are|was|were|does|do|did|can|could|has|have)\b"
CLOSING = re.compile(rf"\s*[?.!]*$|\s*[,:]\s+(?={ASKING})", re.IGNORECASE)

# "Planning tokens: is that a bigger model?"
HEAD = re.compile(rf"^\W*(?P<label>[^,:?]{{2,60}}?)\s*[,:]\s+(?={ASKING})", re.IGNORECASE)


class Mention(NamedTuple):
    """Where a question names papers, as a span of its characters, and which."""

    start: int
    end: int
    paper_ids: tuple[str, ...]


def nicknames(paper: Paper) -> tuple[str, ...]:
    """Return the names that the paper gives itself: "EigenGame", and in brackets "GPE"."""
    head = SUBTITLE.split(paper.title, maxsplit=1)[0]
    found = [head] if head != paper.title and len(head.split()) <= NICKNAME_WORDS else []
    found += ABBREVIATION.findall(f"{paper.title} {paper.abstract}")
    return tuple(dict.fromkeys(found))


def is_initials(name: str, paper: Paper) -> bool:
    """Return whether a name holds the initials of the title's first words: "DPR"."""
    initials = "".join(word[0] for word in re.findall(r"[^\W\d_]+", paper.title))
    return len(name) >= MIN_INITIALS and initials.casefold().startswith(name.casefold())


def family_name(paper: Paper) -> str | None:
    """Return the first author's family name, taken to be the last word."""
    return paper.authors[0].split()[-1] if paper.authors and paper.authors[0].split() else None


def short_name(paper: Paper) -> str:
    """Return the title without its subtitle where that is a name, else the whole heading."""
    head = SUBTITLE.split(paper.title, maxsplit=1)[0]
    return head if head and len(head.split()) <= NICKNAME_WORDS else paper.heading


def is_named(question: str, paper: Paper) -> bool:
    """Return whether the content of a question is just the paper's title, with or without its subtitle."""
    wanted = set(topic_terms(question))
    return bool(wanted) and any(wanted == set(topic_terms(n)) for n in (short_name(paper), paper.title))


def mentions(question: str, papers: Sequence[Paper], *, comparing: bool) -> list[Mention]:
    """Return where the question asks about some of the papers by name, in its order.

    A name inside a question on something else ("how is BERT used in retrieval?") is none; where papers are compared,
    every name is.
    """
    found = [*_labels(question, papers), *_names(question, papers, comparing)]
    kept: list[Mention] = []
    for mention in sorted(found, key=lambda m: (m.start, m.start - m.end)):
        if not kept or mention.start >= kept[-1].end:
            kept.append(mention)
    return kept


def _labels(question: str, papers: Sequence[Paper]) -> Iterator[Mention]:
    """Yield "the planning paper" and "planning tokens: …", whose words stand in titles or are a first author's."""
    for match in LABEL.finditer(question):
        if ids := _described(match["label"], papers):
            yield Mention(match.start(), match.end(), ids)
    head = HEAD.match(question)
    if head and len(topic_terms(head["label"])) > 1 and (ids := _described(head["label"], papers)):
        yield Mention(head.start("label"), head.end("label"), ids)


def _described(label: str, papers: Sequence[Paper]) -> tuple[str, ...]:
    """Return the papers in whose title, nickname or first author's name all words of a label stand."""
    terms = set(content_terms(_plain(label)))
    return tuple(paper.id for paper in papers if terms and terms <= set(content_terms(_plain(_card(paper)))))


def _card(paper: Paper) -> str:
    return " ".join([paper.title, *nicknames(paper), family_name(paper) or ""])


def _names(question: str, papers: Sequence[Paper], comparing: bool) -> Iterator[Mention]:
    """Yield nicknames that are asked about, and first authors: asked about, or written with a capital."""
    plain = _plain(question)
    text = plain if len(plain) == len(question) else question
    for start, end, name in _spans(text):
        before, after = text[:start], text[end:]
        owning = OWNING.match(after)
        alone = (OPENING.search(before) or TELLING.search(before)) and CLOSING.match(after)
        asked = bool(comparing or DOING.search(before) or owning or alone)
        capital = name[0].isupper() and start > 0 and len(name) >= MIN_FAMILY
        if name.casefold() in FUNCTION_WORDS or not (asked or capital):
            continue
        ids = _called(name, papers) if asked else ()
        if ids := ids or tuple(paper.id for paper in papers if _is_family(name, paper)):
            yield Mention(start, end + (owning.end() if owning else 0), ids)


def _spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the spans of one to three words, the longest first at each place."""
    words = [m.span() for m in re.finditer(r"[\w-]+", text)]
    for n, (start, _) in enumerate(words):
        for length in (3, 2, 1):
            if n + length <= len(words):
                end = words[n + length - 1][1]
                yield start, end, text[start:end]


def _called(written: str, papers: Sequence[Paper]) -> tuple[str, ...]:
    """Return the papers with this nickname; an abbreviation of which others speak too is a subject, and no name."""
    folded = written.casefold()
    titled = tuple(p.id for p in papers if is_initials(written, p) or short_name(p).casefold() == folded)
    if titled:
        return titled
    speaking = [
        p for p in papers if re.search(rf"\b{re.escape(folded)}\b", f"{p.title} {p.abstract}".casefold())
    ]
    own = tuple(p.id for p in speaking if folded in {_plain(name).casefold() for name in nicknames(p)})
    return own if len(speaking) == 1 else ()


def _is_family(written: str, paper: Paper) -> bool:
    family = family_name(paper)
    return family is not None and written.casefold() == _plain(family).casefold()


def _plain(text: str) -> str:
    """Return the text without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
