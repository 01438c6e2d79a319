"""Which papers a question restricts itself to: the authors, venues and years of the index that it names.

Values come first, the relation is read from the words beside them: a family name before a noun ("Bahdanau attention")
and what stands behind "about" are topic. A name that the index lacks counts only right behind a word for papers.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rag_qa.answering.query.kinds import is_asking
from rag_qa.corpus.ids import normalise_text
from rag_qa.index.facets import Facets
from rag_qa.index.reader import Index
from rag_qa.retrieval.filters import authors_like, is_venue
from rag_qa.text.words import FUNCTION_WORDS
from rag_qa.types import Filter

LONGEST = 8
TOKEN = re.compile(r"[^\W_](?:(?:(?!['’]\d)[\w.'’-])*\w)?\.?")
CONTRACTED = re.compile(r"['’](?:m|ve|re|d|ll|t)$", re.I)
OWNER = re.compile(r"['’]s?$|\.$")
ABOUT = frozenset("about on regarding concerning mention mentioning using use uses versus vs than".split())
LINK = frozenset("by from and did does has have is".split())
# Behind one of these a single name may be that of a place, unless a word for papers stands before it.
PLACING = frozenset(
    "from of in to at for near with through into around across within during against between".split()
)
LINKED = re.compile(
    r"(?:\b(?:by|from|at|in|of|the|with|and|but|written|authored|published|presented|appeared|came\s+out"
    r"|journal|conference)\s+)*$",
    re.I,
)
PAPERS = r"(?:papers?|articles?|stud(?:y|ies)|publications?|preprints?|works?|stuff|\w+thing|ones?)\b"
YEAR = r"(?:(?:19|20)\d\d|['’]\d\d)\b"
# Before a venue, whatever case it is written in.
APPEARED = re.compile(
    r"\b(?:published|presented|appeared|appearing|came\s+out)\s+(?:in|at)\s+(?:the\s+)?(?:journal\s+)?$", re.I
)
# "papers in the Lancet", but not "use the Lancet dataset".
IN_THE = re.compile(rf"\b{PAPERS}\s+(?:in|at|from|of)\s+the\s+$", re.I)
PUBLISHED = re.compile(
    rf"\b(?:{PAPERS}|published|written|released|appeared|presented|out|and|but|not)$", re.I
)
OF_PAPERS = re.compile(rf"\b{PAPERS}\s+\w+\s+$", re.I)
NO = r"(?:no|not|nothing|none)\s+"
# "from 2016 on", but not "from 2016 on infections".
ON = r"on\b(?!\s+(?!(?:about|on|that|which|in|at|by|and|with|is|are|was|were)\b)\w)"
# How words and years bound: what is added to the first and to the last year, None where that side is open.
BOUNDS: tuple[tuple[int | None, int | None, str], ...] = (
    (0, None, rf"(?:from\s+)?({YEAR})\s*(?:-|–|to|until|till)\s*(?:now|today|(?:the\s+)?present)\b"),
    (
        0,
        0,
        rf"(?:between|from|of|in)?\s*({YEAR})\s*(?:-|–|to|and|&|(?:up\s+)?to|until|till|through)\s*({YEAR})",
    ),
    (0, 0, rf"({YEAR})\s*[-–/]\s*(\d\d)\b"),
    (0, None, rf"(?:since|starting(?:\s+\w+)?|as\s+of|{NO}(?:older|earlier|before)(?:\s+than)?)\s+({YEAR})"),
    (0, None, rf"(?:from\s+)?({YEAR})\s*(?:\+|(?:and|or)\s+(?:later|after|newer|since|up)|onwards?|{ON})"),
    (None, 0, rf"(?:until|till|up\s+to|{NO}(?:later|newer|after)(?:\s+than)?)\s+({YEAR})"),
    (None, 0, rf"({YEAR})\s+(?:and|or)\s+(?:earlier|before|older)"),
    (1, None, rf"(?:after|past|post|(?:later|newer|(?:more\s+)?recent|younger)\s+than)[\s-]+({YEAR})"),
    (None, -1, rf"(?:before|pre|prior\s+to|predat\w+|(?:earlier|older)\s+than)[\s-]+({YEAR})"),
    (0, 9, r"(?:in\s+|from\s+)?(?:the\s+)?((?:19|20)\d0)['’]?s\b"),
    (0, 0, rf"(?:(?:in|from|of|during|for|year|only)\s+)?({YEAR})"),
)
WORDS = r"[^\W\d_][\w.'’-]*(?:\s+(?!(?:in|at|on|since|from|about|and|that|which|after|before)\b)[^\W\d_][\w.'’-]*)"
NAME = r"[^\W\d_a-z][\w.'’-]*(?:\s+(?:(?:v[ao]n|de[rnl]?|d[aio]s?|l[ae]|el|al|bin|ter)\s+)*[^\W\d_a-z][\w.'’-]*)*"
# "written by" said of papers: behind a word for them or for what is asked, or where no other word is what was written.
WRITTEN = (
    rf"(?i:(?:^(?:which|what|who|any)?|\b{PAPERS}|(?<!that)(?<!which)(?:^|\s)(?:is|are|was|were|been))"
    r"(?:\s*\b(?:that|which|has|have|was|were|is|are|been))*\s*\b(?:written|authored|published))"
)
# Where only an author can stand; in small letters behind "written by", or with more than one word behind "papers by".
SLOTS = (
    rf"(?:^|\b(?i:{PAPERS}|here|any|else)|{WRITTEN})\s*\b(?i:by)\s+"
    rf"(?P<names>{NAME}(?:(?:,|\s+and|\s+&)\s+{NAME})*)",
    rf"{WRITTEN}\s+(?i:by)\s+(?P<names>{WORDS}{{0,4}})",
    rf"\b(?i:{PAPERS})\s+by\s+(?P<names>{WORDS}{{1,3}})",
    rf"\b(?i:papers|publications|articles)\s+of\s+(?P<names>{NAME}\s+{NAME})",
    rf"(?P<names>{NAME})['’]s?\s+(?i:\w+\s+)?(?i:{PAPERS})",
    rf"\b(?i:did|has|have|is|does)\s+(?P<names>{NAME})\s+(?:\w+\s+)?"
    r"(?:writ\w+|wrote|publish\w*|(?:an?|the|among\s+the)\s+(?:co-?)?author\w*)\b",
)


class Restriction(NamedTuple):
    """The filter that was read, what of the question is left, and the names in it that the index does not have.

    `doubtful` says that a year stands behind something else than papers, and may be of the topic.
    """

    filter: Filter
    topic: str
    unknown: tuple[str, ...] = ()
    doubtful: bool = False


class Value(NamedTuple):
    """An author or a venue of the index, and where it stands in the question."""

    start: int
    end: int
    author: str
    venue: str


def restriction(question: str, facets: Facets, index: Index | None = None) -> Restriction:
    """Return what a question that asks for papers restricts them to.

    With the index, a family name in small letters is read where no abstract uses it as a word.
    """
    known = list(_values(question, facets, index))
    since, until, years = _years(question, known)
    found = Filter(
        since=since,
        until=until,
        venues=tuple(dict.fromkeys(value.venue for value in known if value.venue)),
        authors=tuple(dict.fromkeys(value.author for value in known if value.author)),
    )
    named = [question[value.start : value.end] for value in known]
    unknown = (
        n
        for n in _slotted(question)
        if not any(value in n for value in named)
        and not authors_like(n, facets.authors)
        and not is_venue(n, facets.venues)
    )
    doubtful = any(not _of_papers(question, span, known) for span in years)
    topic = _without(question, [*((v.start, v.end) for v in known), *years])
    return Restriction(found, topic, tuple(unknown), doubtful)


def _values(question: str, facets: Facets, index: Index | None) -> Iterator[Value]:
    """Yield the values at each place, the longest first."""
    tokens = [match.span() for match in TOKEN.finditer(question)]
    free = 0
    for first, (start, _) in enumerate(tokens):
        word = question[slice(*tokens[first - 1])] if first else ""
        before = word.casefold()
        # "Andrew Ng" is no Ng of the index: a longer name that it has would have been found first.
        named = word[:1].isupper() and question[tokens[first - 1][1] : start] == " " and not is_asking(word)
        before = "in" if before == "the" and IN_THE.search(question, 0, start) else before
        appeared = bool(APPEARED.search(question, 0, start))
        placed = before in PLACING and not OF_PAPERS.search(question, 0, start)
        for last in range(min(first + LONGEST, len(tokens)) - 1, first - 1, -1):
            end = tokens[last][1]
            if first < free or before in ABOUT or re.search(r"[,;:?!()]", text := question[start:end]):
                continue
            name, after = OWNER.sub("", text), question[end:].lstrip()
            venue = _venue(name, before, after, facets, appeared=appeared)
            author = (
                ""
                if venue or named or (placed and first == last)
                else _author(name, before, after, facets, index)
            )
            if venue or author:
                free = last + 1
                yield Value(start, end, author, venue)
                break


def _author(name: str, before: str, after: str, facets: Facets, index: Index | None) -> str:
    """Return an author's name; one word must be written like a name and not stand before a noun."""
    words = name.split()
    if any(word in FUNCTION_WORDS or CONTRACTED.search(word) for word in words) or not (
        found := authors_like(name, facets.authors)
    ):
        return ""
    written = name[:1].isupper() or before == "by" or bool(re.match(PAPERS, after, re.I))
    written = written or (index is not None and not len(index.lexical.papers_with_all(name)))
    alone = before == "by" or (name.casefold() not in FUNCTION_WORDS and (before in LINK or _ends(after)))
    if len(words) == 1 and not (written and alone):
        return ""
    return facets.authors.values[found[0]] if len(found) == 1 else name


