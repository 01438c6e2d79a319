"""A file → its papers, and the records skipped with the reason. The format is recognised by content, not by name."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from rag_qa.corpus.decoding import decode
from rag_qa.corpus.formats import (
    abstract_run,
    atom,
    author_page,
    bibtex,
    json_records,
    pdf,
    prose,
    pubmed_text,
    table,
    tagged,
    xml_records,
)
from rag_qa.corpus.limits import DEFAULT, Limits, OverLimit
from rag_qa.corpus.lookup import Fields
from rag_qa.corpus.records import Broken, read_record
from rag_qa.corpus.sources import SourceFile
from rag_qa.corpus.unread import EXPORT, unread_bytes, unread_text
from rag_qa.errors import SourceError
from rag_qa.types import Paper, Skipped, Value


class Format(NamedTuple):
    """How a format of text is recognised and how its records are read."""

    looks_like: Callable[[str], bool]
    records: Callable[[str], Iterator[Fields | Broken]]


class BinaryFormat(NamedTuple):
    """How a format of bytes is recognised and how its records are read."""

    looks_like: Callable[[bytes], bool]
    records: Callable[[bytes], Iterator[Fields | Broken]]


class SourceReading(Value):
    """The papers of one file in order, and the records that were skipped; `encoding` only if it was guessed."""

    papers: tuple[Paper, ...]
    skipped: tuple[Skipped, ...]
    encoding: str | None = None


# Encodings that are certain: marked in the file, or unlikely by chance.
CERTAIN = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_LINES = Format(json_records.looks_like_lines, json_records.lines)
# In the order in which they are tried: specific ones first. arXiv's metadata dump and BEIR's corpus are JSON Lines with
# known field names, so they share a reader. Binary formats are tried before text formats, wherever they stand here.
FORMATS: dict[str, Format | BinaryFormat] = {
    "author-page": Format(author_page.looks_like, author_page.records),
    "abstracts": Format(abstract_run.looks_like, abstract_run.records),
    "jsonl": _LINES,
    "arxiv": _LINES,
    "beir": _LINES,
    "atom": Format(atom.looks_like, atom.records),
    "xml": Format(xml_records.looks_like, xml_records.records),
    "medline": Format(tagged.looks_like(tagged.MEDLINE), tagged.records(tagged.MEDLINE)),
    "ris": Format(tagged.looks_like(tagged.RIS), tagged.records(tagged.RIS)),
    "wos": Format(tagged.looks_like(tagged.WOS), tagged.records(tagged.WOS)),
    "endnote": Format(tagged.looks_like(tagged.ENDNOTE), tagged.records(tagged.ENDNOTE)),
    "bibtex": Format(bibtex.looks_like, bibtex.records),
    "json": Format(json_records.looks_like, json_records.records),
    "tsv": Format(table.looks_like_tsv, table.tsv_records),
    "csv": Format(table.looks_like_csv, table.csv_records),
    "pubmed-text": Format(pubmed_text.looks_like, pubmed_text.records),
    "pdf": BinaryFormat(pdf.looks_like, pdf.records),
    # Last, because any text may look like it.
    "text": Format(prose.looks_like, prose.records),
}


def read_source(file: SourceFile, format: str | None = None, limits: Limits = DEFAULT) -> SourceReading:
    """Return the papers and the skipped records of a file.

    Args:
        file: a file from `expand_sources`.
        format: a name in FORMATS, used instead of recognising the format by content.
        limits: what is larger is skipped, with the reason.

    Broken content is not an error but a skipped record. Raises SourceError if the file cannot be read or the format
    is unknown.
    """
    if format is not None and format not in FORMATS:
        raise SourceError(f"There is no format {format!r}: use one of {', '.join(FORMATS)}")
    if file.problem is not None:
        return _nothing(file.path, file.problem)
    try:
        raw = file.read_bytes(limits)
    except OverLimit as exc:
        return _nothing(file.path, str(exc))
    chosen = FORMATS[format] if format else recognise_bytes(raw)
    if isinstance(chosen, BinaryFormat):
        return _read(chosen.records(raw), file.path, limits)
    if chosen is None and (reason := unread_bytes(raw)):
        return _nothing(file.path, reason)
    try:
        text, encoding = decode(raw, limits)
    except OverLimit as exc:
        return _nothing(file.path, str(exc))
    except ValueError as exc:
        return _nothing(file.path, f"{exc}: download or pack it again")
    chosen = chosen or recognise(text)
    if chosen is None:
        return _nothing(file.path, unread_text(text))
    return _read(chosen.records(text), file.path, limits, None if encoding in CERTAIN else encoding)


def recognise_bytes(raw: bytes) -> BinaryFormat | None:
    """Return the binary format of a file, or None if it may be text."""
    binary = (format for format in FORMATS.values() if isinstance(format, BinaryFormat))
    return next((format for format in binary if format.looks_like(raw)), None)


def recognise(text: str) -> Format | None:
    """Return the format of a text, or None if it has no known one."""
    texts = (format for format in FORMATS.values() if isinstance(format, Format))
    return next((format for format in texts if format.looks_like(text)), None)


def _read(
    records: Iterator[Fields | Broken], path: str, limits: Limits, encoding: str | None = None
) -> SourceReading:
    papers: list[Paper] = []
    skipped: list[Skipped] = []
    damaged = 0
    for number, fields in enumerate(records, 1):
        damaged += isinstance(fields, Broken)
        if damaged > limits.damages and 2 * damaged > number:
            reason = f"{limits.damages:,} damaged records come before this, so the rest isn't read: {EXPORT}"
            skipped.append(Skipped(path=path, record=number, reason=reason))
            break
        paper = fields.reason if isinstance(fields, Broken) else read_record(fields, path, number, limits)
        if isinstance(paper, Paper):
            papers.append(paper)
        else:
            skipped.append(Skipped(path=path, record=number, reason=paper))
    if not papers and not skipped:
        return _nothing(path, f"no records in it: {EXPORT}, or name its format with --format")
    return SourceReading(papers=tuple(papers), skipped=tuple(skipped), encoding=encoding)


def _nothing(path: str, reason: str) -> SourceReading:
    return SourceReading(papers=(), skipped=(Skipped(path=path, record=1, reason=reason),))
