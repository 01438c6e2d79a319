"""A sentence compared with its evidence: how similar they are, what the evidence lacks, and what contradicts it.

Two features need an embedder; all others are read from the words. Of long evidence, only the sentences that share most
words with the sentence are compared.
"""

import math
import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from rag_qa.answering.verdict.contradictions import Contrast, contrasts, directions, is_negated
from rag_qa.protocols import Embedder
from rag_qa.text.entities import foreign_codes, foreign_names
from rag_qa.text.quantities import MARKS, Quantity, in_digits, quantities, unseen
from rag_qa.text.sentences import split_sentences
from rag_qa.text.words import FUNCTION_WORDS, WORD, content_terms, stems
from rag_qa.types import Value

# How many sentences of long evidence are compared; more change little, even on pages of hundreds.
COMPARED = 16
# How many of the nearest sentences are read for directions, and how many for `explained`.
NEAREST, EXPLAINING = 3, 8
# Words that share their first letters ("network", "networking") count as the same.
ALIKE_LETTERS = 5
PART = re.compile(r"[,;:()]|\b(?:and|but|while|whereas|which|because|although|so that)\b")
MIN_PART = 3


class Features(Value):
    """The features of a verdict.

    - `explained`: length of the sentence's vector projected onto the nearest evidence (for one sentence, the cosine).
    - `part_similarity`: the lowest, over the clauses, of the best cosine with the evidence.
    - `coverage`, `bigrams`: shares of the content words, and of the bigrams of these, that the evidence has.
    - `numbers` (0 to 2), `names` (0 to 3), `codes` (0 to 2): how many the evidence lacks.
    - `opposite`: 1 if an opposite word contradicts the evidence.
    - `opposed` (0 to 2): direction words ("increases") for which the nearest sentences only have the other direction.
    - `agreement` (-2 to 2): how many of the two nearest sentences go the same way, less those that go the other way.
    - `denial`, `denied`: 1 if the sentence denies something, and if the nearest sentence then does too.
    - `evidence`: logarithm of one plus the number of sentences compared.
    """

    explained: float
    part_similarity: float
    coverage: float
    bigrams: float
    numbers: float
    names: float
    codes: float
    opposite: float
    opposed: float
    agreement: float
    denial: float
    denied: float
    evidence: float


class Comparison(Value):
    """The features, and what the evidence lacks or contradicts, for the rules and reasons of a verdict."""

    features: Features
    quantities: tuple[Quantity, ...]
    codes: tuple[str, ...]
    names: tuple[str, ...]
    contrasts: tuple[Contrast, ...]
    missing: tuple[str, ...]


def compare(
    sentence: str,
    evidence: Sequence[str],
    embedder: Embedder | None,
    context: Sequence[str] = (),
    question: str = "",
) -> Comparison:
    """Compare a sentence with its evidence; without an embedder the similarities are 0.

    `context`, such as titles, says what the evidence is about: its words, names and numbers count as known, and
    sentences are embedded under it. Those of the question count as known too, since answers repeat them.
    """
    sentence = MARKS.sub(" ", sentence)
    sources = source_sentences(sentence, evidence)
    terms = content_terms(in_digits(sentence))
    theirs = [content_terms(in_digits(source)) for source in sources]
    spoken_of = list(dict.fromkeys(context))
    given = [question, *spoken_of]
    said = {term for source in theirs for term in source}
    # The context and the question count only if the evidence itself has a word of the sentence.
    around = given if _share(terms, said) else []
    known = said.union(*(content_terms(in_digits(text)) for text in around))
    similarities, nearest = _similarities(sentence, sources, " ".join(spoken_of), embedder)
    if embedder is None:
        nearest = sorted(sources, key=lambda source: -_share(terms, set(content_terms(in_digits(source)))))
    cited = " ".join([*given, *evidence])
    names, codes = foreign_names(sentence, cited), foreign_codes(sentence, cited)
    lacking = unseen(quantities(sentence), quantities(cited))
    against = contrasts(sentence, sources)
    kinds = [contrast.kind for contrast in against]
    asked = content_terms(in_digits(question))
    pairs, their_pairs = (
        set(pairwise(terms)),
        {pair for source in [*theirs, asked] for pair in pairwise(source)},
    )
    return Comparison(
        features=Features(
            **similarities,
            **_directions(sentence, nearest),
            coverage=_share(terms, known),
            bigrams=len(pairs & their_pairs) / len(pairs) if pairs else 0.0,
            numbers=float(min(2, len(lacking) + kinds.count("number"))),
            names=float(min(3, len(names))),
            codes=float(min(2, len(codes))),
            opposite=float("opposite" in kinds),
            evidence=math.log1p(len(sources)),
        ),
        quantities=tuple(lacking),
        codes=tuple(codes),
        names=tuple(names),
        contrasts=tuple(against),
        missing=tuple(word for word in _words(in_digits(sentence)) if not set(content_terms(word)) <= known),
    )


