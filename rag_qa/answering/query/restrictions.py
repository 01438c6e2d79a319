"""Which papers a question restricts itself to: the authors, venues and years of the index that it names.

Values come first, the relation is read from the words beside them: a family name before a noun ("Bahdanau attention")
and what stands behind "about" are topic. A name that the index lacks counts only right behind a word for papers.
"""

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import NamedTuple

from rag_qa.answering.query.kinds import is_asking
from rag_qa.corpus.ids import normalise_text
from rag_qa.index.facets import Facets
from rag_qa.retrieval.filters import authors_like, is_venue
from rag_qa.text.words import FUNCTION_WORDS
from rag_qa.types import Filter

MAX_WORDS = 8
MAX_NAME = 5
LIKE = 0.85
TOKEN = re.compile(r"[^\W_](?:[\w.'’-]*\w)?\.?")
OWNER = re.compile(r"['’]s?$|\.$")
ABOUT = frozenset(
    "about on regarding concerning mention mentions mentioning using use uses versus vs than".split()
)
LINK = frozenset("by from at in of the with and did does has have is only".split())
LINKED = re.compile(r"(?:\b(?:by|from|at|in|of|the|with|and|written|authored|published)\s+)*$", re.IGNORECASE)
YEAR = r"(?:(?:19|20)\d\d|['’]\d\d)\b"
# The words before a year, and after it, that say how it bounds.
BOUNDS = (
    ("range", rf"(?:between|from|of|in)?\s*({YEAR})\s*(?:-|–|to|and|until|till|through)\s*({YEAR})"),
    (
        "since",
        rf"(?:since|(?:no|nothing|not|none)\s+(?:older|earlier)\s+than|(?:not|nothing)\s+before)\s+({YEAR})",
    ),
    (
        "since",
        rf"(?:from\s+)?({YEAR})\s*(?:\+|and\s+(?:later|after|newer|since)|or\s+(?:later|newer)|on\b|onwards?)",
    ),
    ("until", rf"(?:until|till|up\s+to|no\s+(?:later|newer)\s+than|(?:not|nothing)\s+after)\s+({YEAR})"),
    ("until", rf"({YEAR})\s+(?:(?:and|or)\s+(?:earlier|before|older))"),
    ("after", rf"(?:after|past|post|(?:later|newer|(?:more\s+)?recent|younger)\s+than)[\s-]+({YEAR})"),
    ("before", rf"(?:before|pre|prior\s+to|predat\w+|(?:earlier|older)\s+than)[\s-]+({YEAR})"),
    ("in", rf"(?:(?:in|from|of|during|for|year|only)\s+)?({YEAR})"),
)
PAPERS = (
    r"(?:papers?|articles?|stud(?:y|ies)|publications?|preprints?|works?|stuff|(?:any|some|every)thing|ones?)"
)
PARTICLE = r"(?:van|von|de|der|den|del|della|di|da|dos|la|le|el|al|bin|ter)"
NAME = rf"[^\W\d_a-z][\w.'’-]*(?:\s+(?:{PARTICLE}\s+)*[^\W\d_a-z][\w.'’-]*)*"
# Where only an author can stand; after "written by" even one in small letters.
SLOTS = (
    rf"\b(?i:{PAPERS}|(?:co-?)?(?:written|authored)|published)\s+(?i:by)\s+"
    rf"(?P<names>{NAME}(?:(?:,|\s+and|\s+&)\s+{NAME})*)",
    r"\b(?i:written|authored)\s+(?i:by)\s+"
    r"(?P<names>[^\W\d_][\w.'’-]*(?:\s+(?!in\b|at\b|on\b|since\b|from\b)[^\W\d_][\w.'’-]*){0,4})",
    rf"(?P<names>{NAME})['’]s?\s+(?i:\w+\s+)?(?i:{PAPERS})\b",
    rf"\b(?i:did|has|have|is|does)\s+(?P<names>{NAME})\s+(?i:\w+\s+)?(?i:writ\w+|wrote|publish\w*|author\w*|an?\s+author|the\s+author)\b",
)


Reader = Callable[[str, str, str, int, Facets], str]


class Restriction(NamedTuple):
    """The filter that was read, what of the question is left, and the names in it that the index does not have."""

    filter: Filter
    topic: str
    unknown: tuple[str, ...] = ()


class Span(NamedTuple):
    """A value of the index, where it stands in the question."""

    start: int
    end: int
    value: str


def restriction(question: str, facets: Facets) -> Restriction:
    """Return what a question that asks for papers restricts them to."""
    tokens = [match.span() for match in TOKEN.finditer(question)]
    venues = list(_values(question, tokens, facets, MAX_WORDS, _venue))
    authors = list(_values(question, tokens, facets, MAX_NAME, _author))
    authors = [a for a in authors if not any(a.start < v.end and v.start < a.end for v in venues)]
    known = [*venues, *authors]
    since, until, years = _years(question, known)
    spans = [(span.start, span.end) for span in known] + years
    names = [name for name in _slotted(question) if not authors_like(name, facets.authors)]
    found = Filter(
        since=since,
        until=until,
        venues=tuple(dict.fromkeys(span.value for span in venues)),
        authors=tuple(dict.fromkeys(span.value for span in authors)),
    )
    return Restriction(
        found, _without(question, spans), tuple(name for name in names if not is_venue(name, facets.venues))
    )


