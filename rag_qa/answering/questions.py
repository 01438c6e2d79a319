"""What kind of answer a question wants, by rules over its words."""

import re
import unicodedata
from typing import Literal

from rag_qa.errors import QuestionError

QuestionKind = Literal["which", "fact"]
MAX_CHARACTERS = 4000

PAPERS = r"(?:papers?|articles?|works?|studies|publications?|research|literature|preprints?|references?)"
WHICH = re.compile(
    rf"""
    \b(?:which|what|any|some|list|find|show|give|recommend|suggest|are\ there|is\ there|name)\b
      (?:\s+[\w,'’-]+){{0,6}}?\s+{PAPERS}\b
    | ^\W*(?:the\s+)?(?:papers?|articles?|publications?|preprints?)\s+(?:on|about|that|which|by|from|discussing|using)\b
    | \b(?:point|direct)\s+me\s+(?:to|toward|towards)\b
    | \bwho\s+(?:has\s+)?(?:wrote|written|studied|worked|works|proposed|introduced)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
ONE_PAPER = re.compile(r"\b(?:in|of|does|do|did|by)\s+(?:the|this|that|their)\s+\w*\s?paper\b", re.IGNORECASE)


def question_kind(question: str) -> QuestionKind:
    """Return "which" for a question whose answer is a list of papers, else "fact"."""
    if WHICH.search(question) and not ONE_PAPER.search(question):
        return "which"
    return "fact"


def clean_question(question: str) -> str:
    """Return the question on one line without control characters.

    Raises QuestionError where nothing is left to ask, or where it is too long to be a question.
    """
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in question)
    cleaned = " ".join(kept.split())
    if not any(c.isalnum() for c in cleaned):
        raise QuestionError("the question is empty; ask something in words")
    if len(cleaned) > MAX_CHARACTERS:
        raise QuestionError(
            f"the question has {len(cleaned)} characters; ask it in at most {MAX_CHARACTERS}"
        )
    return cleaned
