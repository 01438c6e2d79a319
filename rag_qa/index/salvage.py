"""What can still be read of a damaged store: rows that are as they were stored, wherever they are found.

SQLite stops at the first damaged page. So a table is read from both ends, and rows whose keys are known from elsewhere
are looked up one by one. A first page that is destroyed is replaced by that of an empty store: tables begin at the same
pages in every store. Only rows that have their hash count, so nothing wrong comes back this way.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import ValidationError

from rag_qa.corpus.merging import merge_papers
from rag_qa.errors import RagQAError
from rag_qa.index.checksums import read_json
from rag_qa.index.database import FILE_NAME, PAGE_BYTES, SCHEMA
from rag_qa.index.integrity import HASHED, are_passages_of, row_hash
from rag_qa.index.lexical import PAPER_IDS
from rag_qa.index.manifest import Manifest
from rag_qa.index.store import PassageRow
from rag_qa.protocols import EmbedderSpec
from rag_qa.types import Paper, Value

# The sizes of pages, in bytes: that of new indexes, and that of older ones.
PAGES_OF_BYTES = (PAGE_BYTES, 4096)
# Where the first page holds the number of pages.
PAGES = slice(28, 32)
# The keys of the tables that have no rowid.
ORDERS = {"meta": ("key",), "sources": ("path",), "records": ("source", "id"), "vectors": ("key",)}

Row = tuple[Any, ...]


class Lost(Value):
    """A paper that nothing sound is left of: its id, and its title and files as far as they can be read."""

    id: str
    title: str
    sources: tuple[str, ...]


class Salvage:
    """The rows of a damaged store; `aside` holds a copy of it, which may be changed, and `folder` is the index."""

    def __init__(self, aside: Path, folder: Path) -> None:
        self.folder = folder
        self._db = _open(aside / FILE_NAME)
        self._hashed = _has_hashes(self._db)
        rows = (PassageRow(*row) for row in self._rows("passages") if _is_passage(row))
        found = sorted(set(rows), key=lambda row: (row.paper_id, row.start))
        self.passages: dict[str, list[PassageRow]] = defaultdict(list)
        for row in found:
            self.passages[row.paper_id].append(row)
        self.passage_count = len(found)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @property
    def manifest(self) -> Manifest | None:
        """The manifest, None if it is not sound."""
        values: dict[str, str] = dict(self._sound("meta"))
        with suppress(KeyError, ValidationError):
            return Manifest.model_validate_json(values["manifest"])
        return None

    def papers(self, spec: EmbedderSpec) -> tuple[dict[str, Paper], list[str]]:
        """Return the papers by id, and the ids of those that were made again of their records.

        Without hashes, a paper is sound if its passages are parts of it.
        """
        papers = {row[0]: paper for row in self._sound("papers") if (paper := _parse(row[1], row[0]))}
        wanted = [key for key in self._paper_ids() if key not in papers]
        for row in self._look_up("papers", "id", wanted):
            if paper := _parse(row[1], row[0]):
                papers[row[0]] = paper
        if not self._hashed:
            papers = {k: p for k, p in papers.items() if are_passages_of(p, self.passages.get(k, []), spec)}
        again: dict[str, Paper] = {}
        for key, records in self._records_by_paper().items():
            if key not in papers and (paper := _merged(key, records)):
                again[key] = paper
        if not self._hashed:
            again = {k: p for k, p in again.items() if are_passages_of(p, self.passages.get(k, []), spec)}
        return dict(sorted((papers | again).items())), sorted(again)

    def records(self, papers: Mapping[str, Paper]) -> tuple[list[Row], list[Row]]:
        """Return the rows of the sound records of some papers, and rows made of papers in place of the others."""
        sound = list(dict.fromkeys(row for row in self._sound("records") if row[3] in papers or row[3] == ""))
        there = {location for row in sound for location in _locations(row[2])}
        taken = {(row[0], row[1]) for row in sound}
        made: list[Row] = []
        for paper in papers.values():
            for source in paper.sources:
                if (source.path, source.record) not in there:
                    body = paper.model_copy(
                        update={"sources": (source,), "abstract": source.variant or paper.abstract}
                    )
                    key = _free_key(source.path, paper.id, taken)
                    made.append((source.path, key, body.model_dump_json(), paper.id))
        return sound, made

    def sources(self, paths: Iterable[str], stale: set[str]) -> list[Row]:
        """Return a row for each source. A stale one, or one whose row is damaged, will be read again."""
        rows = {row[0]: row for row in self._sound("sources")}
        known = {path: rows.get(path, (path, "", "")) for path in (*rows, *paths, *stale)}
        return [(path, "" if path in stale else digest, skips) for path, digest, skips in known.values()]

    def vectors(self, keys: set[bytes]) -> Iterator[Row]:
        """Yield the rows of the sound vectors under some keys."""
        wanted = set(keys)
        for row in self._sound("vectors"):
            if row[0] in wanted:
                wanted.remove(row[0])
                yield row
        yield from self._look_up("vectors", "key", sorted(wanted))

    def lost(self, papers: Mapping[str, Paper]) -> list[Lost]:
        """Return the papers that are known to have been there and are not among those found."""
        lost = [key for key in self._paper_ids() if key not in papers]
        bodies: dict[str, list[object]] = defaultdict(list)
        for row in self._rows("papers"):
            bodies[row[0]].append(row[1])
        for row in self._rows("records"):
            bodies[row[3]].append(row[2])
        return [_lost(key, bodies.get(key, [])) for key in lost]

    def _records_by_paper(self) -> dict[str, list[Paper]]:
        records: dict[str, list[Paper]] = defaultdict(list)
        for row in self._sound("records"):
            if row[3] and (record := _parse(row[2])):
                records[row[3]].append(record)
        return records

    def _paper_ids(self) -> list[str]:
        """Return the ids of all papers: those of the newest derived files, else those that passages name."""
        generations = [path for path in (self.folder / "derived").glob("*") if path.name.isdecimal()]
        for folder in sorted(generations, key=lambda path: int(path.name), reverse=True):
            with suppress(RagQAError):
                return [str(key) for key in read_json(folder / "lexical", PAPER_IDS)]
        return sorted(self.passages)

    def _sound(self, table: str) -> Iterator[Row]:
        """Yield the hashed columns of the rows of a table that have their hash."""
        return (row[:-1] for row in self._rows(table) if not self._hashed or _has_its_hash(row))

    def _look_up(self, table: str, column: str, keys: Sequence[str | bytes]) -> Iterator[Row]:
        """Yield the sound rows of a table that have some keys, each looked up on its own."""
        query = f"SELECT {self._columns(table)} FROM {table} WHERE {column} = ?"
        for key in keys:
            for row in _Reading(self._db, query, (key,)):
                if not self._hashed or _has_its_hash(row):
                    yield row[:-1]

    def _rows(self, table: str) -> Iterator[Row]:
        """Yield the rows that can be read: forwards up to the first damage, and then backwards up to the last.

        A row may come twice.
        """
        for direction in ("ASC", "DESC"):
            order = ", ".join(f"{column} {direction}" for column in ORDERS.get(table, ("rowid",)))
            rows = _Reading(self._db, f"SELECT {self._columns(table)} FROM {table} ORDER BY {order}")
            yield from rows
            if rows.ended:
                return

    def _columns(self, table: str) -> str:
        if table not in HASHED:
            return "id, paper_id, first, last, key"
        return ", ".join([*HASHED[table], "hash" if self._hashed else "x''"])


class _Reading:
    """The rows of a query up to the first damage; `ended` tells whether there was none."""

    def __init__(self, db: sqlite3.Connection, query: str, parameters: Sequence[str | bytes] = ()) -> None:
        self._db = db
        self._query = query
        self._parameters = parameters
        self.ended = False

    def __iter__(self) -> Iterator[Row]:
        with suppress(sqlite3.DatabaseError):
            yield from self._db.execute(self._query, self._parameters)
            self.ended = True


def _open(path: Path) -> sqlite3.Connection:
    """Open a damaged store, of which the first page may be destroyed or the end cut off."""
    start = path.read_bytes()[: max(PAGES_OF_BYTES)]
    for page in PAGES_OF_BYTES:
        size = path.stat().st_size // page
        for first in (start[:page], _empty_store(page)[:page]):
            if size and not _has_schema(path):
                with path.open("r+b") as file:
                    file.write(first[: PAGES.start] + size.to_bytes(4, "big") + first[PAGES.stop :])
                    file.write(start[page:])
    db = _connect(path)
    if not _has_schema(path):
        db.close()
        db = _connect(":memory:")
        db.executescript(SCHEMA)
    return db


def _empty_store(page: int) -> bytes:
    """Return the file of an empty store with pages of so many bytes."""
    with TemporaryDirectory() as folder:
        path = Path(folder, FILE_NAME)
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"PRAGMA page_size = {page}")
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(SCHEMA)
        return path.read_bytes()


def _connect(path: Path | str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return db


def _has_schema(path: Path) -> bool:
    """Return whether SQLite finds every table."""
    with closing(_connect(path)) as db:
        tables = {row[0] for row in _Reading(db, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    return tables >= {*HASHED, "passages"}


def _has_hashes(db: sqlite3.Connection) -> bool:
    return any(row[0] == "hash" for row in _Reading(db, "SELECT name FROM pragma_table_info('papers')"))


def _has_its_hash(row: Row) -> bool:
    return all(isinstance(value, str | bytes) for value in row) and row[-1] == row_hash(*row[:-1])


def _is_passage(row: Row) -> bool:
    kinds = (str, str, int, int, bytes)
    return all(isinstance(value, kind) for value, kind in zip(row, kinds, strict=True))


def _parse(body: str, paper_id: str | None = None) -> Paper | None:
    """Return the paper or record in a body; None if it cannot be read, or is not the one with this id."""
    try:
        paper = Paper.model_validate_json(body)
    except ValidationError:
        return None
    return paper if paper_id in (None, paper.id) else None


def _merged(paper_id: str, records: Sequence[Paper]) -> Paper | None:
    """Return the paper that sound records make; None if that is not one with this id."""
    papers = merge_papers(records)
    return papers[0] if len(papers) == 1 and papers[0].id == paper_id else None


def _locations(body: str) -> list[tuple[str, int]]:
    record = _parse(body)
    return [(source.path, source.record) for source in record.sources] if record else []


def _free_key(path: str, key: str, taken: set[tuple[str, str]]) -> str:
    """Return a record id that the source has not yet, as updates number them."""
    numbered = (key if n == 1 else f"{key} ({n})" for n in count(1))
    free = next(name for name in numbered if (path, name) not in taken)
    taken.add((path, free))
    return free


def _lost(paper_id: str, bodies: Sequence[object]) -> Lost:
    """Return what can be read of a lost paper, however damaged: it is only to be recognised."""
    titles: list[str] = []
    paths: list[str] = []
    for body in bodies:
        with suppress(ValueError, TypeError, KeyError):
            values = json.loads(str(body))
            titles.append(str(values["title"]))
            paths += [str(source["path"]) for source in values["sources"]]
    return Lost(id=paper_id, title=next(iter(titles), ""), sources=tuple(dict.fromkeys(paths)))
