"""How many tokens does the language model read and write for an answer, in each style?

    python eval/count_prompt_tokens.py [--kinds fact comparison] [--max-tokens 256] [--questions 100]

The sample set's questions over the sample papers with the starter models. Prints, for quotes and for prose, the median
and the largest number of prompt tokens, and what became of the questions.
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median

from rag_qa import Assistant, Settings, build_index
from rag_qa.evaluation.datasets import load_question_set
from rag_qa.sample import sample_papers_path

QUESTIONS = Path(__file__).parent / "sample"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", nargs="+", default=["fact"])
    parser.add_argument("--max-tokens", type=int, default=256)
    parser.add_argument("--questions", type=int, default=100)
    options = parser.parse_args()
    asked = [q.text for q in load_question_set(QUESTIONS).questions if q.kind in options.kinds]
    asked = asked[: options.questions]
    with tempfile.TemporaryDirectory() as folder:
        build_index([sample_papers_path()], folder)
        for style in ("quote", "synthesis"):
            settings = Settings(style=style, max_tokens=options.max_tokens)
            with Assistant.open(folder, settings=settings) as assistant:
                answers = [assistant.ask(question) for question in asked]
            tokens = [answer.provenance["prompt_tokens"] for answer in answers]
            became = Counter(answer.reason or answer.sentences[0].kind for answer in answers)
            print(
                f"{style}: {len(asked)} questions, median {median(tokens):.0f}, most {max(tokens)} prompt tokens"
            )
            for what, count in became.most_common():
                print(f"{count:6} {what}")


if __name__ == "__main__":
    main()
