"""A follow-up question → a question that stands alone, by rules over the turn before. Knows nothing of models."""

import re
from collections.abc import Sequence

from rag_qa.answering.terms import question_terms
from rag_qa.types import Answer, Value

ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "sixth": 5, "seventh": 6, "last": -1}
ORDINAL = re.compile(
    rf"\bthe\s+({'|'.join(ORDINALS)})\s+(?:one|paper|of\s+(?:them|these|those))\b"
    rf"|\b(?:paper|number|no\.?|\#)\s*(\d+)\b",
    re.IGNORECASE,
)
THEM = re.compile(
    r"\b(?:them|these|those|they|their|it|its|this\s+paper|that\s+paper|(?:these|those|the)\s+(?:papers|methods|models))\b",
    re.IGNORECASE,
)
OPENING = re.compile(r"^\s*(?:and|but|also|what about|how about|so)\b", re.IGNORECASE)
FEW_TERMS = 2


class Resolved(Value):
    """What is searched: the question as understood, and the papers it speaks of where it names any."""

    question: str
    within: tuple[str, ...] | None = None


def resolve(question: str, history: Sequence[Answer]) -> Resolved:
    """Return the question as it stands after the turns before.

    "The second one" and "them" restrict the search to papers of the last answer that cited any; "and …" and
    questions of hardly a word take over the words of the question before.
    """
    last = next((answer for answer in reversed(history) if answer.papers), None)
    if last is None:
        return Resolved(question=question)
    ids = [paper.id for paper in last.papers]
    if picked := _picked(question, ids):
        return Resolved(question=question, within=picked)
    if THEM.search(question):
        return Resolved(question=question, within=tuple(ids))
    if OPENING.search(question) and len(question_terms(question)) <= FEW_TERMS:
        return Resolved(question=f"{question} (after: {last.question})")
    return Resolved(question=question)


def _picked(question: str, ids: Sequence[str]) -> tuple[str, ...]:
    picked = []
    for word, number in ORDINAL.findall(question):
        place = ORDINALS[word.casefold()] if word else int(number) - 1
        if -len(ids) <= place < len(ids):
            picked.append(ids[place])
    return tuple(dict.fromkeys(picked))
