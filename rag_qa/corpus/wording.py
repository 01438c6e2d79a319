"""How two titles or two texts differ: in spelling, in a word that makes them two papers, or in more.

Companion papers ("northern region", "southern region") differ in one or two words at the same position. Versions of one
paper differ in spelling, in what one of them adds, or at many positions. Works on the words of `normalise_text`.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from rag_qa.text.words import FUNCTION_WORDS, content_terms

Words = Sequence[str]
Relation = Literal["same", "extended", "swapped", "opposed", "notice", "other"]

# Texts with more or longer differences are not compared word by word.
MAX_EDITS = 12
MAX_RUN = 12
ANCHOR = 2
FEW_WORDS = 2
SYMBOL_LENGTH = 2
SPELLING_LENGTH = 5
SPELLING_STEM = 2
MISSPELT_LENGTH = 6
PREFIX_REST = 4

# Between two ";" words exclude each other, except those joined by "/".
_EXCLUSIVE = """
    north/northern south/southern east/eastern west/western northeast/northeastern northwest/northwestern;
    southeast/southeastern southwest/southwestern central; men/man/male/males women/woman/female/females;
    boys/boy girls/girl; mothers/mother/maternal fathers/father/paternal; husbands/husband wives/wife;
    brothers/brother sisters/sister; sons/son daughters/daughter; he/his/him she/her/hers;
    children/child/pediatric/paediatric adults/adult adolescents/adolescent/teenagers infants/infant
    newborns/neonates/neonatal elderly/older younger; urban rural suburban; mice/mouse/murine rats/rat
    rabbits/rabbit dogs/dog/canine cats/cat/feline pigs/pig/porcine sheep/ovine cattle/cows/cow/bovine
    horses/horse/equine goats/goat monkeys/monkey/macaques humans/human zebrafish chickens/chicken
    hamsters/hamster; left right; upper lower; top bottom; anterior posterior; medial lateral; proximal
    distal; dorsal ventral; inner outer; internal external; indoor outdoor; before after; prior following;
    with without; acute chronic; early late; short long; high low; small large; hot cold; warm cool; wet
    dry; day/daytime night/nighttime/nocturnal; morning evening afternoon; spring summer autumn/fall winter;
    january february march april may june july august september october november december; monday tuesday
    wednesday thursday friday saturday sunday; weekday/weekdays weekend/weekends; vitro vivo silico situ;
    positive negative; quantitative qualitative; primary secondary tertiary; theory/theoretical
    experiment/experiments/experimental; public private; black white; anode cathode; alpha/α beta/β gamma/γ
    delta/δ; first second third fourth fifth sixth seventh eighth ninth tenth; one two three four five six
    seven eight nine ten eleven twelve; i ii iii iv v vi vii viii ix x xi xii
