"""Questions in other languages than English, which most embedders cannot read; found by script and by small words."""

import re

from rag_qa.backends.catalogue import catalogue
from rag_qa.text.words import FUNCTION_WORDS, words

# The embedders of the catalogue read English; this one reads a hundred languages.
MULTILINGUAL = "intfloat/multilingual-e5-small"
# A question is foreign if more of its letters are in another script; "Who studied Эрмитаж?" is English.
FOREIGN_SHARE = 0.5
_ASKING = frozenset(
    """wie warum weshalb welche welcher welches wieviel wieso quel quelle quels quelles comment pourquoi combien
    quoi qué cómo cuál cuáles cuánto cuántos dónde porqué como qual quais quanto quantos perché quale quali dove
    waarom welke hoeveel hur varför vilka vilken hvordan hvorfor hvilke dlaczego jaki jakie nasıl neden hangi
    miten miksi mitä proč který hogyan miért""".split()
)
# Function words of other languages. A word that English has too ("was") does not count as English.
_SMALL = frozenset(
    """der die das den dem des ein eine einer eines und ist sind von vom mit auf für über zum zur im wer hat haben bei
    nicht wird werden aus nach was les la le des du de un une et est sont sur dans avec pour par il elle aux que qui
    el del una y es son con por para en se su o da dos das na um uma e é ou com como il lo gli
    della delle dei di che si nel nella per sono ha het een en met op voor zijn wordt det och är som på av til
    og jest są się""".split()
)
# A question is foreign with at least LEAST_SMALL different ones, SMALL_PER_ENGLISH times as many as English ones,
# and one in SMALL_SHARE words.
LEAST_SMALL = 2
SMALL_PER_ENGLISH = 3
SMALL_SHARE = 4


def is_foreign(question: str) -> bool:
    """Return whether a question is probably not in English.

    >>> is_foreign("Wie schnell kühlt Tee ab?"), is_foreign("How does tea cool?")
    (True, False)
    """
    letters = [c for c in question if c.isalpha()]
    other = sum(not c.isascii() and not "\u00c0" <= c <= "\u024f" for c in letters)
    if other > FOREIGN_SHARE * len(letters):
        return True
    found = words(question)
    english = sum(word in FUNCTION_WORDS and word not in _SMALL for word in found)
    small = len(_SMALL.intersection(found))
    if small >= LEAST_SMALL and small >= SMALL_PER_ENGLISH * english and SMALL_SHARE * small >= len(found):
        return True
    return bool(_ASKING & set(found[:3])) and 4 * english <= len(found)


def language_note(question: str, embedder: str) -> str:
    """Return a note on why nothing was found, if the question is foreign and the embedder reads English; else ""."""
    reads_english = any(entry.name == embedder for entry in catalogue() if entry.kind == "embedder")
    if not reads_english or not re.search(r"[^\W\d_]", question) or not is_foreign(question):
        return ""
    return (
        f" (the embedder {embedder} reads English: ask in English, or index with a multilingual one such as "
        f"{MULTILINGUAL}, its folder in RAG_QA_EMBEDDER)"
    )
