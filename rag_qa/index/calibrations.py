"""Stores a calibration in the manifest of an index; papers, passages and vectors stay as they are."""

from pathlib import Path

from rag_qa.errors import IndexLockedError
from rag_qa.index.lock import writing
from rag_qa.index.manifest import Calibration
from rag_qa.index.store import Store


def store_calibration(folder: Path, calibration: Calibration | None, *, generation: int) -> None:
    """Replace the calibration of an index; None goes back to the one that ships.

    `generation` is the generation that was measured. Raises IndexLockedError if another process is writing, or has
    written since.
    """
    with writing(folder):
        store = Store.create(folder)
        try:
            manifest = store.manifest()
            if manifest is None or manifest.generation != generation:
                raise IndexLockedError(
                    f"{folder} was updated in the meantime; run `rag-qa calibrate --index {folder}` again"
                )
            with store.transaction():
                store.write_manifest(manifest.model_copy(update={"calibration": calibration}))
        finally:
            store.close()
