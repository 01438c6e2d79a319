"""The slash commands of the chat, as a table: how each is written, its help, and its function."""

from collections.abc import Callable
from typing import NamedTuple

from rag_qa.app.chat.keeping import copy_answer, save
from rag_qa.app.chat.papers import open_paper, show_abstract, show_more, show_papers, show_similar
from rag_qa.app.chat.settings import set_filter, set_literal, set_model, set_style
from rag_qa.app.chat.state import ChatState
from rag_qa.app.chat.stats import show_stats
from rag_qa.app.chat.why import show_why
from rag_qa.app.nearest import did_you_mean
from rag_qa.app.printing import say
from rag_qa.errors import CommandError
from rag_qa.exports import FORMATS

LEAVE = ("/quit", "/exit", "quit", "exit")
# If the usage of a command is longer, its argument is left out of the list.
WIDTH = 10


class Command(NamedTuple):
    """A command: its name, its argument (in brackets if optional), a line of help, and details."""

    name: str
    argument: str
    help: str
    details: str
    run: Callable[[ChatState, str], None]

    @property
    def usage(self) -> str:
        """How the command is written."""
        return f"{self.name} {self.argument}".rstrip()

    @property
    def short(self) -> str:
        """How the command is written, without a long argument."""
        return self.usage if len(self.usage) <= WIDTH else self.name


def obey(chat: ChatState, line: str) -> None:
    """Run the command in a line that begins with a slash. Raises CommandError if it cannot be run."""
    name, _, rest = " ".join(line.splitlines()).partition(" ")
    command, argument = find_command(name), rest.strip()
    if argument and not command.argument:
        raise CommandError(f"{command.name} takes nothing after it; write {command.name}")
    if not argument and command.argument.startswith("N"):
        raise CommandError(f"Say which paper, by its number on the screen or its id: {command.name} 1")
    command.run(chat, argument)


def find_command(name: str) -> Command:
    """Return the command of a name. Raises CommandError that names the most similar one if there is none."""
    wanted = name.lower() if name.startswith("/") else f"/{name.lower()}"
    found = next((command for command in COMMANDS if command.name == wanted), None)
    if found is None:
        near = did_you_mean(wanted, [command.name for command in COMMANDS])
        raise CommandError(f"There is no command {name}{near}; /help lists them.")
    return found


def show_help(chat: ChatState, argument: str) -> None:
    """Print a line for every command, or the details of one."""
    if not argument:
        say(chat.console, HELP)
        return
    command = find_command(argument)
    say(chat.console, f"{command.usage}: {command.help}.\n{command.details}".rstrip())


def undo(chat: ChatState, _: str) -> None:
    """Forget the last question and answer."""
    taken = chat.undo()
    say(chat.console, f"Taken back: {taken.question}")


COMMANDS = (
    Command(
        "/why",
        "[N]",
        "the evidence for sentence N, and the decision",
        "The verdict with its reasons, each quote between the sentences around it, the features behind the decision "
        "to answer, and the time of each stage. Without N: a line for every sentence.",
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
        "They are numbered on from those of the answer.",
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
        "Its web address is printed; only http and https addresses are opened.",
        open_paper,
    ),
    Command(
        "/filter",
        "[KEY=VALUE … | off]",
        "only some papers from now on",
        'Such as: /filter year=2019..2022 venue=NeurIPS author="Ian Gemp"; also since=, source=, status= and '
        "without=retracted. Tab completes keys and values. Without an argument: show the filter that is set.",
        set_filter,
    ),
    Command(
        "/literal",
        "",
        "take questions literally, or no longer",
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
        "use another language model",
        "A name from `rag-qa models list`, or a GGUF file.",
        set_model,
    ),
    Command(
        "/retry",
        "",
        "ask the last question again",
        "Useful after /style, /model or /filter; the new answer replaces the old one.",
        lambda chat, _: chat.retry(),
    ),
    Command("/undo", "", "forget the last question and answer", "", undo),
    Command(
        "/save",
        "FILE",
        "write the last answer: .md .json .html .bib .ris",
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
    Command("/help", "[COMMAND]", "this list, or one command in full", "", show_help),
    Command(
        "/quit",
        "",
        "leave (Ctrl-D too); Ctrl-C stops an answer",
        "Every turn is saved when it ends; `rag-qa chat --resume` continues.",
        lambda chat, _: None,
    ),
)
HELP = "\n".join(
    [
        'Ask about the papers, and follow up: "and the second one?"',
        *(f"  {command.short:<{WIDTH}} {command.help}" for command in COMMANDS),
        "/help COMMAND shows one in full. Tab completes. Esc Enter,",
        "or \\ at the end of a line, begins another line.",
    ]
)
