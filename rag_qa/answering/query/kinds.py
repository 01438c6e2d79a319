"""The kind of a question: a multinomial logistic regression over its sentence vector and its words.

eval/fit/kinds.py writes the coefficients. With an embedder that they were not fitted for, words alone decide.
"""

import re
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, cast, get_args

import numpy as np
from numpy.typing import NDArray

from rag_qa.answering.classifier import load_classifier
from rag_qa.protocols import Embedder
from rag_qa.text.words import ASKING_WORDS, FUNCTION_WORDS
from rag_qa.types import MetadataField, QuestionKind

FILE = Path(__file__).with_name("kinds.npz")
FIELDS: tuple[MetadataField, ...] = get_args(MetadataField)
WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+|[?,:]")
YEAR = re.compile(r"(?:19|20)\d\d")
# A question, or its part after a colon, that begins with one of these asks for yes or no.
AUXILIARIES = frozenset(
    """am are be can could did do does had has have is may might must should was were will would
    aren't can't couldn't didn't doesn't don't hasn't haven't isn't wasn't weren't won't wouldn't""".split()
)
VERB_FIRST = "^ verb"
SIGNED = re.compile(r"[^\W\d_](?:\+\+|[#*])")
# The value of a word's feature, beside a sentence vector of length 1.
WORD_WEIGHT = 0.6
# Alternatives in a topic are joined by OR; only terms of up to LONGEST_TERM words are alternatives.
OR = " or "
LONGEST_TERM = 3
_OR = re.compile(r",?\s+or\s+", re.IGNORECASE)


class Kind(NamedTuple):
    """The kind of a question, whether it asks how many papers there are, and the metadata fields that it asks for."""

    kind: QuestionKind
    counts: bool = False
    wanted: tuple[MetadataField, ...] = ()


def kind_of(question: str, embedder: Embedder | None) -> Kind:
    """Return what a question asks for; without an embedder, by its words alone."""
    classifier = load_classifier(FILE)
    features, fitted = word_features(question, classifier.vocabulary), "words"
    if embedder is not None and classifier.is_fitted_for(embedder) and question.strip():
        features = np.concatenate([embedder.encode([question], role="query")[0], features])
        fitted = "both"
    scores = classifier.scores(features, fitted)
    names = list(classifier.data["kinds"])
    kind = str(names[int(np.argmax(scores[: len(names)]))])
    if kind == "count":
        return Kind("which", counts=True)
    fields = scores[len(names) :]
    wanted = tuple(field for field, score in zip(FIELDS, fields, strict=True) if score > 0)
    if kind == "metadata":
        return Kind("metadata", wanted=wanted or (FIELDS[int(np.argmax(fields))],))
    return Kind(cast(QuestionKind, kind))


def asking_words(question: str) -> set[str]:
    """Return the words and bigrams of a question, with marks for its beginning and end; all years are one word.

    If a clause begins with its auxiliary verb, VERB_FIRST is among them.
    """
    found = [YEAR.sub("9999", word) for word in WORD.findall(question.casefold().replace("’", "'"))]
    words = ["^", *found, "$"]
    pairs = list(pairwise(words))
    inverted = any(one in "^:" and other in AUXILIARIES for one, other in pairs)
    return {*words, *(f"{one} {other}" for one, other in pairs), *([VERB_FIRST] if inverted else [])}


def word_features(question: str, vocabulary: Mapping[str, int]) -> NDArray[np.float32]:
    """Return WORD_WEIGHT for each word of the vocabulary that is in the question, else 0; shape (words,)."""
    features = np.zeros(len(vocabulary), dtype=np.float32)
    features[[vocabulary[word] for word in asking_words(question) & vocabulary.keys()]] = WORD_WEIGHT
    return features


def is_asking(word: str) -> bool:
    """Return whether a word only serves to ask for papers, and says nothing about their topic."""
    return all(part in _asking() for part in re.findall(r"[^\W_]+", word.casefold()))


def asked_topic(question: str) -> str:
    """Return the words of a question that say what the papers are about.

    >>> asked_topic("GAN papers: how many are there?")
    'GAN'
    """
    return _topic_of(question, shouted=question.isupper())


def counted_topic(question: str) -> str:
    """Return what papers must mention to be counted; alternatives of few words are joined by OR ("C# or C++")."""
    shouted = question.isupper()
    *parts, last = _OR.split(question)
    listed = [part for some in parts for part in some.split(", ")]
    if not any(
        is_asking(word) and not _is_name(word, shouted) for part in listed[1:] for word in part.split()
    ):
        parts = listed
    topics = [topic for part in (*parts, last) if (topic := _topic_of(part, shouted=shouted))]
    if len(topics) > 1 and all(len(topic.split()) <= LONGEST_TERM for topic in topics):
        return OR.join(topics)
    return asked_topic(question)


def in_quotes(topic: str) -> str:
    """Return a topic in quotation marks, with each alternative in its own."""
    return OR.join(f"“{term}”" for term in topic.split(OR))


def _topic_of(text: str, *, shouted: bool) -> str:
    # A leading full stop is part of a word (".NET").
    words = [word.lstrip("\"'“”‘’(").rstrip("\"'“”‘’?!.,;:()") for word in text.split()]
    return " ".join(word for word in words if word and (not is_asking(word) or _is_name(word, shouted)))


def _is_name(word: str, shouted: bool) -> bool:
    """Return whether a word is written as a name ("WHO", "A*"); capitals count only if not all is `shouted`."""
    return bool(SIGNED.fullmatch(word)) or (word.isupper() and len(word) > 1 and not shouted)


@cache
def _asking() -> frozenset[str]:
    return FUNCTION_WORDS | ASKING_WORDS | frozenset(map(str, load_classifier(FILE).data["asking"]))
