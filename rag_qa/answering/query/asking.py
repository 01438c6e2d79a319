"""What a question asks for, by rules over its words: the type of its answer, and the attribute asked after.

Rules of English alone: what they do not recognise is "open", which asks for nothing in particular.
"""

import re
from typing import Literal

from rag_qa.answering.query.questions import question_kind
from rag_qa.text.words import FUNCTION_WORDS, content_terms
from rag_qa.types import Value

AnswerType = Literal["papers", "number", "yes or no", "reason", "name", "manner", "open"]

AUXILIARY = r"(?:is|are|was|were|does|do|did|has|have|had|can|could|will|would|should|may|might|must)"
# Adjectives and adverbs whose "how" asks for a number.
EXTENT = r"""(?:many|much|large|big|small|long|short|fast|slow|quickly|slowly|often|frequent(?:ly)?|common|accurate
    |accurately|old|young|deep|high|low|heavy|wide|far|expensive|reliable|sensitive|prevalent)"""
# Nouns whose value is a number.
MEASURE = r"""(?:percentage|percent|per\s+cent|proportion|fraction|share|number|rates?|ratio|size|scores?|accuracy
    |precision|recall|sensitivity|specificity|speed-?up|speed|latency|throughput|frequency|incidence|prevalence
    |heritability|dose|dosage|average|median|survival|length|temperature|duration|weight|cost|price|budget|epochs?|fid
    |auc|bleu|rouge|f1|perplexity|mrr(?:@\d+)?|ndcg(?:@\d+)?|pass@\d+|gain|improvement|milligrams|grams|hours|days
    |months|years|error|variance|amount|quantity)"""
NUMBER = re.compile(
    rf"\bhow\s+{EXTENT}\b(?!\s+(?:is|are)\s+it\b)|\b(?:what|which|the)\s+(?:[\w-]+\s+){{0,2}}?{MEASURE}\b"
    rf"|^\W*(?:[\w.@-]+\s+){{0,4}}?{MEASURE}\b|\bin\s+per\s?cent\b|\bat\s+(?:what|which)\s+time\b|%",
    re.IGNORECASE | re.VERBOSE,
)
HOW_MANY = re.compile(r"\bhow\s+(?:many|much)\b", re.IGNORECASE)
WHAT = re.compile(r"\b(?:what|which)\b(?:'s|’s)?", re.IGNORECASE)
MEASURED = re.compile(rf"(?:[\w-]+\s+)?\b{MEASURE}\b", re.IGNORECASE | re.VERBOSE)
YES_NO = re.compile(rf"^\W*{AUXILIARY}\b|[,:;]\s+{AUXILIARY}\b", re.IGNORECASE)
REASON = re.compile(r"\bwhy\b|\bwhat\s+for\b|\breasons?\b", re.IGNORECASE)
NAME = re.compile(r"\b(?:what|which|who|whom|whose|when|where|names?)\b", re.IGNORECASE)
MANNER = re.compile(r"\bhow\b", re.IGNORECASE)
WORD = re.compile(r"[^\s,;:?!()]+")
MOST_WORDS = 4


class Asked(Value):
    """The type of answer that a question wants, and the attribute it asks after, such as "learning rate" ("": none)."""

    type: AnswerType
    attribute: str


def asked(question: str) -> Asked:
    """Return what a question asks for."""
    kind = _type(question)
    return Asked(type=kind, attribute=_attribute(question, kind))


def _type(question: str) -> AnswerType:
    if question_kind(question) == "which":
        return "papers"
    rules: tuple[tuple[AnswerType, re.Pattern[str]], ...] = (
        ("number", HOW_MANY),
        ("yes or no", YES_NO),
        ("number", NUMBER),
        ("reason", REASON),
        ("name", NAME),
        ("manner", MANNER),
    )
    return next((kind for kind, rule in rules if rule.search(question)), "open")


def _attribute(question: str, kind: AnswerType) -> str:
    """The noun phrase after "how many", "what" or "which"; else the measure with the word before it."""
    if kind not in ("number", "name"):
        return ""
    for rule in (HOW_MANY, WHAT):
        if (found := rule.search(question)) and (phrase := _phrase(question[found.end() :])):
            return phrase
    if kind == "number" and (found := MEASURED.search(question)):
        return _phrase(found.group())
    return ""


def _phrase(text: str) -> str:
    """The first run of content words, past the auxiliaries and articles before it."""
    words: list[str] = []
    for word in WORD.findall(text):
        bare = word.strip("'\"’.").casefold()
        if bare in FUNCTION_WORDS or not content_terms(bare):
            if words:
                break
            continue
        words.append(word.strip("'\"’."))
        if len(words) == MOST_WORDS:
            break
    return " ".join(words)
