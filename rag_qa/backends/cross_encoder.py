"""A cross-encoder of sentence-transformers, loaded from a local folder: it scores pairs of texts."""

from pathlib import Path
from typing import TYPE_CHECKING

from rag_qa.backends.loading import translated_loading_errors

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder


def load_cross_encoder(folder: Path, device: str, *, what: str, cure: str) -> "CrossEncoder":
    """Return the model in float32, without opening a connection.

    Raises BackendError if the folder holds no such model; the message says `what` it was wanted for and the `cure`.
    """
    import torch
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    with translated_loading_errors(what, folder, cure):
        model: CrossEncoder = CrossEncoder(
            str(folder),
            device=None if device == "auto" else device,
            local_files_only=True,
            model_kwargs={"dtype": torch.float32},
        )
    return model
