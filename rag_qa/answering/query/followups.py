"""A question after others → what it means there: papers shown before, papers that it names, or a topic carried on.

References to a place in a list and names are read by rule, and what the turns before meant from their own `Query`.
"""

import re
from collections.abc import Sequence

from rag_qa.answering.query.kinds import Kind, is_asking
from rag_qa.answering.query.names import NAME, named_papers, short_name
from rag_qa.answering.query.places import Turn, listed, places
from rag_qa.answering.query.restrictions import restriction
from rag_qa.answering.query.rewriting import Rewriter
from rag_qa.errors import FilterError
from rag_qa.index.facets import Facets
from rag_qa.index.reader import Index
from rag_qa.retrieval.filters import matching
from rag_qa.text.words import content_terms, topic_terms
from rag_qa.types import Answer, Filter, Paper, Query

FEW_TERMS, FEW_PAPERS = 3, 3
WORK = r"(?:papers?|approach(?:es)?|methods?|models?|stud(?:y|ies)|works?|algorithms?|techniques?|articles?|ones?)"
PRONOUN = re.compile(
    rf"""\b(?:(?P<always>(?:this|these|those|the)\s+{WORK}(?=\W*$|\s+(?:use|do|does|is|are|say|was|were)\b)
      |(?:this|these|those)\s+{WORK}|which\s+(?:one|of)\b|the\s+two\b|(?:of|in|by|to|about|on|for|with|from|than|behind)
      \s+(?:it|them|these|those|this|that|there)\b|there(?=\W*$))
    |(?P<near>it|they|them|these|those|both|either|this|that(?=\W*$|\s+(?:come|appear|paper|method|model|one|at|from|work))
      |its|theirs?|they))\b""",
    re.IGNORECASE | re.VERBOSE,
)
# Asks among the papers shown: "which is cheaper?", but not "which methods …".
AMONG = re.compile(
    r"^\W*(?:(?:and|but|so)\s+)?which\s+(?:is|are|was|were|has|have|does|do|did|can|would|will|\w+s)\b", re.I
)
# A pronoun as the subject of the only clause: "what share of the weights do they keep?".
SUBJECT = re.compile(
    r"^[^,;:]*\b(?:do|does|did|is|was|were|are|has|have|can|could|will|would)\s+(?:it|they|this|that)\b"
    r"|\b(?:it|they)\s+\w+\W*$",
    re.I,
)
CLAUSE = re.compile(r"(?<!^)\b(?:and|or|but|when|if|while|because)\b", re.I)
IMPERSONAL = re.compile(
    r"\b(?:is|was)\s+it\s+(?:possible|true|known|hard|easy|common)\b|\bthere\s+(?:is|are)\b", re.I
)
COMPARED = re.compile(
    r"\b(?:compar\w+|versus|vs|differ\w*|than|against|unlike|as\s+\w+\s+as|same\s+as)\b", re.I
)
CARRYING = re.compile(
    r"""^\W*(?:(?:and|but|so|or|also|what\s+about|how\s+about|anything|any|ones?)\s+)*
    (?:for|on|in|with|without|by|at|using|from|vs|against|under|like|to|through|via)\b
    |\b(?:such|another|like\s+(?:that|this|these|it)|similar(?=\W*$|\s+(?:ones?|papers?|works?|methods?)\b))\b""",
    re.IGNORECASE | re.VERBOSE,
)
ELSEWHERE = re.compile(r"\b(?:without|such|another|similar|like)\b", re.IGNORECASE)
WHOLE = re.compile(r"\b(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may)\b", re.I)
NARROWING = re.compile(
    r"\b(?:only|just|drop|leave\s+out|take\s+\w+\s+off|take\s+off|remove|rather|except|skip|keep|exclude"
    r"|which\s+of\s+(?:them|these|those)|the\s+ones?|any\s+of\s+(?:them|these|those))\b",
    re.IGNORECASE,
)
LESS = re.compile(
    r"\b(?:drop|leave\s+out|take\s+(?:\w+\s+)?off|remove|except|skip|exclude|don['’]?t\s+(?:need|want))\b",
    re.I,
)
NEGATED = re.compile(r"\b(?:is|are|was|were)(?:n['’]t|\s+not)\b|\bnot\s+(?:at|by|from|in|about)\b", re.I)
# Said before a question on something else.
CHANGING = re.compile(
    r"\b(?:something\s+else|(?:different|new|other|another)\s+(?:question|topic|thing|subject)|anyway|unrelated"
    r"|change\s+the\s+\w+|next)\s*[.:,]",
    re.IGNORECASE,
)
PAPERS = re.compile(
    r"\b(?:papers|articles|studies|publications|anything\s+(?:on|about)|any(?:one|body)?\s+else)\b", re.I
)
OLDEST = re.compile(r"\b(?:older|oldest|earlier|earliest)\b", re.I)
NEWEST = re.compile(r"\b(?:newer|newest|latest|later|(?:most|more)\s+recent)\b", re.I)


