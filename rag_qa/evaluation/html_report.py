"""Show a report as one HTML page that needs nothing else: no script, no other file, readable in light and dark.

The template engine escapes every text, and invisible characters are shown as code points: questions, ids and reasons
may come from anywhere.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from rag_qa.errors import EvaluationError
from rag_qa.evaluation.metrics import RiskPoint, risk_coverage
from rag_qa.evaluation.reports import BY_KIND, SECONDS, TIMES, score_order, shown
from rag_qa.types import EvalReport, Value

TEMPLATE = "report.html.jinja"
MAX_FAILURES = 200
# What XML and HTML forbid or browsers hide: controls, bidirectional marks, lone surrogates, non-characters.
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufdd0-\ufdef"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
MEANINGS = {
    "recall@5": "gold papers among the first five found",
    "recall@10": "gold papers among the first ten found",
    "mrr@10": "1 / rank of the first gold paper",
    "ndcg@10": "discounted gain of the first ten",
    "paper_recall": "gold papers that the answer cites",
    "paper_precision": "cited papers that are gold",
    "citation_recall": "sentences supported by what they cite, by our own judge",
    "citation_precision": "citations that help support their sentence, by our own judge",
    "faithfulness": "sentences supported by any evidence of the answer, by our own judge",
    "quote_exactness": "quotes that are the text of their span, word for word",
    "invalid_citations": "citations that point at no text; a count",
    "key_facts_shown": "key facts in the answer or in the quotes under it",
    "key_facts_prose": "key facts that the prose alone states",
    "key_facts_cited": "key facts stated in prose that the quotes under it state too",
    "yesno_accuracy": "yes/no questions whose answer begins with the right word",
    "list_precision": "listed papers that are gold",
    "list_recall": "gold papers that are listed",
    "words_shown": "words shown, quotes under prose included; a median",
    "words_prose": "words that the language model wrote; a median",
    "abstention_auroc": "area under the ROC curve of the confidence, answerable questions against all others",
    "abstention_auroc/near": "the same against near questions alone",
    "abstention_auroc/far": "the same against far questions alone",
    "near_answered": "questions on the papers' topics without an answer that are answered",
    "far_answered": "questions off the papers' topics that are answered",
    "abstention_precision": "refused questions that have no answer",
    "abstention_recall": "questions without an answer that are refused",
    "answerable_refused": "questions with an answer that are refused",
    "refused": "questions that are refused",
    "resolution": "follow-up questions resolved to what they mean",
    "leaks": "turns that stand alone to which something was added",
    "metadata": "answers that hold the expected metadata",
    "seconds_median": "median seconds to an answer; cached ones are not timed",
}

Row = Mapping[str, Any]


class Failure(Value):
    """A question that went wrong: its row, and its faults in words, worst first."""

    row: Mapping[str, Any]
    faults: tuple[str, ...]


class Bar(Value):
    """A stage's seconds, median and 95th percentile, and both as shares of the longest bar."""

    name: str
    median: float
    p95: float
    median_share: float
    p95_share: float


def to_html(report: EvalReport) -> str:
    """Return the report as an HTML page."""
    failures, columns = find_failures(report), _columns(report)
    page: str = _template().render(
        report=report,
        failures=failures[:MAX_FAILURES],
        failed=len(failures),
        facts=_flat(report.provenance),
        scores=_score_names(report),
        meanings=MEANINGS,
        shown=shown,
        columns=columns,
        kinds=_kinds(report, columns),
        bars=_bars(report),
        curve=confidence_curve(report.per_query),
    )
    return page


