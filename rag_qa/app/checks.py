"""Checks of this machine, for `rag-qa doctor`: each finding comes with the command or edit that helps."""

import platform
import shlex
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from rag_qa.app.options import load_settings
from rag_qa.errors import BackendError, ModelError
from rag_qa.types import Value

LIBRARIES = (
    "bm25s",
    "chromadb",
    "huggingface_hub",
    "llama_cpp_python",
    "numpy",
    "pydantic",
    "sentence-transformers",
    "torch",
    "transformers",
)
OLDEST_PYTHON = (3, 11)
NO_HASHES = "its papers have no hashes yet, so not all damage can be noticed; the next update adds them"
# How many things that were mended are named.
MOST = 10
GRAPH = "; Chroma's graph finds {:.3f} of the ten nearest passages that a scan of all finds"


class Check(Value):
    """One finding; `cure` is the command or edit that helps, None if nothing is wrong."""

    name: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    cure: str | None = None


def run_checks(index: Path | None = None) -> Iterator[Check]:
    """Yield the findings one by one, the quick ones first; nothing is changed."""
    yield python_check()
    yield libraries_check()
    generator, found = model_check("language model", "generator")
    yield found
    embedder, found = model_check("embedder", "embedder")
    yield found
    if embedder is not None:
        yield runtime_check()
    if generator is not None:
        yield llama_check(generator)
    if index is not None:
        yield index_check(index)


def python_check() -> Check:
    """Check that this Python is new enough."""
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {sys.executable}"
    if sys.version_info >= OLDEST_PYTHON:
        return Check(name="python", status="ok", detail=detail)
    return Check(name="python", status="fail", detail=detail, cure="Install Python 3.11 or newer.")


def libraries_check() -> Check:
    """Check that the libraries are installed, and name their versions. No library is imported."""
    found = {name: _version(name) for name in LIBRARIES}
    missing = [name for name, number in found.items() if number is None]
    if missing:
        detail = f"not installed: {', '.join(missing)}"
        return Check(name="libraries", status="fail", detail=detail, cure=f"pip install {' '.join(missing)}")
    shown = ", ".join(f"{name} {number}" for name, number in found.items())
    return Check(name="libraries", status="ok", detail=shown)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def model_check(title: str, kind: Literal["embedder", "generator"]) -> tuple[Path | None, Check]:
    """Check that the model in the settings is on this machine and has the right hash; return its path too."""
    from rag_qa.backends.locating import AUTO, ModelChoice, choose_model, locate_model

    settings = load_settings()
    choice = choose_model(settings.model) if kind == "generator" else ModelChoice(name=settings.embedder)
    try:
        located = locate_model(choice.name, kind=kind)
    except ModelError as exc:
        detail, _, cure = str(exc).rpartition(". ")
        return None, Check(name=title, status="fail", detail=detail or str(exc), cure=cure)
    pinned = "hash as in the catalogue" if located.entry else "not in the catalogue"
    detail = f"{located.name}, {located.path}, sha256 {located.sha256[:12]}… ({pinned})"
    if kind == "generator" and settings.model == AUTO:
        detail += f"; serves because {choice.reason or 'it is here and memory suffices'}"
    return located.path, Check(name=title, status="ok", detail=detail)


def runtime_check() -> Check:
    """Name what embeds texts, ONNX Runtime or sentence-transformers, and why."""
    from rag_qa.backends.embedding import open_embedder

    try:
        return Check(name="embedding", status="ok", detail=open_embedder(load_settings()).describe())
    except BackendError as exc:
        detail, _, cure = str(exc).rpartition("; ")
        return Check(name="embedding", status="fail", detail=detail, cure=cure)


def llama_check(model: Path) -> Check:
    """Check that llama.cpp generates a token on this processor: in a child process, which may crash."""
    from rag_qa.backends.probing import llama_version, probe_llama

    result = probe_llama(model)
    if result.failure is not None:
        detail, _, cure = result.failure.partition(". ")
        return Check(name="llama.cpp", status="fail", detail=detail, cure=cure)
    offload = "GPU offload" if result.offload else "no GPU offload"
    info = ", ".join(
        part.strip().removesuffix(" = 1") for part in result.system_info.split("|") if part.strip()
    )
    detail = f"{llama_version()}, one token in {result.seconds:.1f} s, {offload}; {info}"
    return Check(name="llama.cpp", status="ok", detail=detail)


def index_check(index: Path) -> Check:
    """Check that the index is sound."""
    from rag_qa.index.health import check_index

    health = check_index(index)
    if health.ok:
        recall = "" if health.graph_recall is None else GRAPH.format(health.graph_recall)
        if not health.hashed:
            cure = f"rag-qa index SOURCE… --index {index}"
            return Check(name="index", status="warn", detail=f"{index}{recall}; {NO_HASHES}", cure=cure)
        return Check(name="index", status="ok", detail=f"{index}{recall}")
    there = (index / "papers.sqlite3").exists()
    cure = f"rag-qa doctor --repair --index {index}" if there else f"rag-qa index SOURCE… --index {index}"
    return Check(name="index", status="fail", detail=f"{index}: {'; '.join(health.problems)}", cure=cure)


def repair_checks(index: Path) -> Iterator[Check]:
    """Mend an index, and yield what was done and each paper that is lost; then check the index."""
    from rag_qa.backends.embedding import open_embedder
    from rag_qa.index.integrity import in_short
    from rag_qa.index.repair import repair_index

    repair = repair_index(index, lambda: open_embedder(load_settings()))
    if repair.mended:
        yield Check(name="repair", status="ok", detail="; ".join(in_short(repair.mended, MOST)))
    for lost in repair.lost:
        title = f" (“{lost.title}”)" if lost.title else ""
        sources = " ".join(shlex.quote(path) for path in lost.sources) or "SOURCE…"
        yield Check(
            name="repair",
            status="fail",
            detail=f"the paper {lost.id}{title} is lost: all that is stored of it is damaged",
            cure=f"rag-qa index {sources} --index {index}",
        )
    if repair.aside:
        detail = f"the damaged file is kept in {repair.aside}; delete it if you like"
        yield Check(name="repair", status="ok", detail=detail)
    yield index_check(index)
