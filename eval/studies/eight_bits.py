"""Measure what embedding passages in 8 bits costs in retrieval, against float32, on judged collections.

    python eval/studies/eight_bits.py DATA --cache FOLDER [--sets NAME …]

FOLDER keeps two indexes a collection, built if they are missing; the sets are those of ablate_retrieval.py. Questions
are embedded in float32 for both. Prints a table: scores of the whole search, and of the vectors alone, in float32; and
the differences in 8 bits, each with its paired bootstrap interval of 95%.

Embeds 15,000 abstracts twice for the small collections, which takes 20 minutes on two cores, and 32,000 for the large.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from eval.programs import parser_for
from eval.studies.ablate_retrieval import (
    BY_EXAMPLE,
    MEASURES,
    NOTHING,
    SETS,
    Candidates,
    Question,
    opened,
    own,
    read_questions,
    scored,
)
from rag_qa.backends.embedding import open_embedder
from rag_qa.evaluation import paired_interval
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder, Matrix
from rag_qa.retrieval.feedback import middle
from rag_qa.retrieval.searching import WEIGHTS, Retriever
from rag_qa.settings import Settings

SYSTEMS: Mapping[str, Mapping[str, float]] = {"all": WEIGHTS, "vectors alone": NOTHING | {"dense": 1.0}}


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    options = parser.parse_args()
    exact, rounded = (open_embedder(Settings(embedder_dtype=dtype)) for dtype in ("float32", "int8"))
    print(f"| | | {' | '.join(MEASURES)} |\n|{'---|' * (len(MEASURES) + 2)}", flush=True)
    for name in options.sets:
        scores = [
            _measure(name, options.data, options.cache / embedder.spec.dtype, embedder, exact)
            for embedder in (exact, rounded)
        ]
        for system in SYSTEMS:
            before, after = (found[system] for found in scores)
            cells = (f"{column.mean():.3f}" for column in before.T)
            print(f"| {name} ({len(before)}) | {system} | {' | '.join(cells)} |")
            cells = (_difference(a, b) for a, b in zip(after.T, before.T, strict=True))
            print(f"| | 8 bits | {' | '.join(cells)} |", flush=True)


def _difference(after: Matrix, before: Matrix) -> str:
    found = paired_interval(before, after)
    return f"{(after - before).mean():+.4f} [{found.low:+.3f}, {found.high:+.3f}]"


def _measure(name: str, data: Path, cache: Path, embedder: Embedder, asking: Embedder) -> dict[str, Matrix]:
    """Return a row of scores for each question, by system."""
    with closing(opened(data, cache, SETS[name].collection, embedder)) as index:
        questions = read_questions(name, data, index)
        rankings = [_rankings(name, index, asking, question) for question in questions]
    return {
        system: np.array(
            [scored(found[system], question) for found, question in zip(rankings, questions, strict=True)]
        )
        for system in SYSTEMS
    }


def _rankings(name: str, index: Index, embedder: Embedder, question: Question) -> dict[str, Sequence[str]]:
    """Return the first papers for a question, by system."""
    retriever, ids = Retriever(index, embedder), index.lexical.paper_ids
    places = np.arange(len(ids))
    if name == BY_EXAMPLE:
        paper = index.paper(question.text)
        text, vector = f"{paper.title} {paper.abstract}", middle(index.passage_vectors([paper.id])[1])
        places = np.delete(places, index.lexical.ordinals[own(index, question.text)])
    else:
        text = retriever.topic(question.text)
        vector = embedder.encode([text], role="query")[0]
    found = Candidates.of(ids, places, retriever.components(text, vector, places))
    return {system: found.ranked(weights) for system, weights in SYSTEMS.items()}


if __name__ == "__main__":
    main()
