"""Phrasings: is a question understood as its writer meant it? Judged by its query, without answers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import ValidationError

from rag_qa.errors import EvaluationError, QuestionError
from rag_qa.evaluation.complaints import fail, first_complaint
from rag_qa.evaluation.datasets import CorpusSet, Text, file_hash, read_header
from rag_qa.evaluation.provenance import describe_run
from rag_qa.evaluation.retrieval_runs import Progress, means
from rag_qa.text.lines import read_json_lines
from rag_qa.types import Answer, EvalReport, Filter, MetadataField, Query, Value

SPLITS = ("dev", "heldout")
CURE = 'a line is {"id": "p1", "text": "papers by Bottou?", "kind": "which", "authors": ["Léon Bottou"]}'
# A question on a fact may be read as any of these kinds: all are answered from abstracts.
FACTS = frozenset({"fact", "yesno", "comparison"})

Kind = Literal["which", "fact", "yesno", "comparison", "count", "metadata"]


class Phrasing(Value):
    """A question with its meaning. `foreign` are authors that the index lacks; `topic` are words to search for."""

    id: Text
    text: Text
    kind: Kind
    authors: tuple[Text, ...] = ()
    venues: tuple[Text, ...] = ()
    since: int | None = None
    until: int | None = None
    wanted: tuple[MetadataField, ...] = ()
    topic: tuple[Text, ...] = ()
    foreign: tuple[Text, ...] = ()
    gold: tuple[Text, ...] = ()

    @property
    def filter(self) -> Filter:
        """The filter that the question means."""
        return Filter(authors=self.authors, venues=self.venues, since=self.since, until=self.until)


class PhrasingSet(CorpusSet):
    """Phrasings of questions about a corpus."""

    phrasings: tuple[Phrasing, ...]


class Reader(Protocol):
    """The part of an assistant that phrasings use."""

    def understand(self, question: str, /, *, history: Sequence[Answer] = ()) -> Query: ...

    def passing(self, filter: Filter, /) -> frozenset[str]: ...


def is_phrasing_set(folder: Path) -> bool:
    """Return whether a folder holds phrasings."""
    return any((folder / f"{split}.jsonl").is_file() for split in SPLITS)


def load_phrasings(folder: Path, *, split: str | None = None) -> PhrasingSet:
    """Read `set.toml` and `SPLIT.jsonl` ("dev" by default). Raises EvaluationError naming file and cure."""
    files = [Path(folder) / "set.toml", Path(folder) / f"{split or SPLITS[0]}.jsonl"]
    if not files[1].is_file():
        raise EvaluationError(f"{files[1]} is missing; name a split that is there with --split")
    header = read_header(files[0])
    phrasings = []
    for number, record in read_json_lines(files[1], EvaluationError):
        try:
            phrasings.append(Phrasing.model_validate(record))
        except ValidationError as exc:
            fail(files[1], number, first_complaint(exc), CURE)
    return PhrasingSet(
        **header.model_dump() | {"name": f"{header.name}-{split or SPLITS[0]}"},
        folder=Path(folder),
        phrasings=tuple(phrasings),
        sha256=file_hash(files),
    )


def run_phrasings(reader: Reader, judged: PhrasingSet, *, progress: Progress | None = None) -> EvalReport:
    """Understand every phrasing and report `understood`, the share that is right in every part, also by kind.

    The parts are `kind`, `filter` (the same papers pass), `wanted` (the metadata asked for), `foreign` (a query for
    an unknown author finds nothing) and `topic` (its words are still searched). Each is a share too.
    """
    rows = []
    for done, phrasing in enumerate(judged.phrasings, 1):
        rows.append(_row(reader, phrasing))
        if progress:
            progress(done, len(judged.phrasings))
    kinds = dict.fromkeys(row["kind"] for row in rows)
    by_kind = {kind: means([row for row in rows if row["kind"] == kind]) for kind in kinds}
    return EvalReport(
        name=judged.name,
        scores=means(rows) | {f"understood/{kind}": scores["understood"] for kind, scores in by_kind.items()},
        per_query=tuple(rows),
        provenance=describe_run() | {"set_sha256": judged.sha256, "phrasings": len(rows)},
    )


def _row(reader: Reader, phrasing: Phrasing) -> dict[str, Any]:
    row = {"id": phrasing.id, "text": phrasing.text, "kind": phrasing.kind}
    try:
        query = reader.understand(phrasing.text)
    except QuestionError as exc:
        return row | {"problem": str(exc), "scores": {"understood": 0.0}}
    right = _right(reader, phrasing, query)
    return row | {
        "query": query.model_dump(mode="json", exclude_defaults=True),
        "scores": {name: float(value) for name, value in right.items()}
        | {"understood": float(all(right.values()))},
    }


def _right(reader: Reader, phrasing: Phrasing, query: Query) -> Mapping[str, bool]:
    """Return which parts of a phrasing were understood."""
    kind = kind_of(query)
    nothing = bool(query.nothing)
    return {
        "kind": kind == phrasing.kind or (phrasing.kind == "fact" and kind in FACTS),
        "filter": nothing or reader.passing(query.filter) == reader.passing(phrasing.filter),
        "wanted": set(query.wanted) == set(phrasing.wanted),
        "foreign": nothing == bool(phrasing.foreign),
        "topic": nothing or all(word.casefold() in query.topic.casefold() for word in phrasing.topic),
    }


def kind_of(query: Query) -> str:
    """Return the kind of a query in the words of phrasings: counts and metadata are kinds, a number is a fact."""
    if query.counts:
        return "count"
    if query.wanted:
        return "metadata"
    return "fact" if query.kind in ("number", "metadata") else query.kind
