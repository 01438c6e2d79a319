"""Tables with a header line: CSV, TSV, and cells separated by semicolons or bars. Read by the csv module."""

import csv
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import Any

from rag_qa.corpus.fields import plain_name
from rag_qa.corpus.lookup import ABSTRACT_NAMES, TITLE_NAMES, Fields
from rag_qa.corpus.records import Broken

# Longer than any abstract; at the default of 131,072 one pasted paper would end the file.
MAX_FIELD = 2**24
# Excel writes "sep=;" before the header, Dimensions a line about the source of the data.
LINES_BEFORE_HEADER = 10
# How many lines are read again because of unclosed quotation marks, for each line of the table and at least. Then the
# rest is read line by line, so that a table full of such marks takes linear time.
PATIENCE = 4
LEAST_PATIENCE = 10_000
LONGEST_HEADER = 10_000
_KNOWN = ABSTRACT_NAMES | TITLE_NAMES


def looks_like_csv(text: str) -> bool:
    """Return whether one of the first lines is a header with an abstract or a title, separated by , ; or |."""
    return _find_header(text, ",;|") is not None


def looks_like_tsv(text: str) -> bool:
    """Return whether one of the first lines is a header with an abstract or a title, separated by tabs."""
    return _find_header(text, "\t") is not None


def csv_records(text: str) -> Iterator[Fields | Broken]:
    """Yield the rows of a table with cells separated by commas, semicolons or bars."""
    yield from _records(text, ",;|")


def tsv_records(text: str) -> Iterator[Fields | Broken]:
    """Yield the rows of a table with cells separated by tabs."""
    yield from _records(text, "\t")


def _records(text: str, delimiters: str) -> Iterator[Fields | Broken]:
    at, delimiter = _find_header(text, delimiters) or (0, delimiters[0])
    body = text[at:].replace("\0", "\ufffd")
    yield from _rows(body, delimiter, quoted=not _has_stray_quotes(body, delimiter))


def _find_header(text: str, delimiters: str) -> tuple[int, str] | None:
    """Return the offset and the delimiter of the header: the first line with a known field name."""
    at = 0
    for line in text[: LINES_BEFORE_HEADER * LONGEST_HEADER].split("\n")[:LINES_BEFORE_HEADER]:
        known = {
            delimiter: len(_names(line, delimiter) & _KNOWN) for delimiter in delimiters if delimiter in line
        }
        best = max(known, key=lambda delimiter: (known[delimiter], line.count(delimiter)), default="")
        if best and known[best] and len(line) <= LONGEST_HEADER:
            return at, best
        at += len(line) + 1
    return None


def _names(line: str, delimiter: str) -> set[str]:
    return {plain_name(name.strip(' "\ufeff')) for name in line.split(delimiter)}


def _has_stray_quotes(body: str, delimiter: str) -> bool:
    """Return whether quotation marks are plain text, as in Web of Science, so that every line is a row.

    They are if lines have as many cells as the header although some cell begins with an unpaired mark.
    """
    if delimiter != "\t" or '"' not in body:
        return False
    rows = [line.rstrip("\t").split("\t") for line in body.split("\n") if line.strip()]
    width = len(rows[0]) if rows else 0
    begun = any(
        cell.startswith('"') and not (len(cell) > 1 and cell.endswith('"')) for row in rows for cell in row
    )
    return (
        begun
        and all(len(row) <= width for row in rows)
        and sum(len(row) == width for row in rows) > len(rows) / 2
    )


def _rows(text: str, delimiter: str, *, quoted: bool) -> Iterator[Fields | Broken]:
    """Yield the rows below the header; the header of a second table joined to the first replaces it."""
    csv.field_size_limit(MAX_FIELD)
    lines = [f"{line}\n" for line in text.split("\n")]
    header: list[str] = []
    for row in _cells(lines, delimiter, csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE):
        if isinstance(row, Broken):
            yield row
        elif any(cell.strip() for cell in row):
            if not header or {plain_name(cell) for cell in row} == {plain_name(name) for name in header}:
                header = [name.strip("\ufeff ") for name in row]
            else:
                yield _as_record(header, row)


def _cells(lines: list[str], delimiter: str, quoting: Any) -> Iterator[list[str] | Broken]:
    """Yield the cells of each row. An unclosed quotation mark spoils its own line only."""

    def read_lines(some: Iterable[str], *, strict: bool = False) -> Any:
        return csv.reader(some, delimiter=delimiter, quoting=quoting, skipinitialspace=True, strict=strict)

    def read(at: int, *, strict: bool) -> Any:
        return read_lines((lines[n] for n in range(at, len(lines))), strict=strict)

    at = width = 0
    patience = max(LEAST_PATIENCE, PATIENCE * len(lines))
    while at < len(lines):
        if patience < 0:
            yield from _alone(lines[at:], read_lines)
            return
        rows = read(at, strict=True)
        done = 0
        try:
            for row in rows:
                yield row
                done, width = rows.line_num, max(width, len(row))
            return
        except csv.Error:
            patience -= rows.line_num - done
            at += done
        # In lenient mode a row with bare quotation marks is read whole; if not, its first line is read alone.
        kind = read(at, strict=False)
        try:
            row, used = next(kind), kind.line_num
            patience -= used
            alone = [next(read_lines([line])) for line in lines[at : at + used]]
            if used > 1 and (len(row) != width or (len(alone[0]) > 1 and width in map(len, alone[1:]))):
                row, used = alone[0], 1
            yield row
            at += used
        except (csv.Error, StopIteration) as exc:
            patience -= kind.line_num
            yield Broken(f"not a readable row ({exc})")
            at += 1


def _alone(lines: list[str], read_lines: Callable[[Iterable[str]], Any]) -> Iterator[list[str] | Broken]:
    """Yield the cells of each line, read alone."""
    for line in lines:
        try:
            yield next(read_lines([line]))
        except (csv.Error, StopIteration) as exc:
            yield Broken(f"not a readable row ({exc})")


def _as_record(header: list[str], row: list[str]) -> Fields | Broken:
    """Return a row under the names of the header; empty cells at its end may be missing or too many."""
    while len(row) > len(header) and not row[-1].strip():
        row = row[:-1]
    if len(row) > len(header):
        return Broken(f"{len(row)} columns, but the header has {len(header)}")
    cells = zip_longest(header, row, fillvalue="")
    return {name: cell for name, cell in cells if name.strip() and cell.strip()}
