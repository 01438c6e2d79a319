"""A follow-up question → what it refers to: papers shown before, papers that it names, or the topic before.

Positions in a list and names are read by rules; how a question looks back is learned (`looking_back`). What the turns
before meant is read from their own `Query`.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rag_qa.answering.query.kinds import Kind, is_asking
from rag_qa.answering.query.looking_back import DROPS, KEEPS, Look, look_of
from rag_qa.answering.query.names import named_in_index, named_papers, short_name
from rag_qa.answering.query.positions import Turn, by_position, listed
from rag_qa.answering.query.restrictions import restriction
from rag_qa.answering.query.rewriting import Rewriter
from rag_qa.errors import FilterError
from rag_qa.index.facets import Facets
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder
from rag_qa.retrieval.filters import matching
from rag_qa.text.words import content_terms, topic_terms
from rag_qa.types import Answer, Paper, Query

# Up to this number of papers are named one by one in `understood_as`.
FEW_PAPERS = 3
COMPARED = re.compile(
    r"\b(?:compar\w+|versus|vs?|contrast\w*|differ(?:s|ent|ences?)?|than|unlike|as\s+\w+\s+as|same\s+as|next\s+to"
    r"|beats?|outperform\w*|similar(?:ity|ities)?|in\s+common|relative\s+to|(?:dis)?agrees?\s+with)\b",
    re.I,
)
THAT = re.compile(r"\b(?:it|its|they|them|theirs?|this|that|these|those)\b", re.I)
NEGATED = re.compile(r"\b(?:is|are|was|were)(?:n['’]t|\s+not)\b|\bnot\s+(?:at|by|from|in|about)\b", re.I)
# Commands that cut a list, even if the question was classified as standing alone.
COMMAND = r"(?:drop|leave\s+(?:out|off)|remove|skip|exclude)\b"
PAPERS = re.compile(r"\b(?:papers|articles|studies|publications|any\w*|else)\b", re.I)
OLDEST = re.compile(r"\b(?:older|oldest|earlier|earliest)\b", re.I)
NEWEST = re.compile(r"\b(?:newer|newest|latest|later|recent)\b", re.I)


class Known(NamedTuple):
    """What a question is understood with: the facets of the index and, if there are any, the index and models."""

    facets: Facets
    opened: Index | None
    embedder: Embedder | None
    rewriter: Rewriter | None


def follow_up(question: str, history: Sequence[Answer], kind: Kind, known: Known) -> Query | None:
    """Return what a question means after the turns before (oldest first); None if it stands alone.

    Raises QuestionError for a position in a list that no paper has.
    """
    turns = _turns(history)
    shown = [turn for turn in turns if turn.papers]
    last = shown[-1].papers if shown else ()
    whole = kind.counts and not THAT.search(question)
    former = turns[-1].query.text
    look = "alone" if whole else look_of(question, former, last, kind, known.embedder, known.opened)
    within = _meant(question, kind, look, shown, known)
    if within:
        return _restricted(question, tuple(dict.fromkeys(within)), kind, turns)
    if look == "carries" and not kind.counts:
        return _carried(question, turns, kind, known.rewriter)
    return None


def _meant(question: str, kind: Kind, look: Look, shown: Sequence[Turn], known: Known) -> list[str]:
    """Return the ids of the papers that a question is about: by position, by what it keeps, by name, else all shown."""
    within = by_position(question, shown) if shown else []
    if within and look == "drops" and not re.match(r"\W*no\b", question, re.I):
        return [key for key in shown[-1].ids if key not in within]
    compared = bool(COMPARED.search(question))
    if shown and not within and not compared and _may_narrow(question, kind, look):
        drops = look == "drops" or bool(DROPS.search(question))
        within = _narrowed(question, shown, known, drops=drops, valued=look == "shown")
    if not within or compared:
        loosely = bool(within) or look != "alone"
        within = [*within, *_named(question, kind, shown, known.opened, loosely=loosely, also=compared)]
    if shown and within and compared and (THAT.search(question) or len(set(within)) == 1):
        within = [*shown[-1].ids, *within]
    if shown and not within and look not in ("alone", "carries"):
        within = list(shown[-1].ids)
    return within


def _may_narrow(question: str, kind: Kind, look: Look) -> bool:
    """Return whether a question may narrow the list: it is classified so, or it begins with a command."""
    if look == "alone":
        return bool(re.match(rf"(?i)\W*(?:\w+\W+)?{COMMAND}", question))
    return look in ("narrows", "drops") or (look == "shown" and not kind.wanted)


def _turns(history: Sequence[Answer]) -> list[Turn]:
    """Return the turns with the papers of each: those shown or, after an abstention, those that it was asked about."""
    known: dict[str, Paper] = {}
    turns = []
    for answer in history:
        known |= {paper.id: paper for paper in answer.papers}
        query = answer.query or Query(text=answer.question, topic=answer.question)
        asked_about = tuple(known[key] for key in query.within or () if key in known)
        turns.append(Turn(query, answer.papers or asked_about))
    return turns


def _named(
    question: str, kind: Kind, shown: Sequence[Turn], index: Index | None, *, loosely: bool, also: bool
) -> list[str]:
    """Return the ids of the papers that a question names, among those shown or anywhere in the index.

    After "it", a name from elsewhere in the index is part of what is asked about the papers shown, and no paper, unless
    it is `also` named to compare them with.
    """
    if (kind.kind == "which" and PAPERS.search(question)) or (kind.wanted and THAT.search(question)):
        return []
    found = named_papers(question, [paper for turn in shown for paper in turn.papers], loosely=loosely)
    if index is not None and (also or not THAT.search(question)):
        found += named_in_index(question, index, loosely=loosely, compared=also)
    return [paper.id for paper in found]


def _narrowed(question: str, shown: Sequence[Turn], known: Known, *, drops: bool, valued: bool) -> list[str]:
    """Return the ids of the papers that a question keeps, by year, venue, author or (unless `valued`) topic; or []."""
    whole = len(shown[-1].papers) < 2
    by_id = {paper.id: paper for turn in shown for paper in turn.papers}
    papers = [by_id[key] for key in listed(shown)] if whole else shown[-1].papers
    index = known.opened
    read = restriction(question, known.facets, index)
    if read.filter.text and index is not None:
        try:
            passing = {index.lexical.paper_ids[row] for row in matching(read.filter, known.facets)}
        except FilterError:
            return []
    elif valued:
        return []
    elif OLDEST.search(question) or NEWEST.search(question):
        best = (max if NEWEST.search(question) else min)(paper.year or 0 for paper in papers)
        passing = {paper.id for paper in papers if (paper.year or 0) == best}
    else:
        passing = _on_topic(question, papers)
    drops = drops and not NEGATED.search(question)
    kept = [paper.id for paper in papers if (paper.id in passing) != drops]
    return kept if 0 < len(kept) < len(papers) else []


def _on_topic(question: str, papers: Sequence[Paper]) -> set[str]:
    """Return the ids of the papers that hold most of the words of a question's topic."""
    bare = DROPS.sub(" ", KEEPS.sub(" ", question))
    asked = set(content_terms(" ".join(word for word in re.findall(r"\w+", bare) if not is_asking(word))))
    held = {paper.id: len(asked & set(content_terms(f"{paper.title} {paper.abstract}"))) for paper in papers}
    return {key for key, count in held.items() if 0 < count == max(held.values())}


