"""Why a search found a paper: the words that it shares with the query, and its nearest sentence."""

from collections.abc import Sequence, Set
from itertools import groupby

from rag_qa.answering.evidence.scoring import score_sentences
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder
from rag_qa.text.words import WORD, content_terms, question_terms
from rag_qa.types import Explanation, Hit


def explain(query: str, hits: Sequence[Hit], index: Index, embedder: Embedder) -> list[Explanation]:
    """Return an explanation of each hit, in the order of the hits."""
    terms = question_terms(query)
    papers = [hit.paper for hit in hits]
    sentences = score_sentences(query, terms, papers, index.term_weights(terms), embedder)
    best = {sentence.paper_id: sentence for sentence in reversed(sentences)}
    return [
        Explanation(
            paper_id=paper.id,
            words=_shared_words(terms, f"{paper.title} {paper.abstract}"),
            sentence=best[paper.id].text,
            similarity=best[paper.id].similarity,
        )
        for paper in papers
    ]


def _shared_words(terms: Sequence[str], text: str) -> tuple[str, ...]:
    """Return the words of a text whose stems are among the terms, each as first written there."""
    wanted = set(terms)
    first: dict[str, str] = {}
    for word in WORD.findall(text):
        stems = content_terms(word)
        for stem in stems:
            if stem in wanted:
                first.setdefault(stem, word if len(stems) == 1 else _longest_run(stems, wanted))
    return tuple(dict.fromkeys(first[term] for term in terms if term in first))


def _longest_run(stems: Sequence[str], wanted: Set[str]) -> str:
    """Return the longest run of wanted characters, for scripts without spaces between words."""
    runs = (
        "".join(stem for stem in run if len(stem) == 1)
        for held, run in groupby(stems, wanted.__contains__)
        if held
    )
    return max(runs, key=len)
