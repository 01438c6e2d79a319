"""A follow-up question → a question that stands alone, by rules over the turns before. Knows no models."""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from rag_qa.answering.metadata_answers import asked_fields, says_only_metadata
from rag_qa.answering.query.names import Mention, mentions, short_name
from rag_qa.answering.query.questions import WHICH, question_kind
from rag_qa.answering.query.references import OPENING, has_pronoun, means_several, place_mentions, refers_back
from rag_qa.errors import QuestionError
from rag_qa.text.words import content_terms, topic_terms
from rag_qa.types import Answer, MetadataField, Paper, Value

COMPARISON = re.compile(
    r"\b(?:compar\w+|contrast\w*|versus|vs|differ\w*|better|worse|older|newer|relat\w+|than|as\s+\w+\s+as|same\s+as)\b",
    re.IGNORECASE,
)
# A word that looks like a name: with a capital that does not begin the question, or with two.
NAME = re.compile(r"(?<!^)(?<![\w-])[A-Z][\w-]+|\b[\w-]*[A-Z][\w-]*[A-Z][\w-]*")
AGAINST = re.compile(
    r"^\W*(?:and\s+)?(?:vs\.?|versus|compared\s+(?:to|with)|against|unlike|than)\s", re.IGNORECASE
)
RELATION = re.compile(r"^\W*(?:and\s+)?(?:for|on|in|with|without|at|under|by|from)\s", re.IGNORECASE)
AMOUNT = re.compile(r"^\W*how\s+(?:many|much)\s", re.IGNORECASE)
# A question with one of these is whole without a verb of its own, or has one ("who invented jazz?").
WHOLE = re.compile(
    r"^\W*(?:who|what|which|when|where|why|how)\b(?!\s+(?:many|much)\b)|\b(?:is|are|was|were|be|been|do|does|did|has|have|had|can|could|will|would|should|may|might)\b",
    re.IGNORECASE,
)
# What is asked of any paper: a question that holds nothing else is about the papers shown.
ASKED_OF_ANY = """
    accuracy advantage algorithm application approach assumption available baseline benchmark big code
    compare complexity compute conclude contribution cost data dataset detail drawback error evaluate
    experiment fail failure fast finding gpu hyperparameter idea implementation improvement inference key
    large learn limitation long loss main memory method metric model motivation novelty number objective
    parameter performance problem requirement result run runtime score size slow speed step strength
    summary task test theory time train weakness
"""
FEW_TERMS = 2
FEW_PAPERS = 3


class Resolved(Value):
    """What is searched: the question as understood, and the papers it speaks of where it names any.

    `asks` is what of their metadata it asks for, where it may ask for nothing else; `understood_as` is all of it in
    words, None where the question stands as it was asked.
    """

    question: str
    within: tuple[str, ...] | None = None
    asks: tuple[MetadataField, ...] = ()
    understood_as: str | None = None


