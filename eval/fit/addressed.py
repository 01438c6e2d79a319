"""Fit the detector of text that addresses its reader; write rag_qa/answering/evidence/addressed.npz.

    python eval/fit/addressed.py FOLDER [--measure]

Fitted on sets/addressed/dev.jsonl and on sentences of the abstracts in FOLDER (its *.jsonl and *.jsonl.gz files with
`title` and `abstract`), which count as not addressed. Half of the papers, by a hash of the title, are for fitting: of
them those sentences are taken that a first classifier over words finds most like addressed ones, and others at random.
The thresholds are those at which, over folds that leave whole kinds of phrasing out, the wanted share of the fitting
half's sentences is taken for addressed. Prints what is found then.

With --measure, nothing is fitted: prints what the committed detector finds of sets/addressed/heldout.jsonl, and its
false alarms among sentences of the other half. Takes about a quarter of an hour on one core, most of it embedding.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer  # type: ignore[import-untyped]

from eval.logistic import fit_logistic
from eval.programs import parser_for, read_rows
from rag_qa.answering.evidence.addressed import (
    FILE,
    are_addressed,
    vector_features,
    word_features,
    words_of,
)
from rag_qa.answering.evidence.scoring import spans_of
from rag_qa.backends.embedding import open_sentence_embedder
from rag_qa.protocols import Embedder
from rag_qa.settings import Settings

SETS = Path(__file__).parents[1] / "sets" / "addressed"
# Papers read of each file, and sentences taken of them.
PAPERS, MINED, PLAIN, COUNTED = 40_000, 5_000, 9_000, 20_000
FOLDS = 6
STRENGTH = {"both": 3.0, "words": 1.0}
# How often an addressed sentence counts, and in how many texts a word must be.
TIMES, COMMON = 3.0, 2
# The share of real sentences that may be taken for addressed.
WANTED = 1 / 3000
BATCH = 256


class Sentences(NamedTuple):
    """Labelled texts with their features: `both` are vectors beside words, `group` the fold of each."""

    texts: Sequence[str]
    addressed: np.ndarray
    group: np.ndarray
    vectors: np.ndarray


def main() -> None:
    """Fit and write, or measure."""
    parser = parser_for(__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="abstracts, as JSON Lines")
    parser.add_argument(
        "--measure", action="store_true", help="measure the committed detector on what is held out"
    )
    asked = parser.parse_args()
    embedder = open_sentence_embedder(Settings())
    if asked.measure:
        measure(asked.folder, embedder)
    else:
        fit(asked.folder, embedder)


def fit(folder: Path, embedder: Embedder) -> None:
    """Fit both classifiers and their thresholds, print how well they do over folds, and write them."""
    rows = read_rows(SETS / "dev.jsonl")
    real = list(dict.fromkeys(sentences_of(folder, half=0)))
    mined, plain = _chosen(rows, real)
    texts = [*(row["text"] for row in rows), *mined, *plain]
    addressed = np.array([row["addressed"] for row in rows] + [False] * (len(mined) + len(plain)))
    group = np.array(
        _folds(rows) + [n % FOLDS for n in range(len(mined))] + [n % FOLDS for n in range(len(plain))]
    )
    all_of = Sentences(texts, addressed, group, vectors_of(texts, embedder))
    # Each mined sentence stands for itself, each plain one for many.
    stands_for = np.array(
        [0.0] * len(rows) + [1.0] * len(mined) + [(len(real) - len(mined)) / len(plain)] * len(plain)
    )
    written: dict[str, Any] = {}
    for name in ("both", "words"):
        scores = _scores_by_folds(all_of, name)
        threshold = _threshold(scores, stands_for, WANTED * len(real))
        found = scores > threshold
        hard = ~addressed & (np.arange(len(texts)) < len(rows))
        print(
            f"{name}: finds {found[addressed].mean():.3f} of {addressed.sum()} addressed sentences of other kinds,"
            f" takes {found[hard].mean():.3f} of {hard.sum()} near ones for addressed; threshold {threshold:.2f}"
        )
        vocabulary = _vocabulary(all_of, np.ones(len(texts), dtype=bool))
        model = _fitted(_features(all_of, name, vocabulary), addressed, name)
        written[name] = np.hstack([model.coef_, model.intercept_[:, None]]).astype(np.float16)
        written[f"threshold_{name}"] = np.array(threshold, dtype=np.float32)
    np.savez_compressed(
        FILE, embedder=np.array(embedder.spec.name), vocabulary=np.array(vocabulary), **written
    )
    print(f"{FILE}: {FILE.stat().st_size} bytes, {len(vocabulary)} words")


def measure(folder: Path, embedder: Embedder) -> None:
    """Print what the committed detector finds of the held-out set, and its false alarms, with and without vectors."""
    rows = read_rows(SETS / "heldout.jsonl")
    real = random.Random(1).sample(list(dict.fromkeys(sentences_of(folder, half=1))), COUNTED)
    for name, by in (("both", embedder), ("words", None)):
        found = np.array(detected([row["text"] for row in rows], embedder, with_vectors=by is not None))
        alarms = [
            t
            for t, yes in zip(real, detected(real, embedder, with_vectors=by is not None), strict=True)
            if yes
        ]
        label = np.array([row["addressed"] for row in rows])
        print(
            f"{name}: finds {found[label].sum()} of {label.sum()}, takes {found[~label].sum()} of {(~label).sum()}"
        )
        for kind in sorted({row["kind"] for row in rows}):
            of = np.array([row["kind"] == kind for row in rows])
            print(f"    {kind}: {found[of].sum()} of {of.sum()} ({label[of].sum()} are addressed)")
        print(f"    {len(alarms)} of {len(real)} real sentences are taken for addressed:")
        print(*(f"        {text}" for text in alarms), sep="\n")


def detected(texts: Sequence[str], embedder: Embedder, *, with_vectors: bool) -> list[bool]:
    """Return which texts the committed detector finds, by vectors and words or by words alone."""
    found: list[bool] = []
    for start in range(0, len(texts), BATCH):
        part = texts[start : start + BATCH]
        encodings = embedder.encode_tokens(part, role="document") if with_vectors else []
        found += are_addressed(part, encodings, embedder if with_vectors else None)
    return found


def sentences_of(folder: Path, *, half: int) -> Iterator[str]:
    """Yield the sentences of one half of the papers, in an order that is always the same."""
    seen: set[str] = set()
    for file in sorted([*folder.rglob("*.jsonl"), *folder.rglob("*.jsonl.gz")]):
        papers = read_rows(file)
        random.Random(0).shuffle(papers)
        for paper in papers[:PAPERS]:
            abstract = paper.get("abstract")
            if not isinstance(abstract, str):
                continue
            key = "".join((paper.get("title") or abstract[:80]).casefold().split())
            digest = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16)
            if abstract.strip() and key not in seen and digest % 2 == half:
                seen.add(key)
                yield from (abstract[start:end] for start, end in spans_of(abstract))


def vectors_of(texts: Sequence[str], embedder: Embedder) -> np.ndarray:
    """Return the features of the texts by the embedder; texts of a like length are embedded together."""
    order = sorted(range(len(texts)), key=lambda n: len(texts[n]))
    parts = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    found = [
        vector_features(embedder.encode_tokens([texts[n] for n in part], role="document")) for part in parts
    ]
    return np.vstack(found)[np.argsort(order)]


def _chosen(rows: Sequence[dict[str, Any]], real: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the real sentences that words alone find most like addressed ones, and others at random."""
    draw = random.Random(1)
    first = draw.sample(range(len(real)), min(30_000, len(real)))
    read = HashingVectorizer(
        ngram_range=(1, 2), n_features=2**18, alternate_sign=False, token_pattern=r"\b\w+\b|[?!:\"“]"
    )
    labels = np.array([row["addressed"] for row in rows] + [False] * len(first))
    texts = [row["text"] for row in rows] + [real[n] for n in first]
    model = fit_logistic(read.transform(texts), labels, strength=20.0, weights=np.where(labels, 5.0, 1.0))
    scores = np.concatenate(
        [model.decision_function(read.transform(real[n : n + 20_000])) for n in range(0, len(real), 20_000)]
    )
    best = np.argsort(-scores)[:MINED]
    others = [n for n in first if n not in set(best.tolist())][:PLAIN]
    return [real[n] for n in best], [real[n] for n in others]


