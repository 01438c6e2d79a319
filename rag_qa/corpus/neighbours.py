"""Texts → pairs that may be near-duplicates, by MinHash and locality-sensitive hashing over word trigrams (rensa).

MinHash: Broder, "On the resemblance and containment of documents", 1997. These are candidates only: a pair is decided
by the exact `overlap` of its shingles, so a hash collision never merges two papers. With 64 bands of 3 rows a pair of
Jaccard similarity 0.5 is missed once in 5,000 times.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag_qa.corpus.ids import normalise_text

SHINGLE = 3
PERMUTATIONS = 192
BANDS = 64
SEED = 42
# A key shared by more records than this does not identify a paper (the title "Editorial").
MAX_BLOCK = 50
# Texts hashed at once: the library gives its numbers as Python's, which take 25 MB here.
AT_ONCE = 4_096
Hashes = NDArray[np.uint64]
Bands = NDArray[np.uint32]
# Odd constants of xxHash that mix the three word hashes of a shingle.
_MIX = (np.uint64(0x9E3779B185EBCA87), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9))


class Overlap(NamedTuple):
    """The similarity of two texts: shared shingles over all (Jaccard) and over the shorter text's (containment).

    `shorter` is the number of shingles of the shorter text.
    """

    jaccard: float
    containment: float
    shorter: int


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Return the set of word trigrams of a text."""
    words = normalise_text(text).split()
    return frozenset(zip(*(words[n:] for n in range(SHINGLE)), strict=False))


def overlap(a: frozenset[tuple[str, ...]], b: frozenset[tuple[str, ...]]) -> Overlap:
    """Return the exact overlap of two sets of shingles; zeros if one is empty."""
    shorter = min(len(a), len(b))
    if not shorter:
        return Overlap(0.0, 0.0, 0)
    shared = len(a & b)
    return Overlap(shared / (len(a) + len(b) - shared), shared / shorter, shorter)


def near_pairs(texts: Sequence[str], bands: Bands) -> Iterator[tuple[int, int]]:
    """Yield the pairs of texts that are identical or probably similar, as indices into `texts`.

    `bands` are the `band_hashes` of the texts.
    """
    copies: dict[str, list[int]] = {}
    for n, text in enumerate(texts):
        copies.setdefault(text, []).append(n)
    for group in copies.values():
        yield from all_pairs(group)
    if len(copies) > 1:
        distinct = list(copies)
        for a, b in _neighbours(bands[[group[0] for group in copies.values()]]):
            yield from product(copies[distinct[a]][:MAX_BLOCK], copies[distinct[b]][:MAX_BLOCK])


def all_pairs(block: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield every pair of a block; of a large block only consecutive ones, which is enough for true copies."""
    return combinations(block, 2) if len(block) <= MAX_BLOCK else pairwise(block)


def band_hashes(texts: Sequence[str]) -> Bands:
    """Return the hash of each band of each text's MinHash, shape (texts, BANDS).

    Texts that share a band may be similar. A text without shingles has zeros, which nothing else has.
    """
    known = _WordHashes()
    starts = range(0, len(texts), AT_ONCE)
    rows = [_band_hashes(texts[start : start + AT_ONCE], known) for start in starts]
    return np.concatenate([np.empty((0, BANDS), dtype=np.uint32), *rows])


def _band_hashes(texts: Sequence[str], known: "_WordHashes") -> Bands:
    from rensa import RMinHash  # type: ignore[import-untyped]

    tokens, offsets = _shingle_hashes(texts, known)
    if not len(tokens):
        return np.zeros((len(texts), BANDS), dtype=np.uint32)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(tokens, offsets, PERMUTATIONS, SEED)
    digests = np.array(matrix.to_rows(), dtype=np.uint64).reshape(len(texts), BANDS, -1)
    mixed = sum((digests[:, :, n] * factor for n, factor in enumerate(_MIX)), np.uint64(0))
    mixed = (mixed ^ (mixed >> np.uint64(31))) * _MIX[0]
    hashes = np.maximum(mixed >> np.uint64(32), np.uint64(1)).astype(np.uint32)
    hashes[offsets[1:] == offsets[:-1]] = 0
    return hashes


def _neighbours(bands: Bands) -> Iterator[tuple[int, int]]:
    """Yield the pairs of rows that share a band, in order."""
    later: dict[int, set[int]] = defaultdict(set)
    for column in bands.T:
        for block in _blocks(column):
            for place, row in enumerate(block):
                # If thousands of texts fill in one form, the next few are enough.
                later[row].update(block[place + 1 : place + 1 + MAX_BLOCK])
    for row in sorted(later):
        yield from ((row, other) for other in sorted(later[row])[:MAX_BLOCK])


def _blocks(hashes: NDArray[np.uint32]) -> Iterator[list[int]]:
    """Yield the rows that have the same hash, in order, for each hash but 0 that several rows have."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=0))
    ends = np.append(starts[1:], len(ordered))
    for n in np.flatnonzero(ends - starts > 1):
        yield order[starts[n] : ends[n]].tolist()


class _WordHashes(dict[str, int]):
    """Words → 64-bit hashes, the same in every process (Python's own are not)."""

    def __missing__(self, word: str) -> int:
        value = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
        self[word] = value
        return value


def _shingle_hashes(texts: Sequence[str], known: _WordHashes) -> tuple[Hashes, Hashes]:
    """Return the hashes of all trigrams, text after text, and the offset of each text."""
    rows = [_mix(_hash_words(normalise_text(text).split(), known)) for text in texts]
    offsets = np.concatenate([[0], np.cumsum([row.size for row in rows])]).astype(np.uint64)
    return np.concatenate(rows), offsets


def _hash_words(words: list[str], known: _WordHashes) -> Hashes:
    return np.fromiter(map(known.__getitem__, words), dtype=np.uint64, count=len(words))


def _mix(words: Hashes) -> Hashes:
    if words.size < SHINGLE:
        return words[:0]
    mixed = words[:-2] * _MIX[0] + words[1:-1] * _MIX[1] + words[2:] * _MIX[2]
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) * _MIX[0], dtype=np.uint64)
