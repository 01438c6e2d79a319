"""Conversations: is a follow-up question resolved to what it means (coreference, query rewriting)?

Judged by rules and BM25, without a model. Every turn has a fixed history: the set names the papers that earlier turns
showed. So the resolution of a question is measured, and neither search nor answers. Only `metadata` asks the assistant.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal, Protocol, Self

from pydantic import Field, ValidationError, model_validator

from rag_qa.errors import EvaluationError, QuestionError
from rag_qa.evaluation.complaints import fail, first_complaint
from rag_qa.evaluation.datasets import CorpusSet, Text, file_hash, read_header
from rag_qa.evaluation.provenance import describe_run
from rag_qa.evaluation.retrieval_runs import Progress, means
from rag_qa.evaluation.running import Asker
from rag_qa.index.lexical import Lexical, build_lexical
from rag_qa.text.lines import read_json_lines
from rag_qa.types import Answer, EvalReport, Filter, Paper, Query, Value

CONVERSATIONS = "conversations.jsonl"
TURN_CURE = (
    'a line is {"id": "c1", "turns": [{"question": "…", "kind": "first", "shows": ["ID"]}, '
    '{"question": "who wrote it?", "kind": "metadata", "expect": {"only": {"place": 1}}, "shows": []}]}'
)

TurnKind = Literal[
    "first", "number", "name", "pronoun", "ellipsis", "comparison", "metadata", "narrowing", "change"
]
Place = Annotated[int, Field(ge=1)]
Row = dict[str, Any]


class Only(Value):
    """The only papers that a turn may search: by position (from 1) in the last list, all of that list, or by id."""

    place: Place | None = None
    places: Annotated[tuple[Place, ...], Field(min_length=1)] | None = None
    all_of_previous: Literal[True] | None = None
    ids: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("name the papers in one way: place, places, all_of_previous or ids")
        return self

    def of(self, shown: Sequence[str]) -> frozenset[str]:
        """Return the ids of these papers, given the ids shown last."""
        if self.ids is not None:
            return frozenset(self.ids)
        positions = self.places or ((self.place,) if self.place else range(1, len(shown) + 1))
        return frozenset(shown[position - 1] for position in positions)


class Expected(Value):
    """What a turn means: it searches `only` these papers, or finds the `gold` papers, or stands `alone`.

    Gold papers must be `among` the first that BM25 finds. `states` are words that the assistant's answer must hold;
    they count for `metadata`, not for `resolution`.
    """

    only: Only | None = None
    gold: tuple[Text, ...] = ()
    among: int = Field(1, ge=1)
    alone: bool = False
    states: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _one_expectation(self) -> Self:
        if (self.only is not None) + bool(self.gold) + self.alone != 1:
            raise ValueError("expect one of only, gold and alone")
        return self


class LabelledTurn(Value):
    """A question with what it means (the first has no `expect`) and the papers that its answer showed."""

    question: Text
    kind: TurnKind
    expect: Expected | None = None
    shows: tuple[Text, ...] = ()


class LabelledConversation(Value):
    """Labelled turns in order; each sees those before it."""

    id: Text
    turns: Annotated[tuple[LabelledTurn, ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _positions_exist(self) -> Self:
        shown: tuple[str, ...] = ()
        for number, turn in enumerate(self.turns, 1):
            if (turn.expect is None) != (number == 1):
                raise ValueError("every turn but the first has an `expect`")
            only = turn.expect.only if turn.expect else None
            if only and max((*(only.places or ()), only.place or 0)) > len(shown):
                raise ValueError(f"turn {number} expects a place that the list before does not have")
            shown = turn.shows or shown
        return self


class ConversationSet(CorpusSet):
    """Conversations over a corpus."""

    conversations: tuple[LabelledConversation, ...]


class Talker(Asker, Protocol):
    """The part of an assistant that conversations use."""

    def ask(self, question: str, /, *, history: Sequence[Answer] = ()) -> Answer: ...

    def understand(self, question: str, /, *, history: Sequence[Answer] = ()) -> Query: ...

    def passing(self, filter: Filter, /) -> frozenset[str]: ...

    def papers(self) -> Iterable[Paper]: ...


def conversations_file(folder: Path, split: str | None = None) -> Path:
    """Return the path of a folder's conversations: `conversations.jsonl`, or `conversations.SPLIT.jsonl`."""
    whole = folder / CONVERSATIONS
    return whole if split is None and whole.is_file() else folder / f"conversations.{split or 'dev'}.jsonl"


def load_conversations(folder: Path, *, split: str | None = None) -> ConversationSet:
    """Read `set.toml` and the conversations, of a split if one is given.

    Raises EvaluationError naming the file, the line and the edit that mends it.
    """
    folder = Path(folder)
    files = [folder / "set.toml", conversations_file(folder, split)]
    header = read_header(files[0])
    if split is not None:
        header = header.model_copy(update={"name": f"{header.name}-{split}"})
    conversations: dict[str, LabelledConversation] = {}
    for number, record in read_json_lines(files[1], EvaluationError):
        try:
            conversation = LabelledConversation.model_validate(record)
        except ValidationError as exc:
            fail(files[1], number, first_complaint(exc), TURN_CURE)
        if conversation.id in conversations:
            fail(files[1], number, f"the id {conversation.id!r} is in the file twice", "give each its own id")
        conversations[conversation.id] = conversation
    if not conversations:
        fail(files[1], 1, "no conversations", TURN_CURE)
    return ConversationSet(
        **header.over(folder),
        folder=folder,
        conversations=tuple(conversations.values()),
        sha256=file_hash(files),
    )


