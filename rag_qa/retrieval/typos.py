"""Misspelt words of a question → words of the papers: spelling correction at one edit (Damerau, 1964).

Knows nothing of indexes.
"""

import re
import string
from collections.abc import Callable, Sequence

# Shorter words have too many neighbours, and longer strings are not words.
WORD = re.compile(r"\b[^\W\d_]{6,24}\b")
# A word of one paper alone may itself be misspelt.
MIN_PAPERS = 2


def without_typos(question: str, paper_counts: Callable[[Sequence[str]], list[int]]) -> str:
    """Return a question with its misspelt words corrected.

    A word of six letters or more that no paper has is replaced by a word at one edit from it: a letter left out, added,
    changed, or swapped with the next, but never the first letter. If there are several, the one that most papers have
    is taken. Words with capitals inside are names and stay. `paper_counts` returns the number of papers for each word.
    """
    return WORD.sub(lambda found: _corrected(found[0], paper_counts), question)


def _corrected(word: str, paper_counts: Callable[[Sequence[str]], list[int]]) -> str:
    if word[1:] != word[1:].lower() or paper_counts([word])[0]:
        return word
    near = _neighbours(word.lower())
    counts = paper_counts(near)
    most = max(counts)
    return near[counts.index(most)] if most >= MIN_PAPERS else word


def _neighbours(word: str) -> list[str]:
    """Return the strings at one edit from a word, in alphabetical order."""
    cuts = [(word[:n], word[n:]) for n in range(1, len(word) + 1)]
    near = {a + b[1:] for a, b in cuts if b} | {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    for letter in string.ascii_lowercase:
        near |= {a + letter + b[1:] for a, b in cuts if b} | {a + letter + b for a, b in cuts}
    return sorted(near)
