"""Does an answer state the facts that it should? Compared as text, without a judge model.

Not seen: paraphrases beyond the alternatives given, and that a fact is stated to be false.
"""

import re
import unicodedata
from collections.abc import Sequence

from rag_qa.types import Answer

DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
UNSEEN = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
SEPARATOR = r"(?:,|\{,\}|\\,|['\u2019\u2009\u202f\u00a0])"
GROUPED = re.compile(rf"(?<![\d.,])\d{{1,3}}(?:{SEPARATOR}\d{{3}})+(?!\d)")


def normalise(text: str) -> str:
    r"""Return the text in lower case, with plain dashes, single spaces and undivided thousands.

    "12,345", "12{,}345" and "12 345" (with a no-break or thin space) become "12345"; "45 %" and
    "45\%" become "45%".
    """
    text = _folded(_undivided(UNSEEN.sub("", text)))
    text = _undivided(DASHES.sub("-", text).replace("\u2019", "'"))
    return re.sub(r"(?:(?<![ \\])[ \\]++)?%", "%", " ".join(text.split()))


def _undivided(text: str) -> str:
    return GROUPED.sub(lambda number: re.sub(SEPARATOR, "", number.group()), text)


def _folded(text: str) -> str:
    """The text without case and compatibility variants (The Unicode Standard, section 3.13, D146)."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFKC", text.casefold())


def states(text: str, alternatives: Sequence[str]) -> bool:
    """Return whether the text holds one of the wordings as whole words and numbers, after `normalise`.

    >>> states("It reaches 4.5 points.", ["5"]), states("12,345 agents", ["12345 agents"])
    (False, True)
    """
    text = normalise(text)
    return any(_stands(text, wanted) for wanted in map(normalise, alternatives) if wanted)


def _stands(text: str, wanted: str) -> bool:
    before = r"(?<!\w)(?<!\d[.,])" if re.match(r"\w", wanted) else ""
    after = r"(?!\w)(?![.,]\d)" if re.search(r"\w$", wanted) else ""
    return re.search(before + re.escape(wanted) + after, text) is not None


def shown_text(answer: Answer) -> str:
    """Return the text that a reader sees: each sentence, and under prose the quotes that it cites, each once."""
    texts = [text for s in answer.sentences for text in (s.text, *(c.quote for c in s.citations))]
    return " ".join(dict.fromkeys(texts))


def prose_text(answer: Answer) -> str:
    """Return the text that the language model wrote; "" for an answer in quotes."""
    return " ".join(s.text for s in answer.sentences if s.kind == "prose")


def missing_facts(answer: Answer, key_facts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the first wording of each fact that the reader does not see; an abstention shows none."""
    text = "" if answer.abstained else shown_text(answer)
    return tuple(fact[0] for fact in key_facts if not states(text, fact))


def key_facts_shown(answer: Answer, key_facts: Sequence[Sequence[str]]) -> float | None:
    """Return the share of facts that the reader sees, 0 to 1; None if there are no facts."""
    return 1 - len(missing_facts(answer, key_facts)) / len(key_facts) if key_facts else None


def key_facts_prose(answer: Answer, key_facts: Sequence[Sequence[str]]) -> float | None:
    """Return the share of facts that the prose alone states, 0 to 1; None if there are no facts."""
    text = prose_text(answer)
    return sum(states(text, fact) for fact in key_facts) / len(key_facts) if key_facts else None


def key_facts_cited(answer: Answer, key_facts: Sequence[Sequence[str]]) -> float | None:
    """Return the share of the facts stated in prose that a quote under the same sentence states too, 0 to 1.

    This judges citations without the verifier that let the sentences through. None if the prose states no fact.
    """
    prose = [s for s in answer.sentences if s.kind == "prose"]
    stating = [(fact, [s for s in prose if states(s.text, fact)]) for fact in key_facts]
    held = [
        any(states(c.quote, fact) for s in sentences for c in s.citations)
        for fact, sentences in stating
        if sentences
    ]
    return sum(held) / len(held) if held else None


def says_yes_or_no(answer: Answer) -> str | None:
    """Return "yes" or "no" if that is the answer's first word, else None."""
    first = re.match(r"\W*(yes|no)\b", answer.sentences[0].text, re.IGNORECASE) if answer.sentences else None
    return first[1].lower() if first else None
