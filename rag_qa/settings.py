"""All settings, as flat fields without behaviour.

Precedence, highest first: a command-line option or an argument, an environment variable `RAG_QA_NAME`, `rag_qa.toml`
in the working directory, the default.
"""

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
DenseSearch = Literal["auto", "exact", "hnsw"]
Dtype = Literal["auto", "bfloat16", "float32", "int8"]
Runtime = Literal["auto", "torch"]


class Settings(BaseSettings):
    """Everything that can be set; passed explicitly and never read from a global.

    >>> Settings(k=3).k
    3

    Raises pydantic's ValidationError for an unknown name or a value out of range.
    """

    model_config = SettingsConfigDict(
        env_prefix="RAG_QA_", toml_file="rag_qa.toml", frozen=True, extra="forbid", protected_namespaces=()
    )

    embedder: str = Field("all-MiniLM-L6-v2", description="catalogue name or folder of the embedder")
    embedder_dtype: Dtype = Field(
        "auto",
        description="number format of the embedder; auto: int8 if that is known to find as well, else bfloat16 if the "
        "processor has it, else float32; int8 rounds the passages of an index, and nothing else",
    )
    embedder_runtime: Runtime = Field(
        "auto",
        description="auto: ONNX Runtime, if it gives the same vectors as torch and is not slower; torch: always torch",
    )
    device: str = Field("auto", description="torch device of embedder and reranker: auto, cpu, cuda or mps")
    embed_batch: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="texts in one batch of the embedder; default: 8 on a CPU, 128 on a GPU",
    )

    file_megabytes: int = Field(
        2000,
        ge=1,
        description="largest file of papers that is read, packed or unpacked, in MB; larger ones are skipped",
    )
    abstract_characters: int = Field(
        200_000, ge=1000, description="longest abstract that is indexed; records with longer ones are skipped"
    )

    model: str = Field(
        "auto",
        description="catalogue name or GGUF path of the language model; auto: the writer if it is installed and memory "
        "suffices, else the starter",
    )
    context_tokens: int = Field(4096, ge=512, description="context size of the language model, in tokens")
    threads: int | None = Field(
        None, ge=1, description="threads of the language model; default: physical cores"
    )
    gpu_layers: int | None = Field(
        None, ge=-1, description="layers to offload to a GPU, -1 for all; default: all if the build can"
    )
    temperature: float = Field(
        0.0,
        ge=0.0,
        le=2.0,
        description="randomness of the language model; 0 always takes the likeliest token",
    )
    seed: int = Field(
        0, ge=0, le=2**32 - 2, description="seed of the language model, for temperatures above 0"
    )
    max_tokens: int = Field(256, ge=16, le=4096, description="most tokens that an answer may have")
    prompts: Path | None = Field(None, description="folder whose prompt files replace the ones that ship")

    k: int = Field(10, ge=1, le=1000, description="papers that a search returns")
    dense: DenseSearch = Field(
        "auto",
        description="dense search; exact: compare every vector; auto: exact up to 200,000 passages, and beyond it "
        "shorter vectors choose which to compare; hnsw: Chroma's approximate graph",
    )
    chroma_url: str | None = Field(
        None,
        pattern=r"^https?://[^/@\s]+/?$",
        description="address of a Chroma server, such as http://127.0.0.1:8000: `index` writes the vectors there, and "
        "dense search asks it, unless dense is exact; default: none, and no connection is made",
    )
    ray: str | None = Field(
        None,
        min_length=1,
        description="embed new papers as a Ray job (needs `rag_qa[ray]`): `local`, or the address of a Ray cluster",
    )
    ray_workers: int = Field(2, ge=1, le=1024, description="embedders of a Ray job")
    pool: int = Field(
        200, ge=10, description="candidates from each component if dense is hnsw or a Chroma server is asked"
    )
    reranker: str | None = Field(
        None,
        description="catalogue name or folder of a reranker, or `model` for the language model; default: none",
    )
    rerank_depth: int = Field(50, ge=1, le=1000, description="papers that the reranker sorts again")
    style: Style = Field(
        "auto",
        description="quote: verbatim sentences; synthesis: the language model writes; auto: what the catalogue says "
        "for the model",
    )
    evidence_papers: int = Field(
        8, ge=1, le=100, description="papers whose sentences are considered as evidence"
    )
    evidence_sentences: int = Field(
        4,
        ge=1,
        le=50,
        description="most sentences that an answer quotes from each of two papers",
    )
    read_sentences: int = Field(
        6, ge=1, le=100, description="sentences that the language model reads, those nearest to the question"
    )
    read_tokens: int = Field(
        600,
        ge=64,
        description="tokens that the prompt may have; the sentences farthest from the question are left out",
    )
    resolve_followups: bool = Field(
        True, description="whether a question in a conversation may refer to earlier questions and answers"
    )
    listed_papers: int = Field(
        10, ge=1, le=100, description="most papers that the answer to a 'which papers' question lists"
    )
    min_relevance: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        description="refuse if the papers answer a question with a lower probability than this; default: as calibrated",
    )

    entailment: Path | None = Field(
        None, description="folder of a cross-encoder for natural-language inference, which then judges prose"
    )
    strict: bool = Field(
        False, description="leave out prose that its citations do not support, instead of quoting them"
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
        """Order the sources: arguments, environment, `rag_qa.toml`; no `.env` and no secrets."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
