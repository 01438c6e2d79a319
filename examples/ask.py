"""Ask one question of an index and print each sentence with the quotes that it rests on.

python examples/ask.py INDEX QUESTION
"""

import sys

from rag_qa import Assistant


def main(index: str, question: str) -> None:
    """Print the answer, or why there is none."""
    with Assistant.open(index) as assistant:
        answer = assistant.ask(question)
    if answer.abstained:
        print(f"No answer: {answer.reason}")
        for paper in answer.nearest:
            print(f"  near: {paper.heading}")
        return
    titles = {paper.id: paper.heading for paper in answer.papers}
    for sentence in answer.sentences:
        print(f"{sentence.text}  [{sentence.verdict.label}]")
        for citation in sentence.citations:
            print(f"  “{citation.quote}”, {titles[citation.paper_id]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
