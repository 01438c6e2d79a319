"""What a language model holds of a prompt inside, before it replies: linear probes of its layers.

A small model often replies Yes where its own middle layers know better (Azaria & Mitchell, The Internal State of an LLM
Knows When It's Lying, 2023; Slobodkin et al., The Curious Case of Hallucinatory (Un)answerability, 2023). A probe is a
logistic regression over the output of a layer. eval/fit/probes.py fits them for a prompt, asked of one model file.
There are two of the prompt `decide`: STATED, whether the evidence states the answer, and AFFIRMED, whether the answer
to a yes/no question is Yes. One is of the prompt `claim`: SUPPORTED, whether the evidence states a written sentence.
One is of the prompt `match`: MATCHED, whether a paper meets a request for papers.
"""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag_qa.answering.logistic import sigmoid
from rag_qa.answering.writing.prompt import PromptFile
from rag_qa.protocols import GeneratorSpec

FILE = Path(__file__).with_name("probes.npz")
STATED, AFFIRMED, SUPPORTED, MATCHED = "stated", "affirmed", "supported", "matched"


class Probe(NamedTuple):
    """A fitted probe: for which model file and prompt, its layer, counted from 0, and its coefficients, shape (e,).

    `texts` are those that the prompt is made of.
    """

    name: str
    prompt: str
    texts: str
    sha256: str
    layer: int
    weights: NDArray[np.float32]
    intercept: float

    def is_fitted_for(self, spec: GeneratorSpec, prompts: PromptFile) -> bool:
        """Return whether this was fitted for a model, asked by the prompt of this file."""
        return self.sha256 == spec.sha256 and self.texts == texts_of(prompts, self.prompt)

    def probability(self, state: NDArray[np.float32]) -> float:
        """Return the probability for an output of the layer, shape (e,)."""
        return sigmoid(float(self.weights @ state) + self.intercept)


def texts_of(prompts: PromptFile, prompt: str) -> str:
    """Return the texts that a prompt is made of, to compare with those that a probe was fitted for."""
    return "\n".join(prompts.texts[key].strip() for key in ("system", "context", prompt))


@cache
def load_probe(name: str, file: Path = FILE) -> Probe:
    """Read the probe of this name from a file that `save_probes` wrote. Raises KeyError if there is none."""
    with np.load(file) as stored:
        return Probe(
            name,
            prompt=str(stored[f"{name}.prompt"]),
            texts=str(stored[f"{name}.texts"]),
            sha256=str(stored[f"{name}.sha256"]),
            layer=int(stored[f"{name}.layer"]),
            weights=stored[f"{name}.weights"],
            intercept=float(stored[f"{name}.intercept"]),
        )


def save_probes(file: Path, *probes: Probe) -> None:
    """Write probes into an .npz file; those of other names that it holds stay."""
    held: dict[str, Any] = {}
    if file.exists():
        with np.load(file) as stored:
            held = dict(stored)
    np.savez(
        file, **held | {f"{p.name}.{field}": value for p in probes for field, value in p._asdict().items()}
    )
