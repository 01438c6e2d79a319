"""Fit what a language model holds of a written sentence inside; write the probe `supported`, and verdict/read.toml.

    python eval/fit/claims.py SHARED_DATA_FOLDER

A probe (see eval/fit/probes.py) of the prompt `claim`: does the evidence state everything that the sentence says? Its
rows are sentences with human labels: answers of search systems, and claims against abstracts and single sentences. Of
long evidence the model reads the LINES sentences nearest to the row's. A last set is made here of machine-learning
abstracts: what stands behind "whether" in a sentence of them is a claim that the sentence does not make, and what
stands behind "show that" or "find that" is one that it makes. The log odds of the probe then count beside those of the
fitted verdict, and the lesser of the two once more. That is fitted without the last set, of which the fitted verdict
is mostly wrong. The verdict stays as it is where it says `unsupported` or finds a verbatim quote, and on evidence of
more than MOST sentences, which the model would not have read.

Prints, for each set, the balanced accuracy and the area under ROC of the fitted verdict, of the probe and of both. Rows
that share a question, sentence or evidence are left out of the probe that reads them; the verdict and what combines
both were fitted on the same rows. Takes 3 s a row on two cores the first time (states are kept), 6 minutes afterwards.
Then fit the decision (eval/fit/decision.py).
"""

import random
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path
from sklearn.metrics import balanced_accuracy_score, roc_auc_score  # type: ignore[import-untyped]
from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]

from eval.fit.verdict import SUPPORTED as LIKELY
from eval.fit.verdict import Row, groups_of, labelled_rows, weights_of
from eval.logistic import as_toml, fit_logistic, fit_states
from eval.programs import parser_for, read_rows
from rag_qa.answering.logistic import log_odds, sigmoid
from rag_qa.answering.verdict.model import READ, Verifier, is_settled
from rag_qa.answering.writing.probe import FILE, SUPPORTED, Probe, save_probes, texts_of
from rag_qa.answering.writing.prompt import defuse, load_prompt
from rag_qa.backends.embedding import open_embedder
from rag_qa.backends.llama import open_generator
from rag_qa.evaluation.caching import CachedGenerator
from rag_qa.protocols import Embedder
from rag_qa.settings import Settings
from rag_qa.text.sentences import split_sentences

PROMPT = "claim"
ASKED = "asked"
# How many rows of each set, drawn by chance: reading takes long.
FITTED = {
    "attributionbench.dev": 767,
    "scifact_pairs.dev": 575,
    "healthver.dev": 192,
    "climate_fever": 192,
    ASKED: 300,
}
UNSEEN = {"wice.dev": 224}
# What is only asked, and what is said, up to the end of the clause; it must have this many words.
CLAUSES = {
    False: re.compile(r"\bwhether ([^.,;:()]+)"),
    True: re.compile(r"\b(?:show|find|found|demonstrate) that ([^.,;:()]+)"),
}
WORDS = 6
SEED = 1
# How many sentences of the evidence are read, and how many characters of each.
LINES, LENGTH = 5, 400
MOST = 20
LAYER, STRENGTH, FOLDS = 20, 1e-3, 10
OUTPUT = Path(__file__).parents[2] / "rag_qa" / "answering" / "verdict" / READ[1]


