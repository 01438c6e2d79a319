"""Do two records describe one paper? What speaks for it and against it, decided for one pair at a time."""

import re
from functools import cached_property

from rag_qa.corpus.ids import ARXIV_PREFIX, arxiv_form, doi_form, id_rank, normalise_text, normalise_title
from rag_qa.corpus.neighbours import Overlap, overlap, shingles
from rag_qa.types import Paper

# Measured on word trigrams. Two versions of one abstract (Gemini 1.5: Jaccard .51, containment .79) share
# most of the shorter one; papers of one series (EigenGame, Gemma) share under a tenth. Among 128,353
# abstracts with distinct titles some 100 pairs, follow-ups by the same authors, reach .5 as well: records
# with two different titles therefore need almost the same text and the same authors.
NEAR_JACCARD = 0.5
NEAR_CONTAINMENT = 0.75
EXCERPT_CONTAINMENT = 0.9
IDENTICAL_JACCARD = 0.9
EXTENDED_TITLE_JACCARD = 0.7
RELATED_CONTAINMENT = 0.1
SAME_ID_CONTAINMENT = 0.3
# Of fewer trigrams a near-identical text says little ("Workshops and tutorials of the conference …").
MIN_SHINGLES = 20
# Shorter titles ("Editorial", "A Survey of Deep Learning") are shared by different papers.
SPECIFIC_WORDS = 5
SHARED_AUTHORS = 0.5
ARXIV_RANK = id_rank(ARXIV_PREFIX)


class Clues:
    """What one record offers for comparison; the costly parts only once they are asked for."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        self.title = normalise_title(paper.title)

    @cached_property
    def text(self) -> str:
        """The words of the abstract."""
        return normalise_text(self.paper.abstract)

    @cached_property
    def shingles(self) -> frozenset[tuple[str, ...]]:
        """The word trigrams of the abstract."""
        return shingles(self.paper.abstract)

    @cached_property
    def families(self) -> frozenset[str]:
        """The authors' last names."""
        return frozenset(words[-1] for name in self.paper.authors if (words := normalise_text(name).split()))

    @cached_property
    def identifiers(self) -> frozenset[str]:
        """The DOI and the arXiv id, in the form of aliases."""
        doi = {doi_form(self.paper.doi)} if self.paper.doi else set()
        arxiv = {arxiv_form(self.paper.arxiv_id)} if self.paper.arxiv_id else set()
        known = {name for name in (self.paper.id, *self.paper.aliases) if id_rank(name) in (1, 2)}
        return frozenset(doi | arxiv | known)

    @cached_property
    def given(self) -> frozenset[str]:
        """The ids that sources gave."""
        return frozenset(name for name in (self.paper.id, *self.paper.aliases) if id_rank(name) == 0)

    @cached_property
    def hashes(self) -> frozenset[str]:
        """The ids that are hashes of title and text."""
        return frozenset(name for name in (self.paper.id, *self.paper.aliases) if id_rank(name) == 3)

    @property
    def keys(self) -> list[str]:
        """What other records of the same paper may share literally."""
        title = [f"title {self.title}"] if self.title else []
        return [*self.identifiers, *self.given, *self.hashes, *title]


def same_paper(a: Clues, b: Clues) -> bool:
    """Say whether two records describe one paper; symmetrical."""
    if a.hashes & b.hashes or (a.title == b.title and a.text == b.text):
        return True
    if _shared_identifier(a, b):
        return True
    if a.title and a.title == b.title:
        return _same_title(a, b)
    found = _overlap(a, b)
    if a.given & b.given and found.containment >= SAME_ID_CONTAINMENT:
        return True
    return _retitled(a, b, found) if a.title and b.title else _same_text(a, b, found)


def _same_title(a: Clues, b: Clues) -> bool:
    """A title that names a paper holds unless identifiers, authors and texts all speak against it."""
    found = _overlap(a, b)
    if found.jaccard >= NEAR_JACCARD:
        return True
    related = found.containment >= RELATED_CONTAINMENT
    known_author = bool(a.families & b.families)
    if len(a.title.split()) < SPECIFIC_WORDS:
        return related and known_author
    return related or known_author or not (_different_ids(a, b) and a.families and b.families)


def _same_text(a: Clues, b: Clues, found: Overlap) -> bool:
    """A record without a title is another's version if most of its text stands there."""
    if found.shorter < MIN_SHINGLES:
        return False
    if _different_ids(a, b):
        return found.jaccard >= IDENTICAL_JACCARD
    near = found.jaccard >= NEAR_JACCARD and found.containment >= NEAR_CONTAINMENT
    return near or found.containment >= EXCERPT_CONTAINMENT


def _retitled(a: Clues, b: Clues, found: Overlap) -> bool:
    """Different titles: the same authors under nearly the same text, and no other number in the title."""
    if found.shorter < MIN_SHINGLES or _numbers(a.title) != _numbers(b.title):
        return False
    shared = len(a.families & b.families)
    if not shared or shared < SHARED_AUTHORS * min(len(a.families), len(b.families)):
        return False
    extended = a.title.startswith(b.title) or b.title.startswith(a.title)
    return found.jaccard >= (EXTENDED_TITLE_JACCARD if extended else IDENTICAL_JACCARD)


def _shared_identifier(a: Clues, b: Clues) -> bool:
    """A shared arXiv id or DOI holds, unless the records contradict it.

    Some tools give each paper of a volume the volume's DOI (real: 38 papers of ECCV 2022 under one), so under
    a DOI two different titles also need related texts.
    """
    shared = a.identifiers & b.identifiers
    if not shared:
        return False
    if not a.title or not b.title or a.title == b.title:
        return True
    found = _overlap(a, b)
    if any(id_rank(name) == ARXIV_RANK for name in shared):
        return bool(a.families & b.families) or found.containment >= RELATED_CONTAINMENT
    return found.containment >= SAME_ID_CONTAINMENT


def _different_ids(a: Clues, b: Clues) -> bool:
    """Say whether the records have identifiers of one kind, and none in common."""
    kinds = {id_rank(name) for name in a.identifiers} & {id_rank(name) for name in b.identifiers}
    return bool(kinds) and not a.identifiers & b.identifiers


def _numbers(title: str) -> list[str]:
    """Return the numbers that tell the parts of a series apart, Roman ones too."""
    return re.findall(r"\b(?:\d+|[ivx]+)\b", title)


def _overlap(a: Clues, b: Clues) -> Overlap:
    return overlap(a.shingles, b.shingles)
