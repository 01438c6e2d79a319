import io
import json
import re

import pytest
from rich.console import Console

from rag_qa import Assistant, Settings, build_index
from rag_qa.app.chat.repl import chat_with
from rag_qa.backends.locating import STARTER, WRITER
from rag_qa.testing import HashingEmbedder, QueuedGenerator

PAPERS = [
    {
        "id": "eigengame",
        "title": "EigenGame: PCA as a Nash Equilibrium",
        "abstract": "We study a familiar method of statistics. We present principal component analysis as a "
        "competitive game of eigenvectors. Its players reach an equilibrium.",
        "authors": ["Ian Gemp", "Brian McWilliams"],
        "year": 2020,
        "venue": "ICLR",
        "url": "https://example.org/eigengame",
    },
    {
        "id": "auction",
        "title": "On auctions",
        "abstract": "An auction is a competitive game in which players bid for goods. Sellers gain.",
        "authors": ["Ana Álvarez", "Ian Gemp"],
        "year": 2021,
        "venue": "Journal of Games",
        "doi": "10.1000/auction(1)",
    },
    {
        "id": "soup",
        "title": "On soup",
        "abstract": "Soup is made of water and vegetables. It is best when it is eaten hot.",
        "year": 2019,
        "url": "file:///etc/passwd",
    },
    *(
        {"id": f"chess{n}", "title": f"On chess {n}", "abstract": f"Problem {n} asks for mate in {n} moves."}
        for n in range(1, 9)
    ),
]
# CSI sequences: their parameter and what they do.
TOKEN = re.compile(r"\x1b\[(?P<parameter>[?\d;]*)(?P<does>[A-Za-z])|(?P<character>.)", re.DOTALL)


class Terminal(io.StringIO):
    """A terminal in memory that knows the codes that drafts use, and wraps its lines again when it is resized.

    `rows` are its lines, with those scrolled off its top; each with whether the next one continues it.
    """

    encoding = "utf-8"

    def __init__(self, width, height):
        super().__init__()
        self.width, self.height = width, height
        self.rows = [["", False]]
        self.row = self.column = 0
        self.dim = set()
        self._dimming = False

    def isatty(self):
        return True

    def write(self, text):
        for token in TOKEN.finditer(text):
            if token["character"] is not None:
                self._put(token["character"])
            elif token["does"]:
                self._move(token["does"], token["parameter"])
        return super().write(text)

    def resize(self, width):
        """Wrap the lines again, as most terminals do."""
        lines, offset, at = [], 0, None
        for number, (text, _) in enumerate(self.rows):
            goes_on = number > 0 and self.rows[number - 1][1]
            if not goes_on:
                lines.append("")
            if number == self.row:
                at = (len(lines) - 1, len(lines[-1]) + self.column)
            lines[-1] += text
        self.width, self.rows = width, []
        for number, line in enumerate(lines):
            parts = [line[i : i + width] for i in range(0, len(line), width)] or [""]
            if number == at[0]:
                offset = min(at[1] // width, len(parts) - 1)
                self.row, self.column = len(self.rows) + offset, at[1] - offset * width
            self.rows += [[part, part is not parts[-1]] for part in parts]

    def screen(self):
        """The lines of the screen, and of what was scrolled off."""
        return [text.rstrip() for text, _ in self.rows]

    def _put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row, self.column = self.row + 1, 0
            self.rows += [["", False]] if self.row == len(self.rows) else []
        else:
            if self.column >= self.width:
                self.rows[self.row][1] = True
                self._put("\n")
            text = self.rows[self.row][0].ljust(self.column)
            self.rows[self.row][0] = text[: self.column] + character + text[self.column + 1 :]
            self.column += 1
            if self._dimming:
                self.dim.add(character)

    def _move(self, does, parameter):
        if does == "A":
            top = max(0, len(self.rows) - self.height)
            self.row = max(top, self.row - int(parameter or 1))
        elif does == "J":
            text, _ = self.rows[self.row]
            self.rows[self.row :] = [[text[: self.column], False]]
        elif does == "K":
            self.rows[self.row][0] = "" if parameter == "2" else self.rows[self.row][0][: self.column]
        elif does == "m":
            self._dimming = parameter == "2"


@pytest.fixture
def terminal():
    """The class of terminals in memory."""
    return Terminal


@pytest.fixture(autouse=True)
def sessions(tmp_path, monkeypatch):
    """The folder of saved conversations, of this test alone."""
    monkeypatch.setenv("RAG_QA_SESSIONS_DIR", str(tmp_path / "sessions"))
    return tmp_path / "sessions"


@pytest.fixture(scope="session")
def games(tmp_path_factory):
    """A folder with an index of papers on games, and one on soup."""
    folder = tmp_path_factory.mktemp("games")
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, PAPERS)), encoding="utf-8")
    build_index([folder / "papers.jsonl"], folder / "index", embedder=HashingEmbedder())
    return folder / "index"


@pytest.fixture
def ask_games(games, request):
    """A function that opens an assistant over the games: in quotes, or with replies of a model that reads well."""

    def open_one(replies=None, choices=(), **fields):
        generator = None if replies is None else QueuedGenerator(replies, choices=choices)
        model = STARTER if replies is None else WRITER
        usual = {"model": model, "style": "quote", "min_relevance": 0.0, "listed_papers": 2}
        settings = Settings(**usual | {"evidence_sentences": 1} | fields)
        assistant = Assistant.open(games, settings=settings, embedder=HashingEmbedder(), generator=generator)
        request.addfinalizer(assistant.close)
        return assistant

    return open_one


@pytest.fixture
def transcript():
    """A function that returns what a conversation with some lines prints into a pipe."""

    def hold(assistant, *lines, width=100, **options):
        console = Console(file=io.StringIO(), width=width)
        chat_with(assistant, console, iter(lines), **options)
        return console.file.getvalue()

    return hold