"""
_GROUPS: dict[str, set[tuple[int, str]]] = {}
for _line, _words in enumerate(_EXCLUSIVE.split(";")):
    for _alternative in _words.split():
        for _word in _alternative.split("/"):
            _GROUPS.setdefault(_word, set()).add((_line, _alternative))
_NONE: frozenset[tuple[int, str]] = frozenset()
# "hypertension" and "hypotension", "supervised" and "unsupervised".
_PREFIXES = frozenset(
    """hyper hypo pre post inter intra under over un non in im ir il a an ab ad anti pro mono bi multi uni micro
    macro endo exo ex dis mal up down sub super trans cis""".split()
) | {""}
_SPELLINGS = frozenset(map(frozenset, (("s", "z"), ("c", "s"), ("i", "y"), ("c", "k"), ("f", "ph"))))
# One of these words on one side only reverses the meaning of what follows.
_NEGATIONS = frozenset("no not non never without except excluding semi anti pre post".split())
# One of these words in one title only makes it another publication: a comment, a part, a protocol.
_NOTICES = frozenset(
    """comment comments commentary reply replies response rejoinder discussion erratum errata corrigendum corrigenda
    correction corrections addendum retraction withdrawal concern letter editorial part volume vol chapter appendix
    continued sequel update updated revisited protocol protocols pilot reanalysis replication re""".split()
)
# Words for the form in which a paper appears.
_FORMS = frozenset(
    """extended abstract abstracts version preprint full short paper findings technical report draft poster demo arxiv
    proceedings oral spotlight article summary video contribution supplementary supplement""".split()
)
_SERIES = frozenset(
    "part phase study experiment wave cohort volume chapter stage type class group trial year grade level".split()
)
_COUNTED = frozenset("one two three four five first second third fourth fifth".split())
_NUMBER = re.compile(r"\d[\d.]*[a-z]?|[ivx]+")
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")


class Edit(NamedTuple):
    """Words of one text at a position where the other text has other words or none, and the word before them."""

    here: tuple[str, ...]
    there: tuple[str, ...]
    before: str


def find_edits(here: Words, there: Words) -> list[Edit] | None:
    """Return the differences of two texts in order, or None if they are too many or too long.

    Words that one text has after the end of the other are the last edit, of any length.
    """
    edits: list[Edit] = []
    i = j = 0
    while i < len(here) and j < len(there):
        if here[i] == there[j]:
            i, j = i + 1, j + 1
            continue
        step = _next_agreement(here[i : i + MAX_RUN + ANCHOR], there[j : j + MAX_RUN + ANCHOR])
        if step is None or len(edits) == MAX_EDITS:
            return None
        edits.append(_edit(here, i, i + step[0], there[j : j + step[1]]))
        i, j = i + step[0], j + step[1]
    if i < len(here) or j < len(there):
        edits.append(_edit(here, i, len(here), there[j:]))
    return edits


def _edit(here: Words, start: int, end: int, there: Words) -> Edit:
    return Edit(tuple(here[start:end]), tuple(there), here[start - 1] if start else "")


def _next_agreement(here: Words, there: Words) -> tuple[int, int] | None:
    """Return how many words to skip on each side until the texts agree again, as few as possible."""
    for total in range(1, 2 * MAX_RUN + 1):
        for left in range(max(0, total - MAX_RUN), min(total, MAX_RUN) + 1):
            right = total - left
            if here[left : left + ANCHOR] == there[right : right + ANCHOR]:
                return left, right
    return None


def relate_titles(here: Words, there: Words, *, formulas: bool = False) -> Relation:
    """Return the relation of two different titles.

    "same": they differ in spelling or form only; "extended": one adds words to the other; "swapped": one content word
    replaces another; "opposed": words or numbers exclude each other; "notice": one is a comment, correction, reply or
    part; "other": anything else. With `formulas`, short words are ignored, because they may be symbols.
    """
    edits = find_edits(here, there)
    if edits is None:
        return "other"
    edits = [edit for edit in edits if not _means_the_same(edit, formulas=formulas)]
    if any(_NOTICES & {*edit.here, *edit.there} for edit in edits):
        return "notice"
    if any(_opposes(edit) for edit in edits):
        return "opposed"
    swaps = [sides for edit in edits if all(sides := _contents(edit))]
    if len(swaps) == 1 and all(len(side) == 1 for side in swaps[0]):
        return "swapped"
    if swaps or (any(edit.here for edit in edits) and any(edit.there for edit in edits)):
        return "other"
    return "extended" if edits else "same"


def reads_the_same(here: Words, there: Words) -> bool:
    """Return whether two texts differ in spelling only."""
    edits = find_edits(here, there)
    return edits is not None and all(map(_means_the_same, edits))


def is_misspelt(one: str, other: str) -> bool:
    """Return whether two long words differ in one letter that is not one of the first."""
    if len(one) != len(other) or len(one) < MISSPELT_LENGTH or one[:SPELLING_STEM] != other[:SPELLING_STEM]:
        return False
    return sum(a != b for a, b in zip(one, other, strict=True)) == 1


def added_words(here: Words, there: Words) -> frozenset[str]:
    """Return the words that only one of two titles has."""
    return frozenset({*here} ^ {*there})


def differ_decisively(here: Words, there: Words, *, only: frozenset[str] | None = None) -> bool:
    """Return whether two nearly equal texts differ in a word that makes them two papers.

    Any content word that replaces another does, except spellings. With `only` (for texts under the same title) just
    words that exclude each other, years, numbers of parts, and the words in `only` do.
    """
    edits = [edit for edit in find_edits(here, there) or () if not _means_the_same(edit)]
    return any(_is_decisive(edit) if only is None else _is_clearly_decisive(edit, only) for edit in edits)


def exchanged_words(here: Words, there: Words) -> tuple[str, str] | None:
    """Return the one word of each text in which they differ, apart from spelling, or None if there is more."""
    edits = {edit[:2] for edit in find_edits(here, there) or () if not _means_the_same(edit)}
    if len(edits) != 1:
        return None
    ((one, other),) = edits
    return (one[0], other[0]) if len(one) == len(other) == 1 else None


def _opposes(edit: Edit) -> bool:
    if edit.here and edit.there and (edit.before in _SERIES or len(edit.here[0]) == len(edit.there[0]) == 1):
        return True  # "part A", "vitamin D"
    return _excludes(edit) or _negates(edit) or _numbers(edit.here) != _numbers(edit.there)


def _is_decisive(edit: Edit) -> bool:
    return _excludes(edit) or _negates(edit) or all(_contents(edit))


def _is_clearly_decisive(edit: Edit, only: frozenset[str]) -> bool:
    if not edit.here or not edit.there:
        return False
    words = {*edit.here, *edit.there}
    numbers = _numbers(edit.here), _numbers(edit.there)
    if numbers[0] != numbers[1] or words & _COUNTED:
        years = all(side and all(map(_YEAR.fullmatch, side)) for side in numbers)
        return years or edit.before in _SERIES or bool(_SERIES & words)
    return _excludes(edit) or bool(only & words)


def _negates(edit: Edit) -> bool:
    """Return whether one side adds a negation and little else."""
    if edit.here and edit.there:
        return False
    words = edit.here or edit.there
    return len(words) <= FEW_WORDS and bool(_NEGATIONS & {*words})


def _means_the_same(edit: Edit, *, formulas: bool = False) -> bool:
    """Return whether both sides mean the same: joined, spelt or inflected differently, or no content at all."""
    here, there = _contents(edit)
    if "".join(edit.here) == "".join(edit.there):
        return True
    if _excludes(edit) or _negates(edit):
        return False
    if formulas and all(len(word) <= SYMBOL_LENGTH for word in here + there):
        return True
    return len(here) == len(there) and all(map(same_word, here, there))


def _contents(edit: Edit) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the content words of both sides; single letters count if they replace each other ("group A")."""
    if edit.here and edit.there and all(len(word) == 1 for word in edit.here + edit.there):
        return edit.here, edit.there
    return _content(edit.here), _content(edit.there)