def _ends(after: str) -> bool:
    """Return whether nothing of a topic stands next: no word, one that only asks, a year, a mark."""
    word = TOKEN.match(after)
    return not word or is_asking(word.group()) or bool(re.match(YEAR, after))


def _venue(name: str, before: str, after: str, facets: Facets, *, appeared: bool) -> str:
    """Return a venue, loosely spelt or abbreviated; one that is also a word must be written and used like a name.

    So it is behind what says where papers `appeared`.
    """
    core = normalise_text(name)
    words = core.split()
    if re.search(rf"{YEAR}$", name) or core.isdigit() or all(word in FUNCTION_WORDS for word in words):
        return ""
    placed = before in ("at", "in", "from", "of", "only", "by", "journal") or bool(
        re.match(rf"{PAPERS}|{YEAR}", after, re.I)
    )
    if is_venue(name, facets.venues):
        plain = [value for value in facets.venues.values if normalise_text(value) == core]
        acronym = not plain or any(re.search(r"\w[A-Z]", value) for value in plain)
        return name if acronym or appeared or (placed and name[:1].isupper()) else ""
    keys = dict(zip(facets.venues.keys, facets.venues.values, strict=True))
    return next((keys[key] for key in keys if _shortened(words, key.split())), "")


def _shortened(words: Sequence[str], venue: Sequence[str]) -> bool:
    """Return whether words are the venue's in short: "J. ACM", "SIAM Rev."."""
    full, words = ([word for word in row if word not in FUNCTION_WORDS] for row in (venue, words))
    return (
        len(full) == len(words) > 1
        and all(map(str.startswith, full, words))
        and full[-1][:3] == words[-1][:3]
    )


