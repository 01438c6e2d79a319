"""A follow-up question → a question that stands alone, by rules over the turns before. Knows no models."""

import re
from collections.abc import Sequence

from rag_qa.answering.questions import WHICH, question_kind
from rag_qa.answering.terms import topic_terms
from rag_qa.errors import QuestionError
from rag_qa.types import Answer, Value

WORDS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "last": 0}
NTH = rf"{'|'.join(WORDS)}|\d{{1,2}}(?:st|nd|rd|th)"
# A place on the screen: "the second one", "the second paper" (but not "the first paper to …"), "and the
# second?", "paper 2", "number 2", "#2", "[2]".
PLACE = re.compile(
    rf"\bthe\s+(?P<named>{NTH})\s+(?:one|paper|of\s+(?:them|these|those))\b(?!\s+(?:to|that|which|ever)\b)"
    rf"|^\W*(?:and|but|so|what\s+about|how\s+about)\s+the\s+(?P<bare>{NTH})(?=\W*$)"
    r"|(?:\bpaper|(?<!the\s)\bnumber)\s+(?P<number>\d{1,2})\b|(?<!\w)\#(?P<hash>\d{1,2})\b|\[(?P<mark>\d{1,2})\]",
    re.IGNORECASE,
)
PRONOUN = re.compile(
    r"\b(?:(?P<paper>(?:this|that)\s+paper)|them|these|those|they|(?P<owner>their|its)"
    r"|it(?!\s+(?:possible|true|known|necessary|feasible|common|hard|easy|takes?|make)\b))\b",
    re.IGNORECASE,
)
LINK = re.compile(
    r"\b(?:do|does|did|is|are|was|were|can|could|will|would|have|has|of|in|by|to|between|about|on)\s+$",
    re.IGNORECASE,
)
CLAUSE = re.compile(
    r"(?<!^)\b(?:and|or|but|when|if|that|which|who|while|because|than)\b|[,;:]", re.IGNORECASE
)
OPENING = re.compile(r"^\s*(?:and|but|also|what about|how about|so)\b", re.IGNORECASE)
FEW_TERMS = 2


class Resolved(Value):
    """What is searched: the question as understood, and the papers it speaks of where it names any."""

    question: str
    within: tuple[str, ...] | None = None


def resolve(question: str, history: Sequence[Answer]) -> Resolved:
    """Return the question as it stands after the turns before, oldest first.

    "The second one" and "them" restrict the search to papers of the last answer that cited any, where "the third
    one" after "the second one" still means the list before; "and …" and questions without a word of their own
    take over the question before. Raises QuestionError for a place that no paper has.
    """
    shown = [answer for answer in history if answer.papers]
    if shown:
        if picked := _picked(question, shown):
            return Resolved(question=_about_picked(question, history), within=picked)
        if _refers_back(question):
            return Resolved(question=question, within=_ids(shown[-1]))
    if history and _is_fragment(question):
        return Resolved(question=f"{question} (after: {_before(history)})")
    return Resolved(question=question)


def _picked(question: str, shown: Sequence[Answer]) -> tuple[str, ...]:
    """Return the papers whose places the question names: numbers as on the screen, words in the last list."""
    screen = _ids(shown[-1])
    lists = [answer for answer in shown if not PLACE.search(answer.question)]
    listed = _ids(lists[-1]) if lists else screen
    picked = []
    for match in PLACE.finditer(question):
        place = _place(match)
        ids = listed if match["named"] or match["bare"] or place > len(screen) else screen
        if place > len(ids):
            count = "1 paper" if len(ids) == 1 else f"{len(ids)} papers"
            raise QuestionError(
                f"the last answer shows {count}, no number {place}; ask for one that it shows"
            )
        picked.append(ids[place - 1])
    return tuple(dict.fromkeys(picked))


def _ids(answer: Answer) -> tuple[str, ...]:
    return tuple(paper.id for paper in answer.papers)


def _place(match: re.Match[str]) -> int:
    """Return the place that was named, from 1; 0 for the last."""
    named = next(text for text in match.groups() if text).casefold()
    return WORDS[named] if named in WORDS else int(re.sub(r"\D", "", named))


def _about_picked(question: str, history: Sequence[Answer]) -> str:
    """Return the question with "it" for one place, and with the topic before where it has none of its own."""
    asked = PLACE.sub("it", question, count=1)
    if topic_terms(PLACE.sub("", question)):
        return asked
    topic = WHICH.sub(" ", _before(history)).strip(" ?.")
    return f"{asked} ({topic})"


def _refers_back(question: str) -> bool:
    """Return whether a pronoun has nothing in the question itself to refer to."""
    pronoun = PRONOUN.search(question)
    if pronoun is None:
        return False
    before = OPENING.sub("", question[: pronoun.start()])
    terms = topic_terms(before)
    if pronoun["paper"] or not terms or len(before.split()) == 1:
        return True
    linked = bool(LINK.search(before)) or (len(terms) == 1 and not pronoun["owner"])
    return linked and not CLAUSE.search(before)


def _is_fragment(question: str) -> bool:
    """Return whether the question needs the one before: "and for music?", "why?"."""
    terms = topic_terms(question)
    if not terms:
        return True
    whole = question_kind(question) == "which"
    return bool(OPENING.search(question)) and len(terms) <= FEW_TERMS and not whole


def _before(history: Sequence[Answer]) -> str:
    """Return the question just asked, as it was understood then."""
    return resolve(history[-1].question, history[:-1]).question
