"""Near-duplicate detection: the records of one paper → one paper.

Blocking proposes pairs that share a key (DOI, arXiv id, source id, title, MinHash band), `why_same` decides each pair,
and union-find joins them. The result does not depend on the order of the records. Papers that cannot be the same are
not joined through a third. A notice of retraction or correction gives its status to the paper that it names.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from rag_qa.corpus.combining import combine_papers, settle_ids
from rag_qa.corpus.ids import normalise_text
from rag_qa.corpus.neighbours import MAX_BLOCK, Bands, all_pairs, band_hashes, near_pairs
from rag_qa.corpus.sameness import may_be_one, why_same
from rag_qa.corpus.signals import MatchSignals
from rag_qa.corpus.status import Notice, gravest, read_notice
from rag_qa.types import Paper, PaperStatus


def merge_papers(papers: Sequence[Paper], bands: Bands | None = None) -> list[Paper]:
    """Return one paper for each distinct one, sorted by id, with every source, alias, variant and version.

    A merged paper has more fields and may match more records, so papers are compared until nothing changes. Merging the
    result again changes nothing. `bands` are the `band_hashes` of the abstracts, if they are known.
    """
    if bands is None:
        bands = band_hashes([paper.abstract for paper in papers])
    # Sorted, because only neighbours are compared if a block is too large for all pairs.
    order = sorted(range(len(papers)), key=lambda n: _content(papers[n]))
    records = [[papers[n]] for n in order]
    signals = [MatchSignals(paper) for (paper,) in records]
    near = list(near_pairs([signal.paper.abstract for signal in signals], bands[order]))
    current = list(range(len(signals)))
    while True:
        groups = _group(signals, [(current[a], current[b]) for a, b in near])
        if len(groups) == len(signals):
            return settle_ids(_apply_notices([signal.paper for signal in signals]))
        group_of = {n: number for number, group in enumerate(groups) for n in group}
        current = [group_of[n] for n in current]
        records = [[record for n in group for record in records[n]] for group in groups]
        signals = [
            signals[group[0]] if len(group) == 1 else MatchSignals(combine_papers(own))
            for group, own in zip(groups, records, strict=True)
        ]


def why_merged(records: Sequence[Paper]) -> list[str]:
    """Return, for each record of a paper after the first, why it was merged with one before it."""
    signals = [MatchSignals(record) for record in records]
    return [_first_reason(signals[n], signals[:n]) for n in range(1, len(signals))]


def _first_reason(signal: MatchSignals, before: Sequence[MatchSignals]) -> str:
    reasons = (why_same(signal, other) for other in before)
    return next((reason for reason in reasons if reason), "joined through other records of the paper")


def _content(paper: Paper) -> tuple[object, ...]:
    return paper.id, paper.title, paper.abstract, [(source.path, source.record) for source in paper.sources]


def _group(signals: Sequence[MatchSignals], near: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return lists of the numbers of papers that are the same; the surest pairs are joined first."""
    groups = _Groups(signals)
    identifiers = _shared_keys([signal.identifying_keys for signal in signals])
    titles = _shared_keys([[signal.title] if signal.title else [] for signal in signals])
    for a, b in chain(identifiers, titles, near):
        if groups.find(a) != groups.find(b) and why_same(signals[a], signals[b]):
            groups.join(a, b)
    members: dict[int, list[int]] = defaultdict(list)
    for n in range(len(signals)):
        members[groups.find(n)].append(n)
    return list(members.values())


def _shared_keys(keys: Sequence[Sequence[str]]) -> Iterator[tuple[int, int]]:
    """Yield the pairs that share a key."""
    blocks: dict[str, list[int]] = defaultdict(list)
    for n, own in enumerate(keys):
        for key in own:
            blocks[key].append(n)
    for block in blocks.values():
        if len(block) > 1:
            yield from all_pairs(block)


class _Groups:
    """Union-find over record numbers; groups with records that cannot be the same paper are not joined."""

    def __init__(self, signals: Sequence[MatchSignals]) -> None:
        self._signals = signals
        self._parents = list(range(len(signals)))
        self._distinct: dict[int, dict[object, MatchSignals]] = {}

    def find(self, n: int) -> int:
        while self._parents[n] != n:
            self._parents[n] = self._parents[self._parents[n]]
            n = self._parents[n]
        return n

    def join(self, a: int, b: int) -> None:
        one, other = self.find(a), self.find(b)
        here, there = self._distinct_records(one), self._distinct_records(other)
        if (len(here) > 1 or len(there) > 1) and not all(
            may_be_one(x, y) for x in here.values() for y in there.values()
        ):
            return
        self._parents[one] = other
        # A few distinct records of a large group are enough.
        self._distinct[other] = dict(list({**there, **here}.items())[:MAX_BLOCK])
        self._distinct.pop(one, None)

    def _distinct_records(self, root: int) -> Mapping[object, MatchSignals]:
        """Return the records of a group that differ in their `conflict_key`."""
        return self._distinct.get(root) or {self._signals[root].conflict_key: self._signals[root]}


def _apply_notices(papers: list[Paper]) -> list[Paper]:
    """Give a paper the status that a notice gives it, by title or DOI."""
    notices = [notice for paper in papers if (notice := read_notice(paper.title, paper.abstract))]
    noticed: dict[str, set[PaperStatus]] = defaultdict(set)
    for notice in notices:
        for key in _named(notice):
            noticed[key].add(notice.status)
    return [_with_noticed(paper, noticed) for paper in papers] if noticed else papers


def _named(notice: Notice) -> list[str]:
    title = normalise_text(notice.title)
    return [*([title] if title else []), *([notice.doi] if notice.doi else [])]


def _with_noticed(paper: Paper, noticed: Mapping[str, set[PaperStatus]]) -> Paper:
    found = noticed.get(normalise_text(paper.title), set()) | noticed.get(paper.doi or "", set())
    if not found:
        return paper
    return paper.model_copy(update={"status": gravest({*found, *([paper.status] if paper.status else [])})})
