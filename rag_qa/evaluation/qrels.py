"""Read relevance judgments (query → document → grade) from a tab-separated file with a header line."""

from collections.abc import Collection, Mapping
from pathlib import Path

from rag_qa.errors import EvaluationError
from rag_qa.evaluation.complaints import fail
from rag_qa.text.lines import read_lines

Grades = Mapping[str, int]
Qrels = Mapping[str, Grades]

HEADERS = (["query_id", "doc_id", "relevance"], ["query_id", "corpus_id", "score"])
HEADER_CURE = "begin the file with `query_id<TAB>doc_id<TAB>relevance`"
ROW_CURE = "write query id, document id and a whole number, separated by tabs"


def read_qrels(path: Path, *, queries: Collection[str] | None = None) -> dict[str, dict[str, int]]:
    """Read judgments; the header is ours or BEIR's (`query-id corpus-id score`).

    With `queries` given, a judgment for any other query is an error. Raises EvaluationError naming file and
    line of a missing header, a broken row or a pair judged twice.
    """
    qrels: dict[str, dict[str, int]] = {}
    lines = read_lines(path, EvaluationError)
    number, header = next(lines, (1, ""))
    if [name.strip().lower().replace("-", "_") for name in header.split("\t")] not in HEADERS:
        fail(path, number, "no header line", HEADER_CURE)
    for number, text in lines:
        query, document, grade = _row(path, number, text)
        if queries is not None and query not in queries:
            fail(path, number, f"judges the unknown query {query!r}", "correct the id or add the query")
        if document in qrels.setdefault(query, {}):
            fail(
                path, number, f"judges {query!r} and {document!r} a second time", "remove one of the two rows"
            )
        qrels[query][document] = grade
    return qrels


def _row(path: Path, number: int, text: str) -> tuple[str, str, int]:
    fields = [field.strip() for field in text.split("\t")]
    if len(fields) != 3 or not all(fields):
        fail(path, number, f"{len(fields)} fields instead of three that are not empty", ROW_CURE)
    try:
        return fields[0], fields[1], int(fields[2])
    except ValueError:
        fail(path, number, f"the relevance {fields[2]!r} is not a whole number", ROW_CURE)


def gold(grades: Grades) -> frozenset[str]:
    """Return the ids of the relevant documents: grade 1 and above."""
    return frozenset(document for document, grade in grades.items() if grade >= 1)
