"""Which records may become one paper, or change each other: a record and its links, as hashes.

Records without a common link, directly or through others, do not influence each other in `merge_papers` or
`repeated_texts`. So an update merges only the new records and those that links lead to. A link too many costs time and
changes nothing. The links are:

- each identifier and id, and the title: records that share one are compared (blocking)
- each band of the MinHash of the abstract: so are records with similar abstracts
- the abstract: one that many titles share describes none of them
- the title or DOI that a notice of retraction or correction names
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag_qa.corpus.ids import normalise_text
from rag_qa.corpus.neighbours import BANDS, Bands, band_hashes
from rag_qa.corpus.signals import MatchSignals
from rag_qa.corpus.status import named_doi, read_notice
from rag_qa.types import Paper

Hashes = NDArray[np.uint64]
# Of the table that rules most hashes out before they are compared: 4 million entries, one for each first 22 bits.
TABLE_BITS = np.uint64(22)
# An odd constant of xxHash: products with it differ in their first bits.
_MIX = np.uint64(0x9E3779B185EBCA87)


class Links(NamedTuple):
    """The links of some records: `bands`, shape (records, BANDS), and `keys`, the hashes of all other links.

    The record at `owners[n]` has `keys[n]`.
    """

    bands: Bands
    keys: Hashes
    owners: NDArray[np.int64]

    @classmethod
    def of(cls, records: Sequence[Paper]) -> "Links":
        """Return the links of records."""
        keys = list(map(_keys, records))
        owners = np.repeat(np.arange(len(keys)), [len(own) for own in keys])
        bands = band_hashes([record.abstract for record in records])
        return cls(bands, np.concatenate([np.empty(0, dtype=np.uint64), *keys]), owners)

    @staticmethod
    def bands_from(stored: bytes) -> Bands:
        """Return the bands of records from their bytes, one after the other."""
        return np.frombuffer(stored, dtype=np.uint32).reshape(-1, BANDS)

    def __add__(self, other: "Links") -> "Links":  # type: ignore[override]
        """Return the links of these records and then of others."""
        return Links(
            np.concatenate([self.bands, other.bands]),
            np.concatenate([self.keys, other.keys]),
            np.concatenate([self.owners, other.owners + len(self.bands)]),
        )

    def by_record(self) -> list[tuple[bytes, bytes]]:
        """Return the bands and the keys of each record as bytes."""
        ends = np.searchsorted(self.owners, np.arange(1, len(self.bands)))
        keys = np.split(self.keys, ends) if len(self.bands) else []
        return [(bands.tobytes(), own.tobytes()) for bands, own in zip(self.bands, keys, strict=True)]

    def reached_from(self, records: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the records that links lead to from some records, and these themselves, in order."""
        hashes, owners = self._all()
        reached = np.zeros(len(self.bands), dtype=bool)
        last = np.unique(records)
        while len(last):
            reached[last] = True
            among = np.zeros(len(reached), dtype=bool)
            among[last] = True
            found = np.unique(owners[_found_among(hashes, hashes[among[owners]])])
            last = found[~reached[found]]
        return np.flatnonzero(reached)

    def _all(self) -> tuple[Hashes, NDArray[np.int64]]:
        """Return all links as one row of hashes, and their owners. A band's hash also holds its number."""
        columns = np.arange(BANDS, dtype=np.uint64) << np.uint64(32)
        numbered = ((self.bands + columns) * _MIX).ravel()
        owners = np.repeat(np.arange(len(self.bands)), BANDS)
        if not (known := self.bands.ravel() != 0).all():
            numbered, owners = numbered[known], owners[known]
        return np.concatenate([numbered, self.keys]), np.concatenate([owners, self.owners])


def _found_among(hashes: Hashes, wanted: Hashes) -> NDArray[np.int64]:
    """Return where `hashes` has a wanted one."""
    shift = np.uint64(64) - TABLE_BITS
    table = np.zeros(1 << int(TABLE_BITS), dtype=bool)
    table[wanted >> shift] = True
    maybe = np.flatnonzero(table[hashes >> shift])
    found: NDArray[np.int64] = maybe[np.isin(hashes[maybe], wanted)]
    return found


def _keys(record: Paper) -> Hashes:
    """Return the hashes of a record's links but its bands."""
    signals = MatchSignals(record)
    links = {f"id {key}" for key in signals.identifying_keys}
    links |= {f"title {title}" for title in (signals.title, normalise_text(record.title)) if title}
    links |= {f"doi {doi}" for doi in (record.doi, named_doi(record.abstract)) if doi}
    if notice := read_notice(record.title, record.abstract):
        links.add(f"title {normalise_text(notice.title)}")
    return np.array(sorted(map(_hash, [*links, f"text {record.abstract}"])), dtype=np.uint64)


def _hash(link: str) -> int:
    return int.from_bytes(hashlib.blake2b(link.encode(), digest_size=8).digest(), "little")
