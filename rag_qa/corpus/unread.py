"""Files that hold no readable papers: what kind of file it is, and what to do instead. Rows are tried in order."""

import re
from typing import NamedTuple

SNIFFED = 20_000
EXPORT = "export BibTeX or RIS with the abstracts"
FROM_MANAGER = f"{EXPORT} from your reference manager"
UNPACK = "unpack it and name the folder"
TAR_AT = 257
AS_TEXT = f"save the abstracts as plain text, or {FROM_MANAGER}"
AS_TABLE = "save it as CSV or JSON Lines"
NO_PAPERS = "it holds no abstracts; leave it out"


class UnreadKind(NamedTuple):
    """A kind of file: bytes that it has at offset `at`, bytes that it `holds` anywhere, its name, and what to do."""

    begins: bytes
    what: str
    cure: str
    at: int = 0
    holds: bytes = b"\0"


KINDS = (
    UnreadKind(b"%PDF-", "a PDF that could not be read", FROM_MANAGER, holds=b""),
    UnreadKind(b"PK\x03\x04", "a Word document (.docx)", AS_TEXT, holds=b"word/document.xml"),
    UnreadKind(b"PK\x03\x04", "an Excel workbook (.xlsx)", "save it as CSV UTF-8", holds=b"xl/workbook"),
    UnreadKind(b"PK\x03\x04", "a presentation (.pptx)", AS_TEXT, holds=b"ppt/presentation"),
    UnreadKind(b"PK\x03\x04", "an e-book (.epub)", AS_TEXT, holds=b"application/epub"),
    UnreadKind(
        b"PK\x03\x04", "an OpenDocument table (.ods)", "save it as CSV", holds=b"opendocument.spreadsheet"
    ),
    UnreadKind(b"PK\x03\x04", "an OpenDocument text (.odt)", AS_TEXT, holds=b"opendocument"),
    UnreadKind(b"PK\x03\x04", "a NumPy archive (.npz)", NO_PAPERS, holds=b".npy"),
    UnreadKind(b"PK\x03\x04", "a ZIP archive", UNPACK),
    UnreadKind(
        b"\xd0\xcf\x11\xe0", "an old Office document (.doc, .xls)", f"save tables as CSV; for texts {AS_TEXT}"
    ),
    UnreadKind(b"BZh", "a bzip2 archive", UNPACK),
    UnreadKind(b"\xfd7zXZ", "an xz archive", UNPACK),
    UnreadKind(b"7z\xbc\xaf", "a 7-Zip archive", UNPACK),
    UnreadKind(b"Rar!", "a RAR archive", UNPACK),
    UnreadKind(b"\x28\xb5\x2f\xfd", "a Zstandard archive", UNPACK),
    UnreadKind(b"ustar", "a tar archive", UNPACK, at=TAR_AT),
    UnreadKind(b"{\\rtf", "a rich text document (.rtf)", AS_TEXT, holds=b""),
    UnreadKind(b"%!PS", "a PostScript file", FROM_MANAGER, holds=b""),
    UnreadKind(b"AT&TFORM", "a scanned document (.djvu)", FROM_MANAGER),
    UnreadKind(b"\x89PNG", "a picture (PNG)", NO_PAPERS),
    UnreadKind(b"\xff\xd8\xff", "a picture (JPEG)", NO_PAPERS),
    UnreadKind(b"GIF8", "a picture (GIF)", NO_PAPERS),
    UnreadKind(b"II*\0", "a picture (TIFF)", NO_PAPERS),
    UnreadKind(b"MM\0*", "a picture (TIFF)", NO_PAPERS),
    UnreadKind(b"WEBP", "a picture (WebP)", NO_PAPERS, at=8),
    UnreadKind(b"RIFF", "sound or film", NO_PAPERS),
    UnreadKind(b"ftyp", "sound, film or a picture", NO_PAPERS, at=4),
    UnreadKind(b"ID3", "sound (MP3)", NO_PAPERS),
    UnreadKind(b"OggS", "sound or film", NO_PAPERS),
    UnreadKind(b"fLaC", "sound (FLAC)", NO_PAPERS),
    UnreadKind(b"\x1aE\xdf\xa3", "a film", NO_PAPERS),
    UnreadKind(b"SQLite format 3\0", "a database, such as Zotero's own", FROM_MANAGER),
    UnreadKind(b"PAR1", "a Parquet table", AS_TABLE),
    UnreadKind(b"ARROW1", "an Arrow table", AS_TABLE),
    UnreadKind(b"\x89HDF", "an HDF5 file", AS_TABLE),
    UnreadKind(b"\x93NUMPY", "a NumPy array", NO_PAPERS),
    UnreadKind(b"\x80\x04\x95", "a Python pickle", AS_TABLE),
    UnreadKind(b"GGUF", "a language model", NO_PAPERS),
    UnreadKind(b"\x7fELF", "a program", NO_PAPERS),
    UnreadKind(b"MZ\x90\0", "a program", NO_PAPERS),
)
# Kinds of text by how they begin, after comments and declarations.
TEXTS = (
    (re.compile(r"<!doctype html|<html\b|<head\b|<body\b", re.I), "a web page", f"{EXPORT} from that site"),
    (re.compile(r"<rdf:RDF\b", re.I), "RDF", FROM_MANAGER),
    (re.compile(r"<(?:\w+:)?modsCollection\b"), "MODS", FROM_MANAGER),
    (re.compile(r"<TEI\b"), "TEI, a full text", FROM_MANAGER),
    (re.compile(r"<svg\b"), "a picture (SVG)", NO_PAPERS),
    (re.compile(r"<opml\b"), "a list of feeds (OPML)", FROM_MANAGER),
    (re.compile(r"<xml\b[^>]*>\s*<records\b"), "EndNote's XML", f"{EXPORT} from EndNote"),
    (re.compile(r"<(?P<name>[A-Za-z_][\w:.-]*)"), "XML in no known format (<{name}>)", FROM_MANAGER),
    (
        re.compile(r"\\(?:documentclass|documentstyle|begin\{document\}|input\b|section\b)"),
        "LaTeX",
        f"index its .bib instead, or {FROM_MANAGER}",
    ),
    (
        re.compile(r"\\begin\{thebibliography\}"),
        "a list of references without abstracts",
        "name the .bib instead",
    ),
    (re.compile(r"---\s*\n(?:[\w-]+:|- )|(?:references|cff-version):"), "YAML", FROM_MANAGER),
    (re.compile(r"(?:From|Received|Return-Path|MIME-Version|Message-ID): ", re.I), "an e-mail", AS_TEXT),
    (re.compile(r"#!|import \w|from \w+ import|def \w+\(|#include\b"), "a program", NO_PAPERS),
)
_BEFORE = re.compile(
    r"\s*(?:<\?xml[^>]*\?>|<!--.*?-->|<!DOCTYPE\s(?!html)[^>\[]*(?:\[.*?\])?>|%[^\n]*\n)", re.S | re.I
)
# What separates the cells of tables, and how many a line needs: more than prose has.
DELIMITERS = (("\t", 1), (",", 2), (";", 2), ("|", 2))
SHOWN_COLUMNS = 8
MOST_BEFORE = 20


