"""In which style does the starter model answer best: quotes, prose, prose from whole abstracts, or short spans?

    python eval/compare_styles.py [--questions 20] [--styles quotes prose abstracts nearest chosen]

The first fact questions of the sample set over the sample papers. `quotes` and `prose` are the styles of rag_qa, prose
from the nearest sentences; `abstracts` is prose with RAG_QA_WHOLE_ABSTRACTS. A span is a clause of one of the quoted
sentences, or the sentence where it has none: `nearest` is the one that the embedder finds nearest to the question,
`chosen` the one that the language model writes when its grammar allows nothing but these spans. Prints, for each,
the mean share of key facts stated, and the medians of words, of prompt tokens and of seconds.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, median

from rag_qa import Answer, Assistant, Settings, build_index
from rag_qa.answering.verdict.features import parts
from rag_qa.answering.writing.prompt import defuse
from rag_qa.backends.embedding import open_embedder
from rag_qa.backends.llama import open_generator
from rag_qa.evaluation.datasets import Question, load_question_set
from rag_qa.evaluation.facts import states
from rag_qa.protocols import Embedder, Generator, Prompt
from rag_qa.sample import sample_papers_path

QUESTIONS = Path(__file__).parent / "sample"
SYSTEM = (
    "You answer questions about scientific papers. Copy the one piece of evidence that answers the question."
)


def spans_of(answer: Answer) -> list[str]:
    """Return the clauses of the sentences quoted, best sentence first."""
    return list(dict.fromkeys(part for sentence in answer.sentences for part in parts(sentence.text)))


def nearest(question: str, spans: Sequence[str], embedder: Embedder) -> str:
    vectors = embedder.encode(spans, role="document")
    return spans[int((vectors @ embedder.encode([question], role="query")[0]).argmax())]


def chosen(question: str, spans: Sequence[str], generator: Generator) -> tuple[str, int]:
    """Return the span that the model writes, and the tokens that it read."""
    lines = "\n".join(f"- {defuse(span)}" for span in spans)
    prompt = Prompt(system=SYSTEM, user=f"Evidence:\n{lines}\n\nQuestion: {defuse(question)}")
    grammar = "root ::= " + " | ".join(json.dumps(span, ensure_ascii=False) for span in spans)
    pieces = generator.generate(prompt, grammar=grammar, max_tokens=256, temperature=0.0, seed=0)
    return "".join(pieces), generator.count_tokens(prompt)


def answerer(style: str, index: str) -> Callable[[str], tuple[str, int]]:
    """Return a function from a question to the text that answers it and the prompt tokens that this took."""
    settings = Settings(
        style="synthesis" if style in ("prose", "abstracts") else "quote",
        whole_abstracts=style == "abstracts",
    )
    assistant = Assistant.open(index, settings=settings)
    embedder, generator = open_embedder(settings), open_generator(settings)

    def answer(question: str) -> tuple[str, int]:
        found = assistant.ask(question)
        spans = spans_of(found)
        if style == "nearest" and spans:
            return nearest(question, spans, embedder), 0
        if style == "chosen" and spans:
            return chosen(question, spans, generator)
        return " ".join(s.text for s in found.sentences), found.provenance["prompt_tokens"]

    return answer


def examine(questions: Sequence[Question], answer: Callable[[str], tuple[str, int]]) -> str:
    """Return the figures of one style, as cells of a table."""
    answer(questions[0].text)  # loads the models
    stated, words, tokens, seconds = [], [], [], []
    for question in questions:
        start = time.perf_counter()
        text, read = answer(question.text)
        seconds.append(time.perf_counter() - start)
        stated.append(mean(states(text, fact) for fact in question.key_facts))
        words.append(len(text.split()))
        tokens.append(read)
    return f"{mean(stated):.2f} | {median(words):.0f} | {median(tokens):.0f} | {median(seconds):.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--styles", nargs="+", default=["quotes", "nearest", "chosen", "prose", "abstracts"])
    options = parser.parse_args()
    asked = [q for q in load_question_set(QUESTIONS).questions if q.kind == "fact" and q.key_facts]
    print("| style | key facts | words | prompt tokens | seconds |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as index:
        build_index([sample_papers_path()], index)
        for style in options.styles:
            figures = examine(asked[: options.questions], answerer(style, index))
            print(f"| {style} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
