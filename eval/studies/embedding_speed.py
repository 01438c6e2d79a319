"""Measure which way of embedding is fastest on this processor, as ratios to plain sentence-transformers.

    python eval/studies/embedding_speed.py papers.jsonl.gz --texts 320 --rounds 2

Each way embeds the same texts (title and abstract, one passage each). Beside other work, run it in one thread
(OMP_NUM_THREADS=1) with --cpu, which compares seconds of the processor. "plain" is `encode` with the library's defaults
(float32, 32 texts at once). The cosine is the lowest between a text's vector and the plain one.
"""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import numpy as np

from eval.programs import parser_for
from rag_qa.backends.embedding import find_embedder, open_plain_model
from rag_qa.backends.light_embedder import LightEmbedder
from rag_qa.backends.processor import cpu_name
from rag_qa.backends.sentence_embedder import SentenceTransformerEmbedder
from rag_qa.corpus.passages import embedding_text
from rag_qa.corpus.reading import read_source
from rag_qa.corpus.sources import expand_sources
from rag_qa.protocols import Matrix
from rag_qa.settings import Settings

Texts = Sequence[str]
CHUNK = 512
_own: dict[str, Any] = {}


def ways(texts: Texts, *, processes: bool) -> dict[str, Callable[[], Matrix]]:
    """Return each way to embed the texts, with its model loaded."""
    import torch

    plain = open_plain_model(Settings())
    folder, spec = find_embedder(Settings(embedder_dtype="float32"))
    light = LightEmbedder(folder, spec)
    eights = open_plain_model(Settings())
    eights[0].auto_model = torch.ao.quantization.quantize_dynamic(  # type: ignore[no-untyped-call]
        eights[0].auto_model, {torch.nn.Linear}, dtype=torch.qint8
    )
    found: dict[str, Callable[[], Matrix]] = {"plain": lambda: plain.encode(list(texts), batch_size=32)}
    for size in (4, 8, 16):
        ours = SentenceTransformerEmbedder(folder, spec, batch_size=size)
        ours._model = plain
        found[f"batches of {size}"] = lambda ours=ours: ours.encode(texts, role="document")  # type: ignore[misc]
    if processes:
        pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=_load)
        list(pool.map(_encode, [texts[:8], texts[8:16]]))
        found["two processes of one thread"] = lambda: _in_processes(pool, texts)
    found["ONNX Runtime"] = lambda: light.encode(texts, role="document")
    rounded = LightEmbedder(folder, spec, eight_bits=True)
    found["ONNX Runtime, 8 bits"] = lambda: rounded.encode(texts, role="document")
    found["8-bit integers (torch, dynamic)"] = lambda: eights.encode(list(texts), batch_size=8)
    return found


def _load() -> None:
    import torch

    torch.set_num_threads(1)
    _own["model"] = open_plain_model(Settings())


def _encode(texts: Texts) -> Matrix:
    vectors: Matrix = _own["model"].encode(list(texts), batch_size=8, show_progress_bar=False)
    return vectors


def _in_processes(pool: ProcessPoolExecutor, texts: Texts) -> Matrix:
    """Share the texts out in small parts, longest first."""
    order = sorted(range(len(texts)), key=lambda n: -len(texts[n]))
    parts = [order[start : start + 32] for start in range(0, len(order), 32)]
    vectors = np.concatenate(list(pool.map(_encode, [[texts[n] for n in part] for part in parts])))
    result = np.empty_like(vectors)
    result[order] = vectors
    return result


def main() -> None:
    """Measure, and print JSON."""
    parser = parser_for(__doc__ or "")
    parser.add_argument("source", type=Path)
    parser.add_argument("--texts", type=int, default=320)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--cpu", action="store_true", help="compare processor time, and leave processes out")
    told = parser.parse_args()
    clock = time.process_time if told.cpu else time.perf_counter
    (file,) = expand_sources([told.source])
    papers = Random(0).sample(list(read_source(file).papers), told.texts)
    texts = [embedding_text(paper.title, paper.abstract) for paper in papers]
    found = ways(texts, processes=not told.cpu)
    seconds: dict[str, list[float]] = {name: [] for name in found}
    vectors: dict[str, Matrix] = {}
    for _ in range(told.rounds):
        for name, embed in found.items():
            started = clock()
            vectors[name] = embed()
            seconds[name].append(clock() - started)
            print(name, round(seconds[name][-1], 2), flush=True)
    plain = vectors["plain"] / np.linalg.norm(vectors["plain"], axis=1, keepdims=True)
    print(
        json.dumps(
            {
                "processor": cpu_name(),
                "texts": len(texts),
                "ways": {
                    name: {
                        "seconds": [round(s, 2) for s in own],
                        "ratio": round(median(p / s for p, s in zip(seconds["plain"], own, strict=True)), 3),
                        "lowest cosine": round(float(_cosines(vectors[name], plain).min()), 5),
                        "mean cosine": round(float(_cosines(vectors[name], plain).mean()), 6),
                    }
                    for name, own in seconds.items()
                },
            },
            indent=1,
        )
    )


def _cosines(vectors: Matrix, plain: Matrix) -> Matrix:
    cosines: Matrix = (vectors * plain).sum(axis=1) / np.linalg.norm(vectors, axis=1)
    return cosines


if __name__ == "__main__":
    main()
