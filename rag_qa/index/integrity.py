"""Hashes of what the store holds, and the search for what differs from them.

Sources, records, papers, vectors and the manifest have the SHA-256 of their row beside them. A passage needs none: its
key is the hash of its text (`passage_key`), and its text is a part of its paper. Aliases are a part of their paper.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rag_qa.corpus.passages import embedding_text
from rag_qa.index.manifest import Counts, Manifest
from rag_qa.protocols import EmbedderSpec
from rag_qa.types import Paper

if TYPE_CHECKING:
    from rag_qa.index.store import PassageRow, Store

# The columns that a row's hash is of, by table; the first ones name the row.
HASHED: dict[str, tuple[str, ...]] = {
    "meta": ("key", "value"),
    "sources": ("path", "digest", "skips"),
    "records": ("source", "id", "body", "paper_id"),
    "papers": ("id", "body"),
    "vectors": ("key", "vector"),
}
# What does not fit together: a query that finds nothing in a sound store.
QUERIES = {
    "passages have no vector": "SELECT id FROM passages WHERE key NOT IN (SELECT key FROM vectors)",
    "passages have no paper": "SELECT id FROM passages WHERE paper_id NOT IN (SELECT id FROM papers)",
    "aliases have no paper": "SELECT alias FROM aliases WHERE paper_id NOT IN (SELECT id FROM papers)",
    "papers have no record": "SELECT id FROM papers WHERE id NOT IN (SELECT paper_id FROM records)",
    "records have no paper": "SELECT id FROM records WHERE paper_id NOT IN (SELECT id FROM papers) AND paper_id != ''",
    "records have no source": "SELECT id FROM records WHERE source NOT IN (SELECT path FROM sources)",
}


def row_hash(*values: str | bytes) -> bytes:
    """Return the SHA-256 of a row: of its values in UTF-8, each after its length in eight bytes."""
    digest = hashlib.sha256()
    for value in values:
        raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.digest()


def hashed_row(*values: str | bytes) -> tuple[str | bytes, ...]:
    """Return the values of a row with its hash at the end."""
    return (*values, row_hash(*values))


def row_name(table: str, values: Sequence[object]) -> str:
    """Return what a row is called in messages: `values` begin with the columns that name it."""
    if table == "vectors":
        return "the vector of a passage"
    if table == "records":
        return f"the record {values[1]!r} of {values[0]}"
    return {"meta": "the manifest", "papers": f"the paper {values[0]!r}"}.get(
        table, f"the source {values[0]}"
    )


def passage_key(spec: EmbedderSpec, text: str) -> bytes:
    """Return the key of a passage and its vector: the SHA-256 of what the vector depends on."""
    return hashlib.sha256("\x00".join((spec.weights_sha256, spec.document_prompt, text)).encode()).digest()


def is_passage_of(paper: Paper, row: "PassageRow", spec: EmbedderSpec) -> bool:
    """Return whether a stored passage is the part of the paper that was embedded."""
    text = paper.abstract[row.start : row.end]
    of_paper = row.paper_id == paper.id and row.id.startswith(f"{paper.id}#")
    return of_paper and row.key == passage_key(spec, embedding_text(paper.title, text))


def are_passages_of(paper: Paper, rows: Sequence["PassageRow"], spec: EmbedderSpec) -> bool:
    """Return whether stored passages are those of a paper, numbered from 1 without a gap."""
    numbered = all(row.id == f"{paper.id}#{number}" for number, row in enumerate(rows, 1))
    return numbered and all(is_passage_of(paper, row, spec) for row in rows)


def check_counts(store: "Store", counts: Counts) -> None:
    """Raise IndexDamagedError if the store holds other numbers of papers or passages than were recorded."""
    for table, wanted in (("papers", counts.papers), ("passages", counts.passages)):
        if (found := store.count(table)) != wanted:
            raise store.damaged(f"one of the {table} ({found} of {wanted} are found)")


def find_damage(store: "Store", manifest: Manifest) -> Iterator[str]:
    """Yield, in words, each row of the store that is not as it was stored, and what does not fit together."""
    yield from store.quick_check()
    for table in HASHED:
        differing = [row_name(table, row) for row in store.differing_rows(table)]
        yield from (f"{name} is not as it was stored" for name in in_short(differing))
    yield from _unfit_passages(store, manifest.embedder)
    yield from (what for what, query in QUERIES.items() for _ in store.rows(f"{query} LIMIT 1"))
    for table, wanted in manifest.counts:
        if (found := store.count(table)) != wanted:
            yield f"{found} {table} are stored and {wanted} were recorded"


def _unfit_passages(store: "Store", spec: EmbedderSpec) -> Iterator[str]:
    """Yield the papers whose passages or aliases are not theirs."""
    aliases = store.aliases()
    unfit = [
        paper.id
        for paper in store.readable_papers()
        if not are_passages_of(paper, store.passages(paper.id), spec)
        or not aliases.keys() >= set(paper.aliases)
    ]
    yield from (f"passages or aliases of the paper {name!r} are not its own" for name in in_short(unfit))


def in_short(what: Sequence[str], most: int = 5) -> Iterator[str]:
    """Yield the first of many, and how many more there are."""
    yield from what[:most]
    if len(what) > most:
        yield f"and {len(what) - most} more"
