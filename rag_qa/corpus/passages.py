"""Paper → passages: windows of whole sentences that fit into the embedder's limit of tokens.

The text embedded for a passage is `embedding_text(paper.title, passage.text)`. Tokens are counted in batches. The
counts of sentences do not add up exactly, so finished windows are counted again and halved if they are too long.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rag_qa.errors import SettingsError
from rag_qa.text.body import body_sentences
from rag_qa.types import Paper, Passage

CountTokens = Callable[[Sequence[str]], list[int]]
Span = tuple[int, int]

# In UTF-8. No tokenizer makes more tokens than bytes, so even a hostile title leaves room in 256 tokens.
TITLE_BYTES = 200
# A shorter text is a fragment of something without spaces; the title would outweigh it.
TITLED_CHARACTERS = 20


class _Window(NamedTuple):
    """Consecutive sentences (or pieces of one) of the paper at index `paper`."""

    paper: int
    units: tuple[Span, ...]

    @property
    def span(self) -> Span:
        return self.units[0][0], self.units[-1][1]


def embedding_text(title: str, text: str) -> str:
    """Return the text to embed for a passage: "title. text"; a title over 200 bytes is cut at a word.

    >>> embedding_text("Knitting", "We knit a scarf in an hour.")
    'Knitting. We knit a scarf in an hour.'
    """
    if not title or len(text) < TITLED_CHARACTERS:
        return text
    shown = _shorten(title)
    return f"{shown} {text}" if shown.endswith((".", "?", "!")) else f"{shown}. {text}"


def passage_text(paper: Paper, passage: Passage) -> str:
    """Return the text to embed for a passage of a paper."""
    return embedding_text(paper.title, passage.text)


def cut_passages(papers: Sequence[Paper], count_tokens: CountTokens, max_tokens: int) -> list[Passage]:
    """Return the passages of the papers, in order.

    Args:
        papers: the papers to cut.
        count_tokens: returns the number of tokens of each text, special tokens included.
        max_tokens: the most tokens of a passage, with its title.

    Consecutive passages of a paper share a sentence if it fits. A sentence that is too long is halved between words, or
    between characters if it has no spaces. Raises SettingsError if `max_tokens` leaves no room for one character.
    """
    windows = _pack(papers, *_fit_units(papers, count_tokens, max_tokens), max_tokens)
    windows = _verify(papers, windows, count_tokens, max_tokens)
    passages: list[Passage] = []
    number, previous = 0, -1
    for window in windows:
        number = number + 1 if window.paper == previous else 1
        previous = window.paper
        passages.append(_passage(papers[window.paper], number, window.span))
    return passages


def _passage(paper: Paper, number: int, span: Span) -> Passage:
    start, end = span
    return Passage(
        id=f"{paper.id}#{number}", paper_id=paper.id, text=paper.abstract[start:end], start=start, end=end
    )


def _shorten(title: str) -> str:
    if len(title) * 4 <= TITLE_BYTES:
        return title
    raw = title.encode()
    if len(raw) <= TITLE_BYTES:
        return title
    cut = raw[: TITLE_BYTES - 3].decode(errors="ignore")
    return f"{cut.rpartition(' ')[0] or cut}…"


class _Cost(NamedTuple):
    """Tokens of a paper's windows besides their text: special tokens alone, and with the title."""

    bare: int
    titled: int

    def of(self, length: int) -> int:
        return self.titled if length >= TITLED_CHARACTERS else self.bare


def _fit_units(
    papers: Sequence[Paper], count_tokens: CountTokens, max_tokens: int
) -> tuple[list[list[tuple[Span, int]]], list[_Cost]]:
    """Return the sentences of each paper with their tokens, long ones in pieces, and the cost of each paper."""
    units = [body_sentences(paper.abstract) for paper in papers]
    heads = ["", *(f"{_shorten(paper.title)}." if paper.title else "" for paper in papers)]
    texts = [paper.abstract[a:b] for paper, spans in zip(papers, units, strict=True) for a, b in spans]
    counts = count_tokens([*heads, *texts])
    bare = counts[0]
    costs = [_Cost(bare, count) for count in counts[1 : len(heads)]]
    own = iter(counts[len(heads) :])
    counted = [[(span, max(0, next(own) - bare)) for span in spans] for spans in units]
    for paper, spans, cost in zip(papers, counted, costs, strict=True):
        if any(tokens + cost.of(b - a) > max_tokens for (a, b), tokens in spans):
            spans[:] = _halve_long(paper.abstract, spans, cost, count_tokens, max_tokens)
    return counted, costs


