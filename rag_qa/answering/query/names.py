"""Papers by name: by a short name, an abbreviation that the paper introduces, or an author's family name."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from rag_qa.corpus.ids import normalise_text
from rag_qa.index.exact import Ordinals
from rag_qa.index.reader import Index
from rag_qa.retrieval.filters import authors_like
from rag_qa.text.words import content_words, topic_terms
from rag_qa.types import Paper

SUBTITLE = re.compile(r":\s|\s[-–—]\s")
NICKNAME_WORDS = 3
# Up to this number of papers that hold a name are looked at.
MOST = 200
# A word written like a name: with a capital not at the beginning of the question, or with two.
NAME = re.compile(r"(?<!^)(?<![\w-])[A-Z][\w-]+|\b[\w-]*[A-Z][\w-]*[A-Z\d][\w-]*")
CAPITALS = re.compile(r"\b[\w-]*[A-Z][\w-]*[A-Z\d][\w-]*")
AUTHOR = re.compile(
    r"([^\W\d_][\w-]+)(?:\s+et\s+al\b|\s+and\s+(?:colleagues|co)\b|['’]s?\s+(?:paper|article|work|one))"
    r"|\bthe\s+([^\W\d_][\w-]+)\s+(?:paper|article)\b|\b(?:paper|one|article)\s+by\s+([^\W\d_][\w-]+)",
    re.I,
)
# A name that more papers hold names none of them.
FEW = 3


def short_name(paper: Paper) -> str:
    """Return the title without its subtitle if that is short enough for a name, else the whole heading."""
    head = SUBTITLE.split(paper.title, maxsplit=1)[0]
    return head if head and len(head.split()) <= NICKNAME_WORDS else paper.heading


def is_named(topic: str, paper: Paper) -> bool:
    """Return whether a topic only names a paper: by its short name, or by most words of its title."""
    asked, title = set(topic_terms(topic)), set(topic_terms(paper.title))
    name = set(topic_terms(short_name(paper)))
    return bool(asked) and asked <= title and (name <= asked or 2 * len(asked) > len(title))


def named_papers(question: str, shown: Sequence[Paper], *, loosely: bool) -> list[Paper]:
    """Return the papers among those shown that a question names, by the surest kind of name that matches any.

    If `loosely`, a word of the question may also name the one paper that mentions it.
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


def named_in_index(question: str, index: Index, *, loosely: bool, compared: bool) -> list[Paper]:
    """Return the papers of the index that a question names explicitly: "the ELECTRA paper", "Brown et al.".

    If `loosely`, a short name with a capital is enough, or the family name of a first author. If papers are `compared`,
    an abbreviation names the earliest paper that introduces it.
    """
    names = [name for name in NAME.findall(question) if loosely or _is_paper(name, question)]
    families = {next(filter(None, match.groups())) for match in AUTHOR.finditer(question)}
    text, plain = f" {normalise_text(question)} ", unaccented(question)
    found = []
    for family in sorted(families | set(names if loosely else ())):
        rows = index.facets.authors.papers_with(authors_like(family, index.facets.authors))
        written = [p for p in _papers(index, rows) if _by(plain, p.authors[:1])]
        found += written if len(written) <= FEW else []
    for name in dict.fromkeys([*names, *(re.findall(r"[\w-]+", question) if loosely else ())]):
        holding = _papers(index, index.lexical.papers_with_all(name))
        titled = [p for p in holding if p.heading != short_name(p) and _holds(text, short_name(p))]
        found += [p for p in titled if name in names or CAPITALS.search(short_name(p))]
        if compared and not titled:
            found += _introducing(name, holding)
    return list({paper.id: paper for paper in found}.values())


def _introducing(name: str, holding: Sequence[Paper]) -> list[Paper]:
    """Return the earliest paper with an abbreviation in brackets, else the earliest that holds it if they are few."""
    pattern = rf"(?<![\w-])(?=[\w-]*[A-Z][\w-]*[A-Z\d])(?i:{re.escape(name)})(?![\w-])"
    holding = [paper for paper in holding if re.search(pattern, _text(paper))]
    bracketed = [paper for paper in holding if re.search(rf"\({pattern}\)", paper.abstract)]
    return (bracketed or (holding if len(holding) <= FEW else []))[:1]


def _papers(index: Index, rows: Ordinals) -> list[Paper]:
    """Return up to MOST of the papers in these rows, the earliest first."""
    earliest = rows[np.argsort(index.facets.years[rows], kind="stable")][:MOST]
    ids = [index.lexical.paper_ids[row] for row in earliest]
    papers = index.known_papers(ids)
    return [papers[key] for key in ids]


def unaccented(text: str) -> str:
    """Return the text without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _text(paper: Paper) -> str:
    return f"{paper.title} {paper.abstract}"


def _holds(text: str, name: str) -> bool:
    """Return whether a normalised text holds a name as words."""
    return f" {normalise_text(name)} " in text


def _is_paper(name: str, question: str) -> bool:
    """Return whether a question calls a name a paper: "the BERT paper", "ELECTRA's authors"."""
    return bool(re.search(rf"\b{re.escape(name)}(?:['’]s\b|\s+(?:paper|article|authors?)\b)", question))


def _by(question: str, authors: Sequence[str]) -> bool:
    """Return whether a question (unaccented) names an author: as written in the index, or as "the x paper"."""
    families = [re.escape(unaccented(author.split()[-1])) for author in authors if author.split()]
    return any(
        re.search(rf"\b{family}\b", question)
        or re.search(rf"\bthe\s+{family}\s+(?:paper|one|article|thing)\b", question, re.I)
        for family in families
    )
