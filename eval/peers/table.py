"""What was measured of the peers → figures, and the table in README.md."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from rag_qa.evaluation.facts import states
from rag_qa.evaluation.metrics import recall_at, reciprocal_rank_at

BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"
MIB = 2**20
TITLES = {
    "ours": "rag_qa",
    "ours_float32": "rag_qa, float32",
    "llamaindex": "LlamaIndex + Chroma",
    "langchain": "LangChain + Chroma",
    "txtai": "txtai",
    "paperqa": "PaperQA2",
}
# Heading, name of the figure, digits.
COLUMNS = (
    ("papers/s", "papers_s", 1),
    ("papers/s, whole process", "papers_s_whole", 1),
    ("R@5", "recall@5", 3),
    ("R@20", "recall@20", 3),
    ("MRR@10", "mrr@10", 3),
    ("first result, s", "first_s", 2),
    ("p50, ms", "p50_ms", 1),
    ("p95, ms", "p95_ms", 1),
    ("memory building, MiB", "build_mib", 0),
    ("memory searching, MiB", "search_mib", 0),
    ("disk, MiB", "disk_mib", 1),
)
ANSWER_COLUMNS = (
    ("seconds, median", "seconds", 1),
    ("valid citation", "valid", 2),
    ("cites a gold paper", "gold", 2),
    ("key facts in the text", "facts", 2),
    ("key facts shown", "facts_shown", 2),
    ("refused", "refused", 2),
)
FIGURES: Mapping[str, Callable[[Mapping[str, Any]], float]] = {
    "papers_s": lambda row: row["build"]["papers"] / row["build"]["seconds"],
    "papers_s_whole": lambda row: row["build"]["papers"] / row["build"]["seconds_whole"],
    "first_s": lambda row: row["search"]["first_s"],
    "p50_ms": lambda row: float(np.quantile(row["search"]["milliseconds"], 0.5)),
    "p95_ms": lambda row: float(np.quantile(row["search"]["milliseconds"], 0.95)),
    "build_mib": lambda row: row["build"]["peak_mib"],
    "search_mib": lambda row: row["search"]["peak_mib"],
    "disk_mib": lambda row: row["build"]["disk_bytes"] / MIB,
}


def summarise(rows: Sequence[Mapping[str, Any]], gold: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return each figure of a system, repeat by repeat, and the versions of its packages."""
    figures = {name: [figure(row) for row in rows] for name, figure in FIGURES.items()}
    scores = [score(row["search"]["found"], gold) for row in rows]
    ranked = {name: [found[name] for found in scores] for name in scores[0]}
    return {"figures": figures | ranked, "versions": rows[0]["build"]["versions"]}


def score(found: Mapping[str, Sequence[str]], gold: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Return the means over the questions of recall@5, recall@20 and MRR@10."""
    graded = [(found[question], dict.fromkeys(papers, 1)) for question, papers in gold.items()]
    return {
        "recall@5": float(np.mean([recall_at(ranking, grades, 5) for ranking, grades in graded])),
        "recall@20": float(np.mean([recall_at(ranking, grades, 20) for ranking, grades in graded])),
        "mrr@10": float(np.mean([reciprocal_rank_at(ranking, grades) for ranking, grades in graded])),
    }


def judge_answers(
    answers: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Mapping[str, Any]]
) -> dict[str, float]:
    """Return the scores of a system's answers: means over the questions, and the median of the seconds.

    `valid` is the share of answers with a citation and none that names no source, `gold` the share that cites a gold
    paper, `facts` the share of the key facts in the text, `facts_shown` in the text or in the quotes under it.
    """
    rows = [(answers[question], expected) for question, expected in wanted.items()]
    return {
        "questions": len(rows),
        "seconds": median(answer["seconds"] for answer, _ in rows),
        "valid": _mean(bool(answer["cited"]) and None not in answer["cited"] for answer, _ in rows),
        "gold": _mean(not set(expected["gold"]).isdisjoint(answer["cited"]) for answer, expected in rows),
        "facts": _mean(_stated(answer["text"], expected["key_facts"]) for answer, expected in rows),
        "facts_shown": _mean(
            _stated(f"{answer['text']} {answer.get('quotes', '')}", expected["key_facts"])
            for answer, expected in rows
        ),
        "refused": _mean(bool(answer.get("refused")) for answer, _ in rows),
    }


def _stated(text: str, facts: Sequence[Sequence[str]]) -> float:
    return _mean(states(text, alternatives) for alternatives in facts)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def render(results: Mapping[str, Any]) -> str:
    """Return what was measured, in words and as tables."""
    said, summary = results["provenance"], results["systems"]
    head = (
        f"{said['papers']:,} papers, median of {said['repeats']} repeats (least–most). "
        f"{said['processor']}, {said['cores']} cores, Python {said['python']}, commit {str(said['commit'])[:12]}, "
        f"{said['date'][:10]}."
    )
    rows = [f"| | {' | '.join(heading for heading, _, _ in COLUMNS)} |", f"|{'---|' * (len(COLUMNS) + 1)}"]
    for name, found in summary.items():
        cells = [shown(found["figures"][figure], digits) for _, figure, digits in COLUMNS]
        rows.append(f"| {TITLES[name]} | {' | '.join(cells)} |")
    versions = [
        f"- {TITLES[name]}: "
        + ", ".join(f"{package} {number}" for package, number in found["versions"].items())
        for name, found in summary.items()
    ]
    return "\n".join([head, "", *rows, "", *versions, *_answers(results.get("answers"))])


def _answers(answers: Mapping[str, Mapping[str, float]] | None) -> list[str]:
    """Return the lines about answers; none if there were none."""
    if not answers:
        return []
    rows = [f"| | {' | '.join(heading for heading, _, _ in ANSWER_COLUMNS)} |"]
    rows.append(f"|{'---|' * (len(ANSWER_COLUMNS) + 1)}")
    for name, found in answers.items():
        cells = (f"{found[figure]:.{digits}f}" for _, figure, digits in ANSWER_COLUMNS)
        rows.append(f"| {TITLES[name]} | {' | '.join(cells)} |")
    count = next(iter(answers.values()))["questions"]
    return ["", f"Answers of the same language model to the same {count:.0f} questions:", "", *rows]


def shown(values: Sequence[float], digits: int) -> str:
    """Return the median, with the least and the most if they differ when they are rounded."""
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))
    return middle if low == high else f"{middle} ({low}–{high})"


def fill(readme: Path, results: Mapping[str, Any]) -> None:
    """Put the table between the README's two marks."""
    before, begin, rest = readme.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{readme} lacks the marks {BEGIN} and {END}; put them around the table")
    readme.write_text(f"{before}{BEGIN}\n{render(results)}\n{END}{after}", "utf-8")
