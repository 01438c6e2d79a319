"""Keep a language model's results in a folder by content, so that an evaluation generates nothing twice.

The key is a SHA-256 over all that a result depends on: the model's hash, its runtime and context length, the texts of
the prompt, and either grammar, length, temperature and seed, or the options. The key does not know the processor. One
that rounds differently gives other results; give such a machine a folder of its own.
"""

import base64
import hashlib
import json
import os
import tempfile
from collections.abc import Generator as Pieces
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from rag_qa.errors import BackendError, EvaluationError
from rag_qa.files import make_private_folder
from rag_qa.protocols import Generator, GeneratorSpec, Prompt, ReadableGenerator
from rag_qa.types import Value


class Calls(NamedTuple):
    """How often a model was asked, and how many of these results were in the cache."""

    asked: int = 0
    cached: int = 0

    def since(self, before: "Calls") -> "Calls":
        """Return the calls made since `before` was counted."""
        return Calls(self.asked - before.asked, self.cached - before.cached)


class Kept(Value):
    """A result on disk: the pieces of a text (unfinished if the caller closed it early), probabilities, or a state.

    A hidden state is kept as its numbers of 32 bits, little-endian, in base 64.
    """

    pieces: tuple[str, ...] = ()
    finished: bool = False
    choice: tuple[float, ...] | None = None
    state: str | None = None


class CachedGenerator:
    """A generator that reads from the cache first; `calls` counts the calls and those answered by the cache."""

    def __init__(self, generator: Generator, folder: Path) -> None:
        self.calls = Calls()
        self._generator = generator
        self._folder = Path(folder)

    @property
    def spec(self) -> GeneratorSpec:
        """The spec of the generator underneath."""
        return self._generator.spec

    def generate(
        self, prompt: Prompt, *, grammar: str | None, max_tokens: int, temperature: float, seed: int
    ) -> Pieces[str, None, None]:
        """Yield the cached pieces; if the cached text is unfinished, generate it again and go on from there."""
        limits = {"grammar": grammar, "max_tokens": max_tokens, "temperature": temperature, "seed": seed}
        path = self._path("generate", prompt, limits)
        kept = _read(path) or Kept()
        self._count(bool(kept.pieces) or kept.finished)
        yield from kept.pieces
        if kept.finished:
            return
        if kept.pieces:
            self.calls = self.calls._replace(cached=self.calls.cached - 1)
        stream = self._generator.generate(
            prompt, grammar=grammar, max_tokens=max_tokens, temperature=temperature, seed=seed
        )
        pieces: list[str] = []
        with closing(stream):
            for piece in stream:
                pieces.append(piece)
                if len(pieces) <= len(kept.pieces):
                    continue
                try:
                    yield piece
                except GeneratorExit:
                    self._write(path, Kept(pieces=tuple(pieces)))
                    raise
        self._write(path, Kept(pieces=tuple(pieces), finished=True))

    def choose(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        """Return the probability that the reply begins with each of the options; they add up to 1."""
        path = self._path("choose", prompt, {"options": list(options)})
        kept = _read(path)
        self._count(kept is not None and kept.choice is not None)
        if kept is not None and kept.choice is not None:
            return list(kept.choice)
        found = self._generator.choose(prompt, options)
        self._write(path, Kept(choice=tuple(found)))
        return found

    def hidden_state(self, prompt: Prompt, *, layer: int) -> NDArray[np.float32]:
        """Return the output of a layer for the last token of a prompt, shape (e,).

        Raises BackendError if the generator does not tell.
        """
        path = self._path("hidden_state", prompt, {"layer": layer})
        kept = _read(path)
        self._count(kept is not None and kept.state is not None)
        if kept is not None and kept.state is not None:
            return np.frombuffer(base64.b64decode(kept.state), dtype="<f4")
        if not isinstance(self._generator, ReadableGenerator):
            raise BackendError(f"{self.spec.name} does not tell its hidden states; use another model")
        found = self._generator.hidden_state(prompt, layer=layer)
        self._write(path, Kept(state=base64.b64encode(found.astype("<f4").tobytes()).decode("ascii")))
        return found

    def count_tokens(self, prompt: Prompt) -> int:
        """Return the length of the rendered prompt in tokens. That is quick, so it is not cached."""
        return self._generator.count_tokens(prompt)

    def _count(self, cached: bool) -> None:
        self.calls = Calls(self.calls.asked + 1, self.calls.cached + cached)

    def _path(self, call: str, prompt: Prompt, limits: dict[str, Any]) -> Path:
        model = {name: getattr(self.spec, name) for name in ("sha256", "runtime", "n_ctx")}
        asked = json.dumps([call, model, prompt.model_dump(), limits], sort_keys=True)
        key = hashlib.sha256(asked.encode()).hexdigest()
        return self._folder / key[:2] / f"{key}.json"

    def _write(self, path: Path, kept: Kept) -> None:
        """Write to a temporary file and rename it, so that two processes cannot damage a result."""
        try:
            make_private_folder(path.parent)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(kept.model_dump_json())
            os.replace(name, path)
        except OSError as exc:
            raise EvaluationError(
                f"{path} cannot be written ({exc}); name another folder with --cache, or give --no-cache"
            ) from exc


def _read(path: Path) -> Kept | None:
    """Return the cached result, or None if there is none or it is damaged."""
    with suppress(OSError, UnicodeDecodeError, ValidationError):
        return Kept.model_validate_json(path.read_text("utf-8"))
    return None
