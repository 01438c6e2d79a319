"""Fit the verdict on a sentence, which says whether evidence entails it; write rag_qa/answering/verdict/verdict.toml.

    python eval/fit/verdict.py SHARED_DATA_FOLDER [--vectors FILE.npz] [--dry-run]

A logistic regression fitted on attributionbench.dev (answers of search systems with human labels) and
scifact_pairs.dev (claims against abstracts, SUPPORT against the rest); each set and label has the same weight. The
scores are of five folds that share no question, sentence or evidence. Each set is also judged by a model of the other
alone, and every second row of wice.dev is never fitted on. `--vectors` keeps the embeddings for a second run.

Nearly all of the time goes into embedding the sentences and their evidence; `--vectors` saves it. Check afterwards:
`python eval/studies/detect_faults.py DATA` and `rag-qa eval --check sample`.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, roc_auc_score  # type: ignore[import-untyped]
from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]
from sklearn.pipeline import Pipeline, make_pipeline  # type: ignore[import-untyped]
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]

from eval.doubles import RememberingEmbedder
from eval.logistic import as_toml, fit_logistic
from eval.programs import parser_for, read_rows
from rag_qa.answering.verdict.features import Comparison, Features, compare
from rag_qa.backends.embedding import open_embedder
from rag_qa.settings import Settings

FITTED = ("attributionbench.dev", "scifact_pairs.dev")
UNSEEN = ("wice.dev",)
FOLDS = 5
# Regularisation (scikit-learn's C) on standardised features; between .03 and 3 it changes little.
STRENGTH = 0.3
SUPPORTED, PARTIAL = 0.5, 0.25
# The share of a sentence's words that the evidence must have. Chosen on these sets, of .5 to .75: it raises the
# precision of `supported` and costs little accuracy.
COVERED = 0.65
SIMILARITIES = ("explained", "part_similarity")
WORDS = tuple(name for name in Features.model_fields if name not in SIMILARITIES)
OUTPUT = Path(__file__).parents[2] / "rag_qa" / "answering" / "verdict" / "verdict.toml"


class Row(NamedTuple):
    """A sentence with its evidence, whether that supports it, and the set's own label."""

    set: str
    question: str
    sentence: str
    evidence: tuple[str, ...]
    supported: bool
    label: str


def labelled_rows(data: Path, name: str) -> list[Row]:
    """Return the rows of one set."""
    return [
        Row(
            set=name,
            question=row.get("question") or row["sentence"],
            sentence=row["sentence"],
            evidence=tuple(row.get("evidence") or row["evidence_sentences"]),
            supported=row["supported"],
            label=row.get("label", ""),
        )
        for row in read_rows(file_of(data, name))
    ]


def file_of(data: Path, name: str) -> Path:
    return data / "attribution" / f"{name}.jsonl.gz"


def groups_of(rows: Sequence[Row]) -> np.ndarray:
    """Return a group number for each row; rows that share a question, a sentence or evidence share it."""
    parents: dict[object, object] = {}

    def root(key: object) -> object:
        while parents.setdefault(key, key) != key:
            key = parents[key]
        return key

    for n, row in enumerate(rows):
        for key in (row.question, row.sentence, *row.evidence):
            parents[root(key)] = root(n)
    roots = [root(n) for n in range(len(rows))]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(roots))}
    return np.array([numbers[key] for key in roots])


def weights_of(rows: Sequence[Row]) -> np.ndarray:
    """Return weights by which every set and both labels count the same."""
    keys = [(row.set, row.supported) for row in rows]
    return np.array([len(rows) / keys.count(key) for key in keys])


def table(comparisons: Sequence[Comparison], names: Sequence[str]) -> np.ndarray:
    return np.array([[getattr(c.features, name) for name in names] for c in comparisons])


