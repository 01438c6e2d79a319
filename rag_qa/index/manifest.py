"""What an index was built with and what it holds; compared before anything is searched or added."""

from pydantic import Field

from rag_qa.errors import IndexMismatchError
from rag_qa.protocols import EmbedderSpec
from rag_qa.types import Value

SCHEMA_VERSION = 1
PASSAGE_RULES = 1
# The weights' hash says more than a revision; on number formats see `check_embedder`.
NOT_COMPARED = ("revision", "dtype")


class Counts(Value):
    """How many of each the index holds."""

    sources: int = 0
    records: int = 0
    papers: int = 0
    passages: int = 0


class Calibration(Value):
    """When to answer from this index, fitted on it: `false_answers` is the share of unanswerable questions answered.

    `wanted` is the share asked for, `questions` how many questions, answerable and not, the threshold was fitted on.
    """

    threshold: float
    wanted: float
    false_answers: float
    false_refusals: float
    questions: int


class Manifest(Value):
    """The index's description; `generation` grows by one with every finished update."""

    schema_version: int = SCHEMA_VERSION
    generation: int = 0
    rag_qa_version: str
    embedder: EmbedderSpec
    passage_tokens: int
    passage_rules: int = PASSAGE_RULES
    counts: Counts = Field(default_factory=Counts)
    calibration: Calibration | None = None


def check_embedder(manifest: Manifest, spec: EmbedderSpec, folder: str) -> None:
    """Raise IndexMismatchError where vectors of `spec` cannot be compared with those of the index.

    The number format is recorded but not compared: bfloat16 and float32 vectors of one model agree to about
    .001 in cosine, and an index must open on a processor that has only one of them.
    """
    fields = (
        "name",
        "weights_sha256",
        "dimension",
        "max_tokens",
        "query_prompt",
        "document_prompt",
        "normalized",
    )
    wrong = [f for f in fields if getattr(manifest.embedder, f) != getattr(spec, f)]
    if wrong:
        differences = ", ".join(
            f"{f}: {getattr(manifest.embedder, f)!r} ≠ {getattr(spec, f)!r}" for f in wrong
        )
        raise IndexMismatchError(
            f"{folder} was built with another embedder ({differences}); set RAG_QA_EMBEDDER="
            f"{manifest.embedder.name}, or build a new index with `rag-qa index SOURCE --index NEW_FOLDER`"
        )


def check_schema(version: int, folder: str) -> None:
    """Raise IndexMismatchError for a schema that this version does not read."""
    if version != SCHEMA_VERSION:
        age = "a newer" if version > SCHEMA_VERSION else "an older"
        raise IndexMismatchError(
            f"{folder} has schema {version}, of {age} rag_qa (this one reads {SCHEMA_VERSION}); build it "
            "again with `rag-qa index SOURCE --index NEW_FOLDER`, or install the version that wrote it"
        )
