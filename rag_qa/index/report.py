"""The report of an indexing run, from what became of each record."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import get_args

from rag_qa.errors import SkippedRecordsError
from rag_qa.types import Fate, FateName, IndexReport, Skipped

MAX_SHOWN_SKIPS = 5
NO_ENCODINGS: Mapping[str, str] = {}


def make_report(
    fates: Sequence[Fate],
    *,
    removed: int,
    embedded: int,
    papers: int,
    seconds: float,
    encodings: Mapping[str, str] = NO_ENCODINGS,
) -> IndexReport:
    """Return the report whose counts are those of the fates; see IndexReport for the other figures."""
    counts = Counter(fate.fate for fate in fates)
    skipped = [fate for fate in fates if fate.fate == "skipped"]
    return IndexReport(
        found=len(fates),
        read=len(fates) - len(skipped),
        **{name: counts[name] for name in get_args(FateName)},
        removed=removed,
        skips=tuple(Skipped(path=s.path, record=s.record, reason=s.reason or "") for s in skipped),
        fates=tuple(fates),
        encodings=encodings,
        embedded=embedded,
        papers=papers,
        seconds=seconds,
    )


def refuse_skips(fates: Sequence[Fate]) -> None:
    """Raise SkippedRecordsError, naming the first skipped records, if there is any."""
    skips = [fate for fate in fates if fate.fate == "skipped"]
    if skips:
        shown = "; ".join(f"{s.path}, record {s.record}: {s.reason}" for s in skips[:MAX_SHOWN_SKIPS])
        raise SkippedRecordsError(
            f"{len(skips)} records would be skipped ({shown}); correct them, or leave --strict out to skip them"
        )
