"""Checks of answers that a client sends: as `/api/ask` gave them, or a receipt that `--save` wrote."""

import json
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from rag_qa.answering.receipts.verify import Recheck, recheck
from rag_qa.answering.receipts.write import SavedAnswer, hash_paper, read_receipt, shown_papers
from rag_qa.errors import ReceiptError
from rag_qa.index.reader import Index
from rag_qa.types import Answer

NAME = "answer.json"


def verify_body(body: bytes, folder: Path | None = None) -> list[Recheck]:
    """Return every check of an answer or a receipt; also against an index if its folder is given.

    Raises ReceiptError if the body is neither.
    """
    sealed = _is_receipt(body)
    saved = _read(body) if sealed else _unsealed(body)
    with ExitStack() as opened:
        index = opened.enter_context(closing(Index.open(folder))) if folder else None
        return _meaningful(list(recheck(saved, index)), saved, sealed=sealed)


def _meaningful(checks: Sequence[Recheck], saved: SavedAnswer, *, sealed: bool) -> list[Recheck]:
    """Return the checks that mean something: without a seal, no file or paper can be compared with what was saved."""
    silent = () if sealed else ("file", *(f"paper {key}" for key in saved.papers))
    return [check for check in checks if check.name not in silent]


def _is_receipt(body: bytes) -> bool:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and "receipt_version" in content


def _unsealed(body: bytes) -> SavedAnswer:
    try:
        answer = Answer.model_validate_json(body)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise ReceiptError(
            f"this is neither an answer nor a receipt ({where}: {first['msg']}); send what /api/ask gave, or a "
            "file that `rag-qa ask --save FILE` wrote"
        ) from exc
    papers = {key: hash_paper(paper) for key, paper in shown_papers(answer).items()}
    return SavedAnswer(answer=answer, papers=papers, intact=True)


def _read(body: bytes) -> SavedAnswer:
    with TemporaryDirectory() as folder:
        path = Path(folder, NAME)
        path.write_bytes(body)
        try:
            return read_receipt(path)
        except ReceiptError as exc:
            raise ReceiptError(str(exc).replace(str(path), "the receipt")) from exc
