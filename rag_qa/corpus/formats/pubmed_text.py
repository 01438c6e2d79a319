"""PubMed's "Abstract (text)" format: numbered records of paragraphs (citation, title, authors, abstract, ids).

1. J Cups. 2020 Sep 12;1(1):1-2. doi: 10.5555/tea.1.

Cooling of tea.

Weaver W(1), Mug L(2).

Author information: …

We measured …

DOI: 10.5555/tea.1
PMID: 12345678 [Indexed for MEDLINE]
"""

import re
from collections.abc import Iterator

from rag_qa.corpus.lookup import Fields
from rag_qa.corpus.records import Broken

_START = re.compile(r"(?:^|(?<=\n\n))(?=\d+\. [^\n]{3,300}\d{4})", re.MULTILINE)
_PMID = re.compile(r"^PMID: (\d+)", re.MULTILINE)
# Paragraphs that are not the abstract.
_BESIDE = re.compile(
    r"(?:Author information|Collaborators?|Comment (?:in|on)|Erratum in|Update (?:in|of)|Republished|Retraction"
    r"|Copyright|\u00a9|DOI|PMCID|PMID|Conflict of interest|\[Article in|Publisher|Plain Language)\b",
    re.IGNORECASE,
)
_MARKS = re.compile(r"\([\d,]+\)")


def looks_like(text: str) -> bool:
    """Return whether a text begins with a numbered citation and has a PubMed id."""
    head = text.lstrip("\ufeff\n ")[:50_000]
    return bool(re.match(r"\d+\. \S", head)) and bool(_PMID.search(head)) and "\n\n" in head


def records(text: str) -> Iterator[Fields | Broken]:
    """Yield the records. A record ends at the next number after its PubMed id."""
    held: list[str] = []
    for part in _START.split(text.lstrip("\ufeff\n ")):
        held.append(part)
        # A numbered line inside an abstract does not begin a record: a PubMed id ends one.
        if _PMID.search(part):
            yield _record("".join(held))
            held = []
    if "".join(held).strip():
        yield _record("".join(held))


def _record(text: str) -> Fields:
    citation, *paragraphs = [" ".join(block.split()) for block in re.split(r"\n\s*\n", text.strip())]
    citation = re.sub(r"^\d+\.\s+", "", citation)
    title, authors = [*paragraphs[:2], "", ""][:2]
    pmid = _PMID.search(text)
    # Without authors, the abstract follows the title.
    anonymous = len(authors.split()) > 60 or bool(_BESIDE.match(authors))
    abstract = [part for part in paragraphs[1 if anonymous else 2 :] if not _BESIDE.match(part)]
    return {
        "title": title.removesuffix("."),
        "authors": "" if anonymous else _MARKS.sub("", authors).rstrip("."),
        "abstract": " ".join(abstract),
        "venue": citation.partition(". ")[0],
        "year": citation.partition(". ")[2],
        "doi": citation if "10." in citation else text if "DOI:" in text else "",
        "pmid": pmid[1] if pmid else "",
    }
