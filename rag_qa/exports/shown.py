"""An answer as it is shown, for all formats that show one: numbered marks, numbered papers, and their quotes."""

from collections.abc import Sequence

from rag_qa.types import Answer, Citation, Paper, Value


class ShownSentence(Value):
    """A sentence with the numbers of its papers; `doubt` is its verdict in words, "" if it is supported."""

    text: str
    is_quote: bool
    numbers: tuple[int, ...]
    doubt: str
    quotes: tuple[tuple[int, str], ...]

    @property
    def marks(self) -> str:
        """The numbers of the cited papers as marks: "[1][2]"."""
        return "".join(f"[{number}]" for number in self.numbers)


class ShownPaper(Value):
    """A paper with its number (from 1) and the quotes that the answer cites from it."""

    number: int
    paper: Paper
    quotes: tuple[str, ...]


class Shown(Value):
    """An answer with numbered papers; an abstention has a reason (`refusal`) and the nearest papers."""

    question: str
    understood_as: str | None
    refusal: str
    heading: str
    sentences: tuple[ShownSentence, ...]
    papers: tuple[ShownPaper, ...]


def show(answer: Answer) -> Shown:
    """Return an answer in the form in which it is shown."""
    papers = answer.papers or answer.nearest
    numbers = {paper.id: number for number, paper in enumerate(papers, 1)}
    sentences = tuple(
        ShownSentence(
            text=sentence.text,
            is_quote=sentence.kind == "quote",
            numbers=tuple(sorted({numbers[citation.paper_id] for citation in sentence.citations})),
            doubt="" if sentence.verdict.label == "supported" else f"{sentence.verdict.label} by its source",
            quotes=tuple((numbers[c.paper_id], c.quote) for c in dict.fromkeys(sentence.citations)),
        )
        for sentence in answer.sentences
    )
    return Shown(
        question=answer.question,
        understood_as=answer.query.understood_as if answer.query else None,
        refusal=f"The papers don't say: {answer.reason}." if answer.abstained else "",
        heading="Nearest papers, which do not answer it" if answer.abstained else "Papers",
        sentences=sentences,
        papers=tuple(
            ShownPaper(number=number, paper=paper, quotes=_quotes(answer, paper))
            for number, paper in enumerate(papers, 1)
        ),
    )


def _quotes(answer: Answer, paper: Paper) -> tuple[str, ...]:
    """Return the quotes of a paper in the order of its abstract, without those that are sentences of the answer."""
    quoted = _cited(answer, "quote")
    cited = [c for c in _cited(answer, "prose", "metadata") if c.paper_id == paper.id and c not in quoted]
    return tuple(c.quote for c in sorted(cited, key=lambda c: c.start))


def _cited(answer: Answer, *kinds: str) -> Sequence[Citation]:
    return list(dict.fromkeys(c for s in answer.sentences if s.kind in kinds for c in s.citations))
