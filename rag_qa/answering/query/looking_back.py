"""Whether a question looks back at the turns before, and how: a multinomial logistic regression over few features.

`python eval/fit_followups.py` wrote the coefficients. With another embedder than it was fitted for, likeness is not
among the features.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rag_qa.answering.query.kinds import Kind, is_asking
from rag_qa.answering.query.names import NAME
from rag_qa.protocols import Embedder
from rag_qa.text.words import content_terms, topic_terms
from rag_qa.types import Paper

FILE = Path(__file__).with_name("looking_back.npz")
# A question stands alone, is about the papers shown, or carries the former topic into a new search.
Look = Literal["alone", "shown", "carries"]
# In the order of the coefficients.
LOOKS: tuple[Look, ...] = ("alone", "carries", "shown")
KINDS = ("which", "fact", "yesno", "comparison", "number", "metadata")
# So many terms and words tell as much as more.
MANY_TERMS, MANY_WORDS = 5, 12
PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|these|that|those|there|both|either|each|ones?|the\s+two)\b",
    re.I,
)
IMPERSONAL = re.compile(
    r"\b(?:is|was)\s+it\s+(?:possible|true|known|hard|easy|common)\b|\bthere\s+(?:is|are)\b|\b(?:is|are)\s+there\b",
    re.I,
)
# Words that drop papers from a list, or keep some of it.
LESS = re.compile(
    r"\b(?:drop|leave\s+out|take\s+(?:\w+\s+)?off|remove|except|skip|exclude|don['’]?t\s+(?:need|want))\b",
    re.IGNORECASE,
)
NARROWING = re.compile(
    rf"{LESS.pattern}|\b(?:only|just|rather|keep|which\s+of\s+(?:them|these|those)|the\s+ones?)\b",
    re.IGNORECASE,
)
CLOSED_LISTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^\W*(?:and|but|so|or|also)\b",
        r"\b(?:this|that|these|those)\s+(?:papers?|methods?|approach(?:es)?|models?|stud(?:y|ies)|works?|ones?)\b",
        r"\b(?:of|in|by|to|about|on|for|with|from|than)\s+(?:it|them|this|that|these|those|there)\b",
        r"\b(?:do|does|did|is|are|was|were|has|have|can|could)\s+(?:it|they|this|that)\b",
        r"\b(?:what|how)\s+about\b",
        r"^\W*(?:(?:and|but|so|or|also|what\s+about|how\s+about)\s+)*(?:for|on|in|with|without|by|at|using|from|to)\b",
        r"\b(?:such|another|similar|like\s+(?:this|that|it|these|those))\b",
        r"\b(?:than|versus|vs|compare[ds]?|differ\w*|against)\b",
        r"\b(?:too|as\s+well|other|others|instead|same)\b",
        r"\b(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may)\b",
        r"\b(?:papers|articles|works|studies|any\w*|some(?:one|body|thing))\b",
        r"\bwhich\s+(?:one|of|is|are|was|has|have|does|do|did)\b",
        r"\b(?:else|anyway|unrelated|next|(?:different|new|other|another)\s+(?:question|topic|subject|thing))\b[^?]*[.:,]",
    )
)


def look_of(
    question: str, former: str, papers: Sequence[Paper], kind: Kind, embedder: Embedder | None
) -> Look:
    """Return how a question looks back at the question before it and the papers shown last."""
    data = _load()
    fitted = embedder if embedder is not None and embedder.spec.name == str(data["embedder"]) else None
    weights = data["both" if fitted else "words"].astype(np.float32)
    scores = weights[:, :-1] @ features(question, former, papers, kind, fitted) + weights[:, -1]
    return LOOKS[int(np.argmax(scores))]


def features(
    question: str, former: str, papers: Sequence[Paper], kind: Kind, embedder: Embedder | None
) -> NDArray[np.float32]:
    """Return what tells whether a question looks back; each from 0 to 1, the last two only with an embedder."""
    terms = topic_terms(" ".join(word for word in re.findall(r"[\w-]+", question) if not is_asking(word)))
    about = set(content_terms(" ".join(f"{paper.title} {paper.abstract}" for paper in papers)))
    asked = set(content_terms(former))
    uncovered = [term for term in terms if term not in about]
    bare = IMPERSONAL.sub(" ", question)
    pronoun = PRONOUN.search(bare)
    before = topic_terms(bare[: pronoun.start()]) if pronoun else []
    names = NAME.findall(question)
    found = [
        not terms,
        min(len(terms), MANY_TERMS) / MANY_TERMS,
        len(uncovered) / max(len(terms), 1),
        min(len(uncovered), MANY_TERMS) / MANY_TERMS,
        len(asked & set(terms)) / max(len(terms), 1),
        min(len(question.split()), MANY_WORDS) / MANY_WORDS,
        bool(pronoun) and not before,
        bool(pronoun) and len(before) > 1,
        bool(pronoun),
        bool(names),
        any(set(content_terms(name)) - about for name in names),
        not papers,
        bool(NARROWING.search(question)),
        len(terms) == 1,
        len(terms) < 3 and "?" in question,
        len(papers) > 1,
        *(bool(words.search(question)) for words in CLOSED_LISTS),
        *(kind.kind == known for known in KINDS),
    ]
    if embedder is not None:
        vectors = embedder.encode([question, former, *(paper.title for paper in papers)], role="query")
        likeness = vectors[1:] @ vectors[0]
        found += [likeness[0], max(likeness[1:], default=0.0)]
    return np.array(found, dtype=np.float32)


@cache
def _load() -> dict[str, NDArray[np.generic]]:
    with np.load(FILE) as data:
        return {name: data[name] for name in data}
