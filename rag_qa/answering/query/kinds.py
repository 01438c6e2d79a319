"""What a question asks for: a multinomial logistic regression over its sentence vector and its asking words.

`python eval/fit/kinds.py` wrote the coefficients. With another embedder than it was fitted for, words alone decide.
"""

import re
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, cast, get_args

import numpy as np
from numpy.typing import NDArray

from rag_qa.protocols import Embedder
from rag_qa.text.words import ASKING_WORDS, FUNCTION_WORDS
from rag_qa.types import MetadataField, QuestionKind

FILE = Path(__file__).with_name("kinds.npz")
FIELDS: tuple[MetadataField, ...] = get_args(MetadataField)
WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+|[?,:]")
YEAR = re.compile(r"(?:19|20)\d\d")
# A clause that begins with one of these asks for a yes or a no; what is asked may stand behind a title and a colon.
AUXILIARIES = frozenset(
    """am are be can could did do does had has have is may might must should was were will would
    aren't can't couldn't didn't doesn't don't hasn't haven't isn't wasn't weren't won't wouldn't""".split()
)
VERB_FIRST = "^ verb"
SIGNED = re.compile(r"[^\W\d_](?:\+\+|[#*])")
# What a word counts for beside a vector of length 1.
WORD_WEIGHT = 0.4
# What stands between alternatives in a topic; only short ones are taken apart.
OR = " or "
LONGEST_TERM = 3
_OR = re.compile(r",?\s+or\s+", re.IGNORECASE)


class Kind(NamedTuple):
    """The kind of a question, whether it asks for a number of papers, and what of a paper's metadata it wants."""

    kind: QuestionKind
    counts: bool = False
    wanted: tuple[MetadataField, ...] = ()


def kind_of(question: str, embedder: Embedder | None) -> Kind:
    """Return what a question asks for."""
    data = _load()
    vocabulary = {word: n for n, word in enumerate(data["vocabulary"])}
    features, weights = word_features(question, vocabulary), _weights("words")
    if embedder is not None and embedder.spec.name == str(data["embedder"]) and question.strip():
        features = np.concatenate([embedder.encode([question], role="query")[0], features])
        weights = _weights("both")
    scores = weights[:, :-1] @ features + weights[:, -1]
    names = list(data["kinds"])
    kind = str(names[int(np.argmax(scores[: len(names)]))])
    if kind == "count":
        return Kind("which", counts=True)
    fields = scores[len(names) :]
    wanted = tuple(field for field, score in zip(FIELDS, fields, strict=True) if score > 0)
    if kind == "metadata":
        return Kind("metadata", wanted=wanted or (FIELDS[int(np.argmax(fields))],))
    return Kind(cast(QuestionKind, kind))


def asking_words(question: str) -> set[str]:
    """Return the words of a question and its pairs of them, with its beginning and end; a year is any year.

    A clause that begins with its verb adds a word of its own.
    """
    found = [YEAR.sub("9999", word) for word in WORD.findall(question.casefold().replace("’", "'"))]
    words = ["^", *found, "$"]
    pairs = list(pairwise(words))
    inverted = any(one in "^:" and other in AUXILIARIES for one, other in pairs)
    return {*words, *(f"{one} {other}" for one, other in pairs), *([VERB_FIRST] if inverted else [])}


def word_features(question: str, vocabulary: Mapping[str, int]) -> NDArray[np.float32]:
    """Return WORD_WEIGHT for each word of the vocabulary that a question holds, else 0; shape (words,)."""
    features = np.zeros(len(vocabulary), dtype=np.float32)
    features[[vocabulary[word] for word in asking_words(question) & vocabulary.keys()]] = WORD_WEIGHT
    return features


def is_asking(word: str) -> bool:
    """Return whether a word is one by which people ask for papers, and says nothing of their topic."""
    return all(part in _asking() for part in re.findall(r"[^\W_]+", word.casefold()))


def asked_topic(question: str) -> str:
    """Return the words of a question that say what the papers are about: "GAN" in "GAN papers, how many?"."""
    return _topic_of(question, shouted=question.isupper())


def counted_topic(question: str) -> str:
    """Return what the papers that a question counts must mention; short terms parted by "or" stay so ("C# or C++")."""
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
    """Return a topic in quotation marks, each of its alternatives for itself."""
    return OR.join(f"“{term}”" for term in topic.split(OR))


def _topic_of(text: str, *, shouted: bool) -> str:
    # A full stop before a word is part of it (".NET").
    words = [word.lstrip("\"'“”‘’(").rstrip("\"'“”‘’?!.,;:()") for word in text.split()]
    return " ".join(word for word in words if word and (not is_asking(word) or _is_name(word, shouted)))


def _is_name(word: str, shouted: bool) -> bool:
    """Return whether an asking word is written as a name: "WHO", "A*"."""
    return bool(SIGNED.fullmatch(word)) or (word.isupper() and len(word) > 1 and not shouted)


@cache
def _asking() -> frozenset[str]:
    return FUNCTION_WORDS | ASKING_WORDS | frozenset(map(str, _load()["asking"]))


@cache
def _load() -> dict[str, NDArray[np.generic]]:
    with np.load(FILE) as data:
        return {name: data[name] for name in data}


@cache
def _weights(name: str) -> NDArray[np.float32]:
    """Return the coefficients of the kinds and of the fields, and last their intercepts; float32."""
    return _load()[name].astype(np.float32)
