"""Papers made of several records: which record stands for the paper, and why each other one was merged into it."""

from collections.abc import Sequence

from rag_qa.corpus.merging import why_merged
from rag_qa.index.reader import Index
from rag_qa.types import Fate, Paper


def merged_fates(index: Index, papers: Sequence[Paper]) -> list[Sequence[Fate]]:
    """Return for each paper the fates of its records, in their order: the first was added, the others merged."""
    wanted = {(source.path, source.record) for paper in papers for source in paper.sources}
    numbered = ((record.sources[0], record) for record in index.records())
    records = {(at.path, at.record): record for at, record in numbered if (at.path, at.record) in wanted}
    return [_fates(paper, [records[s.path, s.record] for s in paper.sources]) for paper in papers]


def _fates(paper: Paper, records: Sequence[Paper]) -> list[Fate]:
    reasons = [None, *why_merged(records)]
    return [
        Fate(
            path=source.path,
            record=source.record,
            fate="merged" if reason else "added",
            paper_id=paper.id,
            reason=reason,
        )
        for source, reason in zip(paper.sources, reasons, strict=True)
    ]
