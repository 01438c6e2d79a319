"""Contradictions that words alone show: a negation on one side, an opposite word, another number, another subject.

Each clause is compared with the clauses of the source that share most words with it; each number, with the numbers that
have the same words around them.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

from rag_qa.text.quantities import NUMBER, in_digits
from rag_qa.text.words import WORD, abbreviates, content_terms, stems, topic_terms

ContrastKind = Literal["negation", "opposite", "number", "subject"]

# Two clauses are about the same if that of the source holds SAME_CLAUSE of the stems of the other, which in turn holds
# SAME_BACK of its stems.
SAME_CLAUSE, SAME_BACK = 0.6, 0.4
# Clauses of the source with a share this close to the best one are compared too.
NEAR_BEST = 0.15
# Two sentences differ in their subject if they share this much of the words after the first.
SAME_REST = 0.8
# How many words before and after a number are compared, and how many of them must be equal.
AROUND, SAME_CONTEXT = 3, 3

CLAUSE = re.compile(
    r"[;:]|,(?!\d)|\s(?:but|while|whereas|although|though|and)\s|\s(?=with(?:out)?\s)", re.IGNORECASE
)
CONTRACTED = re.compile(r"(?<=can)not\b|(?<=can)['\u2019]t\b|n['\u2019]t\b", re.IGNORECASE)
NOT_NEGATIONS = re.compile(
    r"\bnot (?:only|just|merely|necessarily)\b|\bno (?:later|more|less|fewer) than\b|\bno\. ?(?=\d)",
    re.IGNORECASE,
)
NEGATION = re.compile(
    r"\b(?:no|not|never|nor|without|neither|none|hardly|rarely|lacks|lacked|fails?|failed|unable)\b",
    re.IGNORECASE,
)

# Words that say that something increases, and that it decreases.
INCREASE = "increase rise grow gain raise elevate enhance boost promote stimulate upregulate augment amplify"
DECREASE = """
    decrease reduce drop shrink fall diminish lower decline inhibit suppress impair attenuate downregulate lessen
"""
# Pairs of opposites, each side with its synonyms.
OPPOSITES = f"""
    {INCREASE} / {DECREASE}; improve enhance / degrade worsen harm hurt impair deteriorate;
    high higher highest / low lower lowest; better best superior / worse worst inferior;
    fast faster quicker accelerate / slow slower slowly; more most many / less least fewer few;
    large larger largest big bigger greater / small smaller smallest; outperform surpass exceed / underperform;
    activate / deactivate inactivate inhibit; positive positively / negative negatively;
    strong stronger strengthen / weak weaker weaken; long longer / short shorter; easy easier / hard harder difficult;
    enable allow / prevent; success succeed successful / failure fail unsuccessful; upper / lower; before / after;
    stable stability / unstable instability; supervised / unsupervised; convex / nonconvex; linear / nonlinear;
    always / never; maximize maximise / minimize minimise; early earlier / late later
"""
# Words that say that something increases or comes about, and that it decreases or does not, whatever it is.
UP_WORDS = f"""
    {INCREASE} abundance abundant accelerate activate activation best better cause drive effective elevated enable
    encourage exacerbate exceed expand facilitate faster greater growth high higher hypersensitive improve increasing
    induce large larger long longer many more most outperform overexpress sensitive strong stronger superior trigger
"""
DOWN_WORDS = f"""
    {DECREASE} abolish abrogate alleviate ameliorate block decreasing deficiency deficient delay deplete depletion
    disrupt few fewer hinder immune impede ineffective inferior inhibition insensitive least less limit loss low
    prevent protect reduction rescue resistance resistant scarce slow slower small smaller suppression underperform
    weak weaker worse
