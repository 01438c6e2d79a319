"""The manifest: what an index was built with and what it holds. It is compared before every search and update."""

from pydantic import Field

from rag_qa.errors import IndexMismatchError
from rag_qa.protocols import EmbedderSpec
from rag_qa.types import Value

# Since 2, rows have hashes. Version 1 is read as it is, and becomes 2 when it is next written.
SCHEMA_VERSION = 2
OLDEST_SCHEMA = 1
PASSAGE_RULES = 1
# Fields of an EmbedderSpec that must be equal. The revision is not among them, because the hash of the weights says
# more, and neither is the number format: see `check_embedder`.
COMPARED = (
    "name",
    "weights_sha256",
    "dimension",
    "max_tokens",
    "query_prompt",
    "document_prompt",
    "normalized",
)


class Counts(Value):
    """How many sources, records, papers and passages the index holds."""

    sources: int = 0
    records: int = 0
    papers: int = 0
    passages: int = 0


class Calibration(Value):
    """The probability that the papers answer a question (`threshold`) from which on this index is answered from.

    It was fitted on `questions` questions of this index, answerable and not. `false_answers` is the share of
    unanswerable questions that were answered, `wanted` the share asked for, and `false_refusals` the share of
    answerable questions that were refused.
    """

    threshold: float
    wanted: float
    false_answers: float
    false_refusals: float
    questions: int


class Manifest(Value):
    """The description of an index.

    `generation` grows by one with every update that changes what search finds, and with every rebuild. Passages have
    up to `passage_tokens` tokens; `passage_rules` is the version of the rules that cut them.
    """

    schema_version: int = SCHEMA_VERSION
    generation: int = 0
    rag_qa_version: str
    embedder: EmbedderSpec
    passage_tokens: int
    passage_rules: int = PASSAGE_RULES
    counts: Counts = Field(default_factory=Counts)
    calibration: Calibration | None = None


def check_embedder(manifest: Manifest, spec: EmbedderSpec, folder: str) -> None:
    """Raise IndexMismatchError if vectors of `spec` cannot be compared with those of the index.

    The number format is recorded but not compared: vectors of one model in bfloat16 agree with those in float32 to
    about 0.001 in cosine, those in 8 bits to 0.01, and an index must open on a processor that lacks one of the formats.
    """
    wrong = [f for f in COMPARED if getattr(manifest.embedder, f) != getattr(spec, f)]
    if wrong:
        differences = ", ".join(
            f"{f}: {getattr(manifest.embedder, f)!r} ≠ {getattr(spec, f)!r}" for f in wrong
        )
        raise IndexMismatchError(
            f"{folder} was built with another embedder ({differences}); set RAG_QA_EMBEDDER="
            f"{manifest.embedder.name}, or build a new index with `rag-qa index SOURCE --index NEW_FOLDER`"
        )


def check_schema(version: int, folder: str) -> None:
    """Raise IndexMismatchError if this version cannot read the schema."""
    if not OLDEST_SCHEMA <= version <= SCHEMA_VERSION:
        age = "a newer" if version > SCHEMA_VERSION else "an older"
        raise IndexMismatchError(
            f"{folder} has schema {version}, of {age} rag_qa (this one reads {SCHEMA_VERSION}); build it "
            "again with `rag-qa index SOURCE --index NEW_FOLDER`, or install the version that wrote it"
        )
