"""Whether quotes support a sentence, decided by our own verdict model: no judge model is needed."""

from collections.abc import Sequence

from rag_qa.answering.verdict.model import judge


def is_supported(sentence: str, quotes: Sequence[str]) -> bool:
    """Return whether our verdict on a sentence is `supported`; reports name this function as what decided.

    >>> is_supported("Bees dance.", ["Bees dance."])
    True
    """
    return judge(sentence, quotes).label == "supported"
