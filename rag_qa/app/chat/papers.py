"""/paper, /papers, /more, /similar and /open: papers by their numbers on the screen."""

import webbrowser
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote, urlsplit

from rich.text import Text

from rag_qa.app.chat.state import ChatState
from rag_qa.app.chat.why import QUOTED
from rag_qa.app.printing import print_text, say
from rag_qa.app.rendering import show_paper
from rag_qa.errors import CommandError
from rag_qa.types import Answer, Filter, Paper

MORE = 5


def show_papers(chat: ChatState, _: str) -> None:
    """Print the papers that have numbers, or how many the index holds."""
    if not chat.numbered:
        say(chat.console, f"The index holds {chat.assistant.count()} papers.")
    _show(chat, chat.numbered)


def show_abstract(chat: ChatState, argument: str) -> None:
    """Print a paper with its abstract; what the last answer quotes from it is marked."""
    paper = chat.paper(argument)
    _show(chat, [paper])
    print_text(chat.console, marked(paper, _quoted(paper, chat.turns[-1:])))
    if addresses := list(web_addresses(paper)):
        print_text(chat.console, Text(addresses[0], style="dim"))


def show_more(chat: ChatState, _: str) -> None:
    """Print the next papers of the search behind the last answer."""
    query = chat.last.query
    if query is None or query.nothing:
        raise CommandError("The last question searched for nothing; ask another.")
    seen = {paper.id for paper in chat.numbered}
    if query.topic:
        hits = chat.assistant.search(query.topic, len(seen) + MORE, filter=query.filter)
        found: Iterable[Paper] = (hit.paper for hit in hits if hit.paper.id not in seen)
    else:
        found = _newest(chat, query.filter, seen)
    more = list(found)[:MORE]
    if not more:
        say(chat.console, "There are no more papers.")
    _show(chat, more)


def show_similar(chat: ChatState, argument: str) -> None:
    """Print the papers most like one."""
    paper = chat.paper(argument)
    _show(chat, [hit.paper for hit in chat.assistant.similar(paper.id, k=MORE)])


def open_paper(chat: ChatState, argument: str) -> None:
    """Print a paper's web address; in a terminal, also open it in the browser."""
    paper = chat.paper(argument)
    address = next(web_addresses(paper), None)
    if address is None:
        raise CommandError(
            f"No web address is known for {paper.heading}; /paper {argument} shows its abstract."
        )
    say(chat.console, address)
    if chat.console.is_terminal and not webbrowser.open(address):
        say(chat.console, "No browser opened; copy the address.")


def web_addresses(paper: Paper) -> Iterator[str]:
    """Yield the web addresses of a paper: its URL if it is http or https, then those of its ids."""
    if paper.url and is_web_address(paper.url):
        yield paper.url
    known = (
        ("https://doi.org/", paper.doi),
        ("https://arxiv.org/abs/", paper.arxiv_id),
        ("https://pubmed.ncbi.nlm.nih.gov/", paper.pmid),
    )
    yield from (base + quote(name, safe="/:;()._-") for base, name in known if name)


def is_web_address(text: str) -> bool:
    """Return whether a text is an http or https address without any character that an address may not hold."""
    if not text.isprintable() or any(c in text for c in " \"'<>\\^`{|}"):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def marked(paper: Paper, spans: Sequence[tuple[int, int]]) -> Text:
    """Return the abstract with some spans in quotation marks, and in bold if the screen can show that."""
    text, position = Text(), 0
    for start, end in spans:
        text.append(paper.abstract[position:start])
        text.append(f"“{paper.abstract[start:end]}”", style=QUOTED)
        position = end
    return text.append(paper.abstract[position:])


def _quoted(paper: Paper, turns: Sequence[Answer]) -> list[tuple[int, int]]:
    """Return the spans that answers quote from a paper, in order; overlapping spans become one."""
    cited = (c for answer in turns for sentence in answer.sentences for c in sentence.citations)
    spans: list[tuple[int, int]] = []
    for start, end in sorted((c.start, c.end) for c in cited if c.paper_id == paper.id):
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _newest(chat: ChatState, filter: Filter, seen: set[str]) -> list[Paper]:
    """Return the next papers that pass a filter, newest first, then by id; those `seen` are left out."""
    years = dict(zip(sorted(chat.assistant.passing()), chat.assistant.facets.years.tolist(), strict=True))
    ids = sorted(chat.assistant.passing(filter) - seen, key=lambda key: (-years[key], key))
    return [chat.assistant.paper(key) for key in ids[:MORE]]


def _show(chat: ChatState, papers: Sequence[Paper]) -> None:
    for paper in papers:
        show_paper(chat.console, chat.number(paper), paper)