def _content(words: Words) -> tuple[str, ...]:
    return tuple(word for word in words if word not in FUNCTION_WORDS and word not in _FORMS)


def same_word(one: str, other: str) -> bool:
    """Return whether two words are spellings or forms of one: "colour" and "color", "bandit" and "bandits"."""
    if one == other or _GROUPS.get(one, _NONE) & _GROUPS.get(other, _NONE):
        return True
    if min(len(one), len(other)) < SPELLING_LENGTH or one[:SPELLING_STEM] != other[:SPELLING_STEM]:
        return False
    if any(c.isdigit() for c in one + other):
        return False
    return content_terms(one) == content_terms(other) or _one_slip(one, other)


def _one_slip(one: str, other: str) -> bool:
    """Return whether one letter is missing, swapped with its neighbour, or another English spelling."""
    start = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    a, b = one[start:], other[start:]
    if a[1:] == b or a == b[1:]:
        return True
    if len(a) != len(b) or len(a) < ANCHOR:
        return False
    exchanged = a[:2] == b[1::-1] and a[2:] == b[2:]
    return exchanged or (a[1:] == b[1:] and frozenset((a[0], b[0])) in _SPELLINGS)


def _excludes(edit: Edit) -> bool:
    """Return whether a word of one side excludes one of the other."""
    here, there = set(edit.here) - set(edit.there), set(edit.there) - set(edit.here)
    return any(_exclude(a, b) for a in here for b in there)


def _exclude(one: str, other: str) -> bool:
    if any(a == b and x != y for a, x in _GROUPS.get(one, ()) for b, y in _GROUPS.get(other, ())):
        return True
    if one[-PREFIX_REST:] != other[-PREFIX_REST:]:  # so most words are told apart at once
        return False
    rest = _common_end(one, other)
    return rest >= PREFIX_REST and one[:-rest] in _PREFIXES and other[:-rest] in _PREFIXES


def _common_end(one: str, other: str) -> int:
    length = min(len(one), len(other))
    return next((n for n in range(length) if one[-1 - n] != other[-1 - n]), length)


def _numbers(words: Words) -> list[str]:
    """Return the numbers, Arabic and Roman, that may count the parts of a series."""
    return [word for word in words if _NUMBER.fullmatch(word)]