def _years(question: str, known: Sequence[Value]) -> tuple[int | None, int | None, list[tuple[int, int]]]:
    """Return the bounds that years set, and where they stand; a bare year must stand by no other name."""
    since: list[int] = []
    until: list[int] = []
    spans: list[tuple[int, int]] = []
    for first, last, pattern in BOUNDS:
        for match in re.finditer(rf"(?i)(?<![\w.])(?:{pattern})", question):
            start, end = match.span()
            bare = match.group()[0] in "'’12" and first == last == 0
            if any(s < end and start < e for s, e in spans) or (bare and not _free(question, match, known)):
                continue
            years = sorted(_year(text) for text in match.groups())
            since += [] if first is None else [years[0] + first]
            until += [] if last is None else [years[-1] + last]
            spans.append((start, end))
    return min(since, default=None), max(until, default=None), spans


def _free(question: str, year: re.Match[str], known: Sequence[Value]) -> bool:
    """Return whether a bare year is no part of another name ("ImageNet 2012") and of no topic."""
    before = question[: year.start()].rstrip()
    word = before.split()[-1] if before else ""
    if not before or before[-1] in ",;:(" or any(value.end == len(before) for value in known):
        return True
    return not (word[:1].isupper() and not is_asking(word)) and _ends(question[year.end() :].lstrip())


def _of_papers(question: str, year: tuple[int, int], known: Sequence[Value]) -> bool:
    """Return whether a year is said of papers: beside a word for them, an author, a venue, or nothing."""
    before = re.sub(r"(?i)(?:\b(?:from|in|of|the)\s+)*$", "", question[: year[0]]).rstrip(" ,(")
    behind = not before or PUBLISHED.search(before) or any(value.end == len(before) for value in known)
    return bool(behind or re.match(PAPERS, question[year[1] :].lstrip(), re.I))


def _year(text: str) -> int:
    digits = int(text.lstrip("'’"))
    return digits if digits > 99 else digits + (2000 if digits < 50 else 1900)


def _slotted(question: str) -> Iterator[str]:
    """Yield the names that stand where only an author can."""
    for match in (match for slot in SLOTS for match in re.finditer(slot, question)):
        for name in re.split(r",\s*|\s+and\s+|\s+&\s+", match["names"]):
            if (clean := OWNER.sub("", name.strip())) and not is_asking(clean):
                yield clean


def _without(question: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return the question without some spans; "" where only words that ask for papers are left."""
    spans = [(found.start(), end) for s, end in spans if (found := LINKED.search(question, 0, s))]
    kept = "".join(c if not any(s <= n < e for s, e in spans) else " " for n, c in enumerate(question))
    kept = re.sub(r"\s+(?=[?.,;:!])|(?<=\s)['’]s?(?=\s)", "", " ".join(kept.split()))
    return kept.strip(" ,;:") if any(not is_asking(word) for word in TOKEN.findall(kept)) else ""
