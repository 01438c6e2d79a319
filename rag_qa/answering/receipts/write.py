"""Receipts: answers as files that can be checked and answered again.

A receipt is JSON in one exact form, sealed with the SHA-256 of its content, so that any changed byte is found. The
seal shows damage and slips, not forgery: anyone who edits a file on purpose can seal it anew.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rag_qa.errors import ReceiptError
from rag_qa.files import is_plain_name, owner_only
from rag_qa.types import Answer, Paper, Value

RECEIPT_VERSION = 2
# These change with the files that were indexed, and have no effect on an answer.
NOT_HASHED = {"sources", "aliases"}


class PaperHashes(Value):
    """SHA-256 of a paper: of all its fields but those in NOT_HASHED, and of its title and abstract alone."""

    paper_sha256: str
    text_sha256: str


class SavedAnswer(Value):
    """A receipt as read: the answer, and the hashes of all papers that it shows, by id.

    `intact` is whether the file is byte for byte as it was written.
    """

    answer: Answer
    papers: Mapping[str, PaperHashes]
    intact: bool


def shown_papers(answer: Answer) -> dict[str, Paper]:
    """Return the papers that an answer shows, by id: those that it cites, or the nearest if it abstains."""
    return {paper.id: paper for paper in (*answer.papers, *answer.nearest)}


def hash_paper(paper: Paper) -> PaperHashes:
    """Return the hashes of a paper; the text that is hashed is title, newline, abstract in UTF-8."""
    known = json.dumps(paper.model_dump(mode="json", exclude=NOT_HASHED), sort_keys=True)
    return PaperHashes(paper_sha256=_sha256(known), text_sha256=_sha256(f"{paper.title}\n{paper.abstract}"))


def write_receipt(answer: Answer, path: str | Path) -> None:
    """Save an answer to a new file, with what it takes to check it and to answer it again; its user alone can read it.

    Raises ReceiptError if the file exists already or cannot be written.
    """
    path = Path(path)
    content = {
        "receipt_version": RECEIPT_VERSION,
        "answer": answer.model_dump(mode="json"),
        "papers": {key: hash_paper(paper).model_dump() for key, paper in shown_papers(answer).items()},
    }
    sealed = _sealed(content)
    check_free(path)
    try:
        with open(path, "xb", opener=owner_only) as file:
            file.write(sealed)
    except (OSError, ValueError) as exc:
        raise ReceiptError(f"{path} cannot be written ({exc}); name another file") from exc


def check_free(path: Path) -> None:
    """Raise ReceiptError if the file exists already, if its folder does not, or if its name acts on a terminal."""
    if not is_plain_name(path):
        raise ReceiptError(f"the name {str(path)!r} holds control characters; name another file")
    if path.exists():
        raise ReceiptError(f"{path} exists already; name another file, or remove it")
    if not path.parent.is_dir():
        raise ReceiptError(f"there is no folder {path.parent}; make it, or name another file")


def read_receipt(path: str | Path) -> SavedAnswer:
    """Read a saved answer. A file that was changed but can be read is returned with `intact` False.

    Raises ReceiptError if the file cannot be read, is not a receipt, or is one of a newer version.
    """
    try:
        raw = Path(path).read_bytes()
    except (OSError, ValueError) as exc:
        raise ReceiptError(
            f"{path} cannot be read ({exc}); name a file that `rag-qa ask --save FILE` wrote"
        ) from exc
    try:
        content = json.loads(raw.decode("ascii"))
        intact = isinstance(content, dict) and raw == _sealed(content)
    except (ValueError, RecursionError) as exc:
        raise ReceiptError(f"{path} is no JSON as we write it ({exc}); {_ANEW}") from exc
    _check_version(content, path)
    try:
        parts = {name: content.get(name) for name in ("answer", "papers")}
        return SavedAnswer.model_validate(parts | {"intact": intact})
    except ValidationError as exc:
        where = ".".join(map(str, exc.errors()[0]["loc"]))
        raise ReceiptError(
            f"{path} is no whole receipt ({where}: {exc.errors()[0]['msg']}); {_ANEW}"
        ) from exc


_ANEW = "use an unchanged copy, or save the answer again with `rag-qa ask --save FILE`"


def _check_version(content: Any, path: str | Path) -> None:
    """Raise ReceiptError if the content is not a receipt, or is one of a newer version."""
    version = content.get("receipt_version") if isinstance(content, dict) else None
    if type(version) is not int or version < 1:
        raise ReceiptError(f"{path} is no receipt; save an answer with `rag-qa ask --save FILE`")
    if version > RECEIPT_VERSION:
        raise ReceiptError(
            f"{path} is a receipt of version {version}, of a newer rag_qa (this one reads {RECEIPT_VERSION}); "
            "install the version that wrote it"
        )


def _sealed(content: Mapping[str, Any]) -> bytes:
    """Return the bytes of a receipt: its content in sorted, indented ASCII JSON, with the hash of the content.

    In ASCII nothing acts on a terminal, and no transport changes it.
    """
    rest = {name: value for name, value in content.items() if name != "receipt_sha256"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    sealed = rest | {"receipt_sha256": _sha256(canonical)}
    return f"{json.dumps(sealed, sort_keys=True, indent=1)}\n".encode("ascii")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