def _folds(rows: Sequence[dict[str, Any]]) -> list[int]:
    """Return a fold for each row, so that a kind of phrasing is in one fold only."""
    kinds = [(row["addressed"], row["kind"]) for row in rows]
    number = {kind: n % FOLDS for n, kind in enumerate(sorted(set(kinds)))}
    return [n % FOLDS if kind[1] == "plain" else number[kind] for n, kind in enumerate(kinds)]


def _scores_by_folds(sentences: Sentences, name: str) -> np.ndarray:
    scores = np.zeros(len(sentences.texts))
    for fold in range(FOLDS):
        train = sentences.group != fold
        features = _features(sentences, name, _vocabulary(sentences, train))
        model = _fitted(features[train], sentences.addressed[train], name)
        scores[~train] = model.decision_function(features[~train])
    return scores


def _vocabulary(sentences: Sentences, rows: np.ndarray) -> list[str]:
    """Return the words and bigrams that are in several of the labelled sentences."""
    labelled = len(read_rows(SETS / "dev.jsonl"))
    texts = [text for n, text in enumerate(sentences.texts[:labelled]) if rows[n]]
    counts = Counter(word for text in texts for word in words_of(text))
    return sorted(word for word, count in counts.items() if count >= COMMON)


def _features(sentences: Sentences, name: str, vocabulary: Sequence[str]) -> np.ndarray:
    words = word_features(sentences.texts, {word: n for n, word in enumerate(vocabulary)})
    return np.hstack([sentences.vectors, words]) if name == "both" else words


def _fitted(features: np.ndarray, addressed: np.ndarray, name: str) -> Any:
    return fit_logistic(features, addressed, strength=STRENGTH[name], weights=np.where(addressed, TIMES, 1.0))


def _threshold(scores: np.ndarray, stands_for: np.ndarray, most: float) -> float:
    """Return the lowest score above which at most so many real sentences are."""
    order = np.argsort(-scores)
    above = np.cumsum(stands_for[order])
    return float(scores[order][int(np.searchsorted(above, most, side="right"))])


if __name__ == "__main__":
    main()
