"""Measure lexical engines over a corpus: seconds to build, open, search and update, and size on disk.

    python eval/studies/bench_lexical.py DOCUMENTS.jsonl.gz QUERIES.jsonl [--limit N]

Needs `tantivy` besides the project's own environment. Prints one JSON object a line. Over 128,353 papers it takes about
a minute on two cores. Run it on an idle machine, and compare the engines of one run only.
"""

import json
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import bm25s  # type: ignore[import-untyped]
import Stemmer  # type: ignore[import-not-found]

from eval.programs import parser_for, read_rows

TOP = 100
UPDATE = 1000
Step = Callable[[], None]
Search = Callable[[str], None]


def bench(
    name: str, folder: Path, build: Step, open_: Callable[[], Search], update: Step, queries: list[str]
) -> None:
    start = time.perf_counter()
    build()
    built = time.perf_counter() - start
    start = time.perf_counter()
    search = open_()
    search(queries[0])
    opened = time.perf_counter() - start
    times = []
    for query in queries:
        start = time.perf_counter()
        search(query)
        times.append(time.perf_counter() - start)
    start = time.perf_counter()
    update()
    updated = time.perf_counter() - start
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    times.sort()
    print(
        json.dumps(
            {
                "engine": name,
                "build_s": round(built, 2),
                "open_first_query_s": round(opened, 3),
                "query_median_ms": round(1000 * statistics.median(times), 2),
                "query_p95_ms": round(1000 * times[int(0.95 * len(times))], 2),
                f"add_{UPDATE}_s": round(updated, 2),
                "mb": round(size / 1e6),
            }
        ),
        flush=True,
    )


def bench_bm25s(texts: list[str], queries: list[str], folder: Path) -> None:
    stemmer = Stemmer.Stemmer("english")

    def build(items: list[str] = texts[:-UPDATE]) -> None:
        tokens = bm25s.tokenize(items, stopwords="en", stemmer=stemmer, show_progress=False)
        index = bm25s.BM25()
        index.index(tokens, show_progress=False)
        index.save(str(folder))

    def open_() -> Search:
        index = bm25s.BM25.load(str(folder), mmap=True)

        def search(query: str) -> None:
            tokens = bm25s.tokenize([query], stopwords="en", stemmer=stemmer, show_progress=False)
            index.retrieve(tokens, k=TOP, show_progress=False)

        return search

    bench("bm25s (rebuilt to update)", folder, build, open_, lambda: build(texts), queries)


def bench_fts5(texts: list[str], queries: list[str], folder: Path) -> None:
    path = folder / "fts.db"
    stop = set(bm25s.stopwords.STOPWORDS_EN)

    def insert(items: list[str], first: int) -> None:
        with sqlite3.connect(path) as db:
            db.execute(
                "CREATE VIRTUAL TABLE IF NOT EXISTS t USING fts5(x, content='', tokenize='porter unicode61')"
            )
            db.executemany("INSERT INTO t(rowid, x) VALUES (?, ?)", enumerate(items, first))

    def open_() -> Search:
        db = sqlite3.connect(path)

        def search(query: str) -> None:
            words = [
                w for w in "".join(c if c.isalnum() else " " for c in query.lower()).split() if w not in stop
            ]
            terms = " OR ".join(f'"{w}"' for w in words)
            db.execute(
                f"SELECT rowid, bm25(t) FROM t WHERE t MATCH ? ORDER BY rank LIMIT {TOP}", (terms,)
            ).fetchall()

        return search

    bench(
        "SQLite FTS5",
        folder,
        lambda: insert(texts[:-UPDATE], 1),
        open_,
        lambda: insert(texts[-UPDATE:], len(texts)),
        queries,
    )


def bench_tantivy(texts: list[str], queries: list[str], folder: Path) -> None:
    import tantivy  # type: ignore[import-not-found]

    schema = (
        tantivy.SchemaBuilder()
        .add_text_field("x", tokenizer_name="en_stem")
        .add_integer_field("n", stored=True)
        .build()
    )

    def insert(items: list[str], first: int) -> None:
        writer = tantivy.Index(schema, path=str(folder)).writer(200_000_000)
        for number, text in enumerate(items, first):
            writer.add_document(tantivy.Document(x=text, n=number))
        writer.commit()
        writer.wait_merging_threads()

    def open_() -> Search:
        index = tantivy.Index.open(str(folder))
        searcher = index.searcher()

        def search(query: str) -> None:
            parsed, _ = index.parse_query_lenient(query, ["x"])
            for _, address in searcher.search(parsed, TOP).hits:
                searcher.doc(address)["n"]

        return search

    bench(
        "tantivy",
        folder,
        lambda: insert(texts[:-UPDATE], 0),
        open_,
        lambda: insert(texts[-UPDATE:], len(texts)),
        queries,
    )


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("documents", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    texts = [f"{row['title']}. {row['abstract']}" for row in read_rows(options.documents)][: options.limit]
    queries = [row["text"] for row in read_rows(options.queries)]
    for engine in (bench_bm25s, bench_fts5, bench_tantivy):
        folder = Path(tempfile.mkdtemp())
        try:
            engine(texts, queries, folder)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
