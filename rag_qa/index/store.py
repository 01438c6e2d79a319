"""The store: one SQLite file with sources, records, papers, passages and vectors. All else is built from it.

A *record* is one entry of one source; a *paper* is made of one or more merged records. Vectors are kept by the hash of
the embedded text and committed batch by batch, so an interrupted run embeds nothing twice. Everything else changes in
one transaction. A reader keeps one read transaction open, so it sees the index as it was when opened.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import NamedTuple

from pydantic import ValidationError

from rag_qa.index.database import CHUNK, Database, is_hash_of, marks
from rag_qa.index.integrity import hashed_row
from rag_qa.index.manifest import SCHEMA_VERSION, Manifest, check_schema
from rag_qa.protocols import Matrix
from rag_qa.types import Paper, Passage, Skipped

FLOAT32_BYTES = 4


class StoredPassage(NamedTuple):
    """A passage to store, and the key of its vector."""

    passage: Passage
    key: bytes


class PassageRow(NamedTuple):
    """A passage as it is stored: its text is `paper.abstract[start:end]`; the key is that of its vector."""

    id: str
    paper_id: str
    start: int
    end: int
    key: bytes


class RecordRow(NamedTuple):
    """Where a record is, the paper that it became, and its links (rag_qa.corpus.links) as bytes."""

    source: str
    id: str
    paper_id: str
    bands: bytes | None
    keys: bytes | None


class Store(Database):
    """What an index holds. Open it with `Store.create` to write and `Store.open` to read."""

    # --- manifest

    def manifest(self) -> Manifest | None:
        """Return the manifest; None before the first finished update."""
        known: dict[str, str] = dict(self._sound("meta"))
        if not known:
            return None
        if not {"schema_version", "manifest"} <= known.keys() or not known["schema_version"].isdecimal():
            raise self.damaged("the manifest")
        check_schema(int(known["schema_version"]), str(self.folder))
        with self._translated_errors():
            return Manifest.model_validate_json(known["manifest"])

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest. A missing calibration is left out, because older versions do not know the field."""
        content = manifest.model_dump_json(exclude_none=True)
        rows = [("schema_version", str(manifest.schema_version)), ("manifest", content)]
        self.write_rows("meta", rows)

    def chroma_collection(self, generation: int) -> str | None:
        """Return the name of a generation's collection in a Chroma server; None if it was not written to one."""
        current = self._meta("chroma_generation") == str(generation)
        return self._meta("chroma_collection") if current else None

    def index_id(self) -> str | None:
        """Return the id by which a Chroma server knows the index; None before it has one."""
        return self._meta("index_id")

    def write_chroma(self, index_id: str, collection: str, generation: int) -> None:
        """Keep the id of the index, the name of its collection, and the generation that this belongs to."""
        rows = [
            ("index_id", index_id),
            ("chroma_collection", collection),
            ("chroma_generation", str(generation)),
        ]
        self.write_rows("meta", rows)

    def _meta(self, key: str) -> str | None:
        found: dict[str, str] = dict(self._sound("meta", "WHERE key = ?", (key,)))
        return found.get(key)

    # --- sources and records

    def source_digests(self) -> dict[str, str]:
        """Return each source's digest by path."""
        return {path: digest for path, digest, _ in self._sound("sources")}

    def source_skips(self, path: str) -> list[Skipped]:
        """Return the records that were skipped when the source was last read."""
        rows = self._sound("sources", "WHERE path = ?", (path,))
        with self._translated_errors():
            return [Skipped.model_validate_json(line) for _, _, body in rows for line in body.splitlines()]

    def write_source(self, path: str, digest: str, skips: Iterable[Skipped]) -> None:
        """Replace the digest and the skipped records of a source."""
        lines = "\n".join(s.model_dump_json() for s in skips)
        self.write_rows("sources", [(path, digest, lines)])

    def drop_source(self, path: str) -> None:
        """Forget a source and its records."""
        self._db.execute("DELETE FROM sources WHERE path = ?", (path,))
        self._db.execute("DELETE FROM records WHERE source = ?", (path,))

    def records(self) -> Iterator[tuple[str, str, Paper]]:
        """Yield (source, record id, record), ordered by source and id."""
        with self._translated_errors():
            for source, key, body, _ in self._sound("records", "ORDER BY source, id"):
                yield source, key, Paper.model_validate_json(body)

    def record_papers(self, path: str) -> list[tuple[int, str, str]]:
        """Return the number, the id and the paper id of each record of a source, in the order of the numbers."""
        number = "json_extract(body, '$.sources[0].record')"
        query = f"SELECT {number}, id, paper_id FROM records WHERE source = ? ORDER BY 1"
        return [(int(row[0]), row[1], row[2]) for row in self._read(query, (path,))]

    def records_of(self, path: str) -> dict[str, Paper]:
        """Return the records of a source, by id."""
        with self._translated_errors():
            rows = self._sound("records", "WHERE source = ?", (path,))
            return {key: Paper.model_validate_json(body) for _, key, body, _ in rows}

    def record(self, source: str, key: str) -> Paper:
        """Return one record. Raises KeyError if there is none."""
        with self._translated_errors():
            for _, _, body, _ in self._sound("records", "WHERE source = ? AND id = ?", (source, key)):
                return Paper.model_validate_json(body)
        raise KeyError(key)

    def linked_records(self) -> list[RecordRow]:
        """Return where each record is, its paper and its links, ordered by source and id.

        The links are None if the record has none, or if they are not as they were stored.
        """
        join = "LEFT JOIN links USING (source, id)" if self._has_table("links") else ""
        links = "bands, keys, links.hash" if join else "NULL, NULL, NULL"
        query = f"SELECT source, id, paper_id, {links} FROM records {join} ORDER BY source, id"
        return [
            RecordRow(*row[:5])
            if is_hash_of(row[5], (*row[:2], *row[3:5]))
            else RecordRow(row[0], row[1], row[2], None, None)
            for row in self._read(query)
        ]

    def write_records(self, records: Sequence[tuple[RecordRow, Paper]]) -> None:
        """Add records with their links, or replace those with the same source and id."""
        self.write_rows(
            "records", ((row.source, row.id, body.model_dump_json(), row.paper_id) for row, body in records)
        )
        links = (hashed_row(row.source, row.id, row.bands or b"", row.keys or b"") for row, _ in records)
        self._db.executemany("INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?, ?)", links)

    def delete_records(self, rows: Iterable[tuple[str, str]]) -> None:
        """Remove records with their links, by source and id."""
        self._db.executemany("DELETE FROM records WHERE source = ? AND id = ?", rows)

    # --- papers and passages

    def papers(self) -> Iterator[Paper]:
        """Yield every paper, in order of ids."""
        with self._translated_errors():
            for _, body in self._sound("papers", "ORDER BY id"):
                yield Paper.model_validate_json(body)

    def papers_by_id(self, ids: Sequence[str]) -> dict[str, Paper]:
        """Return the papers with these ids, by id; ids that no paper has are left out.

        Raises IndexDamagedError if a paper is not as it was stored.
        """
        wanted = set(ids)
        papers: dict[str, Paper] = {}
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            with self._translated_errors():
                for key, body in self._sound("papers", f"WHERE id IN ({marks(chunk)})", chunk):
                    papers[key] = Paper.model_validate_json(body)
                    if papers[key].id != key or key not in wanted:
                        raise self.damaged(f"the paper {key!r}")
        return papers

    def resolve(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the paper id for each of these ids or aliases; those that no paper has are left out."""
        aliases = self._select("SELECT alias, paper_id FROM aliases WHERE alias IN ({})", ids)
        return dict(aliases) | dict(self._select("SELECT id, id FROM papers WHERE id IN ({})", ids))

    def write_papers(self, papers: Iterable[Paper]) -> None:
        """Add papers, or replace those with the same ids; their passages stay."""
        self.write_rows("papers", ((paper.id, paper.model_dump_json()) for paper in papers))

    def write_passages(self, passages: Iterable[StoredPassage]) -> None:
        """Add passages."""
        rows = ((p.id, p.paper_id, p.start, p.end, key) for p, key in passages)
        query = "INSERT INTO passages (id, paper_id, first, last, key) VALUES (?, ?, ?, ?, ?)"
        self._db.executemany(query, rows)

    def write_aliases(self, papers: Iterable[Paper]) -> None:
        """Add the papers' aliases."""
        rows = ((alias, paper.id) for paper in papers for alias in paper.aliases)
        self._db.executemany("INSERT OR REPLACE INTO aliases VALUES (?, ?)", rows)

    def delete_papers(self, ids: Iterable[str]) -> None:
        """Remove papers with their aliases and passages."""
        rows = [(key,) for key in ids]
        self._db.executemany("DELETE FROM papers WHERE id = ?", rows)
        self._db.executemany("DELETE FROM aliases WHERE paper_id = ?", rows)
        self._db.executemany("DELETE FROM passages WHERE paper_id = ?", rows)

    def passages(self, paper_id: str) -> list[PassageRow]:
        """Return the passages of a paper, in the order of their text."""
        query = "SELECT id, paper_id, first, last, key FROM passages WHERE paper_id = ? ORDER BY first"
        return [PassageRow(*row) for row in self._read(query, (paper_id,))]

    def passage_vectors(self, paper_ids: Sequence[str] | None = None) -> Iterator[tuple[PassageRow, bytes]]:
        """Yield passages (default: of all papers) with their vectors as bytes of float32.

        The passages of a paper come in the order of their text, those of all papers in the order of paper ids.
        """
        query = f"SELECT id, paper_id, first, last, key, vector, {self._hash} FROM passages JOIN vectors USING (key)"
        if paper_ids is None:
            rows = self._read(f"{query} ORDER BY paper_id, first")
        else:
            rows = self._select(f"{query} WHERE paper_id IN ({{}}) ORDER BY paper_id, first", paper_ids)
        for row in rows:
            self._check("vectors", row[4:6], row[6])
            yield PassageRow(*row[:5]), self._checked_vector(row[5])

    def _checked_vector(self, vector: object) -> bytes:
        if isinstance(vector, bytes) and len(vector) == self._vector_bytes:
            return vector
        raise self.damaged(f"a vector that does not have {self._vector_bytes} bytes")

    @cached_property
    def _vector_bytes(self) -> int:
        manifest = self.manifest()
        return FLOAT32_BYTES * manifest.embedder.dimension if manifest else 0

    def paper_ids(self) -> set[str]:
        """Return the id of every paper."""
        return {row[0] for row in self._read("SELECT id FROM papers")}

    def count(self, table: str) -> int:
        """Return the number of rows of one of the store's tables."""
        if table not in ("sources", "records", "papers", "passages", "vectors"):
            raise ValueError(f"no table {table!r}")
        (row,) = self._read(f"SELECT count(*) FROM {table}")
        return int(row[0])

    # --- vectors

    def missing_vectors(self, keys: Iterable[bytes]) -> set[bytes]:
        """Return the keys that have no vector yet."""
        wanted = set(keys)
        stored = self._select("SELECT key FROM vectors WHERE key IN ({})", list(wanted))
        return wanted.difference(row[0] for row in stored)

    def write_vectors(self, keys: Sequence[bytes], vectors: Matrix) -> None:
        """Store vectors, shape (n, d) float32, under n keys, and commit them at once."""
        with self.transaction():
            self.write_rows("vectors", ((k, v.tobytes()) for k, v in zip(keys, vectors, strict=True)))

    def drop_unused_vectors(self) -> None:
        """Delete the vectors that no passage uses any more."""
        self._db.execute("DELETE FROM vectors WHERE key NOT IN (SELECT key FROM passages)")

    def readable_papers(self) -> Iterator[Paper]:
        """Yield the papers that are as they were stored, in order of ids; the others are left out."""
        for key, body, known in self._read(f"SELECT id, body, {self._hash} FROM papers ORDER BY id"):
            if not self.has_hashes or is_hash_of(known, (key, body)):
                with suppress(ValidationError):
                    yield Paper.model_validate_json(body)

    def aliases(self) -> dict[str, str]:
        """Return the paper id of every alias."""
        return dict(self._read("SELECT alias, paper_id FROM aliases"))

    def _add_hashes(self) -> None:
        with self.transaction():
            super()._add_hashes()
            manifest = self.manifest()
            if manifest is not None:
                self.write_manifest(manifest.model_copy(update={"schema_version": SCHEMA_VERSION}))