def follow_up(
    question: str,
    history: Sequence[Answer],
    kind: Kind,
    *,
    facets: Facets,
    index: Index | None,
    rewriter: Rewriter | None,
) -> Query | None:
    """Return what a question means after the turns before, oldest first; None where it stands alone.

    Raises QuestionError for a place that no paper has.
    """
    if CHANGING.search(question):
        return None
    turns = _turns(history)
    shown = [turn for turn in turns if turn.papers]
    if shown:
        papers = shown[-1].papers
        within = places(question, shown)
        compared = bool(COMPARED.search(question))
        within = within or _narrowed(question, shown, facets, index)
        asks_papers = kind.kind == "which" and PAPERS.search(question)
        if not within and not asks_papers and not (kind.wanted and PRONOUN.search(question)):
            within = [p.id for p in named_papers(question, [p for turn in shown for p in turn.papers], index)]
        if within and compared and (PRONOUN.search(question) or len(within) == 1):
            within = [*shown[-1].ids, *within]
        if not within and not asks_papers and _stays(question, kind, papers):
            several = len(papers) == 1 and re.search(
                r"\b(?:both|either|the two|which one|which of)\b", question, re.I
            )
            within = list(listed(shown) if several else shown[-1].ids)
        if within:
            return _restricted(question, tuple(dict.fromkeys(within)), kind, shown)
    if turns and not kind.counts and _carries(question, kind):
        return _carried(question, turns, kind, rewriter)
    return None


def _turns(history: Sequence[Answer]) -> list[Turn]:
    """Return the turns with the papers that each was about: those shown, or those a refused question was on."""
    known: dict[str, Paper] = {}
    turns = []
    for answer in history:
        known |= {paper.id: paper for paper in answer.papers}
        query = answer.query or Query(text=answer.question, topic=answer.question)
        refused = tuple(known[key] for key in query.within or () if key in known)
        turns.append(Turn(query, answer.papers or refused))
    return turns


def _narrowed(question: str, shown: Sequence[Turn], facets: Facets, index: Index | None) -> list[str]:
    """Return the papers of the list that a question keeps: by year, venue, author, or by all words of its topic."""
    whole = len(shown[-1].papers) < 2 or re.search(r"\blist\b", question, re.IGNORECASE)
    papers = listed_papers(shown) if whole else shown[-1].papers
    if len(papers) < 2 or not NARROWING.search(question):
        return []
    less = bool(LESS.search(question)) != bool(NEGATED.search(question))
    read = restriction(question, facets)
    if read.filter.text:
        passing = {paper.id for paper in papers if _passes(paper, read.filter, facets, index)}
    elif len(topic_terms(question)) <= 2 and (OLDEST.search(question) or NEWEST.search(question)):
        best = (max if NEWEST.search(question) else min)(paper.year or 0 for paper in papers)
        passing = {paper.id for paper in papers if (paper.year or 0) == best}
    elif re.search(r"\bwhich\b", question, re.I):
        return []
    else:
        terms = {
            term
            for word in re.findall(r"\w+", LESS.sub(" ", NARROWING.sub(" ", question)))
            if not is_asking(word)
            for term in content_terms(word)
        }
        terms = {t for t in terms if any(t in content_terms(f"{p.title} {p.abstract}") for p in papers)}
        passing = {p.id for p in papers if terms and terms <= set(content_terms(f"{p.title} {p.abstract}"))}
    kept = [paper.id for paper in papers if (paper.id in passing) != less]
    return kept if 0 < len(kept) < len(papers) else []


