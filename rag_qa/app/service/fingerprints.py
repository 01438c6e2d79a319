"""Settings → fingerprints: two processes with equal ones find, or answer, the same."""

import hashlib
import json
from pathlib import Path

from rag_qa.settings import Settings

# Settings that search does not depend on, and `k`, which each request names.
NOT_OF_SEARCH = {
    "k",
    "ray",
    "ray_workers",
    "style",
    "temperature",
    "seed",
    "max_tokens",
    "prompts",
    "evidence_papers",
    "evidence_sentences",
    "read_sentences",
    "read_tokens",
    "resolve_followups",
    "listed_papers",
    "min_relevance",
    "entailment",
    "strict",
}
# Search depends on the language model only if that is the reranker.
LANGUAGE_MODEL = "model"
MODEL_FIELDS = {"model", "context_tokens", "threads", "gpu_layers"}


def search_fingerprint(settings: Settings) -> str:
    """Return the fingerprint of the settings that search depends on."""
    without = NOT_OF_SEARCH | (set() if settings.reranker == LANGUAGE_MODEL else MODEL_FIELDS)
    return _fingerprint({name: value for name, value in settings if name not in without})


def answer_fingerprint(settings: Settings) -> str:
    """Return the fingerprint of all settings: an answer depends on them, and its provenance names them."""
    return _fingerprint(dict(settings))


def _fingerprint(values: dict[str, object]) -> str:
    """Return a hash of the values, and of the paths that they name in the working directory."""
    named = {name: [str(value), _file(value)] for name, value in values.items() if value is not None}
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()


def _file(value: object) -> str | None:
    if not isinstance(value, str | Path) or not value:
        return None
    path = Path(value).expanduser()
    return str(path.resolve()) if path.exists() else None