def _restricted(question: str, within: tuple[str, ...], kind: Kind, turns: Sequence[Turn]) -> Query:
    """Return the query of a question about some papers; one without a topic of its own takes the topic before."""
    names = {paper.id: short_name(paper) for turn in turns for paper in turn.papers}
    called = ", ".join(f"“{names.get(key, key)}”" for key in within)
    called = f"the {len(within)} papers shown" if len(within) > FEW_PAPERS else called
    topic = question if topic_terms(question) else f"{question} ({turns[-1].query.topic})"
    return Query(
        text=question,
        topic=topic,
        kind="fact" if kind.kind == "which" else kind.kind,
        within=within,
        wanted=kind.wanted,
        understood_as=f"{question} (of {called})",
    )


def _carried(question: str, turns: Sequence[Turn], kind: Kind, rewriter: Rewriter | None) -> Query:
    """Return the query of a question made to stand alone: rewritten if that keeps its words, else with the topic."""
    last = turns[-1]
    written = ""
    if rewriter:
        earlier, titles = [turn.query.text for turn in turns], [paper.title for paper in last.papers]
        written = rewriter.rewrite(question, earlier, titles)
    kept = set(topic_terms(question)) <= set(content_terms(written))
    text = written if written and kept else f"{question} (after: {last.query.topic})"
    return Query(
        text=text, topic=text, kind="fact" if kind.kind == "metadata" else kind.kind, understood_as=text
    )
