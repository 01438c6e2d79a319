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


def is_named(topic: str, paper: Paper) -> bool:
    """Return whether words name a paper and nothing else: by its short name, or by most words of its title."""
    asked, title = set(topic_terms(topic)), set(topic_terms(paper.title))
    name = set(topic_terms(short_name(paper)))
    return bool(asked) and asked <= title and (name <= asked or 2 * len(asked) > len(title))


def named_papers(question: str, shown: Sequence[Paper], *, loosely: bool) -> list[Paper]:
    """Return the papers of those shown that a question names by short name or first author.

    Loosely, the only one that speaks of a name in the question is named too.
    """
    shown = list({paper.id: paper for paper in shown}.values())
    text = f" {normalise_text(question)} "
    found = [
        p for p in shown if f" {normalise_text(short_name(p))} " in text or _by(question, family_name(p))
    ]
    if found or not loosely or len(shown) < 2:
        return found
    for name in NAME.findall(question):
        speaking = [p for p in shown if re.search(rf"\b{re.escape(name)}\b", f"{p.title} {p.abstract}")]
        if len(speaking) == 1:
            return speaking
    return []


def named_in_index(question: str, index: Index, *, loosely: bool) -> list[Paper]:
    """Return the papers of the index that a question names beyond doubt: "the ELECTRA paper", "Brown et al.".

    Loosely, a short name with a capital is enough.
    """
    families = [match[1] for match in ET_AL.finditer(question)]
    names = [name for name in NAME.findall(question) if loosely or _is_paper(name, question)]
    places = [place for name in names for place in index.lexical.places_of_all(name)]
    for family in families:
        places += index.facets.authors.places(authors_like(family, index.facets.authors)).tolist()
    ids = dict.fromkeys(index.lexical.paper_ids[place] for place in places[:MOST])
    text, authors = f" {normalise_text(question)} ", [normalise_text(family) for family in families]
    return [
        paper
        for paper in index.papers_by_id(list(ids)).values()
        if normalise_text(family_name(paper)) in authors
        or (
            names
            and paper.title
            and paper.heading != short_name(paper)
            and f" {normalise_text(short_name(paper))} " in text
        )
    ]


def _is_paper(name: str, question: str) -> bool:
    """Return whether a question calls a name a paper: "the BERT paper", "ELECTRA's authors"."""
    return bool(re.search(rf"\b{re.escape(name)}(?:['’]s\b|\s+(?:paper|article|authors?)\b)", question))


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
