"""Answers and papers → the formats of other programs. Each format is a row of FORMATS.

Knows values and how to write them, but no files and no index.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rag_qa.errors import ExportError
from rag_qa.exports.bibtex import to_bibtex
from rag_qa.exports.csl import to_csl
from rag_qa.exports.html import to_page
from rag_qa.exports.markdown import to_markdown
from rag_qa.exports.references import to_references
from rag_qa.exports.ris import to_ris
from rag_qa.types import Answer, Paper

__all__ = ["FORMATS", "ExportFormat", "export_answer", "export_papers", "format_of_file"]


class ExportFormat(NamedTuple):
    """A format: its name for people, its media type, its file endings, and the function that writes it.

    A format of papers holds the cited papers of an answer.
    """

    name: str
    media_type: str
    endings: tuple[str, ...]
    of_answer: Callable[[Answer], str] | None = None
    of_papers: Callable[[Sequence[Paper]], str] | None = None


def _to_json(answer: Answer) -> str:
    return answer.model_dump_json(indent=2) + "\n"


FORMATS: Mapping[str, ExportFormat] = {
    "md": ExportFormat("Markdown", "text/markdown", (".md", ".markdown"), of_answer=to_markdown),
    "json": ExportFormat("JSON", "application/json", (".json",), of_answer=_to_json),
    "html": ExportFormat("HTML", "text/html", (".html", ".htm"), of_answer=to_page),
    "bib": ExportFormat("BibTeX", "application/x-bibtex", (".bib",), of_papers=to_bibtex),
    "ris": ExportFormat("RIS", "application/x-research-info-systems", (".ris",), of_papers=to_ris),
    "csl": ExportFormat(
        "CSL-JSON", "application/vnd.citationstyles.csl+json", (".csl.json", ".csl"), of_papers=to_csl
    ),
    "text": ExportFormat("references as text", "text/plain", (".txt",), of_papers=to_references),
}


def export_answer(answer: Answer, format: str) -> str:
    """Return an answer as text in one of FORMATS. Raises ExportError if the format is unknown."""
    chosen = _format(format, FORMATS)
    if chosen.of_answer is not None:
        return chosen.of_answer(answer)
    return export_papers(answer.papers, format)


def export_papers(papers: Sequence[Paper], format: str) -> str:
    """Return papers as references in a format of papers (`of_papers`). Raises ExportError for any other format."""
    known = {name: row for name, row in FORMATS.items() if row.of_papers is not None}
    chosen = _format(format, known)
    assert chosen.of_papers is not None
    return chosen.of_papers(papers)


def format_of_file(path: Path) -> str:
    """Return the format of a file by the ending of its name. Raises ExportError if the ending is unknown.

    >>> format_of_file(Path("answer.csl.json"))
    'csl'
    """
    name = path.name.lower()
    found = [
        (len(ending), format)
        for format, row in FORMATS.items()
        for ending in row.endings
        if name.endswith(ending)
    ]
    if not found:
        endings = ", ".join(row.endings[0] for row in FORMATS.values())
        raise ExportError(f"the format of {path} is unknown; end its name in one of {endings}")
    return max(found)[1]


def _format(name: str, known: Mapping[str, ExportFormat]) -> ExportFormat:
    if name not in known:
        raise ExportError(f"there is no format {name!r} for this; choose one of {', '.join(known)}")
    return known[name]
