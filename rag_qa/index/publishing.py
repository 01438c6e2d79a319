"""Keep the collection of an index in a Chroma server up to date with its store."""

from rag_qa.index.chroma_server import (
    drop_collections,
    is_complete,
    new_index_id,
    write_collection,
)
from rag_qa.index.derived import chroma_rows
from rag_qa.index.manifest import Manifest
from rag_qa.index.store import Store


def publish(store: Store, manifest: Manifest, url: str) -> None:
    """Write the vectors of a generation to a server, unless it has them, and keep the collection's name in the store.

    Called inside the transaction that writes the manifest, so that both are committed or neither. Raises
    PaperIndexError.
    """
    count = manifest.counts.passages
    known = store.chroma_collection(manifest.generation)
    if known and is_complete(url, known, count):
        return
    index_id = store.index_id() or new_index_id()
    name = write_collection(url, index_id, manifest.generation, chroma_rows(store), count)
    store.write_chroma(index_id, name, manifest.generation)


def drop_unused(store: Store, manifest: Manifest, url: str) -> None:
    """Remove the collections of an index that no reader needs, after the update is committed."""
    index_id, current = store.index_id(), store.chroma_collection(manifest.generation)
    if index_id and current:
        drop_collections(url, index_id, current)
