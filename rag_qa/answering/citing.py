"""What the model wrote under the grammar → sentences with citations cut from the stored abstracts.

Only the model's own output is read for labels; marks in papers or questions never get here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rag_qa.answering.grammar import MAX_CHARACTERS, REFUSAL
from rag_qa.corpus.cleaning import clean_text
from rag_qa.corpus.sentences import split_sentences
from rag_qa.types import Citation, Evidence

LABELLED = re.compile(r"\s*([^\[\]]+?)\s*((?:\[[0-9]{1,6}\])+)\s*\.?")
LABEL = re.compile(r"\[([0-9]+)\]")


class Draft(NamedTuple):
    """A sentence of the model with the labels it cites, not yet checked."""

    text: str
    labels: tuple[int, ...]


REFUSED = Draft(REFUSAL, ())


def parse_drafts(pieces: Iterable[str]) -> Iterator[Draft]:
    """Yield each sentence as soon as its label completes it, or REFUSED for a reply that is the refusal.

    Sentences that share a label come one by one. What is unfinished or longer than MAX_CHARACTERS is dropped, and so
    is a sentence that says what the refusal says: it is a claim of no source.
    """
    buffer = ""
    for piece in pieces:
        buffer += piece
        while (match := LABELLED.match(buffer)) and _goes_on(buffer[match.end() :]):
            yield from _drafts(match)
            buffer = buffer[match.end() :]
    if match := LABELLED.fullmatch(buffer.rstrip()):
        yield from _drafts(match)
    elif buffer.strip() == REFUSAL:
        yield REFUSED


def cite(labels: Sequence[int], evidence: Mapping[int, Evidence]) -> tuple[Citation, ...]:
    """Return the citations that labels stand for. Raises KeyError for a label that does not exist."""
    return tuple(citation(evidence[label]) for label in labels)


def citation(evidence: Evidence) -> Citation:
    """Return the citation of a piece of evidence: its verbatim sentence and where it stands."""
    return Citation(
        paper_id=evidence.paper_id, quote=evidence.sentence, start=evidence.start, end=evidence.end
    )


def _goes_on(rest: str) -> bool:
    """Whether the next sentence has begun, so that no further label can follow the last one."""
    return not rest.lstrip().startswith("[") and bool(rest.strip())


def _drafts(match: re.Match[str]) -> Iterator[Draft]:
    labels = tuple(dict.fromkeys(int(label) for label in LABEL.findall(match.group(2))))
    text = clean_text(match.group(1))
    sentences = [text[start:end] for start, end in split_sentences(text)]
    cut_off = match.start(2) - match.start(1) > MAX_CHARACTERS
    for sentence in sentences[:-1] if cut_off else sentences:
        if REFUSAL.strip("(.)").casefold() not in sentence.casefold():
            yield Draft(sentence if sentence.endswith((".", "!", "?")) else f"{sentence}.", labels)
