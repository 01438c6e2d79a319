"""Identifiers of papers: normalised titles, DOIs, arXiv ids, and the paper id.

A paper id is the first of these that is known: the id that the source gives, `arXiv:<id>` (without version),
`doi:<doi>` (lower case), or `sha-` and 12 hex digits of the SHA-256 of the normalised title and text. The same input
always gives the same id.
"""

import hashlib
import re
import unicodedata
from urllib.parse import unquote

_LATEX_COMMAND = re.compile(r"\\[a-zA-Z]+\s*|[\\{}$^~]")
_NON_WORD = re.compile(r"[\W_]+")
_COMBINING = re.compile("[\u0300-\u036f]")
_ASCII_WORDS = {n: chr(n).lower() if chr(n).isalnum() else " " for n in range(128)}
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_ARXIV_NEW = re.compile(r"(?<![\w.])(\d{4}\.\d{4,5})(?:v\d+)?(?![\w])", re.IGNORECASE)
_ARXIV_OLD = re.compile(r"(?<![\w.])([a-z]+(?:-[a-z]+)?)(?:\.[A-Z]{2})?/(\d{7})(?:v\d+)?(?!\w)")
_PMID = re.compile(
    r"(?:PMID:?\s*|https?://(?:www\.)?(?:pubmed\.ncbi\.nlm\.nih\.gov|ncbi\.nlm\.nih\.gov/pubmed)/)?"
    r"([1-9]\d{0,7})(?:\.0|/)?(?:\s*\[pmid\])?",
    re.IGNORECASE,
)
_PMID_LABEL = re.compile(r"\b(?:PMID|PubMed ID):?\s*([1-9]\d{0,7})\b", re.IGNORECASE)
_SHA = re.compile(r"sha-[0-9a-f]{12}")

ARXIV_PREFIX = "arXiv:"
DOI_PREFIX = "doi:"


def normalise_text(text: str) -> str:
    """Return the words in lower case, without accents, LaTeX commands and punctuation, single-spaced.

    For comparing records and names, not for search: that is rag_qa.text.words.

    >>> normalise_text(r"The {\\emph Caf\u00e9}: A-B")
    'the cafe a b'
    """
    if "\\" in text or "$" in text or "{" in text:
        text = _LATEX_COMMAND.sub("", text)
    if text.isascii():  # four times as fast as the general way, and most texts are
        return " ".join(text.translate(_ASCII_WORDS).split())
    decomposed = _COMBINING.sub("", unicodedata.normalize("NFKD", text))
    return _NON_WORD.sub(" ", decomposed.casefold()).strip()


def normalise_doi(text: str) -> str | None:
    """Return the DOI in a text, bare and in lower case, or None if there is none.

    >>> normalise_doi("https://doi.org/10.1000/ABC.")
    '10.1000/abc'
    """
    folded = text.casefold()
    match = _DOI.search(unquote(folded) if "%2f" in folded else folded)
    if not match:
        return None
    doi = match.group().rstrip(".,;]}>\"'")
    # A closing bracket belongs to the DOI if the DOI opens it: 10.1016/s0140-6736(05).
    return doi if doi.endswith(")") and doi.count("(") >= doi.count(")") else doi.rstrip(".,;)]}>\"'")


def normalise_pmid(text: str) -> str | None:
    """Return the PubMed id if a text is one: a bare number, "PMID: 1", or a PubMed address; else None."""
    match = _PMID.fullmatch(text.strip())
    return match.group(1) if match else None


def labelled_pmid(text: str) -> str | None:
    """Return the PubMed id written as "PMID: 1" in a longer text, or None."""
    match = _PMID_LABEL.search(text)
    return match.group(1) if match else None


def normalise_arxiv_id(text: str) -> str | None:
    """Return the arXiv id in a text, without version (`2101.00001`, `cs/0101001`), or None if there is none."""
    new = _ARXIV_NEW.search(text)
    if new and 1 <= int(new.group(1)[2:4]) <= 12:
        return new.group(1)
    old = _ARXIV_OLD.search(text)
    return f"{old.group(1)}/{old.group(2)}" if old else None


def arxiv_form(arxiv_id: str) -> str:
    """Return an arXiv id as a paper id."""
    return ARXIV_PREFIX + arxiv_id


def doi_form(doi: str) -> str:
    """Return a DOI as a paper id."""
    return DOI_PREFIX + doi


def stable_id(title: str, text: str) -> str:
    """Return the paper id of a paper without any id: a hash of its normalised title and text."""
    digest = hashlib.sha256(f"{normalise_text(title)}\n{normalise_text(text)}".encode())
    return f"sha-{digest.hexdigest()[:12]}"


def id_rank(paper_id: str) -> int:
    """Return the preference of an id, 0 being best: 0 given by a source, 1 arXiv, 2 DOI, 3 hash."""
    if paper_id.startswith("sha-") and _SHA.fullmatch(paper_id):
        return 3
    if paper_id.startswith(DOI_PREFIX):
        return 2
    return 1 if paper_id.startswith(ARXIV_PREFIX) else 0