def main() -> None:
    """Fit, print the scores, and write."""
    parser = parser_for(__doc__)
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    settings = Settings(style="synthesis", model="Qwen2.5-Coder-1.5B-Instruct")
    embedder = open_embedder(settings)
    generator = CachedGenerator(open_generator(settings), user_cache_path("rag_qa") / "generations")
    prompts, verifier = load_prompt("answer"), Verifier(embedder)
    rows = [row for name, count in (FITTED | UNSEEN).items() for row in drawn(options.data, name, count)]
    states, verdicts = [], []
    for row in rows:
        lines = "\n".join(f"- {defuse(text)[:LENGTH]}" for text in nearest(row, embedder))
        states.append(generator.hidden_state(prompts.fill(PROMPT, lines, claim=row.sentence), layer=LAYER))
        verdicts.append(verifier.judge(row.sentence, row.evidence))
    x, y = np.array(states), np.array([row.supported for row in rows])
    fitted, weights = np.array([row.set in FITTED for row in rows]), weights_of(rows)
    inside = left_out(x, y, weights, groups_of(rows), fitted)
    judged = np.array([log_odds(verdict.probability) for verdict in verdicts])
    # Bounded as `with_reading` bounds them.
    inside = np.array([log_odds(sigmoid(odds)) for odds in inside])
    both = np.c_[judged, inside, np.minimum(judged, inside)]
    long = [len(sentences_of(row)) > MOST for row in rows]
    settled = np.array([is_settled(verdict) for verdict in verdicts]) | long
    open_ = fitted & ~settled & np.array([row.set != ASKED for row in rows])
    model = fit_logistic(both[open_], y[open_], weights=weights[open_])
    read = np.where(settled, judged, model.decision_function(both))
    report = [
        "# The verdict with what the language model holds inside: logit = intercept + coefficients · log odds.",
        "# Written by `python eval/fit/claims.py DATA`, whose scores these are: balanced accuracy, area under ROC.",
    ]
    for name in FITTED | UNSEEN:
        here = np.array([row.set == name for row in rows])
        for what, odds in (("verdict", judged), ("probe", inside), ("both", read)):
            right = balanced_accuracy_score(y[here], odds[here] >= np.log(LIKELY / (1 - LIKELY)))
            area = roc_auc_score(y[here], odds[here])
            report.append(f"# {name}, {here.sum()} rows, {what}: {right:.3f}, {area:.3f}")
    report += [
        "",
        *as_toml(READ[2], ("judged", "inside", "lesser"), model.coef_[0], float(model.intercept_[0]))[:-1],
    ]
    print("\n".join(report))
    OUTPUT.write_text("\n".join(report) + "\n", "utf-8")
    coefficients, intercept = fit_states(x[fitted], y[fitted], strength=STRENGTH, weights=weights[fitted])
    known = (PROMPT, texts_of(prompts, PROMPT), generator.spec.sha256)
    probe = Probe(SUPPORTED, *known, LAYER, coefficients, intercept)
    save_probes(FILE, probe)


def drawn(data: Path, name: str, count: int) -> list[Row]:
    """Return as many rows of a set, drawn by chance; the first of a larger draw are those of a smaller one."""
    rows = asked_rows(data) if name == ASKED else labelled_rows(data, name)
    random.Random(SEED).shuffle(rows)
    return rows[:count]


def asked_rows(data: Path) -> list[Row]:
    """Return as many claims that a sentence only asks about as claims that a sentence makes, each with its sentence."""
    found: dict[bool, list[Row]] = {True: [], False: []}
    for paper in read_rows(data / "ml_abstracts" / "documents.jsonl.gz"):
        text = paper["abstract"]
        for sentence in (text[start:end] for start, end in split_sentences(text)):
            for made, clause in CLAUSES.items():
                said = clause.search(sentence)
                if said and len(said[1].split()) >= WORDS:
                    words = said[1].strip()
                    claim = f"{words[0].upper()}{words[1:]}."
                    found[made].append(
                        Row(ASKED, claim, claim, (sentence,), made, "says" if made else "asks")
                    )
    count = min(map(len, found.values()))
    return [row for rows in found.values() for row in random.Random(SEED).sample(rows, count)]


def nearest(row: Row, embedder: Embedder) -> list[str]:
    """Return the sentences of the evidence that are nearest to the row's sentence, in their order."""
    found = sentences_of(row)
    if len(found) <= LINES:
        return found
    vectors = embedder.encode([row.sentence, *found], role="sentence")
    best = np.argsort(-(vectors[1:] @ vectors[0]), kind="stable")[:LINES]
    return [found[n] for n in sorted(best)]


def sentences_of(row: Row) -> list[str]:
    """Return the sentences of the evidence, each once."""
    return list(
        dict.fromkeys(text[start:end] for text in row.evidence for start, end in split_sentences(text))
    )


def left_out(
    x: NDArray[np.float32],
    y: NDArray[np.bool_],
    weights: NDArray[np.float64],
    groups: NDArray[np.int64],
    fitted: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the log odds of each row by a probe fitted on rows of other groups, shape (rows,)."""
    odds = np.zeros(len(y))
    for train, test in GroupKFold(FOLDS).split(x, y, groups):
        train = train[fitted[train]]
        coefficients, intercept = fit_states(x[train], y[train], strength=STRENGTH, weights=weights[train])
        odds[test] = x[test] @ coefficients + intercept
    return odds


if __name__ == "__main__":
    main()
