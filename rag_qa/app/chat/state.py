"""The state of a conversation: its turns, the papers numbered on the screen, the filter and the options."""

from collections.abc import Iterator, Sequence
from contextlib import closing

from rich.console import Console

from rag_qa.answering.assistant import Assistant
from rag_qa.app.chat.opening import Opener
from rag_qa.app.chat.screen import with_draft
from rag_qa.app.chat.session import Session, SessionEntry
from rag_qa.app.nearest import did_you_mean
from rag_qa.app.rendering import show_stream
from rag_qa.errors import CommandError
from rag_qa.types import EVERY_PAPER, Answer, Event, Filter, Paper

# The ids of a larger index are not compared with an unknown id.
FEW_PAPERS = 20_000


class ChatState:
    """A conversation, which the commands of the chat read and change.

    `turns` are the answers so far. `numbered` are the papers that have numbers on the screen: those of the last
    answer, then those shown since. `written` counts the pieces of text that the language model wrote.
    """

    def __init__(
        self,
        assistant: Assistant,
        console: Console,
        *,
        filter: Filter = EVERY_PAPER,
        literal: bool = False,
        turns: Sequence[Answer] = (),
        opener: Opener | None = None,
        session: Session | None = None,
    ) -> None:
        self._assistant = assistant
        self._opener = opener
        self.console = console
        self.filter = filter
        self.literal = literal
        self.session = session
        self.written = 0
        self.turns = list(turns)
        self.numbered = _papers_of(self.turns)

    @property
    def assistant(self) -> Assistant:
        """The assistant that answers now."""
        return self._opener.assistant if self._opener else self._assistant

    @property
    def opener(self) -> Opener:
        """The opener, which can open another assistant. Raises CommandError if the chat was started without one."""
        if self._opener is None:
            raise CommandError("This cannot be changed here; leave with /quit and open another assistant.")
        return self._opener

    @property
    def last(self) -> Answer:
        """The last answer. Raises CommandError if there is none."""
        if not self.turns:
            raise CommandError("There is no answer yet; ask a question first.")
        return self.turns[-1]

    def ask(self, question: str) -> None:
        """Answer a question on the screen, and remember the turn."""
        self._remember(self._answer(question, self.turns))

    def retry(self) -> None:
        """Ask the last question again; the new answer replaces the old one, unless asking fails."""
        answer = self._answer(self.last.question, self.turns[:-1])
        self.undo()
        self._remember(answer)

    def undo(self) -> Answer:
        """Remove the last turn, and return it."""
        last = self.last
        self.turns.pop()
        self.numbered = _papers_of(self.turns)
        self.note(SessionEntry(undone=True))
        return last

    def note(self, entry: SessionEntry) -> None:
        """Save what happened, if the conversation is saved."""
        if self.session is not None:
            self.session.add(entry)

    def number(self, paper: Paper) -> int:
        """Return the number of a paper on the screen; a paper without one gets the next."""
        ids = [known.id for known in self.numbered]
        if paper.id not in ids:
            self.numbered.append(paper)
            return len(self.numbered)
        return ids.index(paper.id) + 1

    def paper(self, name: str) -> Paper:
        """Return the paper with this number on the screen, or this id. Raises CommandError if there is none."""
        number = read_number(name)
        if number is not None and 0 < number <= len(self.numbered):
            return self.numbered[number - 1]
        try:
            return self.assistant.paper(name)
        except KeyError as exc:
            raise CommandError(self._no_paper(name)) from exc

    def _no_paper(self, name: str) -> str:
        ids = self.assistant.passing() if self.assistant.count() <= FEW_PAPERS else ()
        known = (
            f"the screen shows 1 to {len(self.numbered)}" if self.numbered else "the screen shows none yet"
        )
        return f"There is no paper {name}{did_you_mean(name, ids)}: {known}, and an id is one of `rag-qa papers`."

    def _answer(self, question: str, history: Sequence[Answer]) -> Answer:
        stream = self.assistant.stream(question, history=history, filter=self.filter, literal=self.literal)
        with closing(with_draft(self._counted(stream), self.console, Console(stderr=True))) as events:
            return show_stream(self.console, events)

    def _counted(self, events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            self.written += event.kind == "piece"
            yield event

    def _remember(self, answer: Answer) -> None:
        self.turns.append(answer)
        self.numbered = _papers_of(self.turns)
        self.note(SessionEntry(answer=answer))


def read_number(text: str) -> int | None:
    """Return the number in "2", "[2]" or "#2"; None for anything else."""
    digits = text.strip().strip("[]#()")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def _papers_of(turns: Sequence[Answer]) -> list[Paper]:
    """Return the papers that the last turn shows, in the order of their numbers."""
    return list(turns[-1].papers or turns[-1].nearest) if turns else []
