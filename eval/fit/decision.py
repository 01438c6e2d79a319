"""Fit whether the evidence answers a question, from what the language model said; print TOML.

    export RAG_QA_MIN_RELEVANCE=0 RAG_QA_MODEL=Qwen2.5-Coder-1.5B-Instruct
    rag-qa eval fields/dev --style synthesis --json --results /tmp > F.json
    rag-qa eval seeds --style synthesis --json --results /tmp > S.json
    python eval/fit/decision.py F.json S.json

Fits the logistic regressions `read_answer` and `confirmed_answer` of rag_qa/answering/evidence/relevance.toml. Paste
the blocks there. With RAG_QA_MIN_RELEVANCE=0 nothing is refused before the model has read and written. A question
without a confirmed answer (nothing written was supported) trains `read_answer` alone. The figures printed are
leave-one-out: each question is judged by a model of all others.

Takes a second; the report before it takes 25 s a question on two cores (generations are cached).
Check afterwards: `rag-qa eval --check fields_dev seeds_writer`.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

from eval.logistic import as_toml, fit_logistic, leave_one_out
from eval.programs import parser_for

FEATURES = {"read_answer": ("stated",), "confirmed_answer": ("confirmed", "supported")}
# A question is answered if that is likelier to be right than not. Before the model has written, only those are refused
# that would be refused afterwards as well: 24 of 41 that are not answerable, and none of 91 that are.
THRESHOLDS = {"read_answer": 0.12, "confirmed_answer": 0.5}


def main() -> None:
    """Fit on the rows of reports and print TOML."""
    parser = parser_for(__doc__)
    parser.add_argument("reports", nargs="+", type=Path)
    rows = [row for path in parser.parse_args().reports for row in json.loads(path.read_text())["per_query"]]
    for name, features in FEATURES.items():
        used = [row for row in rows if set(features) <= row["clues"].keys()]
        x = np.array([[row["clues"][feature] for feature in features] for row in used])
        y = np.array([row["answerable"] for row in used])
        model = fit_logistic(x, y)
        left_out = leave_one_out(x, y)
        threshold = THRESHOLDS[name]
        near = np.array([row["kind"] == "near" for row in used])
        print(
            f"# {name}: {y.sum()} answerable, {near.sum()} near, of others left out: area under ROC "
            f"{roc_auc_score(y, left_out):.3f}, answerable refused {(left_out[y] < threshold).mean():.3f}, "
            f"near answered {(left_out[near] >= threshold).mean():.3f}"
        )
        print("\n".join(as_toml(name, features, model.coef_[0], model.intercept_[0], threshold)))


if __name__ == "__main__":
    main()
