"""A builder that is killed at any point leaves the old index usable, and the next run finishes the work.

The builder runs as a child process whose embedder is slow, or which stops at a chosen place; it is ended there
by SIGKILL, which no code can catch.
"""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rag_qa import build_index
from rag_qa.index.store import Store
from rag_qa.retrieval.searching import Retriever
from rag_qa.testing import HashingEmbedder

pytestmark = pytest.mark.process

CHILD = """
import sys, time
from pathlib import Path
from rag_qa.index import builder, derived, store
from rag_qa.testing import HashingEmbedder

source, index, place, pause = sys.argv[1:]

class Slow(HashingEmbedder):
    def encode(self, texts, *, role):
        time.sleep(float(pause))
        return super().encode(texts, role=role)

def stop_before(owner, name, after=False):
    original = getattr(owner, name)
    def stopped(*args, **options):
        result = original(*args, **options) if after else None
        print("here", flush=True)
        time.sleep(600)
        return result
    setattr(owner, name, stopped)

builder.EMBED_CHUNK = 10
stops = {
    "schema": lambda: stop_before(store.Store, "_has_tables"),
    "reading": lambda: stop_before(builder, "find_change"),
    "first batch": lambda: stop_before(builder, "_embed", after=True),
    "last batch": lambda: stop_before(builder, "embed_missing", after=True),
    "writing": lambda: stop_before(store.Store, "drop_unused_vectors"),
    "Chroma": lambda: stop_before(derived, "build_vectors", after=True),
    "BM25": lambda: stop_before(derived, "update_lexical", after=True),
    "stamp": lambda: stop_before(derived, "_stamp"),
    "before the commit": lambda: stop_before(builder, "build_derived", after=True),
    "after the commit": lambda: stop_before(builder, "drop_old_generations"),
    "anywhere": lambda: print("here", flush=True),
}
stops[place]()
builder.build_index([source], index, embedder=Slow())
"""
PLACES = [
    "schema",
    "reading",
    "first batch",
    "last batch",
    "writing",
    "Chroma",
    "BM25",
    "stamp",
    "before the commit",
    "after the commit",
]
OLD, ALL = 20, 50
TEXT = "kelimo nusera"


@contextmanager
def killed_at(library, place: str, after: float = 0.0, pause: float = 0.0) -> Iterator[None]:
    """Run a builder, kill it at a place, or some seconds after its start, and go on."""
    command = [sys.executable, "-c", CHILD, str(library.sources), str(library.index), place, str(pause)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout.readline() == "here\n"
            time.sleep(after)
            yield
        finally:
            child.kill()


def hits(index):
    return Retriever(index, HashingEmbedder(), pool=50).search(TEXT, 10)


def finish(library, tmp_path):
    """Run the builder to its end and compare with an index built in one go; returns what it embedded."""
    embedded = library.build().embedded
    assert len(library.embedder.encoded) == embedded
    other = tmp_path / "other"
    build_index([library.sources], other, embedder=HashingEmbedder())
    assert library.contents(library.index) == library.contents(other)
    assert len(list((library.index / "derived").iterdir())) <= 2
    return embedded


@pytest.mark.parametrize("place", PLACES)
def test_killed_at_a_place(library, world, tmp_path, place):
    """Killed at each stage of an update: readers keep the old or see the new index, and nothing is lost."""
    library.write(*world.made_up(range(OLD)))
    library.build()
    old_ids = library.ids()
    reader = library.open()
    before = hits(reader)
    library.write(*world.made_up(range(ALL)))
    with killed_at(library, place):
        assert library.ids() == (old_ids if place != "after the commit" else sorted(read_ids(library)))
    assert hits(reader) == before
    reader.close()
    expected = {"schema": 30, "reading": 30, "first batch": 30}.get(place, 0)
    assert finish(library, tmp_path) == expected
    assert library.ids() == sorted(read_ids(library))


def read_ids(library):
    lines = (library.sources / "papers.jsonl").read_text().splitlines()
    return [json.loads(line)["id"] for line in lines]


@pytest.mark.parametrize("place", ["schema", "first batch", "writing", "before the commit"])
def test_killed_in_the_first_run(library, world, tmp_path, place):
    """Killed in the very first run: there is no index yet, and the next run makes it."""
    library.write(*world.made_up(range(ALL)))
    with killed_at(library, place):
        pass
    assert finish(library, tmp_path) == (ALL if place in ("schema", "first batch") else 0)


@pytest.mark.parametrize("seed", range(4))
def test_killed_anywhere(library, world, tmp_path, seed):
    """Killed again and again after random times: each run goes on where the one before was stopped."""
    chance = random.Random(seed)
    library.write(*world.made_up(range(OLD)))
    library.build()
    library.write(*world.made_up(range(ALL)))
    stored = 0
    for _ in range(3):
        with killed_at(library, "anywhere", after=chance.uniform(0.0, 0.6), pause=0.1):
            pass
        store = Store.open(library.index)
        assert store.count("vectors") >= stored
        stored = store.count("vectors")
        store.close()
        assert library.ids() in ([f"p{n:05}" for n in range(OLD)], [f"p{n:05}" for n in range(ALL)])
    assert finish(library, tmp_path) == ALL - stored
