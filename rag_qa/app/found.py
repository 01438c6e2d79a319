"""What a search found: from an assistant to the JSON that `--json` and the service give."""

import json
from itertools import zip_longest

from rich.console import Console

from rag_qa.answering.assistant import Assistant
from rag_qa.app.printing import safe_json
from rag_qa.app.rendering import show_hits
from rag_qa.app.streams import print_json
from rag_qa.types import EVERY_PAPER, Explanation, Filter, Hit, Value


class Found(Value):
    """Whole hits, and with `explain` why each was found."""

    hits: tuple[Hit, ...]
    reasons: tuple[Explanation, ...] = ()


def find(
    assistant: Assistant,
    query: str,
    k: int | None = None,
    *,
    filter: Filter = EVERY_PAPER,
    explain: bool = False,
) -> Found:
    """Return what a search finds. Raises as `Assistant.search` does."""
    hits = assistant.search(query, k, filter=filter)
    reasons = assistant.explain(query, hits) if explain else ()
    return Found(hits=tuple(hits), reasons=tuple(reasons))


def print_found(found: Found, *, as_json: bool) -> None:
    """Print what was found on standard output, for people or as JSON."""
    if as_json:
        print_json(safe_json(found_json(found)))
    else:
        show_hits(Console(), found.hits, found.reasons)


def found_json(found: Found) -> str:
    """Return a JSON list with an object for each hit, with the reason why it was found if there is one."""
    rows = [_row(hit, reason) for hit, reason in zip_longest(found.hits, found.reasons)]
    return json.dumps(rows, ensure_ascii=False, indent=2)


def _row(hit: Hit, reason: Explanation | None) -> dict[str, object]:
    row: dict[str, object] = {
        "paper_id": hit.paper.id,
        "title": hit.paper.title,
        "status": hit.paper.status,
        "score": hit.score,
        "components": dict(hit.components),
    }
    return row | (reason.model_dump(include={"words", "sentence", "similarity"}) if reason else {})
