"""The signals of one record for near-duplicate detection: words, names, identifiers."""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property

from rag_qa.corpus.ids import id_rank, normalise_arxiv_id, normalise_text
from rag_qa.corpus.names import name_words
from rag_qa.corpus.neighbours import shingles
from rag_qa.corpus.preprints import is_preprint_doi, is_preprint_venue, without_version
from rag_qa.corpus.status import without_marks
from rag_qa.types import Paper, Version

# The kinds of identifier that a published paper and its preprint each have one of.
OWN_OF_EACH = ("DOI", "PubMed id")
HASH_RANK = 3
ARXIV_DOI = "10.48550/arxiv."
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+")
_CAPITALISED = re.compile(r"(?<=[\w,;:)] )[A-Z]\w+")

Identifiers = Mapping[str, frozenset[str]]
NO_IDENTIFIERS: Identifiers = {}


class MatchSignals:
    """The signals of one record; costly ones are computed on first use."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        self.title = normalise_text(without_marks(paper.title))

    @cached_property
    def text(self) -> str:
        """The words of the abstract."""
        return normalise_text(self.paper.abstract)

    @cached_property
    def words(self) -> list[str]:
        """The words of the abstract without web addresses."""
        return normalise_text(_ADDRESS.sub(" ", self.paper.abstract)).split()

    @cached_property
    def shingles(self) -> frozenset[tuple[str, ...]]:
        """The word trigrams of the abstract."""
        return shingles(self.paper.abstract)

    @cached_property
    def capitalised(self) -> frozenset[str]:
        """The words with a capital inside a sentence of the abstract: names and abbreviations."""
        return frozenset(map(normalise_text, _CAPITALISED.findall(self.paper.abstract)))

    @cached_property
    def families(self) -> frozenset[str]:
        """The authors' last names."""
        return frozenset(words[-1] for name in self.paper.authors if (words := name_words(name)))

    @cached_property
    def names(self) -> frozenset[str]:
        """Every word of the authors' names except initials, because sources swap family and given names."""
        words = (word for name in self.paper.authors for word in name_words(name))
        return frozenset(word for word in words if len(word) > 1)

    @cached_property
    def identifiers(self) -> Identifiers:
        """The identifiers by kind, also of its versions: DOI, arXiv id, PubMed id, DOI of each preprint server."""
        if not (self.paper.doi or self.paper.arxiv_id or self.paper.pmid or self.paper.versions):
            return NO_IDENTIFIERS
        found: dict[str, set[str]] = defaultdict(set)
        records: tuple[Paper | Version, ...] = (self.paper, *self.paper.versions)
        for described in records:
            if described.doi:
                _add_doi(described.doi, found)
            if described.arxiv_id:
                found["arXiv id"].add(described.arxiv_id)
            if described.pmid:
                found["PubMed id"].add(described.pmid)
        return {kind: frozenset(names) for kind, names in found.items()}

    @cached_property
    def preprint(self) -> bool:
        """Whether the record is known to be a preprint."""
        if self.paper.status == "preprint":
            return True
        elsewhere = "DOI" in self.identifiers or (
            self.paper.venue and not is_preprint_venue(self.paper.venue)
        )
        return not elsewhere and bool(self.identifiers.keys() - set(OWN_OF_EACH))

    @cached_property
    def given(self) -> frozenset[str]:
        """The ids that sources gave."""
        return frozenset(name for name in (self.paper.id, *self.paper.aliases) if id_rank(name) != HASH_RANK)

    @cached_property
    def hashes(self) -> frozenset[str]:
        """The ids that are hashes of title and text."""
        return frozenset(name for name in (self.paper.id, *self.paper.aliases) if id_rank(name) == HASH_RANK)

    @property
    def identifying_keys(self) -> list[str]:
        """All identifiers and ids: keys that other records of the same paper may share (blocking)."""
        known = [f"{kind} {name}" for kind, names in self.identifiers.items() for name in names]
        return [*known, self.paper.id, *self.paper.aliases]

    @property
    def conflict_key(self) -> tuple[object, ...]:
        """What `may_be_one` compares: title, preprint or not, identifiers."""
        return self.title, self.preprint, tuple(self.identifiers.items())


def _add_doi(doi: str, found: dict[str, set[str]]) -> None:
    """Add a DOI under its kind; a DOI of arXiv is an arXiv id."""
    if doi.startswith(ARXIV_DOI):
        found["arXiv id"].add(normalise_arxiv_id(doi.removeprefix(ARXIV_DOI)) or doi)
    elif is_preprint_doi(doi):
        found[f"DOI of {doi.partition('/')[0]}"].add(without_version(doi))
    else:
        found["DOI"].add(doi)
