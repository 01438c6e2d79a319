"""Records of one paper → one paper, by shared identifiers, titles or near-identical texts.

Pairs are proposed by what they share (DOI, arXiv id, source id, title, MinHash band), decided one by one
by `evidence`, and joined by union-find; nothing depends on the order in which records come.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from rag_qa.corpus.combining import combine_papers, settle_ids
from rag_qa.corpus.neighbours import all_pairs, near_pairs
from rag_qa.corpus.sameness import Clues, same_paper
from rag_qa.types import Paper


def merge_papers(papers: Sequence[Paper]) -> list[Paper]:
    """Return one paper for each distinct one, sorted by id, with every source, alias and variant.

    What was merged may show that more belongs together (it has more fields), so it is compared again
    until nothing changes: merging twice is merging once.
    """
    # Sorted, because in a block too large for every pair the neighbours are compared.
    clues = [Clues(paper) for paper in sorted(papers, key=_content)]
    near = list(near_pairs([clue.paper.abstract for clue in clues]))
    home = list(range(len(clues)))
    while True:
        groups = _group(clues, [(home[a], home[b]) for a, b in near])
        if len(groups) == len(clues):
            return settle_ids([clue.paper for clue in clues])
        place = {n: number for number, group in enumerate(groups) for n in group}
        home = [place[n] for n in home]
        clues = [_combine([clues[n] for n in group]) for group in groups]


def _content(paper: Paper) -> tuple[object, ...]:
    return paper.id, paper.title, paper.abstract, [(source.path, source.record) for source in paper.sources]


def _combine(group: Sequence[Clues]) -> Clues:
    return group[0] if len(group) == 1 else Clues(combine_papers([clue.paper for clue in group]))


def _group(clues: Sequence[Clues], near: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return the numbers of the papers that belong together, each in one list."""
    groups = _Groups(len(clues))
    for a, b in chain(_shared_keys(clues), near):
        if groups.find(a) != groups.find(b) and same_paper(clues[a], clues[b]):
            groups.join(a, b)
    members: dict[int, list[int]] = defaultdict(list)
    for n in range(len(clues)):
        members[groups.find(n)].append(n)
    return list(members.values())


def _shared_keys(clues: Sequence[Clues]) -> Iterator[tuple[int, int]]:
    """Yield the pairs that share an identifier or a title."""
    blocks: dict[str, list[int]] = defaultdict(list)
    for n, clue in enumerate(clues):
        for key in clue.keys:
            blocks[key].append(n)
    for block in blocks.values():
        yield from all_pairs(block)


class _Groups:
    """Union-find over record numbers."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def find(self, n: int) -> int:
        while self._parents[n] != n:
            self._parents[n] = self._parents[self._parents[n]]
            n = self._parents[n]
        return n

    def join(self, a: int, b: int) -> None:
        self._parents[self.find(a)] = self.find(b)
