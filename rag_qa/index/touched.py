"""The records of an update: those that stay as they are, the lost and the fresh ones, and what these touch.

A changed record is lost in its old form and fresh in its new one.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rag_qa.corpus.links import Links
from rag_qa.corpus.merging import merge_papers
from rag_qa.corpus.neighbours import Bands
from rag_qa.corpus.placeholders import repeated_texts
from rag_qa.index.store import RecordRow, Store
from rag_qa.types import Paper

# A record by source and id.
At = tuple[str, str]
# The paper id of a record that becomes no paper, because its text describes none.
NO_PAPER = ""


class Records(NamedTuple):
    """The records before and after an update: `kept` and `lost` are stored, `fresh` are kept by `fresh_links`."""

    kept: list[RecordRow]
    lost: list[RecordRow]
    fresh: dict[At, Paper]
    fresh_links: Links

    @classmethod
    def compare(
        cls,
        store: Store,
        before: Mapping[str, Mapping[str, Paper]],
        now: Mapping[str, Mapping[str, Paper]],
        dropped: Collection[str],
    ) -> "Records":
        """Compare the records of the sources read now with the stored ones, by source and id."""
        fresh = {
            (source, key): paper
            for source, group in now.items()
            for key, paper in group.items()
            if before[source].get(key) != paper
        }
        kept: list[RecordRow] = []
        lost: list[RecordRow] = []
        for row in store.linked_records():
            gone = row.source in dropped or (row.source in now and row.id not in now[row.source])
            (lost if gone or row[:2] in fresh else kept).append(row)
        return cls(kept, lost, fresh, Links.of(list(fresh.values())))

    def touched(self) -> list[RecordRow] | None:
        """Return the kept records that links lead to from a lost or fresh one, None if not all have their links."""
        stored = self.kept + self.lost
        if any(row.keys is None for row in stored):
            return None
        if not self.kept or not (self.lost or self.fresh):
            return []
        links = stored_links(stored) + self.fresh_links
        reached = links.reached_from(np.arange(len(self.kept), len(links.bands)))
        return [self.kept[n] for n in reached[reached < len(self.kept)]]

    def gone(self) -> list[At]:
        """Return the lost records that are in no new form."""
        return [row[:2] for row in self.lost if row[:2] not in self.fresh]

    def linked_again(self, store: Store) -> tuple[list[RecordRow], list[Paper]]:
        """Return all kept records, with new links."""
        bodies = {(source, key): body for source, key, body in store.records()}
        papers = [bodies[row[:2]] for row in self.kept]
        rows = zip(self.kept, Links.of(papers).by_record(), strict=True)
        return [row._replace(bands=bands, keys=keys) for row, (bands, keys) in rows], papers


class Merged(NamedTuple):
    """Records and the papers that they become: `rows` name the new papers; `before` are the stored rows."""

    rows: list[RecordRow]
    bodies: list[Paper]
    before: list[RecordRow | None]
    papers: dict[str, Paper]

    def to_write(self) -> list[tuple[RecordRow, Paper]]:
        """Return the records that are fresh, or have another paper or other links than before."""
        rows = zip(self.rows, self.bodies, self.before, strict=True)
        return [(row, body) for row, body, before in rows if row != before]

    @classmethod
    def merge(
        cls, before: Sequence[RecordRow], kept: Sequence[RecordRow], bodies: Sequence[Paper], records: Records
    ) -> "Merged":
        """Merge some kept records and all fresh ones; `before` are the kept ones with their stored links."""
        fresh = [
            RecordRow(*at, NO_PAPER, bands, keys)
            for at, (bands, keys) in zip(records.fresh, records.fresh_links.by_record(), strict=True)
        ]
        rows, bodies = [*kept, *fresh], [*bodies, *records.fresh.values()]
        papers = _papers(bodies, stored_links(rows).bands)
        paper_of = {(s.path, s.record): paper.id for paper in papers.values() for s in paper.sources}
        ids = [paper_of.get((body.sources[0].path, body.sources[0].record), NO_PAPER) for body in bodies]
        return cls(
            [row._replace(paper_id=paper_id) for row, paper_id in zip(rows, ids, strict=True)],
            bodies,
            [*before, *(None for _ in fresh)],
            papers,
        )


def _papers(records: Sequence[Paper], bands: Bands) -> dict[str, Paper]:
    repeated = repeated_texts(records)
    usable = [n for n, record in enumerate(records) if record.abstract not in repeated]
    return {paper.id: paper for paper in merge_papers([records[n] for n in usable], bands[usable])}


def stored_links(rows: Sequence[RecordRow]) -> Links:
    """Return the links of records from their bytes."""
    stored = [row.keys or b"" for row in rows]
    keys = np.frombuffer(b"".join(stored), dtype=np.uint64)
    owners = np.repeat(np.arange(len(rows)), [len(own) // keys.itemsize for own in stored])
    return Links(Links.bands_from(b"".join(row.bands or b"" for row in rows)), keys, owners)
