"""Updates merge only what they touch, and end as if everything were built at once."""

import random
import sqlite3

import pytest

from rag_qa import build_index
from rag_qa.backends.agreement import remember_cosine
from rag_qa.backends.embedding import open_embedder
from rag_qa.corpus import merging
from rag_qa.index import lexical, touched
from rag_qa.index.database import FILE_NAME
from rag_qa.index.store import Store
from rag_qa.settings import Settings
from rag_qa.testing import HashingEmbedder

# Parts whose files must be equal to the last byte. Chroma's hold times and an order of its own.
EXACT_PARTS = ("exact", "lexical", "pairs", "facets")


def entangled(count, seed):
    """Records that are merged, kept apart, marked and left out by each other, in random order."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("bdfgklmnprstvz", k=2)) + chance.choice("aeiou") * 2 for _ in range(400)]
    records = []
    for number in range(count):
        text = " ".join(chance.choices(words, k=60)).capitalize() + ". "
        title = " ".join(chance.choices(words, k=6)).capitalize()
        own = {"title": title, "abstract": text * 1, "authors": [f"{chance.choice('ABC')}. Ewe"]}
        records.append(own | ({"id": str(number % 7)} if number % 5 == 0 else {}))
        records += chance.sample(relatives(own, number, chance, words), k=chance.randrange(4))
    chance.shuffle(records)
    return records


def relatives(own, number, chance, words):
    """Records that touch one: versions, copies, excerpts, notices, and one blurb under many titles."""
    doi = {"doi": f"10.1000/{number}"}
    parts = own["abstract"].split()
    almost = " ".join([*parts[:20], chance.choice(words), *parts[21:]])
    return [
        own | doi,
        own | {"title": "", "abstract": " ".join(parts[:40])},
        own | doi | {"abstract": almost, "year": 2020, "venue": "arXiv"},
        own
        | {"title": f"Retraction: {own['title']}", "abstract": f"Withdrawn. DOI: 10.1000/{number} was it."},
        {"title": " ".join(chance.choices(words, k=5)), "abstract": "The journal covers all of its field."},
        {
            "title": "Editorial",
            "abstract": " ".join(chance.choices(words, k=30)) + ".",
            "id": str(number % 7),
        },
        doi | {"title": f"{own['title']} part II", "abstract": almost},
    ]


def same_as_at_once(library, folder, *, embedder=None):
    """Compare the index with one built at once from the same files."""
    build_index([library.sources], folder, embedder=embedder or HashingEmbedder())
    assert library.contents(library.index) == library.contents(folder)
    assert records(library.index) == records(folder)
    mine, others = library.derived(), folder / "derived" / "1"
    for part in EXACT_PARTS:
        names = sorted(path.name for path in (others / part).iterdir())
        assert names == sorted(path.name for path in (mine / part).iterdir())
        for name in names:
            assert (mine / part / name).read_bytes() == (others / part / name).read_bytes(), f"{part}/{name}"


def records(folder):
    """The records of an index with their links and papers."""
    store = Store.open(folder)
    held = store.linked_records(), list(store.records())
    store.close()
    return held


@pytest.mark.parametrize("seed", range(4))
def test_any_split_into_updates_ends_the_same(library, tmp_path, seed):
    """Files added, changed and removed at random give the index that one build of the last state gives."""
    chance = random.Random(seed)
    pool = entangled(30, seed)
    for step in range(5):
        for name in chance.sample("abcd", k=2):
            (library.sources / f"{name}.jsonl").unlink(missing_ok=True)
            if step == 0 or chance.random() < 0.8:
                library.write(*chance.sample(pool, k=chance.randrange(1, 40)), name=f"{name}.jsonl")
        if any(library.sources.iterdir()):
            library.build(prune=True)
    same_as_at_once(library, tmp_path / "other")


def test_passages_in_eight_bits_are_the_same_however_few_are_added(
    library, world, tmp_path, monkeypatch, save_embedder
):
    """A passage embedded alone in an update has the vector, to the last bit, that it gets among hundreds."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    papers = world.made_up(range(200))
    folder = save_embedder(tmp_path / "model", [paper["abstract"] for paper in papers])
    embedder = open_embedder(Settings(embedder=str(folder), embedder_dtype="int8"))
    remember_cosine(folder, embedder.spec, 1.0)
    library.write(*papers[:199], name="a.jsonl")
    library.build(embedder=embedder)
    library.write(papers[199], name="b.jsonl")
    library.build(embedder=embedder)
    same_as_at_once(library, tmp_path / "other", embedder=embedder)


def test_the_report_is_that_of_a_whole_merge(library, world, monkeypatch):
    """The fates of all records are the same whether an update merges the touched records or all."""
    pool = entangled(20, seed=9)
    reports = []
    for everything in (False, True):
        for path in library.index.rglob("*.sqlite3*"):
            path.unlink()
        library.write(*pool[:40], name="a.jsonl")
        library.write(*world.made_up(range(5)), name="b.jsonl")
        library.write(name="c.jsonl")
        library.build()
        library.write(*pool[40:], name="c.jsonl")
        if everything:
            monkeypatch.setattr(touched.Records, "touched", lambda _: None)
        reports.append(library.build())
    assert reports[0].model_copy(update={"seconds": 0}) == reports[1].model_copy(update={"seconds": 0})
    assert reports[0].merged


def test_an_update_merges_only_what_it_touches(library, world, monkeypatch):
    """A new paper without links is merged alone, and one with the DOI of another together with that one."""
    library.write(*world.made_up(range(20)), world.SOUP, name="a.jsonl")
    library.build()
    merged = []
    whole = merging.merge_papers
    monkeypatch.setattr(touched, "merge_papers", lambda *given: merged.append(len(given[0])) or whole(*given))
    library.write(world.BEES, name="b.jsonl")
    library.build()
    library.write({**world.SOUP, "id": "broth"}, name="c.jsonl")
    assert library.build().merged == 1
    assert merged == [1, 2]


def test_records_written_by_an_older_version_are_merged_again(library, world, tmp_path):
    """Where an older version replaced records, which knows no links, the next update finds all links again."""
    library.write(world.SOUP, world.GAMES, name="a.jsonl")
    library.build()
    db = sqlite3.connect(library.index / FILE_NAME)
    rows = db.execute("SELECT * FROM records").fetchall()
    db.execute("DELETE FROM records")
    db.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", rows)
    db.commit()
    assert db.execute("SELECT count(*) FROM links").fetchone() == (0,)
    db.close()
    library.write({**world.SOUP, "id": "broth"}, name="b.jsonl")
    assert library.build().merged == 1
    same_as_at_once(library, tmp_path / "other")


def test_an_update_reads_the_words_of_no_other_paper(library, world, monkeypatch):
    """Words and vectors of papers that stay come from the files before, and the files end the same."""
    library.write(*world.made_up(range(20)), world.SOUP, name="a.jsonl")
    library.build()
    read = []
    whole = lexical.words
    monkeypatch.setattr(lexical, "words", lambda text: read.append(text) or whole(text))
    library.write(world.BEES, name="b.jsonl")
    library.build()
    assert [text[:5] for text in read] == [world.BEES["title"][:5]]
