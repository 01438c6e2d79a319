"""An index that somebody else made runs no code."""

import hashlib
import json
import sqlite3
from contextlib import closing, suppress

import numpy as np
import pytest

from rag_qa import Assistant, Settings
from rag_qa.index.derived import STAMP
from rag_qa.testing import HashingEmbedder
from tests.traps import Trap


@pytest.fixture
def marker(tmp_path):
    """The file that any code of the index would make."""
    return tmp_path / "it ran"


@pytest.fixture
def derived(library, world):
    """The derived files of an index of two papers."""
    library.write(world.GAMES, world.SOUP)
    library.build()
    return library.index / "derived" / "1"


def use(index, **settings):
    """Search an index and ask it, whatever comes of it."""
    for dense in ("exact", "hnsw"):
        with (
            suppress(Exception),
            Assistant.open(
                index, settings=Settings(style="quote", dense=dense), embedder=HashingEmbedder()
            ) as assistant,
        ):
            for ask in (assistant.search, assistant.ask):
                with suppress(Exception):
                    ask("which papers since 2019 discuss a game?")


def stamp_again(derived):
    """Make the stamp fit the files, as whoever forges an index would."""
    stamp = json.loads((derived / STAMP).read_text())
    for name in stamp.keys() - {"layout"}:
        status = (derived / name).stat()
        digest = hashlib.sha256((derived / name).read_bytes()).hexdigest()
        stamp[name] |= {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": digest}
    (derived / STAMP).write_text(json.dumps(stamp))


def test_a_pickled_array_is_not_opened(derived, library, marker):
    """Arrays of Python objects, which numpy would unpickle on request, are refused in every file."""
    arrays = list(derived.rglob("*.npy"))
    assert len(arrays) > 8
    for path in arrays:
        before = path.read_bytes()
        np.save(path, np.array([Trap(marker)], dtype=object), allow_pickle=True)
        stamp_again(derived)
        use(library.index)
        path.write_bytes(before)
    assert not marker.exists()


def test_the_trap_works(tmp_path, marker):
    """numpy runs the code of such an array if it is let: the test above could fail."""
    np.save(tmp_path / "a.npy", np.array([Trap(marker)], dtype=object), allow_pickle=True)
    np.load(tmp_path / "a.npy", allow_pickle=True)[0].close()
    assert marker.exists()


def test_an_embedding_function_named_by_chroma_is_not_made(derived, library, marker, tmp_path):
    """What Chroma's configuration names to embed with, a model with code of its own, is never loaded."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "evil.py").write_text(f"open({str(marker)!r}, 'w').close()")
    (model / "modules.json").write_text(
        json.dumps([{"idx": 0, "name": "0", "path": "", "type": "evil.Model"}])
    )
    named = {
        "type": "known",
        "name": "sentence_transformer",
        "config": {
            "model_name": str(model),
            "device": "cpu",
            "normalize_embeddings": False,
            "kwargs": {"trust_remote_code": True},
        },
    }
    with closing(sqlite3.connect(derived / "chroma" / "chroma.sqlite3")) as db, db:
        known = json.loads(db.execute("SELECT config_json_str FROM collections").fetchone()[0] or "{}")
        changed = json.dumps(known | {"embedding_function": named})
        assert db.execute("UPDATE collections SET config_json_str = ?", (changed,)).rowcount == 1
    use(library.index)
    index = library.open(graph=True)
    index.close()
    assert not marker.exists()