def source_sentences(sentence: str, evidence: Sequence[str]) -> list[str]:
    """Return the COMPARED sentences of the evidence that share most words with the sentence, in their order."""
    found = list(dict.fromkeys(text[start:end] for text in evidence for start, end in split_sentences(text)))
    wanted = set(content_terms(in_digits(sentence)))
    shared = [len(wanted & set(content_terms(in_digits(source)))) for source in found]
    best = sorted(range(len(found)), key=lambda n: -shared[n])[:COMPARED]
    return [found[n] for n in sorted(best)]


def parts(sentence: str) -> list[str]:
    """Return the clauses of a sentence, or the sentence if it has only one; a short clause joins the one before."""
    found: list[str] = []
    for piece in PART.split(sentence):
        piece = piece.strip(" .")
        if found and piece and len(piece.split()) < MIN_PART:
            found[-1] += f" {piece}"
        elif piece:
            found.append(piece)
    return found if len(found) > 1 else [sentence]


def _similarities(
    sentence: str, sources: Sequence[str], heading: str, embedder: Embedder | None
) -> tuple[dict[str, float], list[str]]:
    """Return the features that need an embedder, and the sources, nearest first."""
    names = ("explained", "part_similarity")
    if embedder is None or not sources or not sentence.strip():
        return dict.fromkeys(names, 0.0), list(sources)
    pieces = parts(sentence)
    headed = [f"{heading}: {source}" for source in sources] if heading else sources
    vectors = embedder.encode([sentence, *pieces, *headed], role="sentence")
    said, of_parts, theirs = np.split(vectors.astype(np.float64), [1, 1 + len(pieces)])
    cosines = theirs @ said[0]
    order = np.argsort(-cosines, kind="stable")
    basis = theirs[order[:EXPLAINING]].T
    explained = np.linalg.norm(basis @ np.linalg.lstsq(basis, said[0], rcond=None)[0])
    values = (explained, (of_parts @ theirs.T).max(axis=1).min())
    return dict(zip(names, map(float, values), strict=True)), [sources[n] for n in order]


def _directions(sentence: str, nearest: Sequence[str]) -> dict[str, float]:
    """Return the features that compare directions ("increases") and negations with the nearest sources."""
    up, down = directions()
    said = stems(sentence)
    theirs = [stems(source) for source in nearest[:NEAREST]]
    together = {stem for source in theirs for stem in source}
    opposed = sum(
        bool(other & together) and not side & together
        for side, other in ((up, down), (down, up))
        for _ in said & side
    )
    slope = _slope(said, up, down)
    negated = is_negated(sentence)
    return {
        "opposed": float(min(2, opposed)),
        "agreement": float(sum(slope * _slope(source, up, down) for source in theirs[:2])),
        "denial": float(negated),
        "denied": float(negated and bool(nearest) and is_negated(nearest[0])),
    }


def _slope(words: set[str], up: frozenset[str], down: frozenset[str]) -> int:
    """Return 1 if more words go up than down, -1 if fewer do, else 0."""
    difference = len(words & up) - len(words & down)
    return (difference > 0) - (difference < 0)


def _words(text: str) -> list[str]:
    found = (word.casefold() for word in WORD.findall(text))
    return [word for word in found if word not in FUNCTION_WORDS and len(word) > 2]


def _share(terms: Sequence[str], known: set[str]) -> float:
    """Return the share of terms that are known, or share their first letters with a known one."""
    beginnings = {term[:ALIKE_LETTERS] for term in known if len(term) >= ALIKE_LETTERS}
    found = sum(term in known or term[:ALIKE_LETTERS] in beginnings for term in terms)
    return found / len(terms) if terms else 0.0
