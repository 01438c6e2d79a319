"""What a paper goes by in talk: its short name, an abbreviation that it introduces, an author's family name."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from rag_qa.corpus.ids import normalise_text
from rag_qa.index.reader import Index
from rag_qa.retrieval.filters import authors_like
from rag_qa.text.words import content_words, topic_terms
from rag_qa.types import Paper

SUBTITLE = re.compile(r":\s|\s[-–—]\s")
NICKNAME_WORDS = 3
# So many papers that hold a name are looked at.
MOST = 200
# A word written like a name: a capital that does not begin the question, or two.
NAME = re.compile(r"(?<!^)(?<![\w-])[A-Z][\w-]+|\b[\w-]*[A-Z][\w-]*[A-Z\d][\w-]*")
CAPITALS = re.compile(r"\b[\w-]*[A-Z][\w-]*[A-Z\d][\w-]*")
ET_AL = re.compile(
    r"([^\W\d_][\w-]+)(?:\s+et\s+al\b|\s+and\s+(?:colleagues|co)|['’]s?\s+(?:paper|article|work))", re.I
)


def short_name(paper: Paper) -> str:
    """Return the title without its subtitle where that is a name, else the whole heading."""
    head = SUBTITLE.split(paper.title, maxsplit=1)[0]
    return head if head and len(head.split()) <= NICKNAME_WORDS else paper.heading


def is_named(topic: str, paper: Paper) -> bool:
    """Return whether words name a paper and nothing else: by its short name, or by most words of its title."""
    asked, title = set(topic_terms(topic)), set(topic_terms(paper.title))
    name = set(topic_terms(short_name(paper)))
    return bool(asked) and asked <= title and (name <= asked or 2 * len(asked) > len(title))


def named_papers(question: str, shown: Sequence[Paper], *, loosely: bool) -> list[Paper]:
    """Return the papers of those shown that a question names, in the surest way in which it names any.

    Loosely, the only one that speaks of a name in the question is named too.
    """
    shown = list({paper.id: paper for paper in shown}.values())
    text, plain = f" {normalise_text(question)} ", unaccented(question)
    if found := [p for p in shown if _holds(text, short_name(p)) or _by(plain, p.authors[:1])]:
        return found
    if not loosely or len(shown) < 2:
        return []
    words = set(content_words(question))
    names = NAME.findall(question)
    found = [p for p in shown if _by(plain, p.authors)]
    found = found or [p for p in shown if words & {name.casefold() for name in CAPITALS.findall(_text(p))}]
    found = found or [p for p in shown if any(re.search(rf"\b{re.escape(n)}\b", _text(p)) for n in names)]
    return found if len(found) == 1 else []


def named_in_index(question: str, index: Index, *, loosely: bool) -> list[Paper]:
    """Return the papers of the index that a question names beyond doubt: "the ELECTRA paper", "Brown et al.".

    Loosely, a short name with a capital is enough, or an abbreviation that only one paper introduces.
    """
    families = [match[1] for match in ET_AL.finditer(question)]
    words = content_words(question) if loosely else []
    names = [name for name in NAME.findall(question) if loosely or _is_paper(name, question)]
    places = [place for name in {*names, *words} for place in index.lexical.places_of_all(name)[:MOST]]
    for family in families:
        places += index.facets.authors.places(authors_like(family, index.facets.authors))[:MOST].tolist()
    ids = dict.fromkeys(index.lexical.paper_ids[place] for place in places)
    papers = index.papers_by_id(list(ids)).values()
    text, plain = f" {normalise_text(question)} ", unaccented(question)
    written = [p for p in papers if families and _by(plain, p.authors[:1])]
    named = [p for p in papers if p.heading != short_name(p) and _holds(text, short_name(p))]
    named = [p for p in named if CAPITALS.search(short_name(p)) or any(n in short_name(p) for n in names)]
    introducing = [p for p in papers if words and any(_holds(text, name) for name in _introduced(p))]
    return written or named or (introducing if len(introducing) == 1 else [])


def unaccented(text: str) -> str:
    """Return the text without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _text(paper: Paper) -> str:
    return f"{paper.title} {paper.abstract}"


def _holds(text: str, name: str) -> bool:
    """Return whether a normalised text holds a name as words."""
    return f" {normalise_text(name)} " in text


def _introduced(paper: Paper) -> Iterator[str]:
    """Yield the abbreviations that a paper writes in brackets."""
    return (m[1] for m in re.finditer(rf"\(({CAPITALS.pattern})\)", paper.abstract))


def _is_paper(name: str, question: str) -> bool:
    """Return whether a question calls a name a paper: "the BERT paper", "ELECTRA's authors"."""
    return bool(re.search(rf"\b{re.escape(name)}(?:['’]s\b|\s+(?:paper|article|authors?)\b)", question))


def _by(question: str, authors: Sequence[str]) -> bool:
    """Return whether a question without accents names an author: with a capital, or as "the x paper"."""
    families = [re.escape(unaccented(author.split()[-1])) for author in authors if author.split()]
    return any(
        re.search(rf"\b{family}\b", question)
        or re.search(rf"\bthe\s+{family}\s+(?:paper|one|article|thing)\b", question, re.I)
        for family in families
    )
