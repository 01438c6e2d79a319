"""A saved answer against the same question answered again: what differs in the answer, and in how it was made."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from rag_qa.types import Answer, Sentence, Value

# These follow from other entries, and would be reported twice.
NOT_COMPARED = {"answer_version", "prompt_tokens", "evidence_dropped", "clues"}


class Difference(Value):
    """An input of the answer that is not what it was: its value when saved, and now."""

    name: str
    saved: str
    now: str


class Replay(Value):
    """The first difference between both answers (None if there is none), and every input that has changed."""

    difference: str | None
    changes: tuple[Difference, ...]
    answer: Answer

    @property
    def identical(self) -> bool:
        """Whether both answers have the same sentences with the same citations."""
        return self.difference is None


def compare(saved: Answer, now: Answer) -> Replay:
    """Compare a saved answer with a new one: sentences, citations, and the reason of an abstention."""
    return Replay(difference=_first_difference(saved, now), changes=tuple(_changes(saved, now)), answer=now)


def _first_difference(saved: Answer, now: Answer) -> str | None:
    for number, (then, again) in enumerate(zip_longest(saved.sentences, now.sentences), 1):
        if _content(then) != _content(again):
            return f"sentence {number} was {_in_words(then)}, and is now {_in_words(again)}"
    if saved.reason != now.reason:
        return f"the reason for not answering was “{saved.reason}”, and is now “{now.reason}”"
    return None


def _content(sentence: Sentence | None) -> object:
    return sentence and (sentence.text, sentence.kind, sentence.citations)


def _in_words(sentence: Sentence | None) -> str:
    if sentence is None:
        return "not there"
    cited = ", ".join(f"{c.paper_id} {c.start}:{c.end}" for c in sentence.citations)
    return f"“{sentence.text}” ({cited})"


def _changes(saved: Answer, now: Answer) -> Iterator[Difference]:
    then, again = dict(_inputs(saved)), dict(_inputs(now))
    for name in then | again:
        if then.get(name) != again.get(name):
            yield Difference(name=name, saved=str(then.get(name)), now=str(again.get(name)))


def _inputs(answer: Answer) -> Iterator[tuple[str, Any]]:
    """Yield what an answer was made from, by name; nested names have dots."""
    given = answer.model_input.model_dump() if answer.model_input else {}
    kept = {name: value for name, value in answer.provenance.items() if name not in NOT_COMPARED}
    yield from _flat(kept | {"prompt": given})


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