def listed_papers(shown: Sequence[Turn]) -> list[Paper]:
    """Return the papers of the list that places in words mean."""
    known = {paper.id: paper for turn in shown for paper in turn.papers}
    return [known[key] for key in listed(shown)]


def _passes(paper: Paper, filter: Filter, facets: Facets, index: Index | None) -> bool:
    if index is None:
        return False
    try:
        return index.lexical.places[paper.id] in set(matching(filter, facets))
    except FilterError:
        return False


def _stays(question: str, kind: Kind, papers: Sequence[Paper]) -> bool:
    """Return whether a question is about the papers shown: by a pronoun, or because it brings no topic of its own."""
    terms = topic_terms(" ".join(w for w in re.findall(r"[\w-]+", question) if not is_asking(w)))
    if not terms or (kind.wanted and len(terms) < 2):
        return True
    about = set(content_terms(" ".join(f"{paper.title} {paper.abstract}" for paper in papers)))
    covered = len(about & set(terms)) / len(terms)
    if (carrying := CARRYING.search(question)) and (covered < 1 or ELSEWHERE.search(carrying.group())):
        return False
    compares = kind.kind == "comparison" and len(terms) <= FEW_TERMS and not NAME.search(question)
    if compares or AMONG.search(question):
        return True
    subject = SUBJECT.search(IMPERSONAL.sub(" ", question))
    if subject and not CLAUSE.search(subject.group()):
        return True
    pronoun = PRONOUN.search(IMPERSONAL.sub(" ", question))
    if pronoun and (pronoun["always"] or len(topic_terms(question[: pronoun.start()])) < 2):
        return True
    if len(terms) > FEW_TERMS:
        return False
    return covered > 0.5 or not WHOLE.search(question)


def _carries(question: str, kind: Kind) -> bool:
    """Return whether a question needs the topic of the one before: "and for music?"."""
    terms = topic_terms(question)
    return (
        not terms
        or bool(len(terms) <= FEW_TERMS + 1 and CARRYING.search(question))
        or (len(terms) < FEW_TERMS and not WHOLE.search(question) and kind.kind != "which")
    )


def _restricted(question: str, within: tuple[str, ...], kind: Kind, shown: Sequence[Turn]) -> Query:
    """Return a question on some papers; one without content of its own goes on with the topic before."""
    names = {paper.id: short_name(paper) for turn in shown for paper in turn.papers}
    called = ", ".join(f"“{names.get(key, key)}”" for key in within)
    called = f"the {len(within)} papers shown" if len(within) > FEW_PAPERS else called
    topic = question if topic_terms(question) else f"{question} ({shown[-1].query.topic})"
    return Query(
        text=question,
        topic=topic,
        kind="fact" if kind.kind == "which" else kind.kind,
        within=within,
        wanted=kind.wanted,
        understood_as=f"{question} (of {called})",
    )


def _carried(question: str, turns: Sequence[Turn], kind: Kind, rewriter: Rewriter | None) -> Query:
    """Return the question made to stand alone: rewritten where that keeps its words, else with the topic before."""
    last = turns[-1]
    written = (
        rewriter.rewrite(question, [turn.query.text for turn in turns], [p.title for p in last.papers])
        if rewriter
        else ""
    )
    kept = set(topic_terms(question)) <= set(content_terms(written))
    text = written if written and kept else f"{question} (after: {last.query.topic})"
    return Query(
        text=text, topic=text, kind="fact" if kind.kind == "metadata" else kind.kind, understood_as=text
    )
