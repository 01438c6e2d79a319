"""/stats: counts, tokens and times of the conversation so far."""

from collections import Counter
from statistics import median

from rag_qa.app.chat.state import ChatState
from rag_qa.app.chat.why import stages
from rag_qa.app.printing import say
from rag_qa.types import Answer, SentenceKind

TOTAL = "total"
KINDS: dict[SentenceKind, str] = {"quote": "quoted", "prose": "written", "metadata": "from metadata"}


def show_stats(chat: ChatState, _: str) -> None:
    """Print counts of questions and sentences, tokens, seconds, and the name of the saved session."""
    for line in (*_counts(chat.turns), *_tokens(chat), *_times(chat.turns), *_saved_as(chat)):
        say(chat.console, line)


def _counts(turns: list[Answer]) -> list[str]:
    refused = sum(answer.abstained for answer in turns)
    sentences = [sentence for answer in turns for sentence in answer.sentences]
    kinds = Counter(KINDS[sentence.kind] for sentence in sentences)
    labels = Counter[str](sentence.verdict.label for sentence in sentences)
    lines = [f"Questions: {len(turns)} ({len(turns) - refused} answered, {refused} not)"]
    return lines + (
        [f"Sentences: {len(sentences)} ({_listed(kinds)}; {_listed(labels)})"] if sentences else []
    )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def _tokens(chat: ChatState) -> list[str]:
    read = sum(answer.provenance.get("prompt_tokens", 0) for answer in chat.turns)
    return (
        [f"Tokens: {read} in prompts, about {chat.written} written since the start"]
        if read or chat.written
        else []
    )


def _times(turns: list[Answer]) -> list[str]:
    if not turns:
        return []
    totals = [answer.timings[TOTAL] for answer in turns if TOTAL in answer.timings]
    spent: Counter[str] = Counter()
    for answer in turns:
        spent.update({stage: seconds for stage, seconds in answer.timings.items() if stage != TOTAL})
    lines = (
        [f"Seconds: {sum(totals):.1f} for all answers, {median(totals):.1f} for one (median)"]
        if totals
        else []
    )
    return lines + ([f"Stages: {stages(spent.most_common())}"] if spent else [])


def _saved_as(chat: ChatState) -> list[str]:
    name = chat.session.name if chat.session else None
    saved = f"Session: {name}; `rag-qa chat --resume {name}` continues it" if name else "Session: not saved"
    return [f"Papers: {chat.assistant.count()} in the index", saved]
