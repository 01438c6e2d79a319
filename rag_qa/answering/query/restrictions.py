"""Restrictions in a question: the authors, venues and years to which it limits papers.

Authors and venues of the index are found first; the words beside them say whether they restrict papers or belong to the
topic, as before a noun ("Bahdanau attention") and after "about". A name that the index does not have counts only where
nothing but an author can be (SLOTS).
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

# Names have up to this number of tokens.
LONGEST = 8
TOKEN = re.compile(r"[^\W_](?:(?:(?!['’]\d)[\w.'’-])*\w)?\.?")
CONTRACTED = re.compile(r"['’](?:m|ve|re|d|ll|t)$", re.I)
OWNER = re.compile(r"['’]s?$|\.$")
ABOUT = frozenset("about on regarding concerning mention mentioning using use uses versus vs than".split())
LINK = frozenset("by from and did does has have is".split())
# After one of these, a single name may be that of a town or a country, unless a word for papers comes before it.
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
# A venue that follows may be in small letters.
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
# What is added to the first and to the last year (None if that side is open), and the pattern.
BOUNDS: tuple[tuple[int | None, int | None, str], ...] = (
    (0, None, rf"(?:from\s+)?({YEAR})\s*(?:-|–|to|until|till)\s*(?:now|today|(?:the\s+)?present)\b"),
    (0, 0, rf"(?:between|from|of|in)?\s*({YEAR})\s*(?:[-–&]|and|(?:up\s+)?to|until|till|through)\s*({YEAR})"),
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
# "written by" about papers: after a word for papers or a question word, or with no other word for what was written.
WRITTEN = (
    rf"(?i:(?:^(?:which|what|who|any)?|\b{PAPERS}|(?<!that)(?<!which)(?:^|\s)(?:is|are|was|were|been))"
    r"(?:\s*\b(?:that|which|has|have|was|were|is|are|been))*\s*\b(?:written|authored|published))"
)
# Patterns in which `names` can only be authors. Small letters count after "written by", and after "papers by" if more
# than one word follows.
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
    """The filter that was read, the rest of the question, and the authors in it that the index does not have.

    `doubtful` is whether a year is not beside a word for papers, and may belong to the topic.
    """

    filter: Filter
    topic: str
    unknown: tuple[str, ...] = ()
    doubtful: bool = False


class NamedValue(NamedTuple):
    """An author or a venue of the index, and its span in the question; the other of the two is ""."""

    start: int
    end: int
    author: str
    venue: str


def asks_for_papers(question: str) -> bool:
    """Return whether a question holds a word for papers ("articles", "works")."""
    return bool(re.search(rf"\b{PAPERS}", question, re.IGNORECASE))


def restriction(question: str, facets: Facets, index: Index | None = None) -> Restriction:
    """Return the restriction in a question that asks for papers.

    With the index, a family name in small letters counts as a name if no paper has it as a word.
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


def _values(question: str, facets: Facets, index: Index | None) -> Iterator[NamedValue]:
    """Yield the authors and venues in a question; at each token, the longest name that matches."""
    tokens = [match.span() for match in TOKEN.finditer(question)]
    free = 0
    for first, (start, _) in enumerate(tokens):
        word = question[slice(*tokens[first - 1])] if first else ""
        before = word.casefold()
        # "Andrew Ng" is no other Ng of the index: if that had an Andrew Ng, the longer name would have matched.
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
                yield NamedValue(start, end, author, venue)
                break


def _author(name: str, before: str, after: str, facets: Facets, index: Index | None) -> str:
    """Return the author of the index that a name means, or ""; a single word must look like a name, before no noun."""
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
    """Return whether no topic follows: nothing, punctuation, a year, or a word that only asks."""
    word = TOKEN.match(after)
    return not word or is_asking(word.group()) or bool(re.match(YEAR, after))


def _venue(name: str, before: str, after: str, facets: Facets, *, appeared: bool) -> str:
    """Return the venue of the index that a name means, or ""; it may be spelt loosely or abbreviated.

    A venue that is also a word ("Nature") must look like a name, or follow a word for where papers `appeared`.
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
    """Return whether words abbreviate those of a venue: "J. ACM", "SIAM Rev."."""
    full, words = ([word for word in row if word not in FUNCTION_WORDS] for row in (venue, words))
    return (
        len(full) == len(words) > 1
        and all(map(str.startswith, full, words))
        and full[-1][:3] == words[-1][:3]
    )


def _years(
    question: str, known: Sequence[NamedValue]
) -> tuple[int | None, int | None, list[tuple[int, int]]]:
    """Return the first and the last year that a question allows (None for no bound), and the spans that were read."""
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


def _free(question: str, year: re.Match[str], known: Sequence[NamedValue]) -> bool:
    """Return whether a year without a preposition is part of no name ("ImageNet 2012") and of no topic."""
    before = question[: year.start()].rstrip()
    word = before.split()[-1] if before else ""
    if not before or before[-1] in ",;:(" or any(value.end == len(before) for value in known):
        return True
    return not (word[:1].isupper() and not is_asking(word)) and _ends(question[year.end() :].lstrip())


def _of_papers(question: str, year: tuple[int, int], known: Sequence[NamedValue]) -> bool:
    """Return whether a year is that of papers: beside a word for them, after an author or a venue, or after nothing."""
    before = re.sub(r"(?i)(?:\b(?:from|in|of|the)\s+)*$", "", question[: year[0]]).rstrip(" ,(")
    behind = not before or PUBLISHED.search(before) or any(value.end == len(before) for value in known)
    return bool(behind or re.match(PAPERS, question[year[1] :].lstrip(), re.I))


def _year(text: str) -> int:
    digits = int(text.lstrip("'’"))
    return digits if digits > 99 else digits + (2000 if digits < 50 else 1900)


def _slotted(question: str) -> Iterator[str]:
    """Yield the names in SLOTS."""
    for match in (match for slot in SLOTS for match in re.finditer(slot, question)):
        for name in re.split(r",\s*|\s+and\s+|\s+&\s+", match["names"]):
            if (clean := OWNER.sub("", name.strip())) and not is_asking(clean):
                yield clean


def _without(question: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return the question without some spans and the prepositions before them; "" if no topic is left."""
    spans = [(found.start(), end) for s, end in spans if (found := LINKED.search(question, 0, s))]
    kept = "".join(c if not any(s <= n < e for s, e in spans) else " " for n, c in enumerate(question))
    kept = re.sub(r"\s+(?=[?.,;:!])|(?<=\s)['’]s?(?=\s)", "", " ".join(kept.split()))
    return kept.strip(" ,;:") if any(not is_asking(word) for word in TOKEN.findall(kept)) else ""
