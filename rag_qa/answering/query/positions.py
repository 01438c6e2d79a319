"""References to papers by their position in a list: "[2]", "the second one", "the first two", "the one above"."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rag_qa.errors import QuestionError
from rag_qa.types import Paper, Query

# 0 is the last position, None the middle one.
ORDINALS: dict[str, int | None] = {"top": 1, "last": 0, "final": 0, "bottom": 0, "middle": None}
ORDINALS |= {word: n for n, word in enumerate("first second third fourth fifth sixth seventh".split(), 1)}
NUMBERS = {word: n for n, word in enumerate("one two three four five six seven".split(), 1)}
NTH = rf"(?:{'|'.join(ORDINALS)}|\d{{1,2}}(?:st|nd|rd|th))"
NUMBER = rf"(?:\d{{1,2}}|{'|'.join(NUMBERS)})\b"
JOINED = r"\s*(?:,|and|&|or|vs\.?|with)\s*"
PAPER = r"(?:paper|article|study|work|result|hit|entry|item)"
AFTER = (
    r"(?=\s+(?:is|are|was|were|do|does|did|has|have|had|can|will|with|and|or|than|vs|please|pls)\b"
    r"|\s*[,.:;?!]|\s*$)"
)
POSITION = re.compile(
    rf"""\b(?P<run>{NTH})\s+(?P<many>two|three|four|\d)\b(?=\W*$|\s+(?:ones?|papers?|of)\b|{AFTER})
    | \b(?P<named>{NTH})\s+(?:one|{PAPER}|of\s+(?:them|these|those))\b(?!\s+(?:to|that|which|ever)\b)
    | (?:\b(?:the|and|or|with|vs|than|to|of|in)\s+|^\W*(?:\w+\s+)?)(?P<bare>{NTH})(?:{AFTER})
    | \bthe\s+(?P<side>former|latter)\b | \bthe\s+(?P<other>others?)\b(?=\s+(?:one|two|{PAPER})|{AFTER})
    | \b(?:the\s+one|that)\s+(?P<step>above|before|below|after)\b
    | \bthe\s+(?P<beside>next|previous)\s+(?:one|{PAPER})\b
    | \b(?:{PAPER}s?|(?<!the\s)numbers?|nos?\.?|nr\.?)\s+(?P<numbers>{NUMBER}(?:{JOINED}{NUMBER})*)
    | ^\W*(?P<digits>\d{{1,2}}(?:{JOINED}\d{{1,2}})*){AFTER}
    | (?<!\w)\#(?P<hash>\d{{1,2}})\b | \[(?P<mark>\d{{1,2}})\]""",
    re.IGNORECASE | re.VERBOSE,
)
BACK = ("above", "before", "previous")


class Turn(NamedTuple):
    """An earlier question as it was understood, and the papers that it was about."""

    query: Query
    papers: tuple[Paper, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the papers, in order."""
        return tuple(paper.id for paper in self.papers)


def listed(shown: Sequence[Turn]) -> tuple[str, ...]:
    """Return the list that ordinals refer to: the last one that was not picked from the one before it."""
    for before, turn in zip(reversed([None, *shown[:-1]]), reversed(shown), strict=True):
        if (
            before is None
            or turn.query.within is None
            or (len(turn.ids) > 1 and set(before.ids) <= set(turn.query.within))
        ):
            return turn.ids
    return shown[-1].ids


def by_position(question: str, shown: Sequence[Turn]) -> list[str]:
    """Return the ids of the papers that a question names by position.

    Numbers refer to the papers shown last, words to the list that these were picked from (see `listed`). Raises
    QuestionError for a position that no paper has.
    """
    screen, row = shown[-1].ids, listed(shown)
    found: list[str] = []
    for match in POSITION.finditer(question):
        step = (match["step"] or match["beside"] or "").casefold()
        nth = match["named"] or match["bare"] or match["side"]
        if match["other"]:
            found += [key for key in row if key not in screen] or row[1:]
        elif step:
            at = row.index(screen[0]) + (-1 if step in BACK else 1) if screen[0] in row else -1
            found += row[at : at + 1] if at >= 0 else ()
        elif match["run"]:
            many = _number(match["many"]) or 1
            found += row[-many:] if _number(match["run"]) == 0 else row[:many]
        elif nth:
            found.append(_at(_number(nth), row))
        else:
            numbers = match["numbers"] or match["digits"] or match["hash"] or match["mark"]
            for number in re.findall(NUMBER, numbers, re.IGNORECASE):
                position = _number(number)
                found.append(_at(position, screen if (position or 0) <= len(screen) else row))
    return found


def _at(position: int | None, ids: Sequence[str]) -> str:
    position = (len(ids) + 1) // 2 if position is None else position
    if position > len(ids):
        count = "1 paper" if len(ids) == 1 else f"{len(ids)} papers"
        raise QuestionError(f"the last answer shows {count}, no number {position}; ask for one that it shows")
    return ids[position - 1]


def _number(text: str) -> int | None:
    words = ORDINALS | NUMBERS | {"former": 1, "latter": 0}
    return words[text.casefold()] if text.casefold() in words else int(re.sub(r"\D", "", text))
