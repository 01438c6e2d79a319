"""Papers → references in plain text: authors, year, title, venue, address."""

from collections.abc import Sequence

from rag_qa.exports.one_line import one_line
from rag_qa.exports.people import OTHERS
from rag_qa.exports.works import NOTES
from rag_qa.types import Paper

MOST_AUTHORS = 10


def to_references(papers: Sequence[Paper]) -> str:
    """Return the papers as plain text, one line for each paper."""
    return "".join(f"{reference(paper)}\n" for paper in papers)


def reference(paper: Paper) -> str:
    """Return a paper as one line: authors, year, title, venue, address, and status."""
    year = f" ({paper.year})" if paper.year else ""
    parts = [f"{authors_of(paper)}{year}", paper.heading, paper.venue, address_of(paper)]
    line = ". ".join(one_line(part).rstrip(".") for part in parts if part and part.strip())
    return one_line(f"{line}." + (f" {NOTES[paper.status]}." if paper.status else ""))


def authors_of(paper: Paper) -> str:
    """Return the authors on one line; a long list is shortened with "et al."."""
    names = [one_line(author) for author in paper.authors]
    if len(names) > MOST_AUTHORS:
        return f"{', '.join(names[:MOST_AUTHORS])} {OTHERS}"
    return ", ".join(names) + (f" {OTHERS}" if paper.more_authors and names else "")


def address_of(paper: Paper) -> str:
    """Return the web address of a paper: its DOI, else its page, else at arXiv or PubMed; "" if there is none."""
    if paper.doi:
        return f"https://doi.org/{paper.doi}"
    if paper.url and paper.url.startswith(("https://", "http://")):
        return paper.url
    if paper.arxiv_id:
        return f"https://arxiv.org/abs/{paper.arxiv_id}"
    return f"https://pubmed.ncbi.nlm.nih.gov/{paper.pmid}/" if paper.pmid else ""
