"""Where a question refers to papers shown before: by place, and by pronoun. Knows no models."""

import re
from collections.abc import Sequence

from rag_qa.answering.query.names import Mention
from rag_qa.answering.query.questions import question_kind
from rag_qa.errors import QuestionError
from rag_qa.text.words import topic_terms

# 0 is the last place.
PLACES = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "last": 0}
COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
NTH = rf"(?:{'|'.join(PLACES)}|\d{{1,2}}(?:st|nd|rd|th))"
# What follows "the second" where it is no adjective, as in "the second layer" or "the first to …".
NO_NOUN = r"""(?:\s+(?:is|are|was|were|does|do|did|has|have|had|can|could|would|will|with|and|or|than|vs|versus|from
    |as|better|worse|more|less|about|also|really|still|even|\w+er\s+than)\b|\s*[,;:?!.]|\s*$)"""
# A place on the screen: "the second one", "the second paper" (but not "the first paper to …"), "compare the first
# with …", "the latter", "the other one", "paper 2", "number two", "#2", "[2]".
PLACE = re.compile(
    rf"""\bthe\s+(?P<named>{NTH})\s+(?:one|paper|of\s+(?:them|these|those))\b(?!\s+(?:to|that|which|ever)\b)
    | \bthe\s+(?P<bare>{NTH})(?={NO_NOUN})
    | \bthe\s+(?P<side>former|latter)\b(?:\s+(?:one|paper)\b)?
    | \bthe\s+(?P<other>others?)(?:\s+(?:one|two|three|papers?)\b|(?={NO_NOUN}))
    | (?:\bpaper|(?<!the\s)\bnumber)\s+(?P<number>\d{{1,2}}|{"|".join(COUNTS)})\b
    | (?<!\w)\#(?P<hash>\d{{1,2}})\b | \[(?P<mark>\d{{1,2}})\]""",
    re.IGNORECASE | re.VERBOSE,
)
# "What's", as it is also typed.
IS = r"(?:what|how|who|where|when)[’']?s"
WORK = r"(?:paper|approach|method|model|study|work|algorithm|technique|system|survey|article|one)"
# `definite` ones need no look at what stands before them: "this method", "which of the two".
PRONOUN = re.compile(
    rf"""\b(?:(?P<definite>(?:this|these|those)\s+{WORK}s?\b
        |(?:{IS}|is|was|does|did|do|has|can|of|in|by|to|about|on|for|with|from|than|wrote|behind)\s+that\s+{WORK}\b
        |which\s+of\s+(?:them|these|those|the\s+(?:two|three))\b
        |(?:these|the)\s+two(?=\W*$|\s+(?:papers|differ|agree)\b)|according\s+to\s+(?:it|them)\b|the\s+papers?(?=\W*$))
      |(?P<owner>(?:theirs?|its)\b)
      |(?:which\s+ones?|them|these|those|they|both(?!.*\sand\s)|either(?!.*\sor\s))\b
      |it\b(?!\s+(?:possible|true|known|necessary|feasible|common|hard|easy|takes?|make)\b)
        (?!\s+(?!able|due|similar|equal|robust|close|\w+ed\b)\w+\s+(?:to|that)\b))""",
    re.IGNORECASE | re.VERBOSE,
)
# "What year is that from?", "different from that": a demonstrative without a noun.
DEMONSTRATIVE = re.compile(
    rf"^\W*(?:(?:and|but|so)\s+)?(?:{IS}|(?:(?:in\s+)?(?:what|which|who|where|when|how|why)\s+(?:\w+\s+)?)?"
    r"(?:is|was|did|does|do))\s+(?:this|that)\b|\b(?:from|than|like|with)\s+(?:this|that)(?=\W*$)|,\s*(?:this|that)\s+or\b",
    re.IGNORECASE,
)
# "Which uses less memory?" asks among the papers shown, where "which methods …" does not.
AMONG = re.compile(
    r"^\W*(?:(?:and|but|so)\s+)?which\s+(?:is|are|was|were|has|have|does|do|did|can|could|would|will|uses?|needs?|works"
    r"|handles?|runs?|performs?|gives?|scales?|trains?|learns?|requires?|achieves?|gets?|costs?|takes?|avoids?|relies)\b",
    re.IGNORECASE,
)
SEVERAL = re.compile(
    r"\b(?:both|either|the\s+two|which\s+(?:one|of)|of\s+(?:them|these|those))\b", re.IGNORECASE
)
LINK = re.compile(
    r"\b(?:do|does|did|is|are|was|were|can|could|will|would|have|has|of|in|by|to|between|about|on)\s+$",
    re.IGNORECASE,
)
# These link to "it" and "them" alone: "a speaker from their voice" has its own.
WITH = re.compile(r"\b(?:with|from|than)\s+$", re.IGNORECASE)
CLAUSE = re.compile(
    r"(?<!^)\b(?:and|or|but|when|if|that|which|who|while|because|than)\b|[,;:]", re.IGNORECASE
)
FEW_TERMS = 2
OPENING = re.compile(r"^\s*(?:and|but|also|what about|how about|so)\b", re.IGNORECASE)
# The preposition of "on which data sets …", which opens no clause.
PREPOSITION = re.compile(r"^\s*(?:on|in|for|at|to|with|by|from)\s+(?=(?:which|what|whom)\b)", re.IGNORECASE)