def _halve_long(
    text: str, spans: list[tuple[Span, int]], cost: _Cost, count_tokens: CountTokens, max_tokens: int
) -> list[tuple[Span, int]]:
    """Halve spans that do not fit until all fit."""
    fitted: list[tuple[Span, int]] = []
    queue = list(reversed(spans))
    while queue:
        (start, end), tokens = queue.pop()
        if tokens + cost.of(end - start) <= max_tokens:
            fitted.append(((start, end), tokens))
            continue
        halves = _halve(text, (start, end), max_tokens)
        counts = count_tokens([text[a:b] for a, b in halves])
        queue.extend(
            (span, max(0, count - cost.bare))
            for span, count in reversed(list(zip(halves, counts, strict=True)))
        )
    return fitted


def _halve(text: str, span: Span, max_tokens: int) -> list[Span]:
    """Return the two halves of a span, cut at the space nearest to the middle if there is one."""
    start, end = span
    if end - start < 2:
        raise SettingsError(
            f"{max_tokens} tokens a passage leave no room for text: set max_tokens to 64 or more"
        )
    middle = (start + end) // 2
    before, after = text.rfind(" ", start, middle), text.find(" ", middle, end)
    blanks = [blank for blank in (before, after) if blank > start]
    cut = min(blanks, key=lambda blank: abs(blank - middle)) if blanks else middle
    halves = [(start, cut), (cut + 1 if blanks else cut, end)]
    return [half for half in (_trim(text, *half) for half in halves) if half[0] < half[1]]


def _trim(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def _pack(
    papers: Sequence[Paper], units: list[list[tuple[Span, int]]], costs: list[_Cost], max_tokens: int
) -> list[_Window]:
    """Fill windows from left to right; each begins with the last sentence of the window before if that fits."""
    windows: list[_Window] = []
    for number, (counted, cost) in enumerate(zip(units, costs, strict=True)):
        room = max_tokens - cost.titled
        first, used = 0, 0
        for n, (_, tokens) in enumerate(counted):
            if n > first and used + tokens > room:
                windows.append(_Window(number, tuple(span for span, _ in counted[first:n])))
                overlap = n - 1 > first and counted[n - 1][1] + tokens <= room
                first, used = (n - 1, counted[n - 1][1]) if overlap else (n, 0)
            used += tokens
        if counted:
            windows.append(_Window(number, tuple(span for span, _ in counted[first:])))
    return windows


def _verify(
    papers: Sequence[Paper], windows: list[_Window], count_tokens: CountTokens, max_tokens: int
) -> list[_Window]:
    """Count the tokens of the windows with their titles, and halve those that are too long."""
    sizes = count_tokens([_window_text(papers, window) for window in windows])
    if all(size <= max_tokens for size in sizes):
        return windows
    result: list[_Window] = []
    for window, size in zip(windows, sizes, strict=True):
        result.extend([window] if size <= max_tokens else _shrink(papers, window, count_tokens, max_tokens))
    return result


def _shrink(
    papers: Sequence[Paper], window: _Window, count_tokens: CountTokens, max_tokens: int
) -> list[_Window]:
    units = window.units
    if len(units) == 1:
        text = papers[window.paper].abstract
        parts: list[tuple[Span, ...]] = [(half,) for half in _halve(text, units[0], max_tokens)]
    else:
        parts = [units[: len(units) // 2], units[len(units) // 2 :]]
    return _verify(papers, [_Window(window.paper, part) for part in parts], count_tokens, max_tokens)


def _window_text(papers: Sequence[Paper], window: _Window) -> str:
    paper = papers[window.paper]
    start, end = window.span
    return embedding_text(paper.title, paper.abstract[start:end])
