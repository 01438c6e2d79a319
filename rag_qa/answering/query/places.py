"""Where a question means papers by their place in a list: "[2]", "the second one", "the first two", "the one above"."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rag_qa.errors import QuestionError
from rag_qa.types import Paper, Query

# 0 is the last place.
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "last": 0}
NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
NTH = rf"(?:{'|'.join(ORDINALS)}|\d{{1,2}}(?:st|nd|rd|th))"
AFTER = (
    r"(?=\s+(?:is|are|was|were|do|does|did|has|have|had|can|will|with|and|or|than|vs|please|pls)\b"
    r"|\s*[,.:;?!]|\s*$)"
)
PLACE = re.compile(
    rf"""\b(?P<run>{NTH})\s+(?P<many>two|three|four|\d)\b(?=\W*$|\s+(?:ones?|papers?|of)\b|{AFTER})
    | \b(?P<named>{NTH})\s+(?:one|paper|of\s+(?:them|these|those))\b(?!\s+(?:to|that|which|ever)\b)
    | (?:\bthe\s+|^\W*(?:\w+\s+)?)(?P<bare>{NTH})(?:{AFTER})
    | \bthe\s+(?P<side>former|latter)\b | \bthe\s+(?P<other>others?)\b(?=\s+(?:one|two|paper)|{AFTER})
    | \b(?:the\s+one|that)\s+(?P<step>above|before|below|after)\b
    | (?:\bpaper|(?<!the\s)\bnumber|\bno\.?)\s+(?P<number>\d{{1,2}}|{"|".join(NUMBERS)})\b
    | (?<!\w)\#(?P<hash>\d{{1,2}})\b | \[(?P<mark>\d{{1,2}})\]""",
    re.IGNORECASE | re.VERBOSE,
)


class Turn(NamedTuple):
    """A question answered before, as it was understood, and the papers that it was about."""

    query: Query
    papers: tuple[Paper, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The papers that it was about, in order."""
        return tuple(paper.id for paper in self.papers)


def listed(shown: Sequence[Turn]) -> tuple[str, ...]:
    """Return the list that places in words mean: the last that was not picked from the one before it."""
    for before, turn in zip(reversed([None, *shown[:-1]]), reversed(shown), strict=True):
        if (
            before is None
            or turn.query.within is None
            or (len(turn.ids) > 1 and set(before.ids) <= set(turn.query.within))
        ):
            return turn.ids
    return shown[-1].ids


def places(question: str, shown: Sequence[Turn]) -> list[str]:
    """Return the papers that a question names by place: numbers as on the screen, words in the list.

    Raises QuestionError for a place that no paper has.
    """
    screen, row = shown[-1].ids, listed(shown)
    found: list[str] = []
    for match in PLACE.finditer(question):
        if match["other"]:
            found += [key for key in row if key not in screen] or row[1:]
        elif match["step"]:
            step = -1 if match["step"].casefold() in ("above", "before") else 1
            at = row.index(screen[0]) + step if screen[0] in row else -1
            found += row[at : at + 1] if at >= 0 else ()
        elif match["run"]:
            many = _number(match["many"])
            found += row[-many:] if _number(match["run"]) == 0 else row[:many]
        else:
            place = _number(next(text for text in match.groups() if text))
            in_words = match["named"] or match["bare"] or match["side"]
            ids = row if in_words or place > len(screen) else screen
            if place > len(ids):
                count = "1 paper" if len(ids) == 1 else f"{len(ids)} papers"
                raise QuestionError(
                    f"the last answer shows {count}, no number {place}; ask for one that it shows"
                )
            found.append(ids[place - 1])
    return found


def _number(text: str) -> int:
    words = ORDINALS | NUMBERS | {"former": 1, "latter": 0}
    return words[text.casefold()] if text.casefold() in words else int(re.sub(r"\D", "", text))
