"""A grammar (GBNF) for the question at hand: sentences that can only end in labels of its evidence, or a refusal."""

from collections.abc import Sequence

MIN_CHARACTERS = 20
MAX_CHARACTERS = 240
# The grammar lets a sentence run on by this much. At the very limit it would press a label on half a word, and
# that would look like a sentence; so what is longer than MAX_CHARACTERS is known to be cut off.
OVERRUN = 40
# How the model says that its evidence holds no answer; no sentence begins with a bracket.
REFUSAL = "(The sources do not say.)"


def answer_grammar(papers: Sequence[Sequence[int]], *, max_sentences: int) -> str:
    """Return a grammar for the refusal, or one to `max_sentences` sentences with one or two labels of one paper each.

    `papers` holds the labels of the evidence, paper by paper: what is said of two papers takes two sentences. A
    sentence holds no square brackets, so whatever stands in brackets is a label that exists. Every path ends:
    lengths are bounded. Raises ValueError where there is no label.
    """
    choices = [_labels_of_one(labels) for labels in papers if labels]
    if not choices:
        raise ValueError("a grammar needs at least one label")
    more = f' (" " sentence){{0,{max_sentences - 1}}}' if max_sentences > 1 else ""
    length = f"{{{MIN_CHARACTERS},{MAX_CHARACTERS + OVERRUN}}}"
    return "\n".join(
        (
            f"root ::= refusal | sentence{more}",
            f'refusal ::= "{REFUSAL}"',
            "sentence ::= text labels",
            f"text ::= [A-Z0-9] [^\\[\\]\\n\\x00-\\x1f\\x7f-\\x9f]{length}",
            f"labels ::= {' | '.join(choices)}",
        )
    )


def _labels_of_one(labels: Sequence[int]) -> str:
    """Return the choice of one or two labels of one paper."""
    marks = [f'"[{label}]"' for label in labels]
    if len(marks) == 1:
        return marks[0]
    one = f"({' | '.join(marks)})"
    return f"{one} {one}?"
