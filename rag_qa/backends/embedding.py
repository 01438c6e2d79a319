"""The embedder that the settings name, light where it can be: what is asked of little text does not wait for torch.

Its description (`spec`) and its tokenizer come from files alone.
"""

import json
import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag_qa.backends.agreement import agrees, lowest_cosine, recall_cosine, remember_cosine
from rag_qa.backends.light_embedder import LightEmbedder
from rag_qa.backends.locating import locate_model
from rag_qa.backends.processor import has_bfloat16
from rag_qa.backends.sentence_embedder import SentenceTransformerEmbedder
from rag_qa.errors import BackendError
from rag_qa.protocols import Embedder, EmbedderSpec, Matrix, Role, TokenEncoding
from rag_qa.settings import Settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

log = logging.getLogger(__name__)

# Texts up to which the light embedder serves: it takes as long for 200 sentences as sentence-transformers to load.
FEW_TEXTS = 128
# Devices on which the light embedder may take sentence-transformers' part.
LIGHT_DEVICES = ("auto", "cpu")


class SwitchingEmbedder:
    """Takes a few texts to the light embedder and many to sentence-transformers, if both give the same vectors.

    Which of them serves depends on nothing but the number of texts, so that an answer is the same in a fresh process
    and in one that has just built an index. Whether they agree is tried once, when sentence-transformers is loaded for
    the first time anyway; where they do not, or the light one does not know the model, that alone serves.
    """

    def __init__(self, folder: Path, heavy: SentenceTransformerEmbedder, *, light: bool = True) -> None:
        """`light` is whether the light embedder may serve at all."""
        self.spec = heavy.spec
        self._folder = folder
        self._heavy = heavy
        self._allowed = light

    def encode(self, texts: Sequence[str], *, role: Role) -> Matrix:
        """Return float32 unit vectors, shape (len(texts), dimension). Raises ValueError for a blank text."""
        return self._serving(texts).encode(texts, role=role)

    def encode_tokens(self, texts: Sequence[str], *, role: Role) -> list[TokenEncoding]:
        """Return each text's unit vector with those of its tokens, special ones and those of a prompt left out.

        Raises ValueError for a blank text.
        """
        return self._serving(texts).encode_tokens(texts, role=role)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return each text's length in tokens, special tokens included and nothing truncated."""
        return self._heavy.count_tokens(texts)

    def describe(self) -> str:
        """Return in words what serves a question, without loading or trying anything."""
        if isinstance(self._light, str):
            return f"sentence-transformers embeds questions: {self._light}"
        cosine = recall_cosine(self._folder, self.spec)
        if cosine is None:
            return (
                "numpy will embed questions, if it agrees with sentence-transformers when that is next loaded"
            )
        if not agrees(cosine, self.spec):
            return f"sentence-transformers embeds questions: numpy agrees to a cosine of {cosine:.5f} only"
        return f"numpy embeds questions, which agrees with sentence-transformers to a cosine of {cosine:.6f}"

    def _serving(self, texts: Sequence[str]) -> Embedder:
        # What has nothing to embed loads nothing.
        if texts and self._agreeing is not None and len(texts) <= FEW_TEXTS:
            return self._agreeing
        return self._heavy

    @cached_property
    def _agreeing(self) -> LightEmbedder | None:
        """The light embedder, if it gives the vectors of sentence-transformers."""
        light = self._light
        if isinstance(light, str):
            log.debug("sentence-transformers embeds: %s", light)
            return None
        cosine = recall_cosine(self._folder, self.spec)
        if cosine is None:
            cosine = lowest_cosine(light, self._heavy)
            remember_cosine(self._folder, self.spec, cosine)
        if not agrees(cosine, self.spec):
            log.debug("sentence-transformers embeds: the light embedder agrees to %.5f only", cosine)
            return None
        return light

    @cached_property
    def _light(self) -> LightEmbedder | str:
        """The light embedder, or why there is none."""
        if not self._allowed:
            return "the settings say so"
        try:
            return LightEmbedder(self._folder, self.spec)
        except (OSError, ValueError) as exc:
            return str(exc)
        except KeyError as exc:
            return f"its description lacks {exc}"


def open_embedder(settings: Settings) -> SwitchingEmbedder:
    """Find the embedder that the settings name and describe it, without loading it."""
    folder, spec = find_embedder(settings)
    light = settings.embedder_runtime == "auto" and settings.device in LIGHT_DEVICES
    return SwitchingEmbedder(folder, _sentence_embedder(folder, spec, settings), light=light)


def open_sentence_embedder(settings: Settings) -> SentenceTransformerEmbedder:
    """Return the embedder that the settings name, as sentence-transformers runs it, for any number of texts."""
    return _sentence_embedder(*find_embedder(settings), settings)


def _sentence_embedder(folder: Path, spec: EmbedderSpec, settings: Settings) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(folder, spec, device=settings.device, batch_size=settings.embed_batch)


def find_embedder(settings: Settings) -> tuple[Path, EmbedderSpec]:
    """Return the folder of the embedder that the settings name, and its description."""
    located = locate_model(settings.embedder, kind="embedder")
    dtype = settings.embedder_dtype
    if dtype == "auto":
        dtype = "bfloat16" if has_bfloat16() else "float32"
    entry = located.entry
    prompts = _read_json(located.path / "config_sentence_transformers.json").get("prompts") or {}
    spec = EmbedderSpec(
        name=entry.name if entry else located.path.name,
        revision=(entry.revision if entry else None) or "unpinned",
        weights_sha256=located.sha256,
        dtype=dtype,
        dimension=_dimension(located.path),
        max_tokens=_max_tokens(located.path),
        query_prompt=(entry.query_prompt if entry else "") or prompts.get("query") or "",
        document_prompt=(entry.document_prompt if entry else "") or prompts.get("document") or "",
    )
    return located.path, spec


def open_plain_model(settings: Settings) -> "SentenceTransformer":
    """Load the embedder that the settings name as the library does by default, in float32: to measure against."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(
        str(locate_model(settings.embedder, kind="embedder").path), local_files_only=True
    )


def _dimension(folder: Path) -> int:
    """Return the dimension that the last module with one gives (a Dense layer comes after the pooling)."""
    dimension = None
    for module in _read_json(folder / "modules.json", default=[]):
        config = _read_json(folder / module["path"] / "config.json") if module["path"] else {}
        dimension = config.get("out_features") or config.get("word_embedding_dimension") or dimension
    dimension = dimension or _read_json(folder / "config.json").get("hidden_size")
    if not isinstance(dimension, int):
        raise BackendError(f"{folder} is no sentence-transformers model; see `rag-qa models list`")
    return dimension


def _max_tokens(folder: Path) -> int:
    limit = _read_json(folder / "sentence_bert_config.json").get("max_seq_length")
    limit = limit or _read_json(folder / "config.json").get("max_position_embeddings") or 512
    return int(limit)


def _read_json(path: Path, default: Any = None) -> Any:
    if not path.is_file():
        return {} if default is None else default
    return json.loads(path.read_text(encoding="utf-8"))
