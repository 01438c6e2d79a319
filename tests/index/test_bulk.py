"""Shards of vectors, and the Ray job that writes them."""

import importlib.util
import os
import signal
from functools import partial

import numpy as np
import pytest

from rag_qa import Settings
from rag_qa.errors import BackendError
from rag_qa.index import bulk
from rag_qa.index.bulk import ShardEmbedder, embed_in_bulk, merge_shard, write_shard
from rag_qa.index.store import Store
from rag_qa.testing import HashingEmbedder

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="rag_qa[ray] is not installed")
quiet = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def store(tmp_path):
    """An empty store."""
    opened = Store.create(tmp_path)
    yield opened
    opened.close()


def texts(count):
    return {f"{n:032}".encode(): f"text number {n}" for n in range(count)}


def in_this_process(folder, parts, texts, make_embedder, address, workers):
    """The job without Ray, one shard after another."""
    worker = ShardEmbedder(str(folder), make_embedder)
    for part in parts:
        batch = {"keys": [[key.hex() for key in part]], "texts": [[texts[key] for key in part]]}
        yield folder / worker(batch)["name"][0]


def stored(store):
    return dict(store._read("SELECT key, vector FROM vectors"))


def wanted(count):
    return {
        key: HashingEmbedder().encode([text], role="document")[0].tobytes()
        for key, text in texts(count).items()
    }


def run(store, count, *, embedder=HashingEmbedder, address="local", shard=4):
    seen = []
    embed_in_bulk(
        store,
        texts(count),
        embedder,
        address=address,
        workers=2,
        report=lambda *at: seen.append(at),
        shard=shard,
    )
    return seen


def test_every_text_gets_its_vector(store, monkeypatch):
    """The vectors of all shards are stored under the keys of their texts, and no shard is left."""
    monkeypatch.setattr(bulk, "_run", in_this_process)
    assert run(store, 10) == [(0, 10), (4, 10), (8, 10), (10, 10)]
    assert stored(store) == wanted(10)
    assert not (store.folder / "shards").exists()


def test_shards_that_exist_are_not_computed_again(store, monkeypatch):
    """A run that was stopped between a shard and its merging goes on with what is missing."""
    monkeypatch.setattr(bulk, "_run", in_this_process)
    folder = store.folder / "shards"
    folder.mkdir()
    keys = list(texts(10))[3:7]
    write_shard(folder, keys, np.stack([np.frombuffer(wanted(10)[key], np.float32) for key in keys]))
    (folder / "half.123.tmp").write_bytes(b"half")
    embedder = HashingEmbedder()
    assert run(store, 10, embedder=lambda: embedder)[0] == (4, 10)
    assert len(embedder.encoded) == 6
    assert stored(store) == wanted(10)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive", None])
def test_a_damaged_shard_is_computed_again(store, monkeypatch, damage):
    """A shard that cannot be read, or holds a value that is not finite, is no vector of the index."""
    monkeypatch.setattr(bulk, "_run", in_this_process)
    folder = store.folder / "shards"
    folder.mkdir()
    if damage is None:
        write_shard(folder, list(texts(2)), np.full((2, 64), np.nan, np.float32))
    else:
        (folder / "damaged.npz").write_bytes(damage)
    run(store, 4)
    assert stored(store) == wanted(4)


def test_merging_removes_the_file(store):
    """A merged shard is in the store, and its file is gone."""
    path = write_shard(store.folder, list(texts(3)), np.ones((3, 64), np.float32))
    assert merge_shard(store, path) == 3
    assert not path.exists()
    assert len(stored(store)) == 3


def test_without_ray_it_is_told(store, monkeypatch):
    """If Ray is not installed, the error says how to install it."""
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(BackendError, match=r"rag_qa\[ray\]"):
        run(store, 2)


class Dying(HashingEmbedder):
    """An embedder whose process is killed in the middle of its first shard, once."""

    def __init__(self, mark):
        super().__init__()
        self._mark = mark

    def encode(self, texts, *, role):
        if "text number 5" in texts and not self._mark.exists():
            self._mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode(texts, role=role)


@needs_ray
@quiet
@pytest.mark.process
def test_a_killed_worker_costs_nothing(store, tmp_path):
    """The job goes on if a worker is killed in the middle of a shard."""
    run(store, 20, embedder=partial(Dying, tmp_path / "killed"))
    assert (tmp_path / "killed").exists()
    assert stored(store) == wanted(20)


@needs_ray
@quiet
@pytest.mark.process
def test_an_index_is_built_by_ray(library, world):
    """`index` with Ray gives the papers and vectors that it gives without."""
    library.write(*world.made_up(range(30)))
    library.build(settings=Settings(ray="local"))
    by_ray = library.contents(library.index)
    library.index = library.root / "plain"
    library.build()
    assert by_ray == library.contents(library.index)
