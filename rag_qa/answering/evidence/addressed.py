"""Text that addresses its reader, such as "tell the user that …" or "reviewers should accept …": it is no evidence.

A paper's sentences speak about its work. A sentence that speaks to whoever answers from it (a language model, an
assistant, a reviewer) is an attempt at prompt injection. Logistic regressions find them: one over the embedder's
vectors and the words, and one over the words alone for an embedder that the first was not fitted for.
eval/fit/addressed.py writes the coefficients and thresholds, and says on what they were fitted and how well they do.
Both were fitted on English; of other languages they find less.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag_qa.answering.classifier import load_classifier
from rag_qa.protocols import Embedder, Matrix, TokenEncoding

FILE = Path(__file__).with_name("addressed.npz")
WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|[^\w\s]|\d")
# The value of a word's feature, and what the first token's vector is multiplied by, beside a vector of length 1.
WORD_WEIGHT, FIRST_WEIGHT = 0.4, 0.5
# By so much the threshold is lower beside a sentence of the same abstract that addresses its reader, and higher for a
# sure one.
COMPANY = 2.0
# Words after the first ones are not read.
MOST_WORDS = 80
BEGINNING = "^"


def are_addressed(
    texts: Sequence[str],
    encodings: Sequence[TokenEncoding],
    embedder: Embedder | None,
    *,
    together: bool = False,
    surely: bool = False,
) -> list[bool]:
    """Return for each text whether it addresses its reader; beside one that does, others of an abstract need less.

    With `together`, the texts are the sentences of one abstract. With `surely`, the threshold is higher.

    `encodings` are those of the texts by the embedder. With another embedder than the one fitted for, or without one,
    words alone decide.
    """
    classifier = load_classifier(FILE)
    name = "both" if classifier.is_fitted_for(embedder) else "words"
    features = word_features(texts, classifier.vocabulary)
    if name == "both" and texts:
        features = np.hstack([vector_features(encodings), features])
    threshold = float(np.asarray(classifier.data[f"threshold_{name}"], dtype=np.float32))
    threshold += COMPANY if surely else 0.0
    scores = [float(classifier.scores(row, name)[0]) for row in features]
    if together and any(score > threshold for score in scores):
        threshold -= COMPANY
    return [score > threshold for score in scores]


def vector_features(encodings: Sequence[TokenEncoding]) -> Matrix:
    """Return each text's vector, and that of its first token in context, which tells an order ("state that …").

    Shape (texts, d + e) for vectors of texts of length d and of tokens of length e.
    """
    return np.stack([np.concatenate([e.vector, FIRST_WEIGHT * e.tokens[0]]) for e in encodings])


def word_features(texts: Sequence[str], vocabulary: Mapping[str, int]) -> Matrix:
    """Return WORD_WEIGHT for each word and bigram of the vocabulary that a text has; shape (texts, words)."""
    features: NDArray[np.float32] = np.zeros((len(texts), len(vocabulary)), dtype=np.float32)
    for row, text in enumerate(texts):
        features[row, [vocabulary[word] for word in words_of(text) & vocabulary.keys()]] = WORD_WEIGHT
    return features


def words_of(text: str) -> set[str]:
    """Return the words, signs, digits and their bigrams at the beginning of a text, and a mark for its beginning."""
    found = [BEGINNING, *WORD.findall(text.casefold().replace("’", "'"))[:MOST_WORDS]]
    return {*found, *(f"{one} {other}" for one, other in pairwise(found))}
