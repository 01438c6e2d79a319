"""A sentence beside its evidence: how alike they are, what of the sentence is missing there, what contradicts.

Every feature is read from the words but the two similarities, which an embedder gives. Of long evidence only the
sentences that share most words with the sentence are embedded.
"""

import math
import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from rag_qa.answering.contrasts import Contrast, contrasts
from rag_qa.answering.quantities import MARKS, Quantity, in_digits, quantities, unseen
from rag_qa.answering.terms import FUNCTION_WORDS, WORD, content_terms
from rag_qa.corpus.sentences import split_sentences
from rag_qa.protocols import Embedder
from rag_qa.types import Value

# Sentences of long evidence that are compared with; on pages of hundreds of sentences more changes little.
COMPARED = 16
# Words of the nearest sentences that stand in for those that the evidence lacks.
SYNONYM_SENTENCES = 3
# A word with two capitals, or a capital and a digit, is a name anywhere; one with a capital only inside a sentence.
CODE = re.compile(r"\b(?=\w*[A-Z])(?=\w*[A-Z0-9]\w*[A-Z0-9]|\w*[A-Z]\w*\d|\w*[a-z]\w*[A-Z])[\w-]*\w\b")
CAPITALISED = re.compile(r"(?<!^)(?<![.!?:] )(?<![\"\u201c'\u2018(\[])\b[A-Z][a-z]+\b")
PART = re.compile(r"[,;:()]|\b(?:and|but|while|whereas|which|because|although|so that)\b")
MIN_PART = 3


class Features(Value):
    """What a verdict is read from. Shares and similarities are 0 to 1; the counts are of what is missing."""

    similarity: float
    part_similarity: float
    word_similarity: float
    coverage: float
    best_coverage: float
    bigrams: float
    run: float
    numbers: float
    names: float
    codes: float
    negation: float
    opposite: float
    length: float
    evidence: float


class Comparison(Value):
    """The features, and what of the sentence the evidence lacks or contradicts, for rules and reasons."""

    features: Features
    quantities: tuple[Quantity, ...]
    codes: tuple[str, ...]
    names: tuple[str, ...]
    contrasts: tuple[Contrast, ...]
    missing: tuple[str, ...]


def compare(sentence: str, evidence: Sequence[str], embedder: Embedder | None) -> Comparison:
    """Return the comparison; without an embedder the similarities are 0."""
    sentence = MARKS.sub(" ", sentence)
    sources = source_sentences(sentence, evidence)
    said = quantities(sentence)
    terms = content_terms(in_digits(sentence))
    theirs = [content_terms(in_digits(source)) for source in sources]
    known = {term for source in theirs for term in source}
    cited = " ".join(evidence)
    names, codes = _unknown(CAPITALISED, sentence, cited), _unknown(CODE, sentence, cited)
    against = tuple(contrasts(sentence, sources))
    quantities_ = tuple(unseen(said, quantities(cited)))
    kinds = [contrast.kind for contrast in against]
    bigrams = set(pairwise(terms))
    their_bigrams = {pair for source in theirs for pair in pairwise(source)}
    similarity, part, words = _similarities(sentence, sources, known, embedder)
    return Comparison(
        features=Features(
            similarity=similarity,
            part_similarity=part,
            word_similarity=words,
            coverage=_share(terms, known),
            best_coverage=max((_share(terms, set(source)) for source in theirs), default=0.0),
            bigrams=len(bigrams & their_bigrams) / len(bigrams) if bigrams else 0.0,
            run=max((_run(terms, source) for source in theirs), default=0) / max(1, len(terms)),
            numbers=float(min(2, len(quantities_) + kinds.count("number"))),
            names=float(min(3, len(names))),
            codes=float(min(2, len(codes))),
            negation=float("negation" in kinds),
            opposite=float("opposite" in kinds),
            length=math.log1p(len(terms)),
            evidence=math.log1p(len(sources)),
        ),
        quantities=quantities_,
        codes=tuple(codes),
        names=tuple(names),
        contrasts=against,
        missing=tuple(word for word in _words(sentence) if not set(content_terms(word)) <= known),
    )


