"""CSV and TSV with a header line, read by the standard library."""

import csv
import io
from collections.abc import Iterator

from rag_qa.corpus.records import ABSTRACT, TITLE, Broken, Fields, plain_name

# Longer than any abstract; the default of 131,072 would end the file at one pasted paper.
MAX_FIELD = 2**24


def looks_like_csv(text: str) -> bool:
    """Say whether the first line is a header with an abstract or a title, parted by commas or semicolons."""
    return _is_header(text, _delimiter(text))


def looks_like_tsv(text: str) -> bool:
    """Say whether the first line is a header with an abstract or a title, separated by tabs."""
    return _is_header(text, "\t")


def csv_records(text: str) -> Iterator[Fields | Broken]:
    """Yield the rows of a table separated by commas or semicolons."""
    return _rows(text, _delimiter(text))


def tsv_records(text: str) -> Iterator[Fields | Broken]:
    """Yield the rows of a table separated by tabs."""
    return _rows(text, "\t")


def _first_line(text: str) -> str:
    return text.lstrip("\n").partition("\n")[0]


def _delimiter(text: str) -> str:
    header = _first_line(text)
    return ";" if header.count(";") > header.count(",") else ","


def _is_header(text: str, delimiter: str) -> bool:
    header = _first_line(text)
    if len(header) > 10_000 or delimiter not in header:
        return False
    names = {plain_name(name.strip(' "')) for name in header.split(delimiter)}
    return bool(names & set(ABSTRACT)) or bool(names & set(TITLE))


def _rows(text: str, delimiter: str) -> Iterator[Fields | Broken]:
    csv.field_size_limit(MAX_FIELD)
    # Quotes inside tab-separated text are text: only a field that begins with one is quoted.
    rows = csv.reader(io.StringIO(text.replace("\0", "\ufffd"), newline=""), delimiter=delimiter)
    header: list[str] | None = None
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as exc:
            yield Broken(f"not a readable row ({exc})")
            continue
        if not any(cell.strip() for cell in row):
            continue
        if header is None:
            header = row
        else:
            yield _as_record(header, row)


def _as_record(header: list[str], row: list[str]) -> Fields | Broken:
    if len(row) != len(header):
        return Broken(f"{len(row)} columns where the header has {len(header)}")
    return {name: cell for name, cell in zip(header, row, strict=True) if cell.strip()}
