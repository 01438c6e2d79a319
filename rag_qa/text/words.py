"""The words of a text that carry its content, stemmed; shared by relevance, evidence and verdicts."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_][^\W_]*", re.UNICODE)

FUNCTION_WORDS = frozenset(
    """a about above across after again against all also although am among an and any are as at be because been
    before being below between both but by can cannot could did do does doing done down due during each either
    else etc every few for from further had has have having he her here hers him his how however i if in into is
    it its itself just least less let like many may me might more most much must my neither no nor not of off on
    once one only onto or other others our ours out over own per please quite rather s same shall she should
    since so some something such t than that the their theirs them then there these they this those though
    through thus to too toward towards under until up upon us use used uses using very via was we well were what
    when where whether which while who whom whose why will with within without would yet you your""".split()
)
# Words that ask for papers and say nothing of what the papers are about.
ASKING_WORDS = frozenset(
    """abstract abstracts article articles author authors cite describe described describes discuss discussed
    discusses discussing explain explains find give introduce introduced introduces know list literature
    mention mentions paper papers point present presented presents propose proposed proposes publication
    publications publish published recommend research researcher researchers show shows studies study
    studying suggest suggests tell work works""".split()
)


def content_terms(text: str) -> list[str]:
    """Return the stems of the content words of a text, in order, with repetitions."""
    return _stem(content_words(text))


def content_words(text: str) -> list[str]:
    """Return the words of a text in lower case without function words, in order, with repetitions."""
    return [word for word in map(str.casefold, WORD.findall(text)) if word not in FUNCTION_WORDS]


def question_terms(question: str) -> list[str]:
    """Return the distinct content stems of a question without the words that merely ask for papers."""
    return topic_terms(question) or list(dict.fromkeys(content_terms(question)))


def topic_terms(question: str) -> list[str]:
    """Return the distinct content stems that say what a question is about; none in "which papers?"."""
    asking = _asking_stems()
    return [term for term in dict.fromkeys(content_terms(question)) if term not in asking]


def stems(text: str) -> set[str]:
    """Return the stems of all words of a text, function words included."""
    return set(_stem([word.casefold() for word in WORD.findall(text)]))


def abbreviates(name: str, text: str) -> bool:
    """Return whether a name (or its plural) is the initials of words of the text in a row, with or without "of"."""
    short = name.casefold().removesuffix("s")
    words = [word.casefold() for word in WORD.findall(text)]
    initials = ("".join(w[0] for w in words), "".join(w[0] for w in words if w not in FUNCTION_WORDS))
    return len(short) > 1 and any(short in row for row in initials)


def coverage(wanted: Iterable[str], found: Iterable[str], weights: Mapping[str, float]) -> float:
    """Return the share of the weight of `wanted` that is in `found`, 0 to 1; 0 where nothing is wanted."""
    found = set(found)
    total = here = 0.0
    for term in wanted:
        total += weights[term]
        here += weights[term] if term in found else 0.0
    return here / total if total else 0.0


@cache
def _asking_stems() -> frozenset[str]:
    return frozenset(_stem(sorted(ASKING_WORDS)))


def _stem(words: list[str]) -> list[str]:
    stems: list[str] = _stemmer().stemWords(words)
    return stems


@cache
def _stemmer() -> Any:
    import Stemmer  # type: ignore[import-not-found]

    return Stemmer.Stemmer("english")