def place_mentions(
    question: str, *, screen: Sequence[str], listed: Sequence[str], focus: Sequence[str]
) -> list[Mention]:
    """Return where the question names papers by place: numbers as on the screen, words in the list.

    The screen holds the ids numbered last, and the list those from which they were picked, else the same; "the other
    one" is what the list holds beside the focus, those spoken of last. Raises QuestionError for a place that no
    paper has.
    """
    found = []
    for match in PLACE.finditer(question):
        if match["other"]:
            ids = tuple(key for key in listed if key not in focus) or tuple(listed[1:])
        else:
            ids = (_at(match, screen, listed),)
        found.append(Mention(match.start(), match.end(), ids))
    return found


def _at(match: re.Match[str], screen: Sequence[str], listed: Sequence[str]) -> str:
    place = _place(match)
    in_words = match["named"] or match["bare"] or match["side"]
    ids = listed if in_words or place > len(screen) else screen
    if place > len(ids):
        count = "1 paper" if len(ids) == 1 else f"{len(ids)} papers"
        raise QuestionError(f"the last answer shows {count}, no number {place}; ask for one that it shows")
    return ids[place - 1]


def _place(match: re.Match[str]) -> int:
    """Return the place that was named, from 1; 0 for the last."""
    named = next(text for text in match.groups() if text).casefold()
    words = PLACES | COUNTS | {"former": 1, "latter": 0}
    return words[named] if named in words else int(re.sub(r"\D", "", named))


def has_pronoun(text: str) -> bool:
    """Return whether a text holds a pronoun at all."""
    return bool(PRONOUN.search(text) or DEMONSTRATIVE.search(text))


def means_several(question: str) -> bool:
    """Return whether a question speaks of more than one paper: "both", "which of them", "which is better?"."""
    return bool(SEVERAL.search(question) or AMONG.search(question))


def refers_back(question: str) -> bool:
    """Return whether the question speaks of papers by a word that has nothing in it to refer to."""
    if AMONG.search(question) and question_kind(question) != "which":
        return True
    if DEMONSTRATIVE.search(question):
        return True
    pronoun = PRONOUN.search(question)
    if pronoun is None:
        return False
    before = PREPOSITION.sub("", OPENING.sub("", question[: pronoun.start()]))
    terms = topic_terms(before)
    if pronoun["definite"] or not terms or len(before.split()) == 1:
        return True
    link = LINK.search(before) or (WITH.search(before) and not pronoun["owner"])
    linked = (link and len(terms) <= FEW_TERMS) or (len(terms) == 1 and not pronoun["owner"])
    return bool(linked) and not CLAUSE.search(before)
