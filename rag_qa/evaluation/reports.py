"""Write, read and print reports: JSON that compares line by line, and Markdown tables."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rag_qa.errors import EvaluationError
from rag_qa.evaluation.complaints import first_complaint
from rag_qa.evaluation.significance import DIGITS
from rag_qa.types import EvalReport

TIMES = ("seconds_median", "seconds_p95")
SECONDS = frozenset({"seconds_first", *TIMES})
HEADLINES = (
    "recall@5",
    "mrr@10",
    "ndcg@10",
    "key_facts_shown",
    "key_facts_prose",
    "key_facts_cited",
    "yesno_accuracy",
    "list_precision",
    "list_recall",
    "paper_precision",
    "paper_recall",
    "words_shown",
    "words_prose",
    "quote_exactness",
    "invalid_citations",
    "near_answered",
    "far_answered",
    "answerable_refused",
    "abstention_precision",
    "abstention_recall",
    "abstention_auroc",
    "abstention_auroc/near",
    "abstention_auroc/far",
    "citation_recall",
    "citation_precision",
    "faithfulness",
    "seconds_median",
)
BY_KIND = (
    "resolution",
    "leaks",
    "metadata",
    "recall@5",
    "paper_recall",
    "key_facts_shown",
    "key_facts_prose",
    "list_precision",
    "list_recall",
    "words_shown",
    "citation_recall",
    "citation_precision",
    "refused",
    "abstention_auroc",
)
# Given by the same judge that let the sentences through, so no evidence of their own.
OWN_JUDGE = frozenset({"citation_recall", "citation_precision", "faithfulness"})
DIFFERENCE = ("difference", "95% interval", "questions")
REPORT_CURE = "write it with `rag-qa eval`"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def to_json(report: EvalReport) -> str:
    """Return the report as JSON, with sorted keys and floats of 6 digits, so that reports compare line by line.

    Raises ValueError for a score that is not a finite number.
    """
    content = _rounded(report.model_dump(mode="json"))
    return json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def write_results(report: EvalReport, folder: Path) -> Path:
    """Write `folder/NAME.json` and return its path; a missing folder is made.

    Raises EvaluationError if it cannot be written.
    """
    path = Path(folder) / f"{report.name}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_json(report), "utf-8")
    except OSError as exc:
        raise EvaluationError(
            f"{path} cannot be written ({exc}); name another folder with --results"
        ) from exc
    return path


def read_results(path: Path) -> EvalReport:
    """Read a report written by `write_results`. Raises EvaluationError if it is none."""
    try:
        return EvalReport.model_validate_json(Path(path).read_text("utf-8"))
    except ValidationError as exc:
        raise EvaluationError(f"{path} is not a report ({first_complaint(exc)}); {REPORT_CURE}") from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise EvaluationError(f"{path} cannot be read ({exc}); {REPORT_CURE}") from exc


def render(report: EvalReport) -> str:
    """Return the report as Markdown tables: scores in total, by kind of question, and seconds by stage."""
    total = {name: value for name, value in report.scores.items() if "/" not in name}
    names = [name for name in sorted(total, key=score_order) if name not in SECONDS]
    scores = [
        [labelled(name), shown(name, total[name]), *_interval(report, name), *_difference(report, name)]
        for name in names
    ]
    header = [
        "score",
        "value",
        *(["95%"] if report.intervals else []),
        *(DIFFERENCE if report.differences else ()),
    ]
    parts = [f"{report.name}: {len(report.per_query)} questions", _table(header, scores)]
    if report.differences:
        file = report.provenance.get("baseline", {}).get("file", "the baseline")
        parts.append(f"Differences are to {file}: means over the questions that have the score in both.")
    if kinds := _kinds(report):
        parts.append(_table(["kind", "questions", *_columns(report)], kinds))
    if any(name in total for name in TIMES):
        parts.append(_table(["seconds", "median", "p95"], _stages(report)))
    if "seconds_first" in total:
        parts.append(f"The first question, with loading, took {total['seconds_first']:.3f} s.")
    if cached := _from_cache(report):
        parts.append(cached)
    if missing := report.provenance.get("gold_not_in_index"):
        parts.append(f"Not in the index, and counted as not found: {len(missing)} gold papers.")
    return "\n\n".join(parts) + "\n"


def labelled(name: str) -> str:
    """Return a score's name, marked if our own judge gives it."""
    return f"{name} (own judge)" if name in OWN_JUDGE else name


