"""Evidence → sentences of an answer that are quotes."""

from rag_qa.answering.verdict.model import VERBATIM
from rag_qa.types import Evidence, Sentence


def quote(evidence: Evidence) -> Sentence:
    """Return the evidence as a sentence of the answer that cites itself."""
    return Sentence(text=evidence.sentence, kind="quote", citations=(evidence.citation,), verdict=VERBATIM)
