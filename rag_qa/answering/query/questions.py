"""What kind of answer a question wants, by rules over its words."""

import re
from typing import Literal

from rag_qa.corpus.cleaning import clean_text
from rag_qa.errors import QuestionError
from rag_qa.text.words import content_terms, topic_terms

QuestionKind = Literal["which", "comparison", "fact"]
MAX_CHARACTERS = 4000
# Some pages; their passages are embedded while somebody waits.
MAX_EXAMPLE = 20_000
MARKUP = re.compile(r"<\|[^|<>]*\|>|</?[A-Za-z_]\w*>|\[/?[A-Z]+\]|\[\s*\d[\d\s,;–-]*\]")

PAPERS = r"(?:papers?|articles?|studies|publications?|research|literature|preprints?|references?)"
# "Work" is a noun for papers only between words like these: "any work on", but not "what works better".
WORK = r"""
    (?:which|what|any|some|more|other|early|recent|prior|previous|related|existing|these|find|list|there)
    \s+works?\s+
    (?:on|about|that|which|by|has|have|exists?|discuss\w*|address\w*|propos\w*|concerning|regarding|deal\w*)
"""
WHICH = re.compile(
    rf"""
    \b(?:which|what|any|some|list|find|show|give|recommend|suggest|are\ there|is\ there|name)\b
      (?:\s+[\w,'\u2019-]+){{0,6}}?\s+{PAPERS}\b
    | \b{WORK}\b
    | (?<!the\ )\b(?:papers|articles|publications|preprints|studies|anything)\s+(?:on|about|regarding)\b
    | ^\W*(?:the\s+)?(?:papers?|articles?|publications?|preprints?)
      \s+(?:on|about|that|which|by|from|discussing|using)\b
    | \bwhat\s+has\s+been\s+(?:done|published|written)\b
    | \b(?:point|direct)\s+me\s+(?:to|toward|towards)\b
    | \bwho\s+(?:has\s+)?(?:wrote|written|studied|worked|works|proposed|introduced)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Asks what papers say, not for papers.
CONTENT = re.compile(
    r"\b(?:in|of|does|do|did|by)\s+(?:the|this|that|their)\s+(?:[\w,'\u2019-]+\s+){0,4}?paper\b"
    r"|\b(?:what|how)\s+(?:do|did)\s+(?:the|these|those|they)\b",
    re.IGNORECASE,
)
# Sets papers or what they propose side by side.
COMPARISON = re.compile(
    r"\b(?:compare[ds]?|comparing|comparison|contrast\w*|versus|vs|differs?|differences?|side\s+by\s+side|against|both"
    r"|each|two\s+(?:\w+\s+)?(?:papers|studies|trials|methods|approaches))\b",
    re.IGNORECASE,
)


# Words of a question that sets papers side by side, or asks for them in general.
SETTING_SIDE_BY_SIDE = """
    compare comparison contrast differ difference different similar similarity common versus vs summarize summarise
    summary first second third fourth fifth sixth seventh last former latter other both
""".split()


def question_kind(question: str) -> QuestionKind:
    """Return "which" for a list of papers, "comparison" where some are set side by side, else "fact"."""
    if WHICH.search(question) and not CONTENT.search(question):
        return "which"
    return "comparison" if COMPARISON.search(question) else "fact"


def names_only(question: str) -> bool:
    """Return whether a question about papers already named asks for nothing but them: "compare it with the first"."""
    return set(topic_terms(question)) <= set(content_terms(" ".join(SETTING_SIDE_BY_SIDE)))


def without_markup(question: str) -> str:
    """Return the question without chat-template tokens, tags and citation marks, which say nothing of its subject.

    Where nothing else is left, the question comes back as it is.
    """
    bare = " ".join(MARKUP.sub(" ", question).split())
    return bare if any(c.isalnum() for c in bare) else question


def clean_question(question: str) -> str:
    """Return the question on one line without escapes, control and invisible characters.

    Raises QuestionError where nothing is left to ask, or where it is too long to be a question.
    """
    cleaned = clean_text(question)
    if not any(c.isalnum() for c in cleaned):
        raise QuestionError("the question is empty; ask something in words")
    if len(cleaned) > MAX_CHARACTERS:
        raise QuestionError(f"the question has {len(cleaned)} characters; ask it in at most {MAX_CHARACTERS}")
    return cleaned


def clean_example(text: str) -> str:
    """Return a text that papers shall be like on one line without escapes, control and invisible characters.

    Raises QuestionError where no word is left, or where it is too long to be embedded while somebody waits.
    """
    cleaned = clean_text(text)
    if not any(c.isalnum() for c in cleaned):
        raise QuestionError("the text is empty; give an abstract, or some sentences")
    if len(cleaned) > MAX_EXAMPLE:
        raise QuestionError(
            f"the text has {len(cleaned)} characters; give at most {MAX_EXAMPLE}, such as an abstract"
        )
    return cleaned
