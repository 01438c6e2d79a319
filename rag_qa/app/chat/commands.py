"""The commands of the chat, as a table: how each is written, what it does, and what does it."""

from collections.abc import Callable
from typing import NamedTuple

from rag_qa.app.chat.conversation import Conversation
from rag_qa.app.chat.keeping import copy_answer, save
from rag_qa.app.chat.nearest import did_you_mean
from rag_qa.app.chat.papers import open_paper, show_abstract, show_more, show_papers, show_similar
from rag_qa.app.chat.settings import set_filter, set_literal, set_model, set_style
from rag_qa.app.chat.stats import show_stats
from rag_qa.app.chat.why import show_why
from rag_qa.app.rendering import say
from rag_qa.errors import CommandError
from rag_qa.exports import FORMATS

LEAVE = ("/quit", "/exit", "quit", "exit")
# The argument of a command whose usage is longer is left to its own help.
WIDTH = 10


class Command(NamedTuple):
    """A command: its name, its argument (in brackets if it can be left out), help in a line, and in full."""

    name: str
    argument: str
    help: str
    details: str
    run: Callable[[Conversation, str], None]

    @property
    def usage(self) -> str:
        """How it is written."""
        return f"{self.name} {self.argument}".rstrip()

    @property
    def short(self) -> str:
        """How it is written, without a long argument."""
        return self.usage if len(self.usage) <= WIDTH else self.name


def obey(chat: Conversation, line: str) -> None:
    """Do what a line that begins with a slash says. Raises CommandError where it cannot be done."""
    name, _, rest = " ".join(line.splitlines()).partition(" ")
    command, argument = find_command(name), rest.strip()
    if argument and not command.argument:
        raise CommandError(f"{command.name} takes nothing after it; write {command.name}")
    if not argument and command.argument.startswith("N"):
        raise CommandError(f"Say which paper, by its number on the screen or its id: {command.name} 1")
    command.run(chat, argument)


def find_command(name: str) -> Command:
    """Return the command of a name. Raises CommandError that names the nearest where there is none."""
    wanted = name.lower() if name.startswith("/") else f"/{name.lower()}"
    found = next((command for command in COMMANDS if command.name == wanted), None)
    if found is None:
        near = did_you_mean(wanted, [command.name for command in COMMANDS])
        raise CommandError(f"There is no command {name}{near}; /help lists them.")
    return found


def show_help(chat: Conversation, argument: str) -> None:
    """Print every command in a line, or one in full."""
    if not argument:
        say(chat.console, HELP)
        return
    command = find_command(argument)
    say(chat.console, f"{command.usage}: {command.help}.\n{command.details}".rstrip())


def undo(chat: Conversation, _: str) -> None:
    """Take the last turn back."""
    taken = chat.undo()
    say(chat.console, f"Taken back: {taken.question}")


COMMANDS = (
    Command(
        "/why",
        "[N]",
        "what sentence N stands on, and the decision",
        "The verdict with its reasons, each quote between the sentences around it, what the decision to answer was "
        "read from, and the time of each stage. Without N: of every sentence in a line.",
        show_why,
    ),
    Command(
        "/paper",
        "N",
        "the abstract of paper N, its quotes marked",
        "N is a number on the screen or an id; Tab completes ids.",
        show_abstract,
    ),
    Command(
        "/papers",
        "",
        "the papers on the screen with their numbers",
        "Before the first answer, how many the index holds.",
        show_papers,
    ),
    Command(
        "/more",
        "",
        "the next papers of the same search",
        "Their numbers go on from those of the answer.",
        show_more,
    ),
    Command(
        "/similar",
        "N",
        "papers like paper N",
        "N is a number on the screen or an id.",
        show_similar,
    ),
    Command(
        "/open",
        "N",
        "paper N in the browser",
        "Its web address is printed; only addresses of http and https are opened.",
        open_paper,
    ),
    Command(
        "/filter",
        "[KEY=VALUE … | off]",
        "only some papers from now on",
        'Such as: /filter year=2019..2022 venue=NeurIPS author="Ian Gemp"; also since=, source=, status= and '
        "without=retracted. Tab completes keys and values. Without any, the filter that is set.",
        set_filter,
    ),
    Command(
        "/literal",
        "",
        "take questions as they stand, or no longer",
        '"papers by X" and "the second one" are then words like others.',
        set_literal,
    ),
    Command(
        "/style",
        "[auto|quote|synthesis]",
        "quotes, or sentences of the model",
        "quote: verbatim quotes alone, at once; synthesis: the language model writes; auto: as suits the model.",
        set_style,
    ),
    Command(
        "/model",
        "[NAME]",
        "another language model",
        "A name of `rag-qa models list`, or a GGUF file.",
        set_model,
    ),
    Command(
        "/retry",
        "",
        "the last question once more",
        "Such as after /style, /model or /filter; the new answer takes the place of the old one.",
        lambda chat, _: chat.retry(),
    ),
    Command("/undo", "", "forget the last question and answer", "", undo),
    Command(
        "/save",
        "FILE",
        "the last answer as .md .json .html .bib .ris",
        ".json is a receipt, for `rag-qa verify` and `rag-qa replay`; .bib, .ris, .csl.json and .txt hold the papers "
        "that the answer cites.",
        save,
    ),
    Command(
        "/copy",
        "[FORMAT]",
        "the last answer to the clipboard",
        f"As Markdown (md), or in another format: {', '.join(FORMATS)}.",
        copy_answer,
    ),
    Command("/stats", "", "counts, tokens and times so far", "", show_stats),
    Command("/help", "[COMMAND]", "this, or more of one command", "", show_help),
    Command(
        "/quit",
        "",
        "leave (Ctrl-D too); Ctrl-C stops an answer",
        "Every turn is saved as it ends; `rag-qa chat --resume` goes on.",
        lambda chat, _: None,
    ),
)
HELP = "\n".join(
    [
        'Ask about the papers, and ask on: "and the second one?"',
        *(f"  {command.short:<{WIDTH}} {command.help}" for command in COMMANDS),
        "/help COMMAND tells more of one. Tab completes. Esc Enter,",
        "or \\ at the end of a line, begins another line.",
    ]
)
