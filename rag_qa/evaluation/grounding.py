"""Are an answer's sentences supported by what they cite, or hallucinated? Are its quotes exact?

Citation recall and precision have the shape of ALCE (Gao et al., Enabling Large Language Models to Generate
Text with Citations, EMNLP 2023, section 3), with its entailment model replaced by any `Support`. All functions take
one answer and a `Lookup` of the index's papers. They return a figure, or None if it does not apply; it
lies between 0 and 1 unless the docstring says otherwise.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

from rag_qa.types import Answer, Citation, Paper, Sentence

Support = Callable[[str, Sequence[str]], bool]
Lookup = Callable[[str], Paper]


def verbatim(text: str, quotes: Sequence[str]) -> bool:
    """Return whether a quote holds the text word for word, or the text is all the quotes, one after the other.

    Only white space may differ. This is the strictest `Support`: no paraphrase passes, however true.
    """
    plain = [" ".join(quote.split()) for quote in quotes]
    words = " ".join(text.split())
    return bool(words) and (any(words in quote for quote in plain) or words == " ".join(plain))


def citation_recall(answer: Answer, lookup: Lookup, support: Support = verbatim) -> float | None:
    """Return the share of sentences supported by what they cite; None for an abstention.

    A sentence without citations scores 0, and so does an answer without sentences. Only exact quotes can support.
    Sentences on metadata do not count; None if there are no others.
    """
    if answer.abstained or _is_metadata(answer):
        return None
    judged = _judged(answer)
    return 1 - len(unsupported_sentences(answer, lookup, support)) / len(judged) if judged else 0.0


def unsupported_sentences(answer: Answer, lookup: Lookup, support: Support = verbatim) -> tuple[str, ...]:
    """Return the sentences that their citations do not support, without those on metadata."""
    return tuple(
        s.text for s in _judged(answer) if not _supported(s.text, _quotes(s, answer, lookup), support)
    )


def faithfulness(answer: Answer, lookup: Lookup, support: Support = verbatim) -> float | None:
    """Return the share of sentences supported by any evidence of the answer; None for an abstention.

    The evidence is what the sentence cites, else all that the answer quotes, else the abstract of any paper of the
    answer, as the index holds it. So a sentence with a wrong citation, or none, may be faithful, and faithfulness is
    never below citation recall. An answer without sentences scores 0; sentences on metadata do not count.
    """
    if answer.abstained or _is_metadata(answer):
        return None
    everything = [quote for sentence in answer.sentences for quote in _quotes(sentence, answer, lookup)]
    elsewhere = [everything, *([text] for text in _abstracts(answer, lookup))]
    faithful = [
        any(_supported(s.text, texts, support) for texts in (_quotes(s, answer, lookup), *elsewhere))
        for s in _judged(answer)
    ]
    return sum(faithful) / len(faithful) if faithful else 0.0


def citation_precision(answer: Answer, lookup: Lookup, support: Support = verbatim) -> float | None:
    """Return the share of citations that help support their sentence; None for an abstention.

    A citation helps if its quote is exact, if all citations together support the sentence, and if it is not
    irrelevant. It is irrelevant if it alone does not support the sentence and the others without it do. An answer
    without citations scores 0; sentences on metadata do not count.
    """
    if answer.abstained or _is_metadata(answer):
        return None
    helps = [h for s in _judged(answer) for h in _helpful(s, answer, lookup, support)]
    return sum(helps) / len(helps) if helps else 0.0


def quote_exactness(answer: Answer, lookup: Lookup) -> float | None:
    """Return the share of citations whose quote is `abstract[start:end]`; None if there are none.

    This must hold both for the answer's copy of the paper and for the index's.
    """
    exact = [_is_exact(c, answer, lookup) for s in answer.sentences for c in s.citations]
    return sum(exact) / len(exact) if exact else None


def invalid_citations(answer: Answer, lookup: Lookup) -> int:
    """Return the number of citations that point at no text.

    Their paper is not among the answer's papers or not in the index, or the span is empty or outside the abstract.
    A quote that differs from the text of its span counts against `quote_exactness` instead.
    """
    citations = [c for s in answer.sentences for c in s.citations]
    return sum(not all(_cited_texts(c, answer, lookup)) for c in citations)


def cited_papers(answer: Answer) -> tuple[str, ...]:
    """Return the ids of the papers cited, each once, in order of citation."""
    return tuple(dict.fromkeys(c.paper_id for s in answer.sentences for c in s.citations))


def _judged(answer: Answer) -> list[Sentence]:
    """Return the sentences on what abstracts say, without those on metadata."""
    return [sentence for sentence in answer.sentences if sentence.kind != "metadata"]


def _is_metadata(answer: Answer) -> bool:
    return bool(answer.sentences) and not _judged(answer)


def _cited_texts(citation: Citation, answer: Answer, lookup: Lookup) -> tuple[str, str]:
    """The text of the cited span in the answer's copy of the paper and in the index's; "" for none."""
    carried = next((paper for paper in answer.papers if paper.id == citation.paper_id), None)
    try:
        stored = lookup(citation.paper_id)
    except KeyError:
        stored = None
    return _at(carried, citation), _at(stored, citation)


def _at(paper: Paper | None, citation: Citation) -> str:
    if paper is None or not 0 <= citation.start < citation.end <= len(paper.abstract):
        return ""
    return paper.abstract[citation.start : citation.end]


def _abstracts(answer: Answer, lookup: Lookup) -> list[str]:
    """The abstracts of the answer's papers, as far as the index has them."""
    found = []
    for paper in answer.papers:
        with suppress(KeyError):
            found.append(lookup(paper.id).abstract)
    return found


def _is_exact(citation: Citation, answer: Answer, lookup: Lookup) -> bool:
    return bool(citation.quote) and _cited_texts(citation, answer, lookup) == (citation.quote, citation.quote)


def _quotes(sentence: Sentence, answer: Answer, lookup: Lookup) -> list[str]:
    return [c.quote for c in sentence.citations if _is_exact(c, answer, lookup)]


def _supported(text: str, quotes: Sequence[str], support: Support) -> bool:
    return bool(quotes) and (verbatim(text, quotes) or support(text, tuple(quotes)))


def _helpful(sentence: Sentence, answer: Answer, lookup: Lookup, support: Support) -> list[bool]:
    """For each citation of the sentence, whether it helps."""
    quotes = _quotes(sentence, answer, lookup)
    unexact = [False] * (len(sentence.citations) - len(quotes))
    if not _supported(sentence.text, quotes, support):
        return unexact + [False] * len(quotes)
    if len(quotes) == 1:
        return [*unexact, True]
    rests = [quotes[:i] + quotes[i + 1 :] for i in range(len(quotes))]
    return unexact + [
        _supported(sentence.text, [quote], support) or not _supported(sentence.text, rest, support)
        for quote, rest in zip(quotes, rests, strict=True)
    ]
