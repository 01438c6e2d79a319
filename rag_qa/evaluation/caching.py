"""A language model whose results are kept in a folder by content, so that an evaluation generates nothing twice.

The key is a SHA-256 over all that a result depends on: the model's hash, its runtime and context, the texts of the
prompt, and grammar, length, temperature and seed, or the options. What it does not know: a processor that rounds
otherwise gives other results; give such a machine a folder of its own.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Generator as Pieces
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from rag_qa.errors import EvaluationError
from rag_qa.protocols import Generator, GeneratorSpec, Prompt
from rag_qa.types import Value


class Calls(NamedTuple):
    """How often a model was asked, and how many of these times the result was there already."""

    asked: int = 0
    cached: int = 0

    def since(self, before: "Calls") -> "Calls":
        """Return the calls made after `before` was taken."""
        return Calls(self.asked - before.asked, self.cached - before.cached)


class Kept(Value):
    """A result on disk: the pieces of a text, whole unless whoever asked closed it early, or the probabilities."""

    pieces: tuple[str, ...] = ()
    finished: bool = False
    choice: tuple[float, ...] | None = None


class CachedGenerator:
    """The same generator to whoever asks; `calls` counts what was asked of it and what was there already."""

    def __init__(self, generator: Generator, folder: Path) -> None:
        self.calls = Calls()
        self._generator = generator
        self._folder = Path(folder)

    @property
    def spec(self) -> GeneratorSpec:
        """What really runs."""
        return self._generator.spec

    def generate(
        self, prompt: Prompt, *, grammar: str | None, max_tokens: int, temperature: float, seed: int
    ) -> Pieces[str, None, None]:
        """Yield the pieces kept, then, where they were broken off, the model's own from there on."""
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
        """Return how probably the reply begins with each of the options."""
        path = self._path("choose", prompt, {"options": list(options)})
        kept = _read(path)
        self._count(kept is not None and kept.choice is not None)
        if kept is not None and kept.choice is not None:
            return list(kept.choice)
        found = self._generator.choose(prompt, options)
        self._write(path, Kept(choice=tuple(found)))
        return found

    def count_tokens(self, prompt: Prompt) -> int:
        """Return the length of the rendered prompt in tokens; that is quick, and not kept."""
        return self._generator.count_tokens(prompt)

    def _count(self, cached: bool) -> None:
        self.calls = Calls(self.calls.asked + 1, self.calls.cached + cached)

    def _path(self, call: str, prompt: Prompt, limits: dict[str, Any]) -> Path:
        model = {name: getattr(self.spec, name) for name in ("sha256", "runtime", "n_ctx")}
        asked = json.dumps([call, model, prompt.model_dump(), limits], sort_keys=True)
        key = hashlib.sha256(asked.encode()).hexdigest()
        return self._folder / key[:2] / f"{key}.json"

    def _write(self, path: Path, kept: Kept) -> None:
        """Replace a result in one step, so that two processes cannot damage it."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(kept.model_dump_json())
            os.replace(name, path)
        except OSError as exc:
            raise EvaluationError(
                f"{path} cannot be written ({exc}); name another folder with --cache, or give --no-cache"
            ) from exc


def _read(path: Path) -> Kept | None:
    """Return what is kept; None where nothing is, or what is there is damaged."""
    with suppress(OSError, UnicodeDecodeError, ValidationError):
        return Kept.model_validate_json(path.read_text("utf-8"))
    return None
