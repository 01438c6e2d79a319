"""The embedder that the settings name. Where it can, it runs without torch, whose import takes seconds.

Its description (`spec`) and its tokenizer are read from files, without loading the model.
"""

import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rag_qa.backends.agreement import agrees, lowest_cosine, recall_cosine, remember_cosine
from rag_qa.backends.configs import read_config
from rag_qa.backends.light_embedder import LightEmbedder
from rag_qa.backends.locating import LocatedModel, locate_model
from rag_qa.backends.processor import has_bfloat16, may_have_gpu
from rag_qa.backends.sentence_embedder import INT8, SentenceTransformerEmbedder
from rag_qa.errors import BackendError
from rag_qa.protocols import Embedder, EmbedderSpec, Matrix, Role, TokenEncoding
from rag_qa.settings import Settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

log = logging.getLogger(__name__)

# Up to this number of texts the light embedder runs where sentence-transformers would be faster, but has to load first.
FEW_TEXTS = 128
NumberFormat = Literal["bfloat16", "float32", "int8"]
# Devices for which the light embedder may run.
LIGHT_DEVICES = ("auto", "cpu")


class SwitchingEmbedder:
    """Embeds with the light embedder if it gives the vectors of sentence-transformers, which embeds the rest.

    The choice depends only on the role of texts and on their number, so an answer is the same in a fresh process and in
    one that has just built an index. Documents, the passages of an index, are all embedded by the same one, however few
    an update adds; in the number format int8 they are computed in 8 bits, and all else in 32. Whether the two agree is
    tested once, before the first use. If they disagree, or if the light embedder cannot compute the model,
    sentence-transformers embeds everything.
    """

    def __init__(
        self, folder: Path, heavy: SentenceTransformerEmbedder, *, light: bool = True, many: bool = True
    ) -> None:
        """With `light=False`, only sentence-transformers runs; with `many=False`, it embeds documents, and more than
        `FEW_TEXTS` texts.
        """
        self.spec = heavy.spec
        self._folder = folder
        self._heavy = heavy
        self._allowed = light
        self._many = many

    def encode(self, texts: Sequence[str], *, role: Role) -> Matrix:
        """Return vectors, shape (n, d) float32, rows of length 1. Raises ValueError for a blank text."""
        return self._for(texts, role).encode(texts, role=role)

    def encode_tokens(self, texts: Sequence[str], *, role: Role) -> list[TokenEncoding]:
        """Return each text's vector with those of its tokens. Raises ValueError for a blank text."""
        return self._for(texts, role).encode_tokens(texts, role=role)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return each text's length in tokens, special tokens included and nothing cut."""
        return self._heavy.count_tokens(texts)

    def describe(self) -> str:
        """Return in words what embeds texts, without loading or testing anything."""
        what = "all texts" if self._many else "questions"
        if isinstance(self._light, str):
            return f"sentence-transformers embeds all texts: {self._light}"
        cosine = recall_cosine(self._folder, self.spec)
        if cosine is None:
            return f"ONNX Runtime will embed {what}, if it agrees with sentence-transformers when that is next loaded"
        if not agrees(cosine, self.spec):
            return f"sentence-transformers embeds all texts: ONNX Runtime agrees to a cosine of {cosine:.5f} only"
        told = (
            f"ONNX Runtime embeds {what}, which agrees with sentence-transformers to a cosine of {cosine:.6f}"
        )
        return (
            f"{told}; the passages of an index are in 8 bits"
            if self.spec.dtype == INT8 and self._many
            else told
        )

    def _for(self, texts: Sequence[str], role: Role) -> Embedder:
        # Without texts nothing is loaded.
        if not texts or (light := self._agreeing) is None:
            return self._heavy
        if role == "document":
            return (self._eight_bits or light) if self._many else self._heavy
        return light if self._many or len(texts) <= FEW_TEXTS else self._heavy

    @cached_property
    def _agreeing(self) -> LightEmbedder | None:
        """The light embedder, if it gives the same vectors as sentence-transformers."""
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
    def _eight_bits(self) -> LightEmbedder | None:
        return LightEmbedder(self._folder, self.spec, eight_bits=True) if self.spec.dtype == INT8 else None

    @cached_property
    def _light(self) -> LightEmbedder | str:
        """The light embedder, or the reason why it cannot run."""
        if not self._allowed:
            return "the settings say so"
        try:
            return LightEmbedder(self._folder, self.spec)
        except KeyError as exc:
            return f"its description lacks {exc}"
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as exc:
            return str(exc)


