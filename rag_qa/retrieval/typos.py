"""Misspelt words of a question → words of the papers. Knows nothing of indexes."""

import re
import string
from collections.abc import Callable, Sequence

# Shorter words have too many neighbours, and longer ones are no words.
WORD = re.compile(r"\b[^\W\d_]{6,24}\b")
# A word of one paper alone may itself be misspelt.
MIN_PAPERS = 2


def without_typos(question: str, papers_with: Callable[[Sequence[str]], list[int]]) -> str:
    """Return a question whose words are as the papers write them.

    A word of six letters or more that no paper has becomes the one of most papers that a letter left out, added,
    changed or exchanged with the next makes of it; the first letter stays, and so do words with capitals inside,
    which are names. `papers_with` tells for each of some words how many papers have it.
    """
    return WORD.sub(lambda found: _mended(found[0], papers_with), question)


def _mended(word: str, papers_with: Callable[[Sequence[str]], list[int]]) -> str:
    if word[1:] != word[1:].lower() or papers_with([word])[0]:
        return word
    near = _neighbours(word.lower())
    counts = papers_with(near)
    most = max(counts)
    return near[counts.index(most)] if most >= MIN_PAPERS else word


def _neighbours(word: str) -> list[str]:
    """Return the words that one slip makes of a word, in alphabetical order."""
    cuts = [(word[:n], word[n:]) for n in range(1, len(word) + 1)]
    near = {a + b[1:] for a, b in cuts if b} | {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    for letter in string.ascii_lowercase:
        near |= {a + letter + b[1:] for a, b in cuts if b} | {a + letter + b for a, b in cuts}
    return sorted(near)
