"""Fit the kind of a question and the metadata it asks for; write rag_qa/answering/query/kinds.npz.

    python eval/fit/kinds.py

Fitted on sets/dev/kinds.jsonl, short questions, sets/dev/everyday.jsonl, long ones, and the dev half of sets/phrasings.
A question of the first two marks its topic with {...} and names with <...>. The classifier reads the words outside
these marks, which are how people ask, and the embedder's vector of the whole question. Each question is seen a second
time with another's topic. The questions of `ANSWERED` say only which ask for papers, compare, or ask for a fact; a
first classifier, fitted on the others, reads whether such a fact is a number or a yes or no. It also reads which of
sets/stated/dev.jsonl, all on facts, compare. Prints the accuracy of five folds.

Check afterwards: `rag-qa eval phrasings --split everyday`, which is held out, and `rag-qa eval --check sample`. Then
fit the follow-ups (eval/fit/followups.py), which read the kind.
"""

import random
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.model_selection import StratifiedGroupKFold  # type: ignore[import-untyped]

from eval.logistic import fit_logistic
from eval.programs import parser_for, read_rows
from rag_qa.answering.query.kinds import FIELDS, FILE, WORD_WEIGHT, asking_words, word_features
from rag_qa.backends.embedding import open_embedder
from rag_qa.settings import Settings

SETS = Path(__file__).parents[1] / "sets"
# The marks of the short questions tell words that ask from words of a topic; those of long ones are looser.
SHORT = SETS / "dev" / "kinds.jsonl"
QUESTIONS = (SHORT, SETS / "dev" / "everyday.jsonl", SETS / "phrasings" / "dev.jsonl")
ANSWERED = (
    "dev/ml/questions.jsonl",
    "dev/bio/questions.jsonl",
    "lists/dev/queries.jsonl",
    "fields/dev/queries.jsonl",
)
STATED = SETS / "stated" / "dev.jsonl"
# What a question labelled so may be; any other is what its label says.
OF_ANSWERED = {"fact": ("fact", "number", "yesno")}
OF_STATED = {kind: (kind, "comparison") for kind in ("fact", "number", "yesno")}
TOPIC = re.compile(r"\{([^}]*)\}")
MARKED = re.compile(r"\{[^}]*\}|<[^>]*>")
NAME = re.compile(r"(?:the )?[A-Z0-9]")
REQUESTS = ("which", "count")
STRENGTH = 2.0
HOLE = "xxxx"


def main() -> None:
    """Fit, print how well held-out questions are classified (five folds), and write the coefficients."""
    parser_for(__doc__).parse_args()
    rows = [row for path in QUESTIONS for row in read_rows(path)]
    topics = [topic for row in rows for topic in TOPIC.findall(row["text"])]
    pools = {named: [t for t in topics if bool(NAME.match(t)) == named] for named in (True, False)}
    draw = random.Random(0)
    seen = [
        (n, text) for n, row in enumerate(rows) for text in (row["text"], _varied(row["text"], pools, draw))
    ]
    texts = [re.sub(r"[{}<>]", "", text) for _, text in seen]
    kinds = np.array([rows[n]["kind"] for n, _ in seen])
    frames = [MARKED.sub(f" {HOLE} ", row["text"]) for row in rows if "id" not in row]
    counts = Counter(word for frame in frames for word in asking_words(frame) if HOLE not in word)
    vocabulary = sorted(word for word, count in counts.items() if count > 1)
    embedder = open_embedder(Settings())
    words = np.stack([word_features(text, {w: n for n, w in enumerate(vocabulary)}) for text in texts])
    both = np.hstack([embedder.encode(texts, role="query"), words])
    groups = [n for n, _ in seen]
    answered = [
        row
        for name in ANSWERED
        for row in read_rows(SETS / name)
        if row["kind"] in ("which", "comparison", "fact")
    ]
    may_be: list[tuple[str, ...]] = [OF_ANSWERED.get(row["kind"], (row["kind"],)) for row in answered]
    answered += read_rows(STATED)
    may_be += [OF_STATED[row["kind"]] for row in answered[len(may_be) :]]
    asked = [row["text"] for row in answered]
    asked_words = np.stack([word_features(text, {w: n for n, w in enumerate(vocabulary)}) for text in asked])
    asked_both = np.hstack([embedder.encode(asked, role="query"), asked_words])
    labels = _likeliest(_fit(both, kinds), asked_both, may_be)
    found: dict[str, np.ndarray] = {}
    for name, features, more in (("words", words, asked_words), ("both", both, asked_both)):
        model = _fit(np.vstack([features, more]), np.concatenate([kinds, labels]))
        heads = [_fit(features, np.array([f in rows[n].get("wanted", ()) for n, _ in seen])) for f in FIELDS]
        weights = np.vstack([model.coef_, *(head.coef_ for head in heads)])
        biases = np.concatenate([model.intercept_, *(head.intercept_ for head in heads)])
        found[name] = np.hstack([weights, biases[:, None]]).astype(np.float16)
    short = read_rows(SHORT)
    requests = [MARKED.sub(" ", row["text"]) for row in short if row["kind"] in REQUESTS]
    marked = [topic for row in short for topic in TOPIC.findall(row["text"])]
    outside, inside = (
        Counter(re.findall(r"[^\W\d_]+", " ".join(part).casefold())) for part in (requests, marked)
    )
    asking = sorted(word for word in outside if outside[word] > inside[word])
    np.savez_compressed(
        FILE,
        embedder=np.array(embedder.spec.name),
        kinds=np.array(model.classes_, dtype=str),
        vocabulary=np.array(vocabulary),
        asking=np.array(asking),
        words=found["words"],
        both=found["both"],
    )
    print(f"{FILE}: {FILE.stat().st_size} bytes, {len(vocabulary)} words, weight {WORD_WEIGHT}")

    for name, features, more in (("words", words, asked_words), ("both", both, asked_both)):
        right = [
            _fit(
                np.vstack([features[train], more]),
                np.concatenate([kinds[train], labels]),
            ).predict(features[test])
            == kinds[test]
            for train, test in StratifiedGroupKFold(5).split(features, kinds, groups)
        ]
        print(f"{name}: {np.concatenate(right).mean():.3f} of {len(texts)} right, five folds")


def _likeliest(
    model: LogisticRegression, features: np.ndarray, may_be: Sequence[tuple[str, ...]]
) -> np.ndarray:
    """Return the most probable kind of each question, of those that it may be."""
    columns = list(model.classes_)
    found = []
    for kinds, scores in zip(may_be, model.decision_function(features), strict=True):
        likely = np.argmax([scores[columns.index(kind)] for kind in kinds])
        found.append(kinds[int(likely)])
    return np.array(found)


def _fit(features: np.ndarray, labels: np.ndarray) -> LogisticRegression:
    return fit_logistic(features, labels, strength=STRENGTH)


def _varied(text: str, pools: dict[bool, list[str]], draw: random.Random) -> str:
    """Return a question with other topics: a name for a name, words for words."""
    return TOPIC.sub(lambda topic: f"{{{draw.choice(pools[bool(NAME.match(topic[1]))])}}}", text)


if __name__ == "__main__":
    main()