"""
DENIAL = re.compile(
    NEGATION.pattern
    + r"|\b(?:unrelated|ineffective|independent|lack|lacking|absence|inaccurate|little|unlikely|insufficient)\b",
    re.IGNORECASE,
)


class Contrast(NamedTuple):
    """The words of the sentence against those of its source; "" for the side without the negation."""

    kind: ContrastKind
    said: str
    found: str


class Clause(NamedTuple):
    """A clause: its text, its content stems, and its negations."""

    text: str
    terms: frozenset[str]
    negations: tuple[str, ...]

    @property
    def negated(self) -> bool:
        """Whether an odd number of negations reverses the clause."""
        return len(self.negations) % 2 == 1


def contrasts(sentence: str, sources: Sequence[str]) -> list[Contrast]:
    """Return the contrasts between a sentence and the sentences of its source, each once.

    >>> contrasts("Dropout decreases test error.", ["Dropout increases test error."])
    [Contrast(kind='opposite', said='decreases', found='increases')]
    """
    theirs = [clause for source in sources for clause in clauses(source)]
    found = [c for clause in clauses(sentence) if (c := _contrast(clause, theirs))]
    return list(dict.fromkeys([*found, *_numbers(sentence, sources), *_subject(sentence, sources)]))


def restates(sentence: str, question: str) -> bool | None:
    """Return whether a sentence in the words of a yes/no question says that it is so; None if it has words of its own.

    >>> restates("Dropout decreases test error.", "Does dropout increase test error?")
    False
    """
    said = _clause(sentence)
    if not said.terms or _share(said, _clause(question)) < 1:
        return None
    return not any(c.kind in ("negation", "opposite") for c in contrasts(sentence, [question]))


def clauses(text: str) -> list[Clause]:
    """Return the clauses of a sentence; one of fewer than two content words joins the one before it.

    "with" and "without" begin a clause of their own, since "without" denies only what follows it.
    """
    plain = NOT_NEGATIONS.sub(" ", CONTRACTED.sub(" not", in_digits(text)))
    pieces: list[str] = []
    for piece in CLAUSE.split(plain):
        if pieces and not (_stands_alone(piece) and _stands_alone(pieces[-1])):
            pieces[-1] += f" {piece}"
        else:
            pieces.append(piece)
    return [clause for piece in pieces if (clause := _clause(piece)).terms]


@cache
def directions() -> tuple[frozenset[str], frozenset[str]]:
    """Return the stems of UP_WORDS and of DOWN_WORDS."""
    return frozenset(stems(UP_WORDS)), frozenset(stems(DOWN_WORDS))


def is_negated(text: str) -> bool:
    """Return whether the text denies something, by a negation or by a word such as "unlikely"."""
    return DENIAL.search(CONTRACTED.sub(" not", text)) is not None


def _stands_alone(piece: str) -> bool:
    return len(_terms(piece)) >= (1 if piece.casefold().startswith("with") else 2)


def _clause(text: str) -> Clause:
    return Clause(text.strip(), _terms(text), tuple(word.casefold() for word in NEGATION.findall(text)))


def _terms(text: str) -> frozenset[str]:
    """Return the stems of the content words, and of words such as "more" that have an opposite."""
    words = NEGATION.sub(" ", text)
    return frozenset(content_terms(words)) | (stems(words) & _opposites().keys())


def _contrast(clause: Clause, theirs: Sequence[Clause]) -> Contrast | None:
    """Return how a clause contradicts those of the source about the same; None if any of them agrees with it."""
    shares = {other: _share(clause, other) for other in theirs}
    best = max(shares.values(), default=0.0)
    if best < SAME_CLAUSE:
        return None
    near = [other for other, share in shares.items() if share >= max(SAME_CLAUSE, best - NEAR_BEST)]
    found = [_against(clause, other) for other in near if _share(other, clause) >= SAME_BACK]
    return found[0] if found and all(found) else None


def _share(clause: Clause, other: Clause) -> float:
    """Return the share of the clause's stems that the other holds; an opposite counts as the word itself."""
    known = other.terms | {stem for word in other.terms for stem in _opposites().get(word, ())}
    return len(clause.terms & known) / len(clause.terms)


def _against(clause: Clause, other: Clause) -> Contrast | None:
    # Negated and opposite is the same again: "not faster", "slower".
    opposite = _opposite(clause, other)
    if (clause.negated != other.negated) == bool(opposite):
        return None
    if opposite:
        return Contrast("opposite", *opposite)
    return Contrast(
        "negation", *(" ".join(side.negations) if side.negated else "" for side in (clause, other))
    )


def _opposite(clause: Clause, other: Clause) -> tuple[str, str] | None:
    for stem in sorted(clause.terms - other.terms):
        against = _opposites().get(stem, frozenset()) & other.terms - clause.terms
        if against:
            return _word(clause.text, stem), _word(other.text, min(against))
    return None


def _word(text: str, stem: str) -> str:
    """Return the first word of the text with this stem."""
    return next((word for word in WORD.findall(text) if stem in stems(word)), stem)


@cache
def _opposites() -> dict[str, frozenset[str]]:
    """Return the stems that mean the opposite of each stem."""
    found: dict[str, frozenset[str]] = {}
    for pair in OPPOSITES.split(";"):
        sides = pair.split("/")
        for one, other in (sides, sides[::-1]):
            for stem in stems(one):
                found[stem] = found.get(stem, frozenset()) | stems(other)
    return found


def _subject(sentence: str, sources: Sequence[str]) -> list[Contrast]:
    """Return the first words of sentence and source if these differ but the rest is mostly the same."""
    opening = WORD.search(sentence)
    said = topic_terms(opening.group()) if opening else []
    rest = set(content_terms(in_digits(sentence))) - set(said)
    if opening is None or not said or not rest or set(said) & {term for s in sources for term in stems(s)}:
        return []
    if any(abbreviates(opening.group(), source) for source in sources):
        return []
    for source in sources:
        theirs = WORD.search(source)
        known = set(content_terms(in_digits(source)))
        instead = set(topic_terms(theirs.group())) if theirs else set()
        if theirs and instead - rest and len(rest & known) >= SAME_REST * len(rest):
            return [Contrast("subject", opening.group(), theirs.group())]
    return []


def _numbers(sentence: str, sources: Sequence[str]) -> list[Contrast]:
    """Return the numbers for which the source, among the same words, has another number."""
    theirs = [number for source in sources for number in _numbers_in_context(source)]
    found = []
    for number, around in _numbers_in_context(sentence):
        alike = {other: 0 for other, _ in theirs} | {number: 0}
        for other, words in theirs:
            same = sum(a == b != "" for a, b in zip(around, words, strict=True))
            alike[other] = max(alike[other], same)
        other = max(alike, key=lambda n: alike[n])
        if alike[other] >= max(SAME_CONTEXT, alike[number] + SAME_CONTEXT - 1):
            found.append(Contrast("number", number, other))
    return found


def _numbers_in_context(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return each number of a text with the AROUND words on both sides; numbers among these are left blank."""
    words = [word.casefold() for word in WORD.findall(in_digits(text))]
    blank = [""] * AROUND + ["" if NUMBER.fullmatch(word) else word for word in words] + [""] * AROUND
    return [
        (word, (*blank[n : n + AROUND], *blank[n + AROUND + 1 : n + 2 * AROUND + 1]))
        for n, word in enumerate(words)
        if NUMBER.fullmatch(word)
    ]