def _interval(report: EvalReport, name: str) -> list[str]:
    """The cell of a score's interval; no cell if the report has no intervals."""
    if not report.intervals:
        return []
    return [_bounds(report, name).strip() or "-"]


def _bounds(report: EvalReport, name: str) -> str:
    if name not in report.intervals:
        return ""
    low, high = report.intervals[name]
    return f" [{shown(name, low)}, {shown(name, high)}]"


def _from_cache(report: EvalReport) -> str:
    """Say how many calls of the language model came from the cache, and what was timed; "" if none did."""
    cached = sum(row.get("cached_calls", 0) for row in report.per_query)
    if not cached:
        return ""
    asked = sum(row.get("model_calls", 0) for row in report.per_query)
    timed = sum(not row.get("cached_calls") for row in report.per_query)
    return (
        f"From the cache: {cached} of {asked} calls of the language model; seconds are those of the "
        f"{timed} questions without. `--no-cache` measures speed."
    )


def _difference(report: EvalReport, name: str) -> list[str]:
    """The cells of a score's difference; no cells if the report has no baseline."""
    if not report.differences:
        return []
    if (interval := report.differences.get(name)) is None:
        return ["-", "-", "-"]
    return [
        f"{interval.difference:+.3f}",
        f"[{interval.low:+.3f}, {interval.high:+.3f}]",
        str(interval.n),
    ]


def score_order(name: str) -> tuple[int, str]:
    """Return the sort key of a score: headlines first, in their order, then the others by name."""
    return (HEADLINES.index(name) if name in HEADLINES else len(HEADLINES), name)


def _kinds(report: EvalReport) -> list[list[str]]:
    counts: dict[str, int] = {}
    for row in report.per_query:
        if "kind" in row:
            counts[row["kind"]] = counts.get(row["kind"], 0) + 1
    return [
        [kind, str(count), *(shown(name, report.scores.get(f"{name}/{kind}")) for name in _columns(report))]
        for kind, count in counts.items()
    ]


def _columns(report: EvalReport) -> list[str]:
    """The scores by kind that the report has."""
    return [name for name in BY_KIND if any(score.startswith(f"{name}/") for score in report.scores)]


def _stages(report: EvalReport) -> list[list[str]]:
    prefix = f"{TIMES[0]}/"
    stages = [name.removeprefix(prefix) for name in report.scores if name.startswith(prefix)]
    rows = [["question", *(shown(name, report.scores.get(name)) for name in TIMES)]]
    return rows + [
        [stage, *(shown(name, report.scores.get(f"{name}/{stage}")) for name in TIMES)] for stage in stages
    ]


def shown(name: str, value: float | None) -> str:
    """Return a score as text: three digits, none for a count, and a dash if it does not apply."""
    if value is None:
        return "-"
    return f"{value:.0f}" if name.startswith(("invalid", "words")) else f"{value:.3f}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(header))]
    lines = [f"| {' | '.join(c.ljust(w) for c, w in zip(row, widths, strict=True))} |" for row in cells]
    return "\n".join([lines[0], f"|{'|'.join('-' * (w + 2) for w in widths)}|", *lines[1:]])


def summary(reports: Iterable[EvalReport]) -> str:
    """Return one table over several sets: a column each of headline scores, model, hardware, commit and date.

    Each score is followed by its 95% interval. Reports without a headline score (conversations) have no column, and
    scores that no report has have no row.
    """
    headed = [report for report in reports if report.scores.keys() & set(HEADLINES)]
    rows = [
        [labelled(name), *(shown(name, r.scores.get(name)) + _bounds(r, name) for r in headed)]
        for name in HEADLINES
        if any(name in r.scores for r in headed)
    ]
    rows += [[what, *(say(r.provenance) for r in headed)] for what, say in MEASURED.items()]
    return _table(["score", *(r.name for r in headed)], rows)


MEASURED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "language model": lambda said: str(said.get("answers", {}).get("generator.name", "none")),
    "machine": lambda said: f"{said.get('processor', '?')}, {said.get('cores', '?')} cores",
    "commit": lambda said: f"{said.get('commit') or said.get('rag_qa', '?')}"[:12],
    "date": lambda said: str(said.get("date", "?"))[:10],
}


def fill_readme(readme: Path, results: Path) -> bool:
    """Write the summary of all results between the two marks of a README; return False if it lacks the marks."""
    text = readme.read_text("utf-8") if readme.is_file() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return False
    table = summary(read_results(path) for path in sorted(results.glob("*.json")))
    readme.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")
    return True
