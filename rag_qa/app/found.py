"""What search found, as the JSON that `--json` and the service give."""

import json
from collections.abc import Sequence
from itertools import zip_longest

from rag_qa.types import Explanation, Hit


def found_json(hits: Sequence[Hit], reasons: Sequence[Explanation] = ()) -> str:
    """Return hits as JSON, with the reasons why each was found where these are given."""
    found = [_hit(hit, reason) for hit, reason in zip_longest(hits, reasons)]
    return json.dumps(found, ensure_ascii=False, indent=2)


def _hit(hit: Hit, reason: Explanation | None) -> dict[str, object]:
    found: dict[str, object] = {
        "paper_id": hit.paper.id,
        "title": hit.paper.title,
        "status": hit.paper.status,
        "score": hit.score,
        "components": dict(hit.components),
    }
    return found | (reason.model_dump(include={"words", "sentence", "similarity"}) if reason else {})
