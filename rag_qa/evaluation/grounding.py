"""Whether an answer's sentences are supported by what they cite, and whether its quotes are true.

Citation recall and precision have the shape of ALCE (Gao et al., Enabling Large Language Models to Generate
Text with Citations, EMNLP 2023, section 3), with its NLI model replaced by any `Support`. All functions take
one answer and a `Lookup` of the index's papers; None means that the figure does not apply.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

from rag_qa.types import Answer, Citation, Paper, Sentence

Support = Callable[[str, Sequence[str]], bool]
Lookup = Callable[[str], Paper]


def verbatim(text: str, quotes: Sequence[str]) -> bool:
    """Return whether the text stands word for word in a quote, or is the quotes one after the other.

    Only white space may differ. The strictest `Support`: a paraphrase, however true, has none.
    """
    plain = [" ".join(quote.split()) for quote in quotes]
    words = " ".join(text.split())
    return bool(words) and (any(words in quote for quote in plain) or words == " ".join(plain))


def citation_recall(answer: Answer, lookup: Lookup, support: Support = verbatim) -> float | None:
    """Return the share of sentences supported by what they cite; None for an answer that abstains.

    A sentence without citations scores 0, and so does an answer without sentences. Only quotes that stand in
    the cited paper, at the place given, can support. Sentences on metadata say nothing of abstracts and do not
    count; None where there are no others.
    """
    if answer.abstained or _is_metadata(answer):
        return None
    judged = _judged(answer)
    return 1 - len(unsupported_sentences(answer, lookup, support)) / len(judged) if judged else 0.0


def unsupported_sentences(answer: Answer, lookup: Lookup, support: Support = verbatim) -> tuple[str, ...]:
    """Return the sentences that what they cite does not support; those on metadata are left out."""
    return tuple(
        s.text for s in _judged(answer) if not _supported(s.text, _quotes(s, answer, lookup), support)
    )


def faithfulness(answer: Answer, lookup: Lookup, support: Support = verbatim) -> float | None:
    """Return the share of sentences supported by any evidence of the answer; None for an answer that abstains.

    The evidence is what the sentence cites, else all that the answer quotes, else the abstract of any paper that it
    carries, as the index holds it. So a sentence under the wrong citation, or under none, may be faithful, and
    faithfulness is never below citation recall. An answer without sentences scores 0; those on metadata do not count.
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
    """Return the share of citations that help support their sentence; None for an answer that abstains.

    A citation helps when its quote is exact, its sentence is supported by all that it cites, and it is not
    irrelevant; irrelevant is one that alone does not support while the others without it still do. An answer
    without citations scores 0; sentences on metadata do not count.
    """
    if answer.abstained or _is_metadata(answer):
        return None
    helps = [h for s in _judged(answer) for h in _helpful(s, answer, lookup, support)]
    return sum(helps) / len(helps) if helps else 0.0


def quote_exactness(answer: Answer, lookup: Lookup) -> float | None:
    """Return the share of citations whose quote is `abstract[start:end]`; None when there are none.

    It must be so in the paper that the answer carries and in the one that the index holds.
    """
    exact = [_is_exact(c, answer, lookup) for s in answer.sentences for c in s.citations]
    return sum(exact) / len(exact) if exact else None


def invalid_citations(answer: Answer, lookup: Lookup) -> int:
    """Return how many citations point at no text at all.

    Their paper is not among the answer's papers or not in the index, or the place is empty or outside its
    abstract. A quote that differs from the text at its place is counted by `quote_exactness` instead.
    """
    citations = [c for s in answer.sentences for c in s.citations]
    return sum(not all(_places(c, answer, lookup)) for c in citations)


def cited_papers(answer: Answer) -> tuple[str, ...]:
    """Return the ids of the papers cited, each once, in order of citation."""
    return tuple(dict.fromkeys(c.paper_id for s in answer.sentences for c in s.citations))


def _judged(answer: Answer) -> list[Sentence]:
    """Return the sentences that say something of what papers say."""
    return [sentence for sentence in answer.sentences if sentence.kind != "metadata"]


def _is_metadata(answer: Answer) -> bool:
    return bool(answer.sentences) and not _judged(answer)


def _places(citation: Citation, answer: Answer, lookup: Lookup) -> tuple[str, str]:
    """What stands at the cited place in the answer's copy of the paper and in the index's; "" for nothing."""
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
    """The abstracts of the papers that the answer carries, as far as the index has them."""
    found = []
    for paper in answer.papers:
        with suppress(KeyError):
            found.append(lookup(paper.id).abstract)
    return found


def _is_exact(citation: Citation, answer: Answer, lookup: Lookup) -> bool:
    return bool(citation.quote) and _places(citation, answer, lookup) == (citation.quote, citation.quote)


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