def open_embedder(settings: Settings) -> SwitchingEmbedder:
    """Return the embedder that the settings name, not loaded yet. Raises ModelNotFoundError, ModelHashError."""
    folder, spec = find_embedder(settings)
    # torch is faster with bfloat16 in hardware and on a GPU.
    many = spec.dtype != "bfloat16" and _on_cpu(settings)
    heavy = _sentence_embedder(folder, spec, settings)
    return SwitchingEmbedder(folder, heavy, light=_may_be_light(settings), many=many)


def open_sentence_embedder(settings: Settings) -> SentenceTransformerEmbedder:
    """Return the embedder that the settings name, run by sentence-transformers for any number of texts."""
    return _sentence_embedder(*find_embedder(settings), settings)


def _sentence_embedder(folder: Path, spec: EmbedderSpec, settings: Settings) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(folder, spec, device=settings.device, batch_size=settings.embed_batch)


def find_embedder(settings: Settings) -> tuple[Path, EmbedderSpec]:
    """Return the folder and the description of the embedder that the settings name. Raises like `open_embedder`."""
    located = locate_model(settings.embedder, kind="embedder")
    try:
        return located.path, _describe(located, _number_format(located, settings))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise BackendError(
            f"{located.path} is not a sentence-transformers model: its configuration cannot be read ({exc!r}); see "
            "`rag-qa models list`"
        ) from exc


def _number_format(located: LocatedModel, settings: Settings) -> NumberFormat:
    if settings.embedder_dtype != "auto":
        return settings.embedder_dtype
    if located.entry and located.entry.eight_bits and _may_be_light(settings) and _on_cpu(settings):
        return INT8
    return "bfloat16" if has_bfloat16() else "float32"


def _may_be_light(settings: Settings) -> bool:
    """Return whether the settings leave texts to the light embedder."""
    return settings.embedder_runtime == "auto" and settings.device in LIGHT_DEVICES


def _on_cpu(settings: Settings) -> bool:
    return settings.device == "cpu" or not may_have_gpu()


def _describe(located: LocatedModel, dtype: NumberFormat) -> EmbedderSpec:
    entry = located.entry
    prompts = read_config(located.path / "config_sentence_transformers.json").get("prompts") or {}
    return EmbedderSpec(
        name=entry.name if entry else located.path.name,
        revision=(entry.revision if entry else None) or "unpinned",
        weights_sha256=located.sha256,
        dtype=dtype,
        dimension=_dimension(located.path),
        max_tokens=_max_tokens(located.path),
        query_prompt=(entry.query_prompt if entry else "") or prompts.get("query") or "",
        document_prompt=(entry.document_prompt if entry else "") or prompts.get("document") or "",
    )


def open_plain_model(settings: Settings) -> "SentenceTransformer":
    """Load the embedder that the settings name with the library's defaults, in float32, to compare with."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(
        str(locate_model(settings.embedder, kind="embedder").path), local_files_only=True
    )


def _dimension(folder: Path) -> int:
    """Return the dimension of the last module that has one: a Dense layer follows the pooling."""
    dimension = None
    for module in read_config(folder / "modules.json"):
        config = read_config(folder / module["path"] / "config.json") if module["path"] else {}
        dimension = config.get("out_features") or config.get("word_embedding_dimension") or dimension
    dimension = dimension or read_config(folder / "config.json").get("hidden_size")
    if not isinstance(dimension, int):
        raise BackendError(f"{folder} is not a sentence-transformers model; see `rag-qa models list`")
    return dimension


def _max_tokens(folder: Path) -> int:
    limit = read_config(folder / "sentence_bert_config.json").get("max_seq_length")
    limit = limit or read_config(folder / "config.json").get("max_position_embeddings") or 512
    return int(limit)