def unread_bytes(raw: bytes) -> str | None:
    """Return the kind of a binary file and what to do instead, or None if it may be text."""
    kinds = (kind for kind in KINDS if raw.startswith(kind.begins, kind.at) and kind.holds in raw)
    return next((f"{kind.what}: {kind.cure}" for kind in kinds), None)


def unread_text(text: str) -> str:
    """Return the kind of a text in no known format, as far as it can be seen, and what to do instead."""
    beginning = _without_comments(text[:SNIFFED])
    if not beginning:
        return "empty file"
    for pattern, what, cure in TEXTS:
        if match := pattern.match(beginning):
            return f"{what.format(**match.groupdict())}: {cure}"
    if text.startswith("ustar", TAR_AT):
        return f"a tar archive: {UNPACK}"
    if "\x00" in text:
        return f"binary data in no known format: {FROM_MANAGER}"
    if names := _columns(beginning):
        shown = ", ".join(names[:SHOWN_COLUMNS]) + (", …" if len(names) > SHOWN_COLUMNS else "")
        return (
            f"a table without a column called title or abstract ({shown}): name the columns in its first line, "
            f"or {EXPORT}"
        )
    return f"text in no known format: {EXPORT}, or begin each abstract with “Abstract:”"


def _columns(text: str) -> list[str]:
    """Return the cells of the first line if the second has as many, which suggests a table."""
    lines = [line for line in text[:SNIFFED].split("\n") if line.strip()][:2]
    for delimiter, least in DELIMITERS:
        counts = {line.count(delimiter) for line in lines}
        if len(lines) == 2 and len(counts) == 1 and min(counts) >= least:
            return [name.strip(' "') for name in lines[0].split(delimiter)]
    return []


def _without_comments(text: str) -> str:
    for _ in range(MOST_BEFORE):
        match = _BEFORE.match(text)
        if match is None:
            break
        text = text[match.end() :]
    return text.lstrip("\ufeff \t\r\n")
