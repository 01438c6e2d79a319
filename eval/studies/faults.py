"""Fault injection: put faults into true sentences, and count how many of them a judge finds.

A true sentence comes with its evidence. `inject` makes every kind of fault that fits the sentence. `paraphrase` says
the same in slightly other words, which must raise no alarm. All choices follow from the seed.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from rag_qa.text.words import content_terms
from rag_qa.types import Value, Verdict

FaultKind = Literal[
    "number changed",
    "numbers exchanged",
    "negation flipped",
    "direction flipped",
    "other paper",
    "nearest other paper",
    "no evidence",
]
Judge = Callable[[str, Sequence[str]], Verdict]


class Claim(Value):
    """A sentence that is true of its paper, and the evidence that it cites there."""

    paper_id: str
    sentence: str
    evidence: tuple[str, ...]


class Fault(Value):
    """A claim with a fault of one kind."""

    kind: FaultKind
    sentence: str
    evidence: tuple[str, ...]


class Rate(NamedTuple):
    """How many of the sentences a judge did not call supported."""

    raised: int
    total: int

    @property
    def share(self) -> float:
        """Return the share of sentences, 0 if there are none."""
        return self.raised / self.total if self.total else 0.0


def inject(claims: Sequence[Claim], seed: int = 0) -> list[Fault]:
    """Return the faults that fit the claims, in their order; the same for the same seed.

    A wrong citation is the sentence that shares most words with the claim, in a random other paper or in any.
    """
    rng = random.Random(seed)
    faults = []
    for claim in claims:
        changed: Mapping[FaultKind, str | None] = {
            "number changed": change_number(claim.sentence, claim.evidence, rng),
            "numbers exchanged": exchange_numbers(claim.sentence),
            "negation flipped": flip_negation(claim.sentence),
            "direction flipped": flip_direction(claim.sentence),
        }
        faults += [
            Fault(kind=kind, sentence=sentence, evidence=claim.evidence)
            for kind, sentence in changed.items()
            if sentence is not None
        ]
        if others := [other for other in claims if other.paper_id != claim.paper_id]:
            paper = rng.choice(others).paper_id
            random_one = [other for other in others if other.paper_id == paper]
            for kind, among in (("other paper", random_one), ("nearest other paper", others)):
                faults.append(Fault(kind=kind, sentence=claim.sentence, evidence=_elsewhere(claim, among)))
        faults.append(Fault(kind="no evidence", sentence=claim.sentence, evidence=()))
    return faults


def paraphrased(claims: Iterable[Claim]) -> list[Claim]:
    """Return the claims that have a light paraphrase, paraphrased."""
    changed = [(claim, paraphrase(claim.sentence)) for claim in claims]
    return [claim.model_copy(update={"sentence": text}) for claim, text in changed if text is not None]


def detections(judge: Judge, faults: Iterable[Fault]) -> dict[FaultKind, Rate]:
    """Return for each kind of fault how many were found: not called supported."""
    raised: Counter[FaultKind] = Counter()
    total: Counter[FaultKind] = Counter()
    for fault in faults:
        total[fault.kind] += 1
        raised[fault.kind] += judge(fault.sentence, fault.evidence).label != "supported"
    return {kind: Rate(raised[kind], count) for kind, count in total.items()}


def false_alarms(judge: Judge, claims: Iterable[Claim]) -> Rate:
    """Return how many true claims were not called supported."""
    labels = [judge(claim.sentence, claim.evidence).label for claim in claims]
    return Rate(sum(label != "supported" for label in labels), len(labels))


# --- faults

NUMERAL = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|[.,]\d)")
SPELT = "two three four five six seven eight nine ten twelve twenty thirty".split()
SPELT_NUMERAL = re.compile(rf"\b(?:{'|'.join(SPELT)})\b")
DENIED = {
    r"\b(is|are|was|were|can|could|will|would|may|should|must|has|have|had|does|do|did) not ": r"\1 ",
    r"\bcannot\b": "can",
    r"\bwithout\b": "with",
    r"\bno longer\b": "still",
    r"\bno\b": "some",
    r"\bnever\b": "always",
    r"\bnot\b ": "",
}
AUXILIARY = re.compile(r"\b(is|are|was|were|can|could|will|would|may|should|must)\b(?! not)")
PLAIN_VERB = re.compile(r"\b([Ww]e|[Tt]hey|[Aa]uthors) (?=[a-z]+\b)(?!(?:also|then|further|first)\b)")
# Only words that mean the opposite in the same position.
DIRECTIONS = (
    ("increases", "decreases"),
    ("increase", "decrease"),
    ("increasing", "decreasing"),
    ("increased", "decreased"),
    ("improves", "worsens"),
    ("improve", "worsen"),
    ("improved", "worsened"),
    ("higher", "lower"),
    ("better", "worse"),
    ("best", "worst"),
    ("faster", "slower"),
    ("larger", "smaller"),
    ("more", "less"),
    ("outperforms", "underperforms"),
    ("outperform", "underperform"),
    ("reduces", "increases"),
    ("reduce", "increase"),
    ("stronger", "weaker"),
    ("longer", "shorter"),
    ("large", "small"),
    ("high", "low"),
    ("fewer", "more"),
    ("easier", "harder"),
    ("before", "after"),
)


def change_number(text: str, evidence: Sequence[str], rng: random.Random) -> str | None:
    """Return the text with one number replaced by one that the evidence does not hold; None without a number."""
    found = [*NUMERAL.finditer(text), *SPELT_NUMERAL.finditer(text)]
    if not found:
        return None
    number = rng.choice(found)
    known = " ".join(evidence)
    new = number.group()
    while new == number.group() or re.search(rf"\b{re.escape(new)}\b", known):
        new = _other_number(number.group(), rng)
    return text[: number.start()] + new + text[number.end() :]


def _other_number(number: str, rng: random.Random) -> str:
    if number in SPELT:
        return rng.choice([word for word in SPELT if word != number])
    digits = [rng.choice("123456789") if character.isdigit() else character for character in number]
    return "".join(digits) if len(digits) > 1 else str(rng.randint(2, 99))


def exchange_numbers(text: str) -> str | None:
    """Return the text with its first two different numerals exchanged; None if there are not two."""
    numbers = list(NUMERAL.finditer(text))
    for one in numbers:
        for other in numbers:
            if one.start() < other.start() and one.group() != other.group():
                between = text[one.end() : other.start()]
                return text[: one.start()] + other.group() + between + one.group() + text[other.end() :]
    return None


def flip_negation(text: str) -> str | None:
    """Return the text with its first negation taken out, else with one put in; None if neither is easy."""
    for pattern, instead in DENIED.items():
        changed, count = re.subn(pattern, instead, text, count=1)
        if count:
            return changed
    changed, count = AUXILIARY.subn(r"\1 not", text, count=1)
    if not count:
        changed, count = PLAIN_VERB.subn(r"\1 do not ", text, count=1)
    return changed if count else None


def flip_direction(text: str) -> str | None:
    """Return the text with its first word of direction turned into its opposite; None without one."""
    words = {**{b: a for a, b in DIRECTIONS}, **dict(DIRECTIONS)}
    changed, count = re.subn(rf"\b(?:{'|'.join(words)})\b", lambda m: words[m.group()], text, count=1)
    return changed if count else None


def _elsewhere(claim: Claim, others: Sequence[Claim]) -> tuple[str, ...]:
    """Return the evidence of other claims that shares most words with the claim."""
    terms = set(content_terms(claim.sentence))
    offered = [other.evidence for other in others]
    return max(offered, key=lambda evidence: len(terms & set(content_terms(" ".join(evidence)))))


# --- light paraphrases

REWORDINGS = (
    (
        r"^(?:However|Moreover|Furthermore|In addition|In particular|Finally|Here|In this (?:paper|work)), (.)",
        None,
    ),
    (r"\bWe\b", "The authors"),
    (r"\bwe\b", "the authors"),
    (r"\b[Oo]ur\b", "their"),
    (r"\bThe authors show\b", "It is shown"),
    (r"\b(is|are|does|do|was|were) not\b", r"\1n't"),
    (r"\bcannot\b", "can't"),
    (r"\bshows? that\b", "demonstrates that"),
    (r"\bproposed?\b", "introduced"),
    (r"\busing\b", "by means of"),
    (r"\buses\b", "employs"),
    (r"\balso\b ", ""),
    (r"\bvery\b ", ""),
    (r"\bthree\b", "3"),
    (r"\bfour\b", "4"),
    (r"\btwo\b", "2"),
    (r"(?<=\d)%", " percent"),
    (r"\bsuch as\b", "for example"),
    (r"\bmany\b", "numerous"),
    (r"\bbig\b", "large"),
    (r"\bobtains?\b", "gets"),
    (r"\bcompared (?:to|with)\b", "in comparison with"),
    (r" \([^()]*\)", ""),
    (r"\bsince\b", "because"),
    (r"\bbuilds on\b", "is based on"),
    (r"\bmethods?\b", "approach"),
    (r"\bshows\b", "demonstrates"),
    (r"\bsmall\b", "little"),
    (r"\babout\b(?= \d)", "roughly"),
    (r"\bbeats\b", "outdoes"),
    (r"\breach(?:es|ed)\b", "attains"),
    (r"\bgives\b", "yields"),
    (r"\bneeds\b", "requires"),
    (r"\boften\b", "frequently"),
    (r"\bonly\b", "merely"),
    (r"\b[Ee]xperiments\b", "tests"),
    (r"\bauthors\b", "researchers"),
    (r"\bearlier\b", "previous"),
    (r"\bcalled\b", "named"),
    (r"\binstead of\b", "rather than"),
    (r"\beach\b", "every"),
    (r"\bso that\b", "in such a way that"),
    (r"\btrain(?:ed|s) on\b", "fitted on"),
    (r"\bimages\b", "pictures"),
    (r"\bwhole\b", "entire"),
    (r"\bfinds\b", "discovers"),
    (r"\bhard\b", "difficult"),
)


def paraphrase(text: str) -> str | None:
    """Return the text lightly reworded, its meaning unchanged; None if no rule applies."""
    changed = text
    for pattern, instead in REWORDINGS:
        if instead is None:
            changed = re.sub(pattern, lambda m: m.group(1).upper(), changed)
        else:
            changed = re.sub(pattern, instead, changed)
    moved = re.sub(r"^((?:In|On|With|For|By|From|At) [^,]{3,60}), ([^,:;]+)\.$", _moved, changed)
    moved = moved[:1].upper() + moved[1:]
    return moved if moved != text else None


def _moved(match: re.Match[str]) -> str:
    first, rest = match.groups()
    return f"{rest[0].upper()}{rest[1:]}, {first[0].lower()}{first[1:]}."
