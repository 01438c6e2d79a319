"""The engine with its two verbs, search and ask; the CLI, the REPL and Python code all stand on this."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from rag_qa.answering.answering import Answering
from rag_qa.answering.followups import resolve
from rag_qa.answering.prompting import load_prompt
from rag_qa.answering.questions import clean_question, without_markup
from rag_qa.answering.verifying import open_verifier
from rag_qa.answering.writing import Writer
from rag_qa.backends.catalogue import AnswerStyle, find_entry
from rag_qa.backends.embedding import open_embedder
from rag_qa.backends.llama import open_generator
from rag_qa.errors import ModelNotFoundError, SettingsError
from rag_qa.index.manifest import check_embedder
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder, Generator
from rag_qa.settings import Settings
from rag_qa.types import Answer, Event, Hit, Paper


class Assistant:
    """Answers questions from one opened index. Close it, or use it in a `with` statement."""

    def __init__(
        self, index: Index, embedder: Embedder, generator: Generator | None, settings: Settings
    ) -> None:
        """Put an assistant together from opened parts; without a generator it answers in quotes."""
        template = load_prompt("synthesis", settings.prompts)
        writer = (
            Writer(generator, template, settings, open_verifier(settings, embedder)) if generator else None
        )
        self._index = index
        self._settings = settings
        self._answering = Answering(index, embedder, writer, settings)

    @classmethod
    def open(
        cls,
        index: str | Path,
        *,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
        generator: Generator | None = None,
    ) -> "Assistant":
        """Open an index with the models that the settings name; models load at their first use.

        Raises IndexNotFoundError, IndexMismatchError, ModelNotFoundError, ModelHashError.
        """
        settings = settings or Settings()
        embedder = embedder or open_embedder(settings)
        opened = Index.open(Path(index))
        try:
            check_embedder(opened.manifest, embedder.spec, str(index))
            if generator is None and style_of(settings) == "synthesis":
                generator = open_generator(settings)
            return cls(opened, embedder, generator, settings)
        except BaseException:
            opened.close()
            raise

    def search(self, query: str, k: int | None = None) -> list[Hit]:
        """Return the k best papers, best first. Raises QuestionError for a blank query."""
        k = self._settings.k if k is None else k
        if k < 1:
            raise SettingsError(f"k is {k}; ask for at least one paper")
        return self._answering.search(without_markup(clean_question(query)), k)

    def ask(self, question: str, *, history: Sequence[Answer] = ()) -> Answer:
        """Return the answer; `history` holds the turns before, oldest first. Raises QuestionError."""
        for event in self.stream(question, history=history):
            if event.answer is not None:
                return event.answer
        raise AssertionError("a stream ends in an answer")

    def stream(self, question: str, *, history: Sequence[Answer] = ()) -> Iterator[Event]:
        """Yield the hits, then each sentence once it is checked, then the whole answer."""
        asked = clean_question(question)
        return self._answering.answer(asked, resolve(without_markup(asked), history))

    def paper(self, paper_id: str) -> Paper:
        """Return the paper with this id or alias. Raises KeyError where the index has none."""
        return self._index.paper(paper_id)

    def papers(self) -> Iterator[Paper]:
        """Yield every paper of the index."""
        return self._index.papers()

    def close(self) -> None:
        """Let go of the index."""
        self._index.close()

    def __enter__(self) -> "Assistant":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def style_of(settings: Settings) -> AnswerStyle:
    """Return the answer style: the one set, else the catalogue's for the model, else (a file) prose."""
    if settings.style != "auto":
        return settings.style
    try:
        return find_entry(settings.model, kind="generator").style or "synthesis"
    except ModelNotFoundError:
        return "synthesis"
