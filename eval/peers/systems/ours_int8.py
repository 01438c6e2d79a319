"""rag_qa as in `ours`, with passages embedded in 8 bits (`RAG_QA_EMBEDDER_DTYPE=int8`)."""

from collections.abc import Mapping
from typing import Any

from eval.peers.systems import ours

PACKAGES = ours.PACKAGES


class System(ours.System):
    """An index whose passages are embedded in 8 bits."""

    SETTINGS: Mapping[str, Any] = {"embedder_dtype": "int8"}
