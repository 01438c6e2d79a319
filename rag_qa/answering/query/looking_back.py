"""Coreference: whether and how a question refers to the turns before. A multinomial logistic regression.

Its features are the words of the question, and whether these occur in the papers shown. eval/fit/followups.py writes
the coefficients. With an embedder that they were not fitted for, similarities are not among the features.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rag_qa.answering.classifier import load_classifier
from rag_qa.answering.query.kinds import Kind, is_asking, word_features
from rag_qa.answering.query.names import NAME
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder
from rag_qa.text.words import content_terms, topic_terms
from rag_qa.types import Paper, QuestionKind

FILE = Path(__file__).with_name("looking_back.npz")
# A question stands alone, carries the former topic into a new search, drops or keeps some of the papers shown, or is
# about all of them. This is the order of the coefficients.
Look = Literal["alone", "carries", "drops", "narrows", "shown"]
LOOKS: tuple[Look, ...] = get_args(Look)
KINDS: tuple[QuestionKind, ...] = get_args(QuestionKind)
# Numbers of terms and words are cut off here.
MANY_TERMS, MANY_WORDS = 5, 12
PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|these|that|those|there|both|either|each|ones?|the\s+two)\b",
    re.I,
)
# Words that drop papers from a list, and words that keep some of it.
DROPS = re.compile(
    r"\b(?:drop|leave\s+(?:out|off)|take\s+(?:\w+\s+)?off|remove|except|skip|exclude|forget|ignore|minus|without|all\s+but"
    r"|get\s+rid|cut|hide|don['’]?t\s+(?:need|want|show))\b|^\W*no[nt]?\b",
    re.I,
)
KEEPS = re.compile(
    r"\b(?:only|just|rather|keep|limit|narrow|restrict|filter|which\s+of\s+(?:them|these|those)|the\s+ones?)\b",
    re.I,
)


def look_of(
    question: str,
    former: str,
    papers: Sequence[Paper],
    kind: Kind,
    embedder: Embedder | None,
    index: Index | None,
) -> Look:
    """Return how a question refers to the question before it and the papers shown last."""
    classifier = load_classifier(FILE)
    fitted = embedder if classifier.is_fitted_for(embedder) else None
    found = features(question, former, papers, kind, classifier.vocabulary, fitted, index)
    return LOOKS[int(np.argmax(classifier.scores(found, "both" if fitted and index else "words")))]


def features(
    question: str,
    former: str,
    papers: Sequence[Paper],
    kind: Kind,
    vocabulary: Mapping[str, int],
    embedder: Embedder | None,
    index: Index | None,
) -> NDArray[np.float32]:
    """Return the features; shape (features,), each 0 to 1, with similarities if there are an embedder and an index."""
    terms = topic_terms(" ".join(word for word in re.findall(r"[\w-]+", question) if not is_asking(word)))
    about = set(content_terms(" ".join(f"{paper.title} {paper.abstract}" for paper in papers)))
    uncovered = [term for term in terms if term not in about]
    pronoun = PRONOUN.search(question)
    before = topic_terms(question[: pronoun.start()]) if pronoun else []
    names = NAME.findall(question)
    found = [
        not terms,
        len(terms) == 1,
        min(len(terms), MANY_TERMS) / MANY_TERMS,
        len(uncovered) / max(len(terms), 1),
        min(len(uncovered), MANY_TERMS) / MANY_TERMS,
        len(set(content_terms(former)) & set(terms)) / max(len(terms), 1),
        min(len(question.split()), MANY_WORDS) / MANY_WORDS,
        bool(pronoun) and not before,
        bool(pronoun) and len(before) > 1,
        bool(names),
        any(set(content_terms(name)) - about for name in names),
        not papers,
        len(papers) > 1,
        bool(kind.wanted),
        not uncovered,
        bool(DROPS.search(question)),
        bool(KEEPS.search(question)),
        *(kind.kind == known for known in KINDS),
        *word_features(question, vocabulary),
    ]
    if embedder is not None and index is not None:
        found += _similarities(question, former, papers, embedder, index)
    return np.array(found, dtype=np.float32)


def _similarities(
    question: str, former: str, papers: Sequence[Paper], embedder: Embedder, index: Index
) -> list[float]:
    """Return the cosines of a question with the former one, the papers shown, and the best of all others."""
    asked, before = embedder.encode([question, former], role="query")
    scores = index.exact.similarities(asked, np.arange(index.manifest.counts.papers))
    shown = [index.lexical.ordinals[paper.id] for paper in papers if paper.id in index.lexical.ordinals]
    best = float(scores[shown].max()) if shown else 0.0
    other = float(np.delete(scores, shown).max(initial=0.0))
    return [float(asked @ before), best, other, other - best, float(best > other)]