def run_conversations(
    assistant: Talker, conversation_set: ConversationSet, *, progress: Progress | None = None
) -> EvalReport:
    """Resolve every turn but the first and report `resolution`, in total and by kind, `leaks` and `metadata`.

    `resolution` is the share of turns resolved as expected; `leaks`, over turns that stand alone, the share to which
    anything of the turns before was added; `metadata`, over turns with `states`, the share of the assistant's answers
    that hold them. Raises EvaluationError if a paper of the set is not in the index.
    """
    papers = {paper.id: paper for paper in assistant.papers()}
    _check_papers(conversation_set, papers)
    rows: list[Row] = []
    with TemporaryDirectory() as folder:
        build_lexical(Path(folder), papers.values())
        lexical = Lexical(Path(folder))
        for done, conversation in enumerate(conversation_set.conversations, 1):
            rows += _rows(conversation, assistant, lexical, papers)
            if progress:
                progress(done, len(conversation_set.conversations))
    return EvalReport(
        name=conversation_set.name,
        scores=means(rows) | _by_kind(rows),
        per_query=tuple(rows),
        provenance=describe_run() | {"set_sha256": conversation_set.sha256, "turns": len(rows)},
    )


def _check_papers(conversation_set: ConversationSet, papers: Mapping[str, Paper]) -> None:
    for conversation in conversation_set.conversations:
        for turn in conversation.turns:
            if missing := set(turn.shows) - papers.keys():
                raise EvaluationError(
                    f"the conversation {conversation.id!r} shows {min(missing)!r}, which the index does not hold; "
                    "build the index from the set's corpus with `rag-qa index`, or give --index DIR"
                )


def _rows(
    conversation: LabelledConversation, assistant: Talker, lexical: Lexical, papers: Mapping[str, Paper]
) -> list[Row]:
    """Return a row for each turn but the first."""
    rows = []
    history: list[Answer] = []
    for number, turn in enumerate(conversation.turns, 1):
        try:
            query, problem = assistant.understand(turn.question, history=tuple(history)), ""
        except QuestionError as exc:
            query, problem = Query(text=turn.question, topic=turn.question), str(exc)
        if turn.expect is not None:
            row: Row = {"id": f"{conversation.id}.{number}", "text": turn.question, "kind": turn.kind}
            if problem:
                row |= {"resolved": None, "within": None, "problem": problem, "scores": _missed(turn.expect)}
            else:
                row |= _row(turn.question, turn.expect, query, history, assistant, lexical)
            rows.append(row)
        history.append(_answered(turn, query, papers))
    return rows


def _row(
    question: str,
    expect: Expected,
    query: Query,
    history: Sequence[Answer],
    assistant: Talker,
    lexical: Lexical,
) -> Row:
    right = float(is_as_expected(question, query, expect, history, lexical))
    scores = {"resolution": right}
    if expect.alone:
        scores["leaks"] = 1 - right
    if expect.states:
        text = assistant.ask(question, history=history).text.casefold()
        scores["metadata"] = float(all(state.casefold() in text for state in expect.states))
    within = None if query.within is None else list(query.within)
    return {"resolved": query.text, "within": within, "scores": scores}


def _missed(expect: Expected) -> dict[str, float]:
    """Return the scores of a turn that was declined."""
    scores = {"resolution": 0.0}
    if expect.alone:
        scores["leaks"] = 1.0
    if expect.states:
        scores["metadata"] = 0.0
    return scores


def is_as_expected(
    question: str, query: Query, expect: Expected, history: Sequence[Answer], lexical: Lexical
) -> bool:
    """Return whether a question was understood as expected.

    Alone: word for word as asked, over all papers. Only: within exactly these papers. Gold: each of them is among
    the first that BM25 finds for the question, within its restriction if it has one.
    """
    if expect.alone:
        return query.text == question and query.within is None
    if expect.only:
        shown = next((answer.papers for answer in reversed(history) if answer.papers), ())
        return query.within is not None and set(query.within) == expect.only.of([p.id for p in shown])
    return set(expect.gold) <= set(_found(query, lexical)[: expect.among])


def _found(query: Query, lexical: Lexical) -> list[str]:
    """Return the papers with a word of the question, or those that it is restricted to, best first."""
    scores = dict(zip(lexical.paper_ids, lexical.scores(query.text), strict=True))
    allowed = [p for p in scores if scores[p] > 0] if query.within is None else query.within
    return sorted(allowed, key=lambda paper: -scores[paper])


def _answered(turn: LabelledTurn, query: Query, papers: Mapping[str, Paper]) -> Answer:
    """Return an answer of the papers that the set says were shown, without sentences."""
    return Answer(
        question=turn.question,
        abstained=not turn.shows,
        reason=None if turn.shows else "no paper in the index speaks to this question",
        sentences=(),
        papers=tuple(papers[key] for key in turn.shows),
        provenance={},
        timings={},
        query=query,
    )


def _by_kind(rows: Sequence[Row]) -> dict[str, float]:
    """Return `figure/kind` for each kind of turn."""
    return {
        f"{name}/{kind}": value
        for kind in dict.fromkeys(row["kind"] for row in rows)
        for name, value in means([row for row in rows if row["kind"] == kind]).items()
    }
