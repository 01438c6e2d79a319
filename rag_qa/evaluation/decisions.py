"""Yes, no or maybe: what an answer's quotes come to, by a rule or by a language model that can say nothing else.

The rule reads words of denial and of doubt in one sentence. What it does not know: what the question asserts ("is
it safe?" and "is it harmful?" have opposite answers in the same abstract), and results told in numbers alone.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from rag_qa.answering.writing.prompt import defuse
from rag_qa.protocols import Generator, Prompt
from rag_qa.types import Answer, Citation

Decision = Literal["yes", "no", "maybe"]

DECISIONS: tuple[Decision, ...] = get_args(Decision)
GRAMMAR = "root ::= " + " | ".join(f'"{decision}"' for decision in DECISIONS)
MAX_TOKENS = 8
DENIED = re.compile(
    r"\b(no|not|nor|neither|none|without|never|cannot|fail(?:s|ed)? to|lack(?:s|ed)? of|"
    r"similar|comparable|insignificant|nonsignificant|non-significant|unrelated|unaffected|unchanged)\b",
    re.IGNORECASE,
)
DOUBTED = re.compile(
    r"\b(may|might|could|possibl[ey]|perhaps|seems?|appears?|suggest(?:s|ed|ing)?|unclear|uncertain|"
    r"inconclusive|controversial|limited|further (?:research|stud(?:y|ies))|remains? to be)\b",
    re.IGNORECASE,
)
SYSTEM = """
You answer questions about medicine from the evidence alone. Answer yes, no or maybe. Say maybe where the evidence \
does not decide.
"""


def decide_by_rule(answer: Answer) -> Decision | None:
    """Return what the last quoted sentence of the paper cited first comes to; None where nothing is cited.

    Results and conclusions stand at the end of an abstract. A denial makes it `no`, else a word of doubt `maybe`.
    """
    quotes = _quotes_of_first_paper(answer)
    if not quotes:
        return None
    last = max(quotes, key=lambda citation: citation.start).quote
    if DENIED.search(last):
        return "no"
    return "maybe" if DOUBTED.search(last) else "yes"


def decide_by_model(answer: Answer, generator: Generator, *, seed: int = 0) -> Decision | None:
    """Return what the model says of everything that the answer cites; None where nothing is cited.

    The grammar lets it say nothing but a decision. Raises BackendError where the evidence does not fit, and
    ValueError for a reply that is none, from a runtime that ignores grammars.
    """
    quotes = dict.fromkeys(c.quote for sentence in answer.sentences for c in sentence.citations)
    if not quotes:
        return None
    evidence = "\n".join(f"- {defuse(quote)}" for quote in quotes)
    prompt = Prompt(
        system=SYSTEM.strip(),
        user=f"Evidence:\n{evidence}\n\nQuestion: {defuse(answer.question)}\nAnswer with yes, no or maybe:",
    )
    pieces = generator.generate(prompt, grammar=GRAMMAR, max_tokens=MAX_TOKENS, temperature=0.0, seed=seed)
    said = "".join(pieces).strip()
    for decision in DECISIONS:
        if said == decision:
            return decision
    raise ValueError(f"{said!r} is none of {', '.join(DECISIONS)}")


def decision_scores(found: Sequence[Decision | None], wanted: Sequence[Decision]) -> Mapping[str, float]:
    """Return accuracy and the unweighted mean F1 of the decisions, pair by pair; None is always wrong.

    A decision that is neither wanted nor found has an F1 of 0, as in scikit-learn. Raises ValueError unless both
    are of one length and not empty.
    """
    pairs = list(zip(found, wanted, strict=True))
    if not pairs:
        raise ValueError("there is nothing to score")
    right = [f == w for f, w in pairs]
    each = [_f1(pairs, decision) for decision in DECISIONS]
    return {"accuracy": sum(right) / len(right), "macro_f1": sum(each) / len(each)}


def _f1(pairs: Sequence[tuple[Decision | None, Decision]], decision: Decision) -> float:
    both = sum(f == w == decision for f, w in pairs)
    either = sum((f == decision) + (w == decision) for f, w in pairs)
    return 2 * both / either if either else 0.0


def _quotes_of_first_paper(answer: Answer) -> list[Citation]:
    citations = [c for sentence in answer.sentences for c in sentence.citations]
    return [c for c in citations if c.paper_id == citations[0].paper_id]
