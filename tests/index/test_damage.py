"""Damaged derived files are noticed and rebuilt without embedding; a damaged store is an error."""

import json
import random
import shutil
import sqlite3

import numpy as np
import pytest

from rag_qa.errors import IndexDamagedError, RagQAError
from rag_qa.index import derived
from rag_qa.index.checksums import seal
from rag_qa.index.health import check_index, examine
from rag_qa.index.vectors import Vectors
from rag_qa.retrieval.searching import Retriever
from rag_qa.testing import HashingEmbedder

SPARSE = 3_600_000_000_000


def overwrite(path, share=0.4):
    """Put random bytes over the middle of a file, whose size stays."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(int(size * (1 - share) / 2))
        file.write(random.Random(0).randbytes(max(8, int(size * share))))


def truncate(path):
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def grow(path):
    """Make a sparse file of 3.6 TB, as a killed writer of Chroma did (chroma-core/chroma#7510)."""
    with path.open("r+b") as file:
        file.truncate(SPARSE)


def without_matrix(folder):
    """Make a generation as versions without the exact matrix wrote it, with its stamp."""
    shutil.rmtree(folder / "exact")
    stamp = json.loads((folder / "stamp.json").read_text())
    kept = {name: entry for name, entry in stamp.items() if not name.startswith("exact")}
    (folder / "stamp.json").write_text(json.dumps(kept))


def without_rules(folder):
    """Make a generation as versions with another analyzer wrote it, with its stamp."""
    (folder / "lexical" / "rules.json").unlink()
    stamp = json.loads((folder / "stamp.json").read_text())
    (folder / "stamp.json").write_text(
        json.dumps({k: v for k, v in stamp.items() if k != "lexical/rules.json"})
    )


def empty_tables(path):
    """Delete what a sound database of Chroma holds."""
    db = sqlite3.connect(path)
    for table in ("embeddings", "segments"):
        db.execute(f"DELETE FROM {table}")
    db.commit()
    db.close()


DAMAGES = {
    "derived/ deleted": lambda folder: shutil.rmtree(folder.parent),
    "generation deleted": shutil.rmtree,
    "chroma/ deleted": lambda folder: shutil.rmtree(folder / "chroma"),
    "lexical file deleted": lambda folder: (folder / "lexical" / "vocab.index.json").unlink(),
    "lexical file overwritten": lambda folder: overwrite(folder / "lexical" / "indices.csc.index.npy"),
    "stamp deleted": lambda folder: (folder / "stamp.json").unlink(),
    "stamp overwritten": lambda folder: (folder / "stamp.json").write_text("{"),
    "stray file": lambda folder: (folder / "chroma" / "stray").touch(),
    "matrix overwritten": lambda folder: overwrite(folder / "exact" / "vectors.npy"),
    "no matrix yet": without_matrix,
    "words of before": without_rules,
    "vectors truncated": lambda folder: truncate(next(folder.rglob("data_level0.bin"))),
    "vectors overwritten": lambda folder: overwrite(next(folder.rglob("data_level0.bin"))),
    "links overwritten": lambda folder: overwrite(next(folder.rglob("link_lists.bin"))),
    "links sparse": lambda folder: grow(next(folder.rglob("link_lists.bin"))),
    "ids deleted": lambda folder: next(folder.rglob("index_metadata.pickle")).unlink(),
    "Chroma's database deleted": lambda folder: (folder / "chroma" / "chroma.sqlite3").unlink(),
    "Chroma's database empty": lambda folder: (folder / "chroma" / "chroma.sqlite3").write_bytes(b""),
    "Chroma's database truncated": lambda folder: truncate(folder / "chroma" / "chroma.sqlite3"),
    "Chroma's database overwritten": lambda folder: overwrite(folder / "chroma" / "chroma.sqlite3", 0.9),
    "Chroma's rows deleted": lambda folder: empty_tables(folder / "chroma" / "chroma.sqlite3"),
    "Chroma's database of another kind": lambda folder: (folder / "chroma" / "chroma.sqlite3").write_bytes(
        b"no database " * 500
    ),
}
# One each of what is gone, what is not as it was built, and what Chroma cannot open; the others take long together.
QUICK = ("generation deleted", "stamp overwritten", "Chroma's database truncated")
KINDS = pytest.mark.parametrize(
    "damage",
    [
        pytest.param(damage, id=name, marks=[] if name in QUICK else pytest.mark.slow)
        for name, damage in DAMAGES.items()
    ],
)


@pytest.fixture
def built(library, world):
    """A library with a sound index of a few hundred papers."""
    library.write(*world.made_up(range(200)))
    library.build()
    library.embedder.encoded.clear()
    return library


def found(library, query):
    index = library.open(graph=True)
    hits = Retriever(index, HashingEmbedder(), pool=20, dense="hnsw").search(query, 5)
    index.close()
    return [(hit.paper.id, hit.score) for hit in hits]


@KINDS
def test_opening_mends(built, world, damage):
    """Whatever happens to derived files, the next open builds them again and search finds the same."""
    query = world.made_up([7])[0]["title"]
    before = found(built, query)
    damage(built.derived())
    assert found(built, query) == before
    assert built.derived().name == "2"


@KINDS
def test_indexing_after_damage_embeds_nothing(built, world, damage):
    """The next indexing run over a damaged index embeds only what is new, and search finds the same."""
    query = world.made_up([7])[0]["title"]
    before = found(built, query)
    damage(built.derived())
    built.write(world.GAMES, name="new.jsonl")
    assert built.build().embedded == 1
    (built.sources / "new.jsonl").unlink()
    assert built.build(prune=True).embedded == 0
    assert [paper for paper, _ in found(built, query)] == [paper for paper, _ in before]


def test_search_of_every_vector_does_without_chroma(built, world):
    """An exact search does not open Chroma: it works although Chroma's database is damaged."""
    truncate(built.derived() / "chroma" / "chroma.sqlite3")
    index = built.open()
    (hit,) = Retriever(index, HashingEmbedder()).search(world.made_up([7])[0]["title"], 1)
    index.close()
    assert hit.paper.id == "p00007"
    assert built.derived().name == "1"


def test_unchanged_sources_mend_too(built):
    """Indexing unchanged sources builds lost derived files again."""
    shutil.rmtree(built.derived())
    report = built.build()
    assert (report.embedded, report.unchanged) == (0, 200)
    assert built.derived().joinpath("stamp.json").is_file()


@pytest.mark.process
@pytest.mark.parametrize("name", ["derived/ deleted", "links sparse", "Chroma's database truncated"])
def test_check_reports_damage(built, name):
    """A check finds nothing wrong with a sound index, and says what is wrong with a damaged one."""
    assert check_index(built.index).ok
    DAMAGES[name](built.derived())
    health = check_index(built.index)
    assert not health.ok
    assert str(built.index / "derived" / "1") in health.problems[0]


@pytest.mark.parametrize(("share", "told"), [(0.02, False), (0.3, True)])
def test_vectors_that_the_graph_does_not_find_are_told(built, share, told):
    """A graph whose files are as they were built may miss a stored vector, but not many."""
    folder = built.derived() / "chroma"
    vectors = Vectors(folder)
    ids = vectors._collection.get()["ids"]
    elsewhere = np.eye(1, HashingEmbedder().spec.dimension).tolist() * int(share * len(ids))
    vectors._collection.update(ids=ids[: len(elsewhere)], embeddings=elsewhere)
    vectors.close()
    seal(folder)
    (built.derived() / "stamp.json").write_text(json.dumps(derived._stamp(built.derived())))
    assert any("not found in Chroma" in problem for problem in examine(built.index).problems) == told


@pytest.mark.process
def test_check_survives_a_crash(built):
    """Damage that ends the process that reads it is reported and does not end the one that asks."""
    overwrite(next(built.derived().rglob("data_level0.bin")))
    stamp = built.derived() / "stamp.json"
    stamp.write_text(json.dumps(derived._stamp(built.derived())))
    health = check_index(built.index)
    assert health.problems
    assert any(
        told in health.problems[0]
        for told in ("ended a process", "not found in Chroma", "not as it was built")
    )


@pytest.mark.process
def test_check_looks_for_what_is_missing(built):
    """A check of no index, and of one whose counts are wrong, says so."""
    assert "rag-qa index" in check_index(built.root).problems[0]
    db = sqlite3.connect(built.index / "papers.sqlite3")
    db.execute("DELETE FROM papers WHERE id = 'p00000'")
    db.commit()
    db.close()
    assert "199 papers are stored and 200 were recorded" in check_index(built.index).problems


@pytest.mark.process
def test_check_is_not_led_astray_by_the_working_directory(built, tmp_path, monkeypatch):
    """Files in the working directory that are named like modules are not run."""
    (tmp_path / "json.py").write_text("raise SystemExit('a stray module was run')")
    monkeypatch.chdir(tmp_path)
    assert check_index(built.index).ok


def test_a_damaged_store_is_an_error(built):
    """A store with damaged pages gives an error of ours wherever the damage is met, and never another."""
    path = built.index / "papers.sqlite3"
    sound = path.read_bytes()
    outcomes = set()
    for seed in range(30):
        chance = random.Random(seed)
        pages = bytearray(sound)
        for _ in range(seed // 3 + 1):
            start = chance.randrange(len(pages) // 4096) * 4096
            pages[start : start + 4096] = chance.randbytes(4096)
        path.write_bytes(pages)
        outcomes.add(outcome(built))
    assert IndexDamagedError in outcomes
    assert all(kind is None or issubclass(kind, RagQAError) for kind in outcomes), outcomes


def outcome(library):
    """The type of the first error of opening, reading, searching and indexing, or None."""
    try:
        index = library.open()
        try:
            list(index.papers())
            Retriever(index, HashingEmbedder(), pool=20).search("bakeli monu", 5)
        finally:
            index.close()
        library.build(prune=True)
    except Exception as exc:
        return type(exc)
    return None


def test_a_body_that_is_no_paper_is_an_error(built):
    """A stored paper that cannot be parsed is damage; the error names the file."""
    db = sqlite3.connect(built.index / "papers.sqlite3")
    db.execute("UPDATE papers SET body = '{}' WHERE id = 'p00005'")
    db.commit()
    db.close()
    index = built.open()
    with pytest.raises(IndexDamagedError, match=r"papers\.sqlite3"):
        index.paper("p00005")
    index.close()
