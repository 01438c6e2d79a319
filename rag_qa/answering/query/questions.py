"""Questions as text: cleaned of what is no part of them, and read for whether they name nothing but papers."""

import re

from rag_qa.corpus.cleaning import clean_text
from rag_qa.errors import QuestionError
from rag_qa.text.words import content_terms, topic_terms

MAX_CHARACTERS = 4000
# Some pages; their passages are embedded while somebody waits.
MAX_EXAMPLE = 20_000
MARKUP = re.compile(r"<\|[^|<>]*\|>|</?[A-Za-z_]\w*>|\[/?[A-Z]+\]")
MARK = re.compile(r"\[\s*\d[\d\s,;–-]*\]")
# Words of a question that sets papers side by side, or asks for them in general.
SETTING_SIDE_BY_SIDE = """
    compare comparison contrast differ difference different similar similarity common versus vs summarize summarise
    summary first second third fourth fifth sixth seventh last former latter other both
"""


def names_only(question: str) -> bool:
    """Return whether a question about papers already named asks for nothing but them: "compare it with the first"."""
    return set(topic_terms(question)) <= set(content_terms(SETTING_SIDE_BY_SIDE))


def without_markup(question: str, *, marks: bool = True) -> str:
    """Return the question without chat-template tokens and tags, and without citation marks where no paper is shown.

    Where nothing else is left, the question comes back as it is.
    """
    bare = MARKUP.sub(" ", question)
    bare = " ".join((MARK.sub(" ", bare) if marks else bare).split())
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
