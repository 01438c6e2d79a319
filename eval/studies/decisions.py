"""Read the decision of an answer (yes, no or maybe) from its first word, and score decisions."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from rag_qa.evaluation.facts import says_yes_or_no
from rag_qa.types import Answer

Decision = Literal["yes", "no", "maybe"]

DECISIONS: tuple[Decision, ...] = get_args(Decision)


def decision_of(answer: Answer) -> Decision | None:
    """Return yes or no if that is the answer's first word, else maybe; None for a refusal."""
    if answer.abstained:
        return None
    said = says_yes_or_no(answer)
    return "yes" if said == "yes" else "no" if said == "no" else "maybe"


def decision_scores(found: Sequence[Decision | None], wanted: Sequence[Decision]) -> Mapping[str, float]:
    """Return accuracy and macro-F1 (the unweighted mean F1 of the decisions); None is always wrong.

    A decision that is neither wanted nor found has an F1 of 0, as in scikit-learn. Raises ValueError unless both
    are of one length and not empty.
    """
    pairs = list(zip(found, wanted, strict=True))
    if not pairs:
        raise ValueError("there is nothing to score")
    right = [f == w for f, w in pairs]
    each = [_f1(pairs, decision) for decision in DECISIONS]
    return {"accuracy": sum(right) / len(right), "macro_f1": sum(each) / len(each)}


def _f1(pairs: Sequence[tuple[Decision | None, Decision]], decision: Decision) -> float:
    both = sum(f == w == decision for f, w in pairs)
    either = sum((f == decision) + (w == decision) for f, w in pairs)
    return 2 * both / either if either else 0.0
