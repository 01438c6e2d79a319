"""Completions of a line that is being typed: commands and their arguments, ids, names and files."""

import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from rag_qa.app.chat.commands import COMMANDS, Command
from rag_qa.app.chat.settings import STYLES
from rag_qa.app.chat.state import ChatState
from rag_qa.app.filtering import FIELDS, STATUSES
from rag_qa.app.printing import inert
from rag_qa.backends.catalogue import catalogue
from rag_qa.corpus.ids import normalise_text
from rag_qa.exports import FORMATS
from rag_qa.index.facets import Facet

MOST = 40
# A name in a question is completed from LEAST letters on; its last NAME_WORDS words are looked at.
LEAST, NAME_WORDS = 3, 3
# A filter that is being typed; its value may hold blanks only within quotation marks.
_PAIR = re.compile(r"(?P<key>\w+)=(?P<value>[\"'][^\"']*|[^\s\"']*)$")
_WORDS = re.compile(r"\S+")


class Choice(NamedTuple):
    """A text that can replace the last `length` characters, with a note for the menu."""

    text: str
    length: int
    note: str = ""


class Completer:
    """Completes lines of a conversation; what the index holds is read when it is first needed."""

    def __init__(self, chat: ChatState) -> None:
        self._chat = chat
        self._arguments: dict[str, Callable[[str], Iterator[Choice]]] = {
            "/why": self._sentences,
            "/paper": self._papers,
            "/similar": self._papers,
            "/open": self._papers,
            "/filter": self._filters,
            "/style": lambda typed: _beginning(typed, STYLES),
            "/model": lambda typed: _beginning(typed, _generators()),
            "/save": _files,
            "/copy": lambda typed: _beginning(typed, FORMATS),
            "/help": lambda typed: _beginning(typed, [command.name for command in COMMANDS]),
        }

    def choices(self, line: str) -> list[Choice]:
        """Return the completions of a line, best first, at most `MOST`."""
        return list(islice(self._choices(line), MOST))

    def _choices(self, line: str) -> Iterator[Choice]:
        name, space, typed = line.partition(" ")
        if not line.startswith("/"):
            return self._names(line)
        if not space:
            return _commands(line, COMMANDS)
        complete = self._arguments.get(name.lower())
        return complete(typed.lstrip()) if complete else iter(())

    @cached_property
    def _ids(self) -> list[str]:
        return sorted(self._chat.assistant.passing())

    def _sentences(self, typed: str) -> Iterator[Choice]:
        answer = self._chat.turns[-1] if self._chat.turns else None
        for number, sentence in enumerate(answer.sentences if answer else (), 1):
            if str(number).startswith(typed):
                yield Choice(str(number), len(typed), inert(sentence.text))

    def _papers(self, typed: str) -> Iterator[Choice]:
        for number, paper in enumerate(self._chat.numbered, 1):
            if str(number).startswith(typed):
                yield Choice(str(number), len(typed), inert(paper.heading))
        if typed:
            yield from _beginning(typed, self._ids)

    def _filters(self, typed: str) -> Iterator[Choice]:
        pair = _PAIR.search(typed)
        if pair is None:
            word = typed.rpartition(" ")[2]
            yield from _beginning(word, [f"{key}=" for key in FIELDS])
            yield from _beginning(word, ["off"] if word == typed else [])
            return
        for value in self._values(pair["key"], pair["value"].lstrip("\"'")):
            yield Choice(_quoted(value), len(pair["value"]), value)

    def _values(self, key: str, typed: str) -> Iterable[str]:
        """Return the values of a filter's key that have a word beginning with what is typed."""
        facets = self._chat.assistant.facets
        found: dict[str, Callable[[], Iterable[str]]] = {
            "author": lambda: _holding(typed, facets.authors),
            "venue": lambda: _holding(typed, facets.venues),
            "source": lambda: (value for value in facets.files.values if typed in value),
            "status": lambda: (value for value in STATUSES if value.startswith(typed.lower())),
            "without": lambda: (value for value in STATUSES if value.startswith(typed.lower())),
            "year": lambda: (str(year) for year in self._years if str(year).startswith(typed)),
            "since": lambda: (str(year) for year in self._years if str(year).startswith(typed)),
        }
        return found[key]() if key in found else ()

    @cached_property
    def _years(self) -> list[int]:
        return sorted({int(year) for year in self._chat.assistant.facets.years if year}, reverse=True)

    def _names(self, line: str) -> Iterator[Choice]:
        """Yield the authors and venues that begin with the last words of a question, as many words as match."""
        facets = self._chat.assistant.facets
        words = [match.start() for match in _WORDS.finditer(line)][-NAME_WORDS:]
        for typed in (line[start:] for start in words if line == line.rstrip()):
            if len(typed) < LEAST:
                return
            found = [
                Choice(value, len(typed), what)
                for facet, what in ((facets.authors, "author"), (facets.venues, "venue"))
                for value in _holding(typed, facet, first=" " in typed)
            ]
            if found:
                yield from found
                return


def _commands(typed: str, commands: Sequence[Command]) -> Iterator[Choice]:
    for command in commands:
        if command.name.startswith(typed.lower()):
            yield Choice(f"{command.name} " if command.argument else command.name, len(typed), command.help)


def _beginning(typed: str, values: Iterable[str]) -> Iterator[Choice]:
    wanted = typed.casefold()
    return (Choice(value, len(typed)) for value in values if value.casefold().startswith(wanted))


def _holding(typed: str, facet: Facet, *, first: bool = False) -> Iterator[str]:
    """Yield the values of a facet that have words beginning with those typed; if `first`, as their first words."""
    wanted = normalise_text(typed)
    for value, key in zip(facet.values, facet.keys, strict=True):
        if key.startswith(wanted) or (not first and f" {wanted}" in key):
            yield value


def _quoted(value: str) -> str:
    """Return a value as a filter is written: in quotation marks if it needs them."""
    if shlex.quote(value) == value:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _generators() -> list[str]:
    return [entry.name for entry in catalogue() if entry.kind == "generator"]


def _files(typed: str) -> Iterator[Choice]:
    """Yield the files and folders that begin like a path, and the endings that a new name may have."""
    folder, _, beginning = typed.rpartition("/")
    parent = Path(os.path.expanduser(folder or ("/" if typed.startswith("/") else ".")))
    try:
        found = sorted(parent.iterdir())
    except OSError:
        return
    for path in found:
        if path.name.startswith(beginning) and (beginning or not path.name.startswith(".")):
            yield Choice(f"{path.name}/" if path.is_dir() else path.name, len(beginning))
    if beginning and "." not in beginning:
        yield from (Choice(beginning + row.endings[0], len(beginning), row.name) for row in FORMATS.values())