class Turn(NamedTuple):
    """An answer given before, what its question was resolved to, and the papers that it was about.

    They are those that it showed; where it refused a question on papers shown before, those.
    """

    answer: Answer
    resolved: Resolved
    papers: tuple[Paper, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The papers that it was about, in order."""
        return tuple(paper.id for paper in self.papers)


def resolve(question: str, history: Sequence[Answer]) -> Resolved:
    """Return the question as it stands after the turns before, oldest first.

    "The second one", "the Kingma paper" and "them" restrict the search to papers shown before, where "the third one"
    after "the second one" still means the list before; so do questions on nothing but metadata, or on what is asked
    of any paper ("how much memory?"). "And …" and questions without a word of their own take over the question
    before. Raises QuestionError for a place that no paper has.
    """
    past: list[Turn] = []
    known: dict[str, Paper] = {}
    for answer in history:
        known |= {paper.id: paper for paper in answer.papers}
        resolved = _resolved_before(answer.question, past)
        refused = tuple(known[key] for key in resolved.within or ())
        past.append(Turn(answer, resolved, answer.papers or refused))
    return _resolve(question, past)


def _resolved_before(question: str, past: Sequence[Turn]) -> Resolved:
    """Return what an earlier question was resolved to; one that was asked word for word may name no place."""
    try:
        return _resolve(question, past)
    except QuestionError:
        return Resolved(question=question)


def _resolve(question: str, past: Sequence[Turn]) -> Resolved:
    shown = [turn for turn in past if turn.papers]
    if shown:
        if picked := _picked(question, shown):
            return _of_picked(question, picked, past, shown)
        if refers_back(question):
            return _referring(question, past, shown)
        if _is_about_any(question):
            return _restricted(question, shown[-1].ids, shown)
    if past and _is_fragment(question):
        return _continued(question, past)
    return Resolved(question=question, asks=asked_fields(question))


def _picked(question: str, shown: Sequence[Turn]) -> list[Mention]:
    """Return where the question names papers by place or name, in its order.

    None where names are not all that it is about: where it also names something of which these papers do not speak.
    """
    papers = {paper.id: paper for turn in reversed(shown) for paper in turn.papers}
    comparing = bool(COMPARISON.search(question))
    screen = next(turn.ids for turn in reversed(shown) if turn.answer.papers)
    places = place_mentions(question, screen=screen, listed=_listed(shown), focus=shown[-1].ids)
    taken = [range(place.start, place.end) for place in places]
    named = [
        name
        for name in mentions(question, list(papers.values()), comparing=comparing)
        if not any(name.start in span or span.start in range(name.start, name.end) for span in taken)
    ]
    if not places and named:
        ids = {key for mention in named for key in mention.paper_ids}
        rest = _replaced(question, [(mention, "") for mention in named])
        one_sided = comparing and len(ids) == 1 and not (AGAINST.search(question) or has_pronoun(rest))
        if one_sided or _names_another(rest, [papers[key] for key in ids]):
            return []
    return sorted([*places, *named])


def _listed(shown: Sequence[Turn]) -> tuple[str, ...]:
    """Return the list that places in words mean: the last that was not picked from the one before it."""
    for before, turn in zip(reversed([None, *shown[:-1]]), reversed(shown), strict=True):
        within = turn.resolved.within
        if within is None or before is None or (len(turn.ids) > 1 and set(before.ids) <= set(within)):
            return turn.ids
    return shown[-1].ids


def _of_picked(
    question: str, picked: Sequence[Mention], past: Sequence[Turn], shown: Sequence[Turn]
) -> Resolved:
    """Return the question on the papers picked; a comparison also takes in those that a pronoun means."""
    ids = [key for mention in picked for key in mention.paper_ids]
    screen = shown[-1].ids
    pronoun = has_pronoun(question[: picked[0].start]) or (len(screen) == 1 and has_pronoun(question))
    compared = screen if AGAINST.search(question) or (pronoun and COMPARISON.search(question)) else ()
    rest = _replaced(question, [(mention, "") for mention in picked])
    topic = "" if topic_terms(rest) else _topic(past)
    first = question[picked[0].start : picked[0].end]
    asked = question if topic_terms(first) else _replaced(question, [(picked[0], "it")])
    understood = _replaced(question, [(mention, _called(mention.paper_ids, shown)) for mention in picked])
    return Resolved(
        question=f"{asked}{topic}",
        within=tuple(dict.fromkeys([*compared, *ids])),
        asks=_fields(rest),
        understood_as=f"{understood}{f' (of {_called(compared, shown)})' if compared else ''}{topic}",
    )


def _replaced(question: str, replacements: Sequence[tuple[Mention, str]]) -> str:
    """Return the question with text in the place of mentions, which are in its order."""
    for mention, text in reversed(replacements):
        question = f"{question[: mention.start]}{text}{question[mention.end :]}"
    return question


def _topic(past: Sequence[Turn]) -> str:
    """Return what the question just asked was about, in brackets."""
    return f" ({WHICH.sub(' ', past[-1].resolved.question).strip(' ?.')})"


def _called(ids: Sequence[str], shown: Sequence[Turn]) -> str:
    """Return papers by name, or by how many they are."""
    names = {paper.id: short_name(paper) for turn in shown for paper in turn.papers}
    if len(ids) > FEW_PAPERS:
        return f"the {len(ids)} papers shown"
    return ", ".join(f"“{names[key]}”" for key in ids)


def _fields(rest: str) -> tuple[MetadataField, ...]:
    """Return the metadata that a question asks for, where it asks for nothing else beside naming papers."""
    return asked_fields(rest) if says_only_metadata(rest) else ()


def _referring(question: str, past: Sequence[Turn], shown: Sequence[Turn]) -> Resolved:
    """Return the question on the papers that its pronoun means; with their topic where it brings in another."""
    if COMPARISON.search(question) and _names_another(question, shown[-1].papers):
        return _continued(question, past)
    screen = shown[-1].ids
    several = len(screen) == 1 and means_several(question)
    return _restricted(question, _listed(shown) if several else screen, shown)


def _names_another(question: str, papers: Sequence[Paper]) -> bool:
    """Return whether the question holds a name of which no paper speaks."""
    texts = " ".join(f"{paper.title} {paper.abstract}" for paper in papers).casefold()
    return any(name.casefold() not in texts for name in NAME.findall(question))


def _restricted(question: str, within: tuple[str, ...], shown: Sequence[Turn]) -> Resolved:
    """Return a question on papers shown that it does not name."""
    return Resolved(
        question=question,
        within=within,
        asks=_fields(question),
        understood_as=f"{question} (of {_called(within, shown)})",
    )


def _is_about_any(question: str) -> bool:
    """Return whether the question asks only for metadata, or for what is asked of any paper."""
    terms = topic_terms(question)
    if asked_fields(question) and says_only_metadata(question):
        return True
    if not terms or question_kind(question) == "which" or OPENING.search(question):
        return False
    return set(terms) <= _asked_of_any()


def _is_fragment(question: str) -> bool:
    """Return whether the question needs the one before: "and for music?", "why?", "on ImageNet?", "vs. SGD"."""
    terms = topic_terms(question)
    if not terms:
        return True
    if len(terms) > FEW_TERMS or question_kind(question) == "which":
        return False
    if OPENING.search(question):
        return True
    if WHOLE.search(question):
        return False
    relative = AGAINST.search(question) or RELATION.search(question)
    return bool(relative or AMOUNT.search(question) or question.rstrip().endswith("?"))


def _continued(question: str, past: Sequence[Turn]) -> Resolved:
    """Return the question with the one before it, and what that was about: a few papers, or an earlier question."""
    last = past[-1]
    topic = [last.resolved.question]
    if last.resolved.within is not None and len(last.papers) <= FEW_PAPERS:
        topic += [paper.title for paper in last.papers if paper.title]
    elif last.resolved.within is not None:
        topic.append(next(turn.resolved.question for turn in reversed(past) if turn.resolved.within is None))
    whole = f"{question} (after: {'; '.join(topic)})"
    return Resolved(question=whole, understood_as=whole)


@cache
def _asked_of_any() -> frozenset[str]:
    return frozenset(content_terms(ASKED_OF_ANY))
