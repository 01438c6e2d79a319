"""A grammar (GBNF) for the question at hand: sentences that can only end in labels of its evidence."""

from collections.abc import Sequence

MIN_CHARACTERS = 20
MAX_CHARACTERS = 240


def answer_grammar(labels: Sequence[int], *, max_sentences: int) -> str:
    """Return a grammar for one to `max_sentences` sentences, each followed by one or two of the labels.

    A sentence holds no square brackets, so whatever stands in brackets is a label that exists. Every path
    ends: lengths are bounded. Raises ValueError where there is no label.
    """
    if not labels:
        raise ValueError("a grammar needs at least one label")
    choices = " | ".join(f'"[{label}]"' for label in labels)
    more = f'(" " sentence){{0,{max_sentences - 1}}}' if max_sentences > 1 else ""
    return "\n".join(
        (
            f"root ::= sentence {more}".rstrip(),
            "sentence ::= text label label?",
            f"text ::= [A-Z0-9] [^\\[\\]\\n\\x00-\\x1f\\x7f-\\x9f]{{{MIN_CHARACTERS},{MAX_CHARACTERS}}}",
            f"label ::= {choices}",
        )
    )
