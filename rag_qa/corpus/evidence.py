"""Do two records describe one paper? What speaks for it and against it, decided for one pair at a time."""

from collections.abc import Sequence
from functools import cached_property

from rag_qa.corpus.ids import arxiv_form, doi_form, id_rank, normalise_text, normalise_title
from rag_qa.corpus.neighbours import Overlap, overlap, shingles
from rag_qa.types import Paper

# Two versions of one abstract share most of the shorter one's trigrams; distinct papers, even of one series
# (EigenGame, Gemma), share under a tenth.
NEAR_JACCARD = 0.5
NEAR_CONTAINMENT = 0.7
RELATED_CONTAINMENT = 0.1
MIN_SHINGLES = 20
# Shorter titles ("Editorial", "A Survey of Deep Learning") are shared by different papers.
SPECIFIC_WORDS = 5


class Clues:
    """What one record offers for comparison; the costly parts only once they are asked for."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        self.title = normalise_title(paper.title)

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

    @property
    def keys(self) -> list[str]:
        """What other records of the same paper may share literally."""
        given = [f"id {name}" for name in (self.paper.id, *self.paper.aliases) if id_rank(name) == 0]
        return [*self.identifiers, *([f"title {self.title}"] if self.title else []), *given]


def same_paper(a: Clues, b: Clues) -> bool:
    """Say whether two records describe one paper."""
    if a.identifiers & b.identifiers:
        return not _contradict(a, b)
    if a.title and a.title == b.title:
        return _same_title(a, b)
    return _same_text(a, b)


def _same_title(a: Clues, b: Clues) -> bool:
    """A shared title holds unless it is generic, or identifiers, authors and texts all speak against it."""
    if _overlap(a, b).containment >= RELATED_CONTAINMENT:
        return True
    if a.families & b.families:
        return True
    if len(a.title.split()) < SPECIFIC_WORDS:
        return False
    return not (_different_ids(a, b) and a.families and b.families)


def _same_text(a: Clues, b: Clues) -> bool:
    """Near-identical texts hold unless both have titles, authors, and these disagree."""
    found = _overlap(a, b)
    if a.paper.abstract == b.paper.abstract and found.shorter < MIN_SHINGLES:
        return not (a.title and b.title)
    if found.shorter < MIN_SHINGLES:
        return False
    if found.jaccard < NEAR_JACCARD and found.containment < NEAR_CONTAINMENT:
        return False
    return not (a.title and b.title and a.families and b.families and not a.families & b.families)


def _contradict(a: Clues, b: Clues) -> bool:
    """Say whether everything but a shared identifier speaks against one paper: it was copied wrongly."""
    titles = bool(a.title and b.title and a.title != b.title)
    authors = bool(a.families and b.families and not a.families & b.families)
    return titles and authors and _overlap(a, b).containment < RELATED_CONTAINMENT


def _different_ids(a: Clues, b: Clues) -> bool:
    """Say whether the records have identifiers of one kind that differ."""
    kinds = {id_rank(name) for name in a.identifiers} & {id_rank(name) for name in b.identifiers}
    return bool(kinds)


def _overlap(a: Clues, b: Clues) -> Overlap:
    return overlap(a.shingles, b.shingles)


def collect_clues(papers: Sequence[Paper]) -> list[Clues]:
    """Return the clues of each paper."""
    return [Clues(paper) for paper in papers]
