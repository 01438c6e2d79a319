"""Questions as text: cleaned, without markup, and read for whether they ask for more than the papers they name."""

import re

from rag_qa.corpus.cleaning import clean_text
from rag_qa.errors import QuestionError
from rag_qa.text.words import content_terms, topic_terms

MAX_CHARACTERS = 4000
# Some pages; the user waits while they are embedded.
MAX_EXAMPLE = 20_000
# Tokens of chat templates, tags and citation marks.
MARKUP = re.compile(r"<\|[^|<>]*\|>|</?[A-Za-z_]\w*>|\[/?[A-Z]+\]")
MARK = re.compile(r"\[\s*\d[\d\s,;–-]*\]")
# Words of questions that compare or summarise papers.
COMPARING = """
    compare comparison contrast differ difference different similar similarity common versus vs summarize summarise
    summary first second third fourth fifth sixth seventh last former latter other both
"""


def names_only(question: str) -> bool:
    """Return whether a question only compares or summarises the papers that it names.

    >>> names_only("compare it with the first"), names_only("compare their convergence")
    (True, False)
    """
    return set(topic_terms(question)) <= set(content_terms(COMPARING))


def without_markup(question: str, *, marks: bool = True) -> str:
    """Return the question without markup and, unless `marks` is False, without citation marks.

    If nothing else is left, return the question as it is.
    """
    bare = MARKUP.sub(" ", question)
    bare = " ".join((MARK.sub(" ", bare) if marks else bare).split())
    return bare if any(c.isalnum() for c in bare) else question


def clean_question(question: str) -> str:
    """Return the question on one line, without escapes, control and invisible characters.

    Raises QuestionError if no letter or digit is left, or if it has more than MAX_CHARACTERS characters.
    """
    cleaned = clean_text(question)
    if not any(c.isalnum() for c in cleaned):
        raise QuestionError("the question is empty; ask something in words")
    if len(cleaned) > MAX_CHARACTERS:
        raise QuestionError(f"the question has {len(cleaned)} characters; ask it in at most {MAX_CHARACTERS}")
    return cleaned


def clean_example(text: str) -> str:
    """Return an example text for `similar` on one line, without escapes, control and invisible characters.

    Raises QuestionError if no letter or digit is left, or if it has more than MAX_EXAMPLE characters.
    """
    cleaned = clean_text(text)
    if not any(c.isalnum() for c in cleaned):
        raise QuestionError("the text is empty; give an abstract, or some sentences")
    if len(cleaned) > MAX_EXAMPLE:
        raise QuestionError(
            f"the text has {len(cleaned)} characters; give at most {MAX_EXAMPLE}, such as an abstract"
        )
    return cleaned
