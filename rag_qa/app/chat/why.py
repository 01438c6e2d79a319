"""/why: the evidence for a sentence of the last answer, the decision to answer, and the time of each stage."""

from collections.abc import Iterable, Mapping

from rich.text import Text

from rag_qa.answering.logistic import sigmoid
from rag_qa.app.chat.state import ChatState, read_number
from rag_qa.app.printing import print_text
from rag_qa.app.rendering import describe
from rag_qa.errors import CommandError
from rag_qa.text.sentences import split_sentences
from rag_qa.types import Answer, Citation, Paper, Sentence, SentenceKind

QUOTED = "bold underline"
KINDS: dict[SentenceKind, str] = {
    "quote": "Verbatim quote",
    "prose": "Written by the language model",
    "metadata": "From the metadata of the papers",
}
# Features from the language model, which are log odds.
FROM_MODEL = {
    "stated": "the model finds it stated",
    "matched": "the model finds a paper on it",
    "best": "search and model find it met",
    "confirmed": "the model confirms what it wrote",
    "supported": "its first sentence is supported",
}


def show_why(chat: ChatState, argument: str) -> None:
    """Print the evidence for a sentence, and the decision; without a number, a line for every sentence."""
    answer = chat.last
    if argument or len(answer.sentences) == 1:
        number = _number(argument or "1", answer)
        _show_sentence(chat, answer, number)
    else:
        _show_sentences(chat, answer)
    _show_decision(chat, answer)


def _number(argument: str, answer: Answer) -> int:
    count = len(answer.sentences)
    number = read_number(argument)
    if number is None or not 0 < number <= count:
        known = f"it has {count}: /why 1" if count else "it has none; /why alone says why"
        raise CommandError(f"The last answer has no sentence {argument}; {known}.")
    return number


def _show_sentences(chat: ChatState, answer: Answer) -> None:
    if answer.abstained:
        print_text(chat.console, Text(f"The papers don't say: {answer.reason}."))
    for number, sentence in enumerate(answer.sentences, 1):
        line = Text(f"{number:>2}. ", style="cyan").append(sentence.text, style="default")
        print_text(chat.console, line.append(f" ({_judged(sentence)})", style="dim"))
    if answer.sentences:
        print_text(chat.console, Text("/why 1 shows the evidence for the first.", style="dim"))


def _show_sentence(chat: ChatState, answer: Answer, number: int) -> None:
    sentence = answer.sentences[number - 1]
    print_text(chat.console, Text(sentence.text, style="bold"))
    reasons = "; ".join(sentence.verdict.reasons) if sentence.kind != "quote" else ""
    print_text(chat.console, Text(f"{_judged(sentence)}{': ' if reasons else ''}{reasons}"))
    papers = {paper.id: paper for paper in answer.papers}
    for citation in sentence.citations:
        paper = papers[citation.paper_id]
        print_text(chat.console, Text(f"[{chat.number(paper)}] ", style="cyan").append(describe(paper)))
        print_text(chat.console, Text("    ").append(in_context(paper, citation)))


def _judged(sentence: Sentence) -> str:
    if sentence.kind != "prose":
        return KINDS[sentence.kind]
    verdict = sentence.verdict
    return (
        f"{KINDS[sentence.kind]}, {verdict.label} by what it cites with probability {verdict.probability:.2f}"
    )


def in_context(paper: Paper, citation: Citation) -> Text:
    """Return a quote between the sentences of the abstract before and after it."""
    spans = split_sentences(paper.abstract)
    before = max((start for start, end in spans if end <= citation.start), default=citation.start)
    after = min((end for start, end in spans if start >= citation.end), default=citation.end)
    text = Text("… " if before > 0 else "")
    text.append(paper.abstract[before : citation.start], style="dim")
    text.append(f"“{citation.quote}”", style=QUOTED)
    text.append(paper.abstract[citation.end : after], style="dim")
    return text.append(" …" if after < len(paper.abstract) else "")


def _show_decision(chat: ChatState, answer: Answer) -> None:
    if answer.confidence is not None:
        line = f"Decision: the papers answer it with probability {answer.confidence:.2f}"
        print_text(chat.console, Text(line))
        clues: Mapping[str, float] = answer.provenance.get("clues") or {}
        if clues:
            read = ", ".join(_clue(name, value) for name, value in clues.items())
            print_text(chat.console, Text(f"Features: {read}", style="dim"))
    print_text(chat.console, Text(f"Took: {stages(answer.timings.items())}"))


def _clue(name: str, value: float) -> str:
    if name in FROM_MODEL:
        return f"{FROM_MODEL[name]} {sigmoid(value):.2f}"
    return f"{name.replace('_', ' ')} {value:.2f}"


def stages(timings: Iterable[tuple[str, float]]) -> str:
    """Return the time of each stage, such as "search 0.02 s, write 3.40 s"."""
    return ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in timings)
