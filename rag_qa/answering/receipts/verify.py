"""A saved answer → checks of its bytes, texts, quotes and verdicts. Needs no language model.

The answer is checked against the papers saved with it and, if an index is given, against the index.
"""

from collections.abc import Iterator
from functools import partial
from typing import Literal

from rag_qa.answering.listing import COUNTED, list_papers
from rag_qa.answering.metadata_answers import FROM_METADATA, metadata_sentence
from rag_qa.answering.receipts.write import PaperHashes, SavedAnswer, hash_paper, shown_papers
from rag_qa.answering.verdict.model import VERBATIM, judge, with_reading
from rag_qa.answering.writing.attribution import known_question, weakest
from rag_qa.answering.writing.writer import statement
from rag_qa.errors import FilterError
from rag_qa.index.reader import Index
from rag_qa.retrieval.filters import matching
from rag_qa.types import Answer, Citation, Paper, Query, Sentence, Value, Verdict

# Between two builds or processors, the probability of an entailment model may differ by this much.
TOLERANCE = 0.01


class Recheck(Value):
    """One check. The status `note` is for what can be neither confirmed nor refuted."""

    name: str
    status: Literal["ok", "note", "fail"]
    detail: str


def recheck(saved: SavedAnswer, index: Index | None = None) -> Iterator[Recheck]:
    """Yield every check of a saved answer, those of the file first. Judging may raise ModelNotFoundError."""
    answer, papers = saved.answer, shown_papers(saved.answer)
    yield _check("file", saved.intact, "every byte is as it was saved", "it was changed after it was saved")
    yield _check(
        "answer",
        answer.abstained == (not answer.sentences) and saved.papers.keys() == papers.keys(),
        "whole",
        "its sentences or its papers are not all there",
    )
    for key, paper in papers.items():
        yield _paper(f"paper {key}", paper, saved.papers.get(key), "as it was hashed when saved")
    for number, sentence in enumerate(answer.sentences, 1):
        yield from _quotes(number, sentence, papers)
        yield _verdict(f"verdict {number}", sentence, answer, papers, index)
    if index is not None:
        yield from _in_index(saved, index)


def _check(name: str, holds: bool, good: str, bad: str) -> Recheck:
    return Recheck(name=name, status="ok" if holds else "fail", detail=good if holds else bad)


def _paper(name: str, paper: Paper, saved: PaperHashes | None, good: str) -> Recheck:
    now = hash_paper(paper)
    text = saved is None or saved.text_sha256 != now.text_sha256
    bad = f"its {'text' if text else 'metadata'} differs from what was saved"
    return _check(name, saved == now, good, bad)


def _quotes(number: int, sentence: Sentence, papers: dict[str, Paper]) -> Iterator[Recheck]:
    if not sentence.citations:
        yield Recheck(name=f"quote {number}", status="fail", detail="the sentence cites nothing")
    for n, citation in enumerate(sentence.citations, 1):
        where = f"characters {citation.start} to {citation.end} of {citation.paper_id}"
        yield _check(f"quote {number}.{n}", _is_exact(citation, papers), where, f"does not stand at {where}")


def _is_exact(citation: Citation, papers: dict[str, Paper]) -> bool:
    paper = papers.get(citation.paper_id)
    if paper is None or not 0 <= citation.start < citation.end <= len(paper.abstract):
        return False
    return paper.abstract[citation.start : citation.end] == citation.quote


def _verdict(
    name: str, sentence: Sentence, answer: Answer, papers: dict[str, Paper], index: Index | None
) -> Recheck:
    """Judge a sentence again in the way that it was judged: a count by the index, metadata by the papers."""
    if sentence.kind == "metadata" and sentence.verdict != FROM_METADATA:
        return _count(name, sentence, answer, index)
    if sentence.kind == "metadata":
        same = _is_metadata(sentence, answer.query, papers)
        return _check(name, same, "as the paper's metadata have it", "the paper's metadata say otherwise")
    quotes = [citation.quote for citation in sentence.citations]
    if sentence.kind == "quote":
        holds = quotes == [sentence.text] and sentence.verdict == VERBATIM
        return _check(name, holds, "supported: it is its own quote", "the sentence is not the quote it cites")
    now = with_reading(_judged(sentence, answer.query, papers), sentence.verdict.read)
    return _check(name, _agree(sentence.verdict, now), now.label, _differing(sentence.verdict, now))


