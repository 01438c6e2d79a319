"""rag_qa as in `ours`, with passages embedded in float32 (`RAG_QA_EMBEDDER_DTYPE=float32`), as questions always are."""

from collections.abc import Mapping
from typing import Any

from eval.peers.systems import ours

PACKAGES = ours.PACKAGES


class System(ours.System):
    """An index whose passages are embedded in float32."""

    SETTINGS: Mapping[str, Any] = {"embedder_dtype": "float32"}