def fit(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> Pipeline:
    scaler = StandardScaler().fit(x)
    model = fit_logistic(scaler.transform(x), y, strength=STRENGTH, weights=weights / weights.mean())
    return make_pipeline(scaler, model)


def plain(model: Pipeline) -> tuple[float, list[float]]:
    """Return intercept and coefficients for features that are not standardised."""
    scaler, regression = model[0], model[1]
    coefficients = regression.coef_[0] / scaler.scale_
    return float(regression.intercept_[0] - coefficients @ scaler.mean_), coefficients.tolist()


def ruled(probability: np.ndarray, comparisons: Sequence[Comparison]) -> np.ndarray:
    """Return the probabilities, lowered under the threshold if a rule forbids `supported`."""
    return np.where([is_ruled(c) for c in comparisons], np.minimum(probability, SUPPORTED / 2), probability)


def is_contradicted(comparison: Comparison) -> bool:
    return bool(comparison.quantities or comparison.contrasts)


def is_foreign(comparison: Comparison) -> bool:
    return bool(comparison.codes) or comparison.features.coverage < COVERED


def is_ruled(comparison: Comparison) -> bool:
    return is_contradicted(comparison) or is_foreign(comparison)


def calibration_error(y: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> float:
    """Return the mean distance of probability and frequency over ten bins (Naeini et al., AAAI 2015)."""
    bins = np.minimum((probability * 10).astype(int), 9)
    gaps = [
        weights[bins == b].sum() * abs(np.average((probability - y)[bins == b], weights=weights[bins == b]))
        for b in set(bins)
    ]
    return float(sum(gaps) / weights.sum())


def scores(y: np.ndarray, raw: np.ndarray, with_rules: np.ndarray) -> dict[str, float]:
    return {
        "balanced accuracy": float(balanced_accuracy_score(y, with_rules >= SUPPORTED)),
        "without rules": float(balanced_accuracy_score(y, raw >= SUPPORTED)),
        "precision": float(y[with_rules >= SUPPORTED].mean()),
        "area under ROC": float(roc_auc_score(y, raw)),
    }


def listed(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in figures.items())


def examine(rows: Sequence[Row], comparisons: Sequence[Comparison], names: Sequence[str]) -> list[str]:
    """Return the cross-validated scores of a model over these features, a line a set."""
    sets = np.array([row.set for row in rows])
    fitted = np.isin(sets, FITTED)
    y = np.array([row.supported for row in rows])
    x, weights, groups = table(comparisons, names), weights_of(rows), groups_of(rows)
    probability = np.full(len(rows), np.nan)
    for train, test in GroupKFold(FOLDS).split(x, y, groups):
        train = train[fitted[train]]
        probability[test] = fit(x[train], y[train], weights[train]).predict_proba(x[test])[:, 1]
    kept = ruled(probability, comparisons)
    lines = [
        f"{s}: {listed(scores(y[sets == s], probability[sets == s], kept[sets == s]))}"
        for s in (*FITTED, *UNSEEN)
    ]
    for name in FITTED:
        other = np.isin(sets, FITTED) & (sets != name)
        here = sets == name
        moved = fit(x[other], y[other], weights[other]).predict_proba(x[here])[:, 1]
        alike = ruled(moved, [c for c, h in zip(comparisons, here, strict=True) if h])
        lines.append(f"{name}, fitted on the other set: {listed(scores(y[here], moved, alike))}")
    error = calibration_error(y[fitted], probability[fitted], weights[fitted])
    brier = brier_score_loss(y[fitted], probability[fitted], sample_weight=weights[fitted])
    lines.append(f"calibration over both sets: error {error:.3f}, Brier score {brier:.3f}")
    return lines


def share(
    rows: Sequence[Row], comparisons: Sequence[Comparison], wanted: Callable[[Comparison], bool]
) -> float:
    """Return the weighted share of supported sentences among those that a rule applies to."""
    chosen = np.array([wanted(c) for c in comparisons])
    y, weights = np.array([row.supported for row in rows]), weights_of(rows)
    return float(np.average(y[chosen], weights=weights[chosen]))


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="print the scores and write nothing")
    options = parser.parse_args()
    embedder = RememberingEmbedder(open_embedder(Settings()), options.vectors)
    rows = [row for name in FITTED for row in labelled_rows(options.data, name)]
    rows += [row for name in UNSEEN for row in labelled_rows(options.data, name)[::2]]
    comparisons = []
    for n, row in enumerate(rows, 1):
        comparisons.append(compare(row.sentence, row.evidence, embedder))
        if n % 250 == 0:
            print(f"{n} of {len(rows)} compared", flush=True)
    embedder.save()
    lines = [
        "# The probability that evidence supports a sentence: logit = intercept + coefficients · features."
    ]
    lines += [
        "# Written by `python eval/fit/verdict.py DATA`, whose scores these are (five folds, with the rules)."
    ]
    for name in (*FITTED, *UNSEEN):
        digest = hashlib.sha256(file_of(options.data, name).read_bytes()).hexdigest()
        lines.append(f"# data: {name}, {sum(row.set == name for row in rows)} rows, SHA-256 {digest[:16]}")
    models = {"alike": (*SIMILARITIES, *WORDS), "words": WORDS}
    for title, names in models.items():
        lines += [f"# {title}: {line}" for line in examine(rows, comparisons, names)]
    chosen = [n for n, row in enumerate(rows) if row.set in FITTED]
    rows, comparisons = [rows[n] for n in chosen], [comparisons[n] for n in chosen]
    broken = share(rows, comparisons, is_contradicted)
    foreign = share(rows, comparisons, lambda c: is_foreign(c) and not is_contradicted(c))
    lines += ["", f'embedder = "{embedder.spec.name}"', f"supported = {SUPPORTED}", f"partial = {PARTIAL}"]
    lines += ["# A supported sentence has this share of its words in the evidence.", f"covered = {COVERED}"]
    lines += [
        "# Share of the supported where a rule finds a contradiction, and where names or words are foreign."
    ]
    lines += [f"ruled_out = {broken:.3f}", f"foreign = {foreign:.3f}"]
    for title, names in models.items():
        y = np.array([row.supported for row in rows])
        intercept, coefficients = plain(fit(table(comparisons, names), y, weights_of(rows)))
        lines += ["", *as_toml(title, names, coefficients, intercept)[:-1]]
    print("\n".join(lines))
    if not options.dry_run:
        OUTPUT.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