def write_html(report: EvalReport, path: Path) -> Path:
    """Write the page and return its path; missing folders are made.

    Raises EvaluationError if it cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_html(report), "utf-8")
    except OSError as exc:
        raise EvaluationError(f"{path} cannot be written ({exc}); name another file with --html") from exc
    return path


# --- failures


def find_failures(report: EvalReport) -> list[Failure]:
    """Return the questions that went wrong, worst first.

    They are sorted by how much they have of each kind of fault, in the order of FAULTS. Equals stay in the set's order.
    """
    extents = [(row, [extent(row) for extent in FAULTS.values()]) for row in report.per_query]
    failed = [(row, found) for row, found in extents if any(extent > 0 for extent in found)]
    failed.sort(key=lambda pair: [-extent for extent in pair[1]])
    return [
        Failure(row=row, faults=tuple(name for name, extent in zip(FAULTS, found, strict=True) if extent > 0))
        for row, found in failed
    ]


def _short_of_one(*names: str) -> Callable[[Row], float]:
    """How far an answered question falls short of 1 in the first of these scores that it has."""

    def extent(row: Row) -> float:
        value = next((row["scores"][name] for name in names if name in row["scores"]), 1.0)
        return 0.0 if row.get("refused") else 1.0 - value

    return extent


FAULTS: Mapping[str, Callable[[Row], float]] = {
    "invalid citations": lambda row: row["scores"].get("invalid_citations", 0),
    "quotes that are not exact": _short_of_one("quote_exactness"),
    "unsupported sentences": _short_of_one("citation_recall"),
    "refused, though papers answer it": lambda row: row["scores"].get("answerable_refused", 0),
    "answered, though no paper answers it": lambda row: 1 - row["scores"].get("abstention_recall", 1),
    "gold papers missed": _short_of_one("paper_recall", "recall@100", "recall@20"),
    "key facts missed": _short_of_one("key_facts_shown"),
    "misread as a follow-up": _short_of_one("resolution"),
    "metadata missing": _short_of_one("metadata"),
}


# --- tables and curves


def confidence_curve(rows: Sequence[Row]) -> tuple[RiskPoint, ...]:
    """Return the risk–coverage curve of the questions with a confidence; risk is the share without an answer."""
    sure = [row for row in rows if row.get("confidence") is not None]
    if not sure:
        return ()
    return risk_coverage([row["confidence"] for row in sure], [not row["answerable"] for row in sure]).points


def _score_names(report: EvalReport) -> list[str]:
    return sorted(
        (name for name in report.scores if "/" not in name and name not in SECONDS), key=score_order
    )


def _columns(report: EvalReport) -> list[str]:
    return [name for name in BY_KIND if any(score.startswith(f"{name}/") for score in report.scores)]


def _kinds(report: EvalReport, columns: Sequence[str]) -> list[tuple[str, int, list[str]]]:
    """Each kind of question with its number and its scores."""
    kinds = [row["kind"] for row in report.per_query if "kind" in row]
    return [
        (kind, kinds.count(kind), [shown(name, report.scores.get(f"{name}/{kind}")) for name in columns])
        for kind in dict.fromkeys(kinds)
    ]


def _bars(report: EvalReport) -> list[Bar]:
    """The whole answer's seconds, then each stage's."""
    median, p95 = TIMES
    if median not in report.scores:
        return []
    stages = [name.partition("/")[2] for name in report.scores if name.startswith(f"{median}/")]
    found = [("question", report.scores[median], report.scores.get(p95, 0.0))]
    found += [(s, report.scores[f"{median}/{s}"], report.scores.get(f"{p95}/{s}", 0.0)) for s in stages]
    longest = max(max(times) for _, *times in found) or 1.0
    return [
        Bar(name=name, median=m, p95=p, median_share=m / longest, p95_share=p / longest)
        for name, m, p in found
    ]


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested provenance as rows, without empty values."""
    rows: list[tuple[str, str]] = []
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            rows += [(f"{prefix}{key}", ", ".join(map(str, value)))] if value else []
        elif value is not None and value != "":
            rows.append((f"{prefix}{key}", str(value)))
    return rows


def _visible(value: object) -> object:
    """A text with its invisible characters as code points."""
    if not isinstance(value, str):
        return value
    return UNSEEN.sub(lambda character: f"\N{REPLACEMENT CHARACTER}{ord(character.group()):04X}", value)


@cache
def _template() -> Any:
    # Imported here, since no other command needs it.
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, finalize=_visible, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string((files("rag_qa.evaluation") / TEMPLATE).read_text(encoding="utf-8"))
