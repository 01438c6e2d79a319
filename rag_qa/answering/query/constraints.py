"""Questions about the collection itself, by rules: "papers by X", "from 2023", "at NeurIPS", "how many mention Z".

A restriction is read where it stands right behind (or before) a word for papers, or at the end of a question that
asks for papers; names and venues only as the index knows them. What was understood is shown to the user, and a
setting (`understand`) or `--literal` takes questions as they stand.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from rag_qa.answering.query.questions import PAPERS, question_kind
from rag_qa.index.facets import Facets
from rag_qa.retrieval.filters import authors_like, is_venue
from rag_qa.text.words import topic_terms
from rag_qa.types import Filter, Value

YEAR = r"(?:19|20)\d\d"
NAME_WORD = r"[^\W\d_][\w.'’-]*"
NOUN = re.compile(
    rf"\b(?P<noun>{PAPERS}|abstracts?|works?|anything|everything)\b"
    r"(?P<made>(?:\s+(?:that\s+)?(?:was|were|are|is|has\s+been|have\s+been))?"
    r"(?:\s+(?:co-?)?(?:written|authored|published|presented))?)",
    re.IGNORECASE,
)
RANGE = re.compile(
    rf"(?:from|between|in|of)?\s*({YEAR})\s*(?:-|–|\.\.|to|and|until|through)\s*({YEAR})\b", re.IGNORECASE
)
SINCE = re.compile(rf"since\s+({YEAR})\b|from\s+({YEAR})\s+on(?:wards?)?\b", re.IGNORECASE)
AFTER = re.compile(rf"(?:after|later\s+than)\s+({YEAR})\b", re.IGNORECASE)
BEFORE = re.compile(rf"(?:before|earlier\s+than)\s+({YEAR})\b", re.IGNORECASE)
UNTIL = re.compile(rf"(?:until|up\s+to)\s+({YEAR})\b", re.IGNORECASE)
IN_YEAR = re.compile(rf"(?:(?:in|from|of|during)\s+)?({YEAR})\b", re.IGNORECASE)
BY = re.compile(r"(?:(?:co-?)?(?:written|authored)\s+)?(?:by|from)\s+", re.IGNORECASE)
AT = re.compile(
    r"(?:(?:published|presented|appear(?:ed|ing)?)\s+)?(?:at|in|from)\s+(?:the\s+)?", re.IGNORECASE
)
AND = re.compile(r"\s*(?:,\s*)?(?:and|&|,)\s+", re.IGNORECASE)
ET_AL = re.compile(r"\s+(?:et\s+al\.?|and\s+(?:colleagues|co-?authors|others))", re.IGNORECASE)
WROTE = re.compile(
    rf"\bwhat\s+(?:{PAPERS}\s+)?(?:has|have|did|does)\s+(?P<name>{NAME_WORD}(?:\s+{NAME_WORD}){{0,3}}?)\s+"
    r"(?:(?:co-?)?(?:written|write|authored?|published?|publish))\b",
    re.IGNORECASE,
)
OWNED = re.compile(rf"\b(?P<name>{NAME_WORD}(?:\s+{NAME_WORD}){{0,3}}?)['’]s?\s+{PAPERS}\b", re.IGNORECASE)
COUNT = re.compile(r"^\W*(?:how\s+many|count(?:\s+the)?)\s+(?:of\s+the\s+)?", re.IGNORECASE)
THERE = re.compile(
    r"^\W*(?:are\s+there|there\s+are|do\s+you\s+have|(?:are\s+)?in\s+(?:the|this)\s+(?:index|collection|corpus))\b\W*",
    re.IGNORECASE,
)
MENTION = re.compile(
    r"^\W*(?:(?:that|which)\s+)?(?:mention|discuss|contain|use|cover|study|address|concern|deal\s+with|talk\s+about|speak\s+of|"
    r"are\s+(?:about|on)|about|on|regarding)(?:s|es|ing)?\s+",
    re.IGNORECASE,
)
PREPOSITION = re.compile(
    r"\b(?:by|at|in|from|since|after|before|until|during|between|published|presented|written)\b", re.I
)
LOOSE = re.compile(r"^[\s,;:]+|[\s,;:]+$|(?<=\s)[,;]\s*|\s(?=[?.!])")
ANYTHING = re.compile(r"\b(?:any|every|some)thing\b", re.IGNORECASE)
# Written like a name: two words or more with capitals, or one at the end.
PARTICLE = r"(?:(?:van|von|de|der|den|del|della|di|da|dos|la|le|el|al|bin|ter|ten)\s+){0,2}"
PROPER = re.compile(rf"[A-Z][\w.'’-]*(?:\s+{PARTICLE}[A-Z][\w.'’-]*)+|[A-Z][\w'’-]*(?=\W*$)")
MAX_NAME_WORDS, MAX_VENUE_WORDS = 4, 8


class Understood(Value):
    """What is left to search for ("" where nothing is), the restriction that was read, and whether to count."""

    topic: str
    filter: Filter
    counts: bool = False

    @property
    def text(self) -> str:
        """What was understood, in words, for the user."""
        papers = f"{'the number of ' if self.counts else ''}papers {self.filter.text}".rstrip()
        if not self.topic:
            return papers
        return f"{papers} that mention “{self.topic}”" if self.counts else f"{papers}; “{self.topic}”"


class _Read(NamedTuple):
    """A restriction and where it ends in the question."""

    filter: Filter
    end: int


def understand(question: str, facets: Facets) -> Understood | None:
    """Return the restriction and the count that a question asks for; None where it asks for neither."""
    counts = COUNT.match(question)
    spans: list[tuple[int, int]] = []
    wanted = Filter()
    for start, read in _readings(question, facets, bool(counts)):
        if not any(start < e and read.end > s for s, e in spans):
            spans.append((start, read.end))
            wanted = _both(wanted, read.filter)
    if counts:
        counted = _counted(_without(question, [counts.span(), *spans]))
        if counted is not None:
            return Understood(topic=counted, filter=wanted, counts=True)
    if not wanted.text:
        return None
    topic = _without(question, spans)
    return Understood(topic=topic if topic_terms(ANYTHING.sub("", topic)) else "", filter=wanted)


def _counted(question: str) -> str | None:
    """Return what the papers to count mention, "" where all are to be counted; None where papers are not counted."""
    noun = NOUN.match(question)
    if noun is None:
        return None
    rest = question[noun.end("noun") :].strip(" ?.!")
    rest = THERE.sub("", rest, count=1)
    mention = MENTION.match(rest)
    if rest and mention is None:
        return None
    topic = rest[mention.end() :].strip(" \"'“”‘’") if mention else ""
    return topic if topic_terms(topic) else ""


def _readings(question: str, facets: Facets, counts: bool) -> list[tuple[int, _Read]]:
    """Return the restrictions with the places where they begin."""
    found: list[tuple[int, _Read]] = []
    for match in [*WROTE.finditer(question), *OWNED.finditer(question)]:
        if authors_like(match["name"], facets.authors):
            found.append((match.start(), _Read(Filter(authors=(match["name"],)), match.end())))
            if more := _sequence(question, match.end(), facets):
                found.append((match.end(), more))
    for noun in NOUN.finditer(question):
        found += _before(question, noun.start(), facets)
        if read := _sequence(question, noun.end(), facets):
            found.append((noun.start("made"), read))
    if counts or question_kind(question) == "which":
        for match in PREPOSITION.finditer(question):
            read = _sequence(question, match.start(), facets)
            if read and not question[read.end :].strip(" ?.!"):
                found.append((match.start(), read))
    return found


def _before(question: str, end: int, facets: Facets) -> list[tuple[int, _Read]]:
    """Read a venue and a year right before a word for papers: "NeurIPS 2020 papers"."""
    words = [(m.start(), m.group()) for m in re.finditer(r"\S+", question[:end])][-2:]
    found: list[tuple[int, _Read]] = []
    for start, word in reversed(words):
        if re.fullmatch(YEAR, word):
            found.append((start, _Read(Filter(since=int(word), until=int(word)), start + len(word))))
        elif is_venue(word, facets.venues):
            found.append((start, _Read(Filter(venues=(word,)), start + len(word))))
        else:
            break
    return found


def _sequence(question: str, start: int, facets: Facets) -> _Read | None:
    """Read restrictions that stand one behind the other: "by Ian Gemp at NeurIPS in 2020"."""
    wanted, end = Filter(), start
    while True:
        at = _skip(question, end)
        read = next((read for rule in RULES if (read := rule(question, at, facets))), None)
        if read is None:
            return _Read(wanted, end) if wanted.text else None
        wanted, end = _both(wanted, read.filter), read.end


def _years(question: str, at: int, _: Facets) -> _Read | None:
    if match := RANGE.match(question, at):
        since, until = sorted((int(match[1]), int(match[2])))
        return _Read(Filter(since=since, until=until), match.end())
    if match := SINCE.match(question, at):
        return _Read(Filter(since=int(match[1] or match[2])), match.end())
    if match := AFTER.match(question, at):
        return _Read(Filter(since=int(match[1]) + 1), match.end())
    if match := BEFORE.match(question, at):
        return _Read(Filter(until=int(match[1]) - 1), match.end())
    if match := UNTIL.match(question, at):
        return _Read(Filter(until=int(match[1])), match.end())
    if match := IN_YEAR.match(question, at):
        return _Read(Filter(since=int(match[1]), until=int(match[1])), match.end())
    return None


def _venue(question: str, at: int, facets: Facets) -> _Read | None:
    begins = AT.match(question, at)
    if begins is None:
        return None
    for words in _words(question, begins.end(), MAX_VENUE_WORDS):
        if is_venue(words, facets.venues):
            return _Read(Filter(venues=(words,)), begins.end() + len(words))
    return None


def _authors(question: str, at: int, facets: Facets) -> _Read | None:
    begins = BY.match(question, at)
    if begins is None:
        return None
    names: list[str] = []
    end = begins.end()
    while name := _name(question, end if not names else _after_and(question, end), facets):
        at = question.index(name, end)
        names.append(name)
        end = at + len(name)
        if more := ET_AL.match(question, end):
            end = more.end()
    return _Read(Filter(authors=tuple(names)), end) if names else None


def _after_and(question: str, end: int) -> int:
    match = AND.match(question, end)
    return match.end() if match else len(question)


def _name(question: str, start: int, facets: Facets) -> str | None:
    """Return the longest name here that an author has; else what is written like a name, to be told unknown."""
    proper = PROPER.match(question, start)
    written = proper.group() if proper else ""
    known = (name for name in _words(question, start) if authors_like(name, facets.authors))
    name = next(known, None)
    if name is None or (len(name) < len(written) and " " in written):
        return written or None
    return name


def _words(question: str, start: int, limit: int = MAX_NAME_WORDS) -> list[str]:
    """Return the next words up to a limit, the longest run first."""
    match = re.compile(rf"{NAME_WORD}(?:\s+{NAME_WORD}){{0,{limit - 1}}}").match(question, start)
    if match is None:
        return []
    ends = [m.end() for m in re.finditer(r"\S+", match.group())]
    return [match.group()[:end].rstrip(".'’-") for end in reversed(ends)]


Rule = Callable[[str, int, Facets], _Read | None]
RULES: tuple[Rule, ...] = (_years, _venue, _authors)


def _both(one: Filter, other: Filter) -> Filter:
    since = other.since if one.since is None else one.since
    until = other.until if one.until is None else one.until
    return Filter(
        since=since,
        until=until,
        venues=tuple(dict.fromkeys(one.venues + other.venues)),
        authors=tuple(dict.fromkeys(one.authors + other.authors)),
    )


def _skip(question: str, at: int) -> int:
    match = re.compile(r"[\s,]*").match(question, at)
    return match.end() if match else at


def _without(question: str, spans: list[tuple[int, int]]) -> str:
    """Return the question without some spans."""
    kept = "".join(c if not any(s <= n < e for s, e in spans) else " " for n, c in enumerate(question))
    return LOOSE.sub("", " ".join(kept.split()))
