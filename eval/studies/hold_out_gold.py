"""Measure whether a question is known to be unanswerable if its paper is missing: confidence with and without it.

    python eval/studies/hold_out_gold.py INDEX BEIR_FOLDER [--split dev] [--questions N]

Prints the area under the ROC curve, and the risk at some coverages; an answer without the gold paper counts as wrong.
Other papers may answer a question as well (judgments are incomplete), so the true area may be higher.
"""

from pathlib import Path

from eval.programs import parser_for
from rag_qa import Assistant, Settings
from rag_qa.evaluation import load_beir
from rag_qa.evaluation.metrics import area_under_roc, risk_coverage
from rag_qa.evaluation.qrels import gold

SHOWN = (0.1, 0.25, 0.5, 0.75, 1.0)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("index", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split")
    parser.add_argument("--questions", type=int, default=10_000)
    options = parser.parse_args()
    judged = load_beir(options.folder, split=options.split)
    sure, unsure = [], []
    with Assistant.open(options.index, settings=Settings(style="quote")) as assistant:
        for query, text in list(judged.queries.items())[: options.questions]:
            papers = gold(judged.qrels[query])
            if len(papers) == 1:
                with_it, without_it = assistant.confidences(text, assistant.paper(min(papers)).id)
                sure.append(with_it)
                unsure.append(without_it)
    curve = risk_coverage(sure + unsure, [False] * len(sure) + [True] * len(unsure))
    print(f"{len(sure)} questions with one gold paper, each with it and without it")
    print(f"area under ROC {area_under_roc(sure, unsure):.3f}, mean risk over the coverages {curve.area:.3f}")
    for coverage in SHOWN:
        point = next(point for point in curve.points if point.coverage >= coverage)
        print(f"coverage {point.coverage:.2f}: risk {point.risk:.3f} (confidence {point[0]:.3f})")


if __name__ == "__main__":
    main()