def _values(
    question: str, tokens: list[tuple[int, int]], facets: Facets, longest: int, read: Reader
) -> Iterator[Span]:
    """Yield the values at each place, the longest first."""
    free = 0
    for first in range(len(tokens)):
        for last in range(min(first + longest, len(tokens)) - 1, first - 1, -1):
            start, end = tokens[first][0], tokens[last][1]
            if first < free or re.search(r"[,;:?!()]", question[start:end]):
                continue
            before = question[tokens[first - 1][0] : tokens[first - 1][1]].casefold() if first else ""
            after = question[end:].split(maxsplit=1)
            value = read(question[start:end], before, after[0] if after else "", last - first + 1, facets)
            if value:
                free = last + 1
                yield Span(start, end, value)
                break


def _author(text: str, before: str, after: str, words: int, facets: Facets) -> str:
    """Return an author's name; one word must be written like a name and not stand before a noun."""
    name = OWNER.sub("", text)
    parts = name.casefold().split()
    if (
        before in ABOUT
        or any(part in FUNCTION_WORDS for part in parts)
        or not (found := authors_like(name, facets.authors))
    ):
        return ""
    if words == 1:
        linked = before in LINK and before not in ("in", "at", "of", "the", "with", "only")
        follows = after.strip("()?.!,;:").casefold()
        loose = not follows or is_asking(follows) or bool(re.match(YEAR, follows)) or after[:1] in ",;:(?"
        written = name[:1].isupper() or before == "by" or re.match(rf"(?i){PAPERS}\b|{YEAR}", after)
        if not written or not (linked or loose):
            return ""
    return facets.authors.values[found[0]] if len(found) == 1 else name


def _venue(text: str, before: str, after: str, words: int, facets: Facets) -> str:
    """Return a venue, loosely spelt or abbreviated; one that is also a word must be written and used like a name."""
    name = OWNER.sub("", text)
    core = normalise_text(name)
    if before in ABOUT or core.isdigit() or all(part in FUNCTION_WORDS for part in core.split()):
        return ""
    placed = before in LINK or bool(re.match(rf"(?i){PAPERS}\b|{YEAR}", after))
    if is_venue(name, facets.venues):
        plain = [value for value in facets.venues.values if normalise_text(value) == core]
        acronym = not plain or any(re.search(r"\w[A-Z]", value) for value in plain)
        return name if acronym or (placed and name[:1].isupper()) else ""
    if words > 1:
        return next(
            (v for v in facets.venues.values if _shortened(core.split(), normalise_text(v).split())), ""
        )
    near = get_close_matches(core, [key for key in facets.venues.keys if " " not in key], n=1, cutoff=LIKE)
    return near[0] if near and placed and len(core) > 3 else ""


def _shortened(words: list[str], venue: list[str]) -> bool:
    """Return whether words are the venue's in short: "J. ACM", "SIAM Rev."."""
    full = [word for word in venue if word not in FUNCTION_WORDS]
    words = [word for word in words if word not in FUNCTION_WORDS]
    return (
        len(full) == len(words) > 1
        and all(map(str.startswith, full, words))
        and full[-1][:3] == words[-1][:3]
    )


def _years(question: str, known: list[Span]) -> tuple[int | None, int | None, list[tuple[int, int]]]:
    """Return the bounds that years set, and where they stand; a bare year must stand by no other name."""
    for kind, pattern in BOUNDS:
        for match in re.finditer(rf"(?i)(?<![\w.])(?:{pattern})", question):
            bounds = sorted(_year(text) for text in match.groups() if text)
            before = question[: match.start()].rstrip()
            beside = not before or before[-1] in ",;:(" or any(span.end == len(before) for span in known)
            word = before.split()[-1] if before else ""
            named = word[:1].isupper() and not is_asking(word) and not beside
            follows = question[match.end() :].strip(" ?.!").split(maxsplit=1)
            bare = kind == "in" and match.group()[0] in "'’12"
            if bare and (named or not (beside or not follows or is_asking(follows[0].strip(",;:?")))):
                continue
            first, last = bounds[0], bounds[-1]
            span = [match.span()]
            if kind in ("range", "in"):
                return first, last, span
            if kind in ("since", "after"):
                return first + (kind == "after"), None, span
            return None, first - (kind == "before"), span
    return None, None, []


def _year(text: str) -> int:
    digits = int(text.lstrip("'’"))
    return digits if digits > 99 else digits + (2000 if digits < 50 else 1900)


def _slotted(question: str) -> Iterator[str]:
    """Yield the names that stand where only an author can."""
    for slot in SLOTS:
        for match in re.finditer(slot, question):
            for name in re.split(r",\s*|\s+and\s+|\s+&\s+", match["names"]):
                if (clean := OWNER.sub("", name.strip())) and not is_asking(clean):
                    yield clean


def _without(question: str, spans: list[tuple[int, int]]) -> str:
    """Return the question without some spans; "" where only words that ask for papers are left."""
    spans = [(found.start(), end) for s, end in spans if (found := LINKED.search(question, 0, s))]
    kept = "".join(c if not any(s <= n < e for s, e in spans) else " " for n, c in enumerate(question))
    kept = re.sub(r"\s+(?=[?.,;:!])|(?<=\s)['’]s?(?=\s)", "", " ".join(kept.split()))
    return kept.strip(" ,;:") if any(not is_asking(word) for word in TOKEN.findall(kept)) else ""
