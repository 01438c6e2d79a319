"""Embed many texts as a Ray Data job: workers hold the embedder and write shards of vectors, one writer merges them.

A shard is one file: the keys of its texts, which are hashes of model and text, and their vectors. It is written aside
and renamed, so that a file is whole or missing. Every shard that is found is merged before anything is computed, so
a run that was stopped, or lost a worker, computes nothing twice. The folder of the index must be reachable by all
workers.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from rag_qa.errors import BackendError
from rag_qa.index.store import Store
from rag_qa.protocols import Embedder, Matrix

FOLDER = "shards"
# Texts of a shard: some minutes of work on one core.
SHARD = 2048
KEY_BYTES = 32
LOCAL = "local"
# Bytes of the shared memory that a local Ray may take. Only texts and names of files pass through it.
OBJECT_STORE = 200 * 2**20

Key = bytes
Report = Callable[[int, int], None]


def embed_in_bulk(
    store: Store,
    texts: Mapping[Key, str],
    make_embedder: Callable[[], Embedder],
    *,
    address: str,
    workers: int,
    report: Report,
    shard: int = SHARD,
) -> None:
    """Embed texts by key and store their vectors, shard by shard.

    `address` is "local" or that of a Ray cluster; `workers` is the number of embedders. Texts that follow each other
    should be about equally long. `report` is called with the texts done and in total. Raises BackendError if Ray is not
    installed or the job fails; what is finished is kept.
    """
    folder = store.folder / FOLDER
    folder.mkdir(exist_ok=True)
    for path in sorted(folder.glob("*.npz")):
        merge_shard(store, path)
    missing = store.missing_vectors(texts)
    keys = [key for key in texts if key in missing]
    parts = [keys[start : start + shard] for start in range(0, len(keys), shard)]
    done = len(texts) - len(keys)
    report(done, len(texts))
    if parts:
        for path in _run(folder, parts, texts, make_embedder, address, workers):
            done += merge_shard(store, path)
            report(done, len(texts))
    for rest in folder.iterdir():
        rest.unlink()
    folder.rmdir()


def write_shard(folder: Path, keys: Sequence[Key], vectors: Matrix) -> Path:
    """Write a shard and return its path; its name is the hash of its keys."""
    path = folder / f"{hashlib.sha256(b''.join(keys)).hexdigest()}.npz"
    aside = path.with_suffix(f".{os.getpid()}.tmp")
    with aside.open("wb") as file:
        np.savez(file, keys=np.frombuffer(b"".join(keys), np.uint8).reshape(-1, KEY_BYTES), vectors=vectors)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    return path


def merge_shard(store: Store, path: Path) -> int:
    """Store the vectors of a shard, remove its file, and return their number; 0 for a file that is damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as shard:
            keys, vectors = shard["keys"], shard["vectors"]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        path.unlink(missing_ok=True)
        return 0
    if len(keys) == len(vectors) and vectors.dtype == np.float32 and np.isfinite(vectors).all():
        store.write_vectors([key.tobytes() for key in keys], vectors)
    path.unlink()
    return len(keys)


class ShardEmbedder:
    """The worker of a Ray Data job: it loads the embedder once and embeds one shard at a call."""

    def __init__(self, folder: str, make_embedder: Callable[[], Embedder]) -> None:
        self._folder = Path(folder)
        self._embedder = make_embedder()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Take columns `keys` and `texts` of some shards, and return the names of the files written."""
        names = []
        for keys, texts in zip(batch["keys"], batch["texts"], strict=True):
            texts = [str(text) for text in texts]  # from an array of NumPy
            vectors = np.asarray(self._embedder.encode(texts, role="document"), dtype=np.float32)
            if vectors.shape != (len(texts), self._embedder.spec.dimension) or not np.isfinite(vectors).all():
                raise ValueError(
                    f"the embedder gave vectors of shape {vectors.shape}, or not all of them finite"
                )
            names.append(write_shard(self._folder, [bytes.fromhex(key) for key in keys], vectors).name)
        return {"name": np.array(names)}


def _run(
    folder: Path,
    parts: Sequence[Sequence[Key]],
    texts: Mapping[Key, str],
    make_embedder: Callable[[], Embedder],
    address: str,
    workers: int,
) -> Iterator[Path]:
    """Yield the path of each shard when it is written."""
    # A hexadecimal key stays a string in every format that Ray uses on the way.
    items = [{"keys": [key.hex() for key in part], "texts": [texts[key] for key in part]} for part in parts]
    with _ray(address, workers) as ray:
        data = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
            ShardEmbedder,
            fn_constructor_kwargs={"folder": str(folder.absolute()), "make_embedder": make_embedder},
            compute=ray.data.ActorPoolStrategy(size=min(workers, len(items))),
            batch_size=1,
            num_cpus=1,
        )
        for row in data.iter_rows():
            yield folder / str(row["name"])


@contextmanager
def _ray(address: str, workers: int) -> Iterator[Any]:
    """Yield Ray, connected to a cluster or started on this machine; raise its errors as BackendError."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray = import_module("ray")
        import_module("ray.data")
        ray_error = import_module("ray.exceptions").RayError
    except ImportError as exc:
        raise BackendError(
            f"Ray is not installed ({exc}); run pip install 'rag_qa[ray]', or leave out --ray"
        ) from exc
    where: dict[str, Any] = (
        {"num_cpus": workers, "object_store_memory": OBJECT_STORE, "include_dashboard": False}
        if address == LOCAL
        else {"address": address}
    )
    try:
        _connect(ray, where)
        ray.data.DataContext.get_current().enable_progress_bars = False
        yield ray
    except (ray_error, ConnectionError, ValueError, RuntimeError) as exc:
        reason = " ".join(str(exc).split())[-200:]
        raise BackendError(
            f"the Ray job failed ({reason}); run the command again, it goes on where it stopped, or leave out --ray"
        ) from exc
    finally:
        ray.shutdown()


def _connect(ray: Any, where: Mapping[str, Any]) -> None:
    """Start Ray or connect to it. Some of its failures are a bare `Exception`; they are raised as ConnectionError."""
    try:
        ray.init(**where, log_to_driver=False, logging_level="warning")
    except Exception as exc:
        raise ConnectionError(str(exc)) from exc
