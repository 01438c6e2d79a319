"""What a paper goes by in talk: its short name and its first author's family name."""

import re
import unicodedata
from collections.abc import Sequence

from rag_qa.corpus.ids import normalise_text
from rag_qa.index.reader import Index
from rag_qa.retrieval.filters import authors_like
from rag_qa.text.words import topic_terms
from rag_qa.types import Paper

SUBTITLE = re.compile(r":\s|\s[-–—]\s")
NICKNAME_WORDS = 3
# So many papers that hold a name are looked at.
MOST = 200
# A word written like a name: a capital that does not begin the question, or two.
NAME = re.compile(r"(?<!^)(?<![\w-])[A-Z][\w-]+|\b[\w-]*[A-Z][\w-]*[A-Z][\w-]*")
ET_AL = re.compile(r"([^\W\d_][\w-]+)(?:\s+et\s+al\b|['’]s?\s+(?:paper|article|work))", re.IGNORECASE)


def family_name(paper: Paper) -> str:
    """Return the first author's family name, taken to be the last word; "" where there is no author."""
    return paper.authors[0].split()[-1] if paper.authors and paper.authors[0].split() else ""


def short_name(paper: Paper) -> str:
    """Return the title without its subtitle where that is a name, else the whole heading."""
    head = SUBTITLE.split(paper.title, maxsplit=1)[0]
    return head if head and len(head.split()) <= NICKNAME_WORDS else paper.heading


def is_named(question: str, paper: Paper) -> bool:
    """Return whether a question names a paper by its short name, or by most words of its own in the title."""
    asked, title = set(topic_terms(question)), set(topic_terms(paper.title))
    name = set(topic_terms(short_name(paper)))
    return bool(asked and title) and (name <= asked or 2 * len(asked & title) > len(asked))


def named_papers(question: str, shown: Sequence[Paper], index: Index | None) -> list[Paper]:
    """Return the papers that a question names by short name or first author, among those shown, else in the index."""
    shown = list({paper.id: paper for paper in shown}.values())
    words = normalise_text(question).split()
    text = f" {' '.join(words)} "
    found = [
        p for p in shown if f" {normalise_text(short_name(p))} " in text or _by(question, family_name(p))
    ]
    found += [p for p in _in_index(question, index) if p not in found]
    if found:
        return found
    for name in NAME.findall(question):
        speaking = [p for p in shown if re.search(rf"\b{re.escape(name)}\b", f"{p.title} {p.abstract}")]
        if len(shown) > 1 and len(speaking) == 1:
            return speaking
    return []


def _in_index(question: str, index: Index | None) -> list[Paper]:
    """Return the papers of the index that a question names: "ELECTRA", "Brown et al."."""
    if index is None:
        return []
    places = [n for name in NAME.findall(question) for n in index.lexical.places_of_all(name)]
    for match in ET_AL.finditer(question):
        places += index.facets.authors.places(authors_like(match[1], index.facets.authors)).tolist()
    ids = list(dict.fromkeys(index.lexical.paper_ids[place] for place in places[:MOST]))
    papers = index.papers_by_id(ids)
    text = f" {normalise_text(question)} "
    authors = [normalise_text(match[1]) for match in ET_AL.finditer(question)]
    return [
        paper
        for paper in papers.values()
        if (
            paper.title
            and paper.heading != short_name(paper)
            and f" {normalise_text(short_name(paper))} " in text
        )
        or normalise_text(family_name(paper)) in authors
    ]


def _by(question: str, family: str) -> bool:
    """Return whether a question names an author: with a capital, or "the x paper"."""
    plain, name = unaccented(question), re.escape(unaccented(family))
    return bool(family) and bool(
        re.search(rf"(?<!by )\b{name}\b", plain)
        or re.search(rf"\bthe\s+{name}\s+(?:paper|one|article)\b", plain, re.I)
    )


def unaccented(text: str) -> str:
    """Return the text without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
