"""Measure an index on questions of your own, and print the scores that matter most.

python examples/evaluate.py INDEX SET

SET is a folder with set.toml, queries.jsonl and qrels.tsv; docs/guides/evaluating.md describes them.
"""

import sys
from pathlib import Path

from rag_qa import Assistant
from rag_qa.evaluation import evaluate

SCORES = ("recall@5", "key_facts_shown", "near_answered", "answerable_refused", "invalid_citations")


def main(index: str, questions: str) -> None:
    """Print the scores, and the questions that were refused although the papers answer them."""
    with Assistant.open(index) as assistant:
        report = evaluate(Path(questions), assistant)
    for name in SCORES:
        if name in report.scores:
            print(f"{name:<20} {report.scores[name]:.3f}")
    for row in report.per_query:
        if row["scores"].get("answerable_refused"):
            print(f"refused although answerable: {row['text']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
