"""The papers of a large index that may be among the best, so that only these need exact scores.

Words and bigrams are scored exactly for every paper, which is cheap. Similarities are first taken from the reduced
vectors, and a few thousand papers are left that have a chance by the sum of all components. Fusion divides each
component by its maximum, so the papers with the maxima are always among them: then these papers get the same scores as
in a scan of everything.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from rag_qa.index.exact import Exact, Ordinals
from rag_qa.protocols import Matrix
from rag_qa.retrieval.feedback import FEEDBACK_PAPERS, moved_towards
from rag_qa.retrieval.fusion import Scores, mean_of_max_scaled
from rag_qa.retrieval.ranks import top

# Papers that are left for exact scores, and those whose feedback is taken from the reduced vectors.
LEFT, CONSIDERED = 2_000, 20_000
# Papers among which the first ones, for feedback, are found by exact scores.
FIRST = 100


def promising(
    exact: Exact,
    vector: Matrix,
    words: Mapping[str, Scores],
    weights: Mapping[str, float],
    candidates: Ordinals,
    k: int,
) -> Ordinals:
    """Return the candidates that may be among the k best for a query, in order; all if they are few.

    `vector` has shape (d,) and length 1. `words` holds "lexical" and "pairs" scores of every paper, shape (papers,).
    `weights` are those of the fusion. `candidates` has shape (n,), in order.
    """
    left = max(LEFT, 4 * k)
    if exact.reduced is None or len(candidates) <= 2 * left:
        return candidates
    dense = _of(exact.reduced.similarities(vector), candidates)
    matched = {name: _of(scores, candidates) for name, scores in words.items()}
    plain = _sum([(1.0, dense), (1.0, matched["lexical"])])
    first = candidates[top(plain, FIRST)]
    moved = moved_towards(vector, exact.best_vectors(vector, _first(exact, vector, words, first)))
    without = _sum(
        [(weights["dense"], dense), *((weights[name], scores) for name, scores in matched.items())]
    )
    # Feedback is like the dense score, so a paper without the one has little of the other.
    considered = np.sort(top(without + _scaled(weights["feedback"], dense), CONSIDERED))
    feedback = exact.reduced.similarities_of(moved, candidates[considered])
    scores = without[considered] + _scaled(weights["feedback"], feedback)
    best = considered[top(scores, left)]
    maxima = [int(np.argmax(scores)) for scores in (dense, *matched.values())]
    return np.union1d(candidates[np.append(best, maxima)], first)


def _first(exact: Exact, vector: Matrix, words: Mapping[str, Scores], papers: Ordinals) -> Ordinals:
    """Return the first papers by dense and lexical scores, the ones that feedback moves the query towards."""
    scores = {"dense": exact.similarities(vector, papers), "lexical": words["lexical"][papers]}
    return papers[top(mean_of_max_scaled(scores), FEEDBACK_PAPERS)]


def _of(scores: Scores, candidates: Ordinals) -> Scores:
    return scores if len(candidates) == len(scores) else scores[candidates]


def _sum(parts: Sequence[tuple[float, Scores]]) -> Scores:
    """Return the weighted sum of scores, each divided by its maximum; shape (n,), float32."""
    total = np.zeros_like(parts[0][1])
    for weight, scores in parts:
        total += _scaled(weight, scores)
    return total


def _scaled(weight: float, scores: Scores) -> Scores:
    highest = float(scores.max(initial=0.0))
    return scores * np.float32(weight / highest) if highest > 0 else np.zeros_like(scores)