def source_sentences(sentence: str, evidence: Sequence[str]) -> list[str]:
    """Return the sentences of the evidence that share most content with the sentence, in their order."""
    found = list(dict.fromkeys(text[start:end] for text in evidence for start, end in split_sentences(text)))
    wanted = set(content_terms(in_digits(sentence)))
    shared = [len(wanted & set(content_terms(in_digits(source)))) for source in found]
    best = sorted(range(len(found)), key=lambda n: -shared[n])[:COMPARED]
    return [found[n] for n in sorted(best)]


def parts(sentence: str) -> list[str]:
    """Return the clauses of a sentence, or the sentence where it has one; short ones go with the one before."""
    found: list[str] = []
    for piece in PART.split(sentence):
        piece = piece.strip(" .")
        if found and piece and len(piece.split()) < MIN_PART:
            found[-1] += f" {piece}"
        elif piece:
            found.append(piece)
    return found if len(found) > 1 else [sentence]


def _similarities(
    sentence: str, sources: Sequence[str], known: set[str], embedder: Embedder | None
) -> tuple[float, float, float]:
    if embedder is None or not sources or not sentence.strip():
        return 0.0, 0.0, 0.0
    pieces = parts(sentence)
    vectors = embedder.encode([sentence, *pieces, *sources], role="document")
    cosines = vectors[: len(pieces) + 1] @ vectors[len(pieces) + 1 :].T
    nearest = cosines.max(axis=1)
    closest = [sources[n] for n in np.argsort(-cosines[0], kind="stable")[:SYNONYM_SENTENCES]]
    return float(nearest[0]), float(nearest[1:].min()), _word_similarity(sentence, closest, known, embedder)


def _word_similarity(sentence: str, sources: Sequence[str], known: set[str], embedder: Embedder) -> float:
    """Return the mean over the content words of 1 for one that the evidence has, else its nearest word's cosine."""
    words = _words(sentence)
    lacking = [word for word in words if not set(content_terms(word)) <= known]
    if not words:
        return 0.0
    theirs = list(dict.fromkeys(word for source in sources for word in _words(source)))
    if not lacking or not theirs:
        return 1 - len(lacking) / len(words)
    vectors = embedder.encode([*lacking, *theirs], role="document")
    nearest = (vectors[: len(lacking)] @ vectors[len(lacking) :].T).max(axis=1)
    return float((len(words) - len(lacking) + nearest.sum()) / len(words))


def _words(text: str) -> list[str]:
    found = (word.casefold() for word in WORD.findall(text))
    return [word for word in found if word not in FUNCTION_WORDS and len(word) > 2]


def _unknown(pattern: re.Pattern[str], sentence: str, cited: str) -> list[str]:
    """Return the names of the sentence that the evidence has neither as they are nor as initials."""
    known = {word.casefold() for word in WORD.findall(cited)}
    joined = "".join(word.casefold() for word in WORD.findall(cited))
    initials = "".join(word[0] for word in WORD.findall(cited)).casefold()
    content = "".join(w[0] for w in WORD.findall(cited) if w.casefold() not in FUNCTION_WORDS).casefold()
    found = []
    for name in dict.fromkeys(pattern.findall(sentence)):
        words = {word.casefold() for word in WORD.findall(name)}
        plain = "".join(WORD.findall(name)).casefold()
        short = plain.removesuffix("s")
        if words <= known or plain in joined or short in joined:
            continue
        if len(short) > 1 and (short in initials or short in content):
            continue
        found.append(name)
    return found


def _share(terms: Sequence[str], known: set[str]) -> float:
    return sum(term in known for term in terms) / len(terms) if terms else 0.0


def _run(terms: Sequence[str], source: Sequence[str]) -> int:
    """Return the length of the longest run of terms that stands in the source."""
    lengths = [0] * (len(source) + 1)
    longest = 0
    for term in terms:
        row = [0] * (len(source) + 1)
        for n, other in enumerate(source, 1):
            if term == other:
                row[n] = lengths[n - 1] + 1
        lengths = row
        longest = max(longest, *row)
    return longest