def _judged(sentence: Sentence, query: Query | None, papers: dict[str, Paper]) -> Verdict:
    """Judge prose by everything that it cites; the introduction of a list, by the citation that supports it least."""
    titles = {c.paper_id: papers[c.paper_id].heading for c in sentence.citations if c.paper_id in papers}
    judged = partial(judge, question=known_question(query) if query else "")
    if query is None or query.kind != "which" or query.wanted or not sentence.citations:
        quotes = [citation.quote for citation in sentence.citations]
        context = [titles[c.paper_id] for c in sentence.citations if c.paper_id in titles]
        return judged(statement(sentence.text), quotes, context=context)
    said = statement(sentence.text, list(titles.values()))
    return weakest(judged(said, [c.quote], context=[titles.get(c.paper_id, "")]) for c in sentence.citations)


def _agree(saved: Verdict, now: Verdict) -> bool:
    same = (saved.label, saved.reasons) == (now.label, now.reasons)
    return same and abs(saved.probability - now.probability) <= TOLERANCE


def _differing(saved: Verdict, now: Verdict) -> str:
    because = f" ({'; '.join(now.reasons)})" if now.reasons else ""
    return (
        f"{saved.label} with {saved.probability:.2f} when saved, {now.label} with {now.probability:.2f} "
        f"now{because}"
    )


def _is_metadata(sentence: Sentence, query: Query | None, papers: dict[str, Paper]) -> bool:
    cited = [papers[c.paper_id] for c in sentence.citations if c.paper_id in papers]
    return query is not None and [sentence] == [metadata_sentence(paper, query.wanted) for paper in cited]


def _count(name: str, sentence: Sentence, answer: Answer, index: Index | None) -> Recheck:
    if sentence.verdict != COUNTED:
        return Recheck(name=name, status="fail", detail="its verdict is not that of a count")
    if index is None or answer.query is None:
        return Recheck(
            name=name, status="note", detail="only its index can count again; name it with --index"
        )
    try:
        now = _counted(answer.query, len(sentence.citations), index)
    except FilterError:
        now = None
    if now is not None and now.text == sentence.text:
        return Recheck(name=name, status="ok", detail="counted again in the index")
    said = f"the index now says: {now.text if now else 'no paper'}"
    moved = answer.provenance.get("index_generation") != index.manifest.generation
    return Recheck(name=name, status="note" if moved else "fail", detail=said)


def _counted(query: Query, shown: int, index: Index) -> Sentence | None:
    """Return the sentence in which the index answers the count today, when it cites `shown` papers; None for none."""
    passing = matching(query.filter, index.facets) if query.filter.text else None
    sentences = list_papers(index, query, passing, shown).sentences if query.counts else []
    return sentences[0] if sentences else None


def _in_index(saved: SavedAnswer, index: Index) -> Iterator[Recheck]:
    then, now = saved.answer.provenance.get("index_generation"), index.manifest.generation
    moved = f"is at generation {now}; the answer is from generation {then}"
    yield Recheck(
        name="index",
        status="ok" if then == now else "note",
        detail=f"generation {now}, as when the answer was given" if then == now else moved,
    )
    there = index.papers_by_id(list(saved.papers))
    for key, hashes in saved.papers.items():
        name = f"paper {key} in the index"
        if key in there:
            yield _paper(name, there[key], hashes, "the same as when the answer was given")
        else:
            yield Recheck(name=name, status="fail", detail="the index no longer holds it under this id")
