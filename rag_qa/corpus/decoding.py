"""Raw bytes → text: gzip by its magic number, byte-order marks, UTF-8, and Latin-1 where that fails."""

import codecs
import gzip
import zlib

GZIP_MAGIC = b"\x1f\x8b"
# UTF-32's little-endian mark begins with UTF-16's, so it is looked for first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode_bytes(raw: bytes) -> str:
    """Return the text of a file with line ends as "\\n"; raises ValueError when a gzip stream is damaged."""
    data = _unzip(raw)
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _newlines(data[len(mark) :].decode(encoding, errors="replace"))
    try:
        return _newlines(data.decode("utf-8"))
    except UnicodeDecodeError:
        # One bad line must not turn the accents of all others into mojibake.
        return _newlines("\n".join(_decode_line(line) for line in data.split(b"\n")))


def _unzip(raw: bytes) -> bytes:
    if not raw.startswith(GZIP_MAGIC):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as exc:
        raise ValueError(f"damaged gzip file ({exc})") from exc


def _decode_line(line: bytes) -> str:
    """Decode as UTF-8, else as what is called Latin-1 in practice: Windows-1252, which adds curly quotes."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
