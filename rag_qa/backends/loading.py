"""What libraries raise for a model folder that is damaged, as errors of ours."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag_qa.errors import BackendError


@contextmanager
def translated_loading_errors(what: str, folder: Path, cure: str) -> Iterator[None]:
    """Raise BackendError if the model in a folder cannot be loaded; the message says `what` it is, and the `cure`.

    Weights in a pickle are refused by torch (UnpicklingError), truncated ones by safetensors.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (
        OSError,
        ValueError,
        RuntimeError,
        TypeError,
        KeyError,
        AttributeError,
        EOFError,
        SafetensorError,
        pickle.UnpicklingError,
    ) as exc:
        raise BackendError(f"the {what} in {folder} cannot be loaded: {exc}; {cure}") from exc
