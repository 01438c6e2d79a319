"""Lists and counts of papers that need no ranking: by metadata, or by the words that they mention. Newest first."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np

from rag_qa.answering.evidence.scoring import ScoredSentence, as_evidence, spans_of
from rag_qa.answering.query.kinds import OR, in_quotes
from rag_qa.answering.quoting import quote
from rag_qa.index.exact import Ordinals
from rag_qa.index.reader import Index
from rag_qa.text.words import content_terms, content_words, coverage, joined_words, words
from rag_qa.types import Citation, Hit, Paper, Query, Sentence, Verdict

# Longer words are not taken for compounds.
LONGEST_WORD = 40
COUNTED = Verdict(label="supported", probability=1.0, reasons=("counted in the index",))


# Where sentences begin and end in an abstract.
Spans = Sequence[tuple[int, int]]
# Tells of each text whether it addresses its reader.
Addressed = Callable[[Sequence[str]], Sequence[bool]]


class Listed(NamedTuple):
    """Papers, the sentences of an answer that lists them, and the ids of papers whose text addresses its reader.

    Of the latter, only those are known whose quote had to give way to another.
    """

    hits: Sequence[Hit]
    sentences: list[Sentence]
    addressed: frozenset[str] = frozenset()


def list_papers(
    index: Index, query: Query, passing: Ordinals | None, k: int, are_addressed: Addressed | None = None
) -> Listed:
    """Return up to k papers, each with a quote; after their count if the question asks for it.

    `passing` are the rows of the papers to consider, None for all. If the query has a topic, papers must mention it.
    Sentences that are addressed to their reader are not quoted: a paper without others is among the hits only.
    """
    passing = np.arange(index.manifest.counts.papers) if passing is None else passing
    rows = mentioning(index, query.topic, passing) if query.topic else passing
    hits = newest(index, rows, k)
    weights = index.term_weights([t for hit in hits for t in content_terms(hit.paper.title)])

    def choose(paper: Paper, spans: Spans) -> ScoredSentence:
        if query.topic:
            return best_for_topic(paper, query.topic, spans)
        return best_for_title(paper, weights, spans)

    chosen, addressed = _choose(hits, choose, are_addressed)
    quotes = [quote(evidence) for evidence in as_evidence(chosen)]
    if not query.counts or not quotes:
        return Listed(hits, quotes, addressed)
    citations = [citation for sentence in quotes for citation in sentence.citations]
    count = count_sentence(len(rows), index.manifest.counts.papers, query, citations)
    return Listed(hits, [count, *quotes], addressed)


def newest(index: Index, rows: Ordinals, k: int) -> list[Hit]:
    """Return up to k of the papers in these rows as hits, newest first; papers of one year keep their order."""
    chosen = rows[np.argsort(-index.facets.years[rows], kind="stable")[:k]]
    ids = [index.lexical.paper_ids[row] for row in chosen]
    papers = index.known_papers(ids)
    return [
        Hit(paper=papers[key], passage=index.passage(papers[key], 0), score=0.0, rank=rank, components={})
        for rank, key in enumerate(ids, 1)
    ]


def mentioning(index: Index, topic: str, rows: Ordinals | None) -> Ordinals:
    """Return the rows of the papers that hold the words of a topic side by side, in singular or plural.

    Of alternatives ("C# or C++") one is enough. Compounds match in every spelling ("fine-tuning", "fine tuning",
    "finetuning"). Words are compared unstemmed: with stems, "transformation" would match "transformers".
    """
    terms = topic.split(OR)
    spellings = [text for term in terms for text in (term, *_as_one_word(term), *_as_two_words(term))]
    candidates = np.unique(
        np.concatenate([index.lexical.papers_with_all(spelling) for spelling in spellings])
    )
    if rows is not None:
        candidates = np.intersect1d(candidates, rows)
    ids = [index.lexical.paper_ids[row] for row in candidates]
    papers = index.known_papers(ids)
    holds = (_holds_any(terms, f"{papers[key].title}. {papers[key].abstract}") for key in ids)
    return np.array([row for row, held in zip(candidates, holds, strict=True) if held], dtype=np.int64)


def best_for_title(paper: Paper, weights: Mapping[str, float], spans: Spans | None = None) -> ScoredSentence:
    """Return the sentence of a paper that covers most of its title; the first if several do.

    `spans` are those of the sentences to choose from; all of them by default.
    """
    wanted = list(dict.fromkeys(content_terms(paper.title)))
    return _best(paper, wanted, weights, spans or spans_of(paper.abstract))


def best_for_topic(paper: Paper, topic: str, spans: Spans | None = None) -> ScoredSentence:
    """Return the first sentence with the words of a topic side by side, else the one with most of them.

    `spans` are those of the sentences to choose from; all of them by default.
    """
    spans = spans or spans_of(paper.abstract)
    for start, end in spans:
        if _holds_any(topic.split(OR), text := paper.abstract[start:end]):
            return ScoredSentence(
                paper_id=paper.id, text=text, start=start, end=end, similarity=0.0, coverage=1.0
            )
    stems = content_terms(topic)
    return _best(paper, stems, dict.fromkeys(stems, 1.0), spans)


def introduce(index: Index, hits: Sequence[Hit], are_addressed: Addressed | None = None) -> Listed:
    """Return a quote from each paper: the sentence that covers most of its title."""
    weights = index.term_weights([t for hit in hits for t in content_terms(hit.paper.title)])
    chosen, addressed = _choose(
        hits, lambda paper, spans: best_for_title(paper, weights, spans), are_addressed
    )
    return Listed(hits, [quote(evidence) for evidence in as_evidence(chosen)], addressed)


def count_sentence(counted: int, total: int, query: Query, citations: Sequence[Citation]) -> Sentence:
    """Return the sentence that states a count; it cites a quote from each paper that is shown."""
    conditions = [f"are {query.filter.text}"] if query.filter.text else []
    conditions += [f"mention {in_quotes(query.topic)}"] if query.topic else []
    text = f"{counted} of {total} papers in the index {' and '.join(conditions)}."
    if not conditions:
        text = f"The index holds {total} papers."
    shown = "" if counted == len(citations) else f" The {len(citations)} newest are shown."
    return Sentence(text=text + shown, kind="metadata", citations=tuple(citations), verdict=COUNTED)


def _choose(
    hits: Sequence[Hit],
    choose: Callable[[Paper, Spans], ScoredSentence],
    are_addressed: Addressed | None,
) -> tuple[list[ScoredSentence], frozenset[str]]:
    """Return the sentence chosen of each paper, and the ids of papers whose first choice addresses its reader.

    Of these papers another sentence is chosen, or none if all address their reader.
    """
    chosen = [choose(hit.paper, spans_of(hit.paper.abstract)) for hit in hits]
    if are_addressed is None or not chosen:
        return chosen, frozenset()
    found = are_addressed([sentence.text for sentence in chosen])
    kept: list[ScoredSentence] = []
    for hit, sentence, addressed in zip(hits, chosen, found, strict=True):
        spans = spans_of(hit.paper.abstract) if addressed else []
        others = are_addressed([hit.paper.abstract[start:end] for start, end in spans])
        left = [span for span, other in zip(spans, others, strict=True) if not other]
        if left or not addressed:
            kept.append(choose(hit.paper, left) if addressed else sentence)
    return kept, frozenset(s.paper_id for s, addressed in zip(chosen, found, strict=True) if addressed)


def _best(paper: Paper, wanted: Sequence[str], weights: Mapping[str, float], spans: Spans) -> ScoredSentence:
    texts = [(paper.abstract[start:end], start, end) for start, end in spans]
    covered = [coverage(wanted, content_terms(text), weights) for text, _, _ in texts]
    text, start, end = texts[int(np.argmax(covered))]
    return ScoredSentence(
        paper_id=paper.id, text=text, start=start, end=end, similarity=0.0, coverage=max(covered)
    )


def _holds_any(terms: Sequence[str], text: str) -> bool:
    return any(_holds(term, text) for term in terms)


def _holds(topic: str, text: str) -> bool:
    # A topic of function words alone ("WHO") is compared with all words of the text.
    view = content_words if content_words(topic) else words
    if _side_by_side(view(topic), view(text)):
        return True
    found = words(text)
    return any(
        _same_word(word, other)
        for word in _as_one_word(topic)
        for other in chain(found, map("".join, pairwise(found)))
    )


def _as_one_word(topic: str) -> list[str]:
    """Return a topic of one or two words as one word; [] for other topics."""
    parts = joined_words(topic)
    return ["".join(parts)] if len(parts) <= 2 and all(part.isalpha() for part in parts) else []


def _as_two_words(topic: str) -> list[str]:
    """Return every way to split a topic of one word in two: papers may write it with a hyphen."""
    (word, *others) = joined_words(topic) or [""]
    splits = range(2, len(word) - 1) if word.isalpha() and word.isascii() and not others else []
    return [f"{word[:n]} {word[n:]}" for n in splits[:LONGEST_WORD]]


def _side_by_side(wanted: Sequence[str], found: Sequence[str]) -> bool:
    starts = range(len(found) - len(wanted) + 1)
    return bool(wanted) and any(all(map(_same_word, wanted, found[n : n + len(wanted)])) for n in starts)


def _same_word(one: str, other: str) -> bool:
    """Return whether two words are equal, or one is the plural of the other."""
    shorter, longer = sorted((one, other), key=len)
    return longer in (shorter, f"{shorter}s", f"{shorter}es") or (
        shorter.endswith("y") and longer == f"{shorter[:-1]}ies"
    )
