"""Settings: flat fields, no behaviour. A flag wins over `RAG_QA_*`, that over `rag_qa.toml`, that over a default."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

Style = Literal["auto", "quote", "synthesis"]
DenseSearch = Literal["exact", "hnsw"]
Dtype = Literal["auto", "bfloat16", "float32"]
Runtime = Literal["auto", "torch"]


class Settings(BaseSettings):
    """Everything that can be set. Passed explicitly; nothing reads it from a global."""

    model_config = SettingsConfigDict(
        env_prefix="RAG_QA_", toml_file="rag_qa.toml", frozen=True, extra="forbid", protected_namespaces=()
    )

    embedder: str = Field("all-MiniLM-L6-v2", description="catalogue name or folder of the embedder")
    embedder_dtype: Dtype = Field("auto", description="auto: bfloat16 where the processor has it in hardware")
    embedder_runtime: Runtime = Field(
        "auto", description="auto: numpy for a few texts where it gives the same vectors; torch: never"
    )
    device: str = Field("auto", description="torch device of embedder and reranker: auto, cpu, cuda, mps")
    embed_batch: int | None = Field(
        None, ge=1, le=4096, description="texts in one batch of the embedder; default: 8, on a GPU 128"
    )

    model: str = Field(
        "auto",
        description="catalogue name or GGUF path of the language model; auto: the writer if it is here and memory "
        "suffices, else the starter",
    )
    context_tokens: int = Field(4096, ge=512, description="context size of the language model, in tokens")
    threads: int | None = Field(
        None, ge=1, description="threads of the language model; default: physical cores"
    )
    gpu_layers: int | None = Field(
        None, ge=-1, description="layers to offload; default: all if the build can"
    )
    temperature: float = Field(0.0, ge=0.0, le=2.0)
    seed: int = Field(0, ge=0, le=2**32 - 2)
    max_tokens: int = Field(256, ge=16, le=4096, description="tokens that one answer may take")
    prompts: Path | None = Field(None, description="folder whose prompt files replace those that ship")

    k: int = Field(10, ge=1, le=1000, description="papers that search returns")
    dense: DenseSearch = Field("exact", description="exact: every vector; hnsw: Chroma's approximate graph")
    pool: int = Field(200, ge=10, description="candidates that each component gives where dense is hnsw")
    reranker: str | None = Field(
        None,
        description="catalogue name or folder of a reranker, or model: the language model; default: none",
    )
    rerank_depth: int = Field(50, ge=1, le=1000, description="papers that the reranker puts in a new order")
    style: Style = Field("auto", description="auto: what the catalogue says of the language model")
    evidence_papers: int = Field(8, ge=1, le=100, description="papers whose sentences are considered")
    evidence_sentences: int = Field(
        4,
        ge=1,
        le=50,
        description="sentences that an answer quotes at most of each of two papers",
    )
    read_sentences: int = Field(
        6, ge=1, le=100, description="sentences, those nearest to the question, that the language model reads"
    )
    read_tokens: int = Field(
        600, ge=64, description="tokens that a prompt may have; the sentences farthest from the question go"
    )
    resolve_followups: bool = Field(
        True, description="whether a question in a conversation may refer to the turns before"
    )
    listed_papers: int = Field(
        10, ge=1, le=100, description="papers that a 'which papers' answer lists at most"
    )
    min_relevance: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        description="probability that the papers answer a question under which it is refused; default: as calibrated",
    )

    entailment: Path | None = Field(
        None, description="folder of a cross-encoder for natural-language inference, which then judges prose"
    )
    strict: bool = Field(
        False, description="leave prose out that its citations do not support, instead of quoting them"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, `rag_qa.toml` in the working directory."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
