"""Ask the questions of a text file, one a line, and write the answers into a table.

python examples/batch_to_csv.py INDEX questions.txt answers.csv
"""

import csv
import sys
from pathlib import Path

from rag_qa import Answer, Assistant

COLUMNS = ("question", "answered", "confidence", "answer", "papers", "reason")


def row_of(answer: Answer) -> tuple[object, ...]:
    """Return a line of the table."""
    return (
        answer.question,
        not answer.abstained,
        answer.confidence,
        answer.text,
        " ".join(paper.id for paper in answer.papers),
        answer.reason or "",
    )


def main(index: str, questions: str, table: str) -> None:
    """Answer the questions one after the other; models are loaded once."""
    asked = [
        line.strip() for line in Path(questions).read_text(encoding="utf-8").splitlines() if line.strip()
    ]
    with Assistant.open(index) as assistant, open(table, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for question in asked:
            writer.writerow(row_of(assistant.ask(question)))
    print(f"{len(asked)} answers in {table}")


if __name__ == "__main__":
    main(*sys.argv[1:])
