"""The engine with its verbs, search, similar and ask; the CLI, the REPL and Python code all stand on this."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from rag_qa.answering.pipeline import Pipeline
from rag_qa.answering.query.parse import parse
from rag_qa.answering.query.questions import clean_example, clean_question, without_markup
from rag_qa.answering.query.rewriting import Rewriter
from rag_qa.answering.synthesis import Synthesis
from rag_qa.answering.verdict.model import open_verifier
from rag_qa.answering.writing.prompt import load_prompt
from rag_qa.answering.writing.writer import Writer
from rag_qa.backends.catalogue import AnswerStyle, find_entry
from rag_qa.backends.embedding import open_embedder
from rag_qa.backends.llama import open_generator
from rag_qa.backends.locating import choose_model
from rag_qa.backends.reranking import open_reranker
from rag_qa.errors import FilterError, ModelNotFoundError, QuestionError, ReceiptError, SettingsError
from rag_qa.index.facets import Facets
from rag_qa.index.manifest import check_embedder
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder, Generator, Reranker
from rag_qa.retrieval.filters import matching
from rag_qa.settings import Settings
from rag_qa.types import EVERY_PAPER, Answer, Event, Explanation, Filter, Hit, Hits, Paper, Query


class Assistant:
    """Answers questions from one opened index. Close it, or use it in a `with` statement."""

    def __init__(
        self,
        index: Index,
        embedder: Embedder,
        generator: Generator | None,
        settings: Settings,
        reranker: Reranker | None = None,
    ) -> None:
        """Put an assistant together from opened parts; without a generator it answers in quotes."""
        prompts = load_prompt("answer", settings.prompts)
        synthesis = rewriter = None
        if generator is not None:
            rewriter = Rewriter(generator, load_prompt("rewrite", settings.prompts).texts, settings.seed)
            writer = Writer(generator, prompts, settings, reads=reads_well(settings))
            synthesis = Synthesis(writer, open_verifier(settings, embedder), settings)
        self._index = index
        self._settings = settings
        self._embedder = embedder
        self._rewriter = rewriter
        self._pipeline = Pipeline(index, embedder, synthesis, settings, reranker)

    @classmethod
    def open(
        cls,
        index: str | Path,
        *,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
        generator: Generator | None = None,
        reranker: Reranker | None = None,
    ) -> "Assistant":
        """Open an index with the models that the settings name; models load at their first use.

        Raises IndexNotFoundError, IndexMismatchError, ModelNotFoundError, ModelHashError.
        """
        settings = settings or Settings()
        settings = settings.model_copy(update={"model": choose_model(settings.model).name})
        embedder = embedder or open_embedder(settings)
        opened = Index.open(Path(index), graph=settings.dense == "hnsw")
        try:
            check_embedder(opened.manifest, embedder.spec, str(index))
            if generator is None and style_of(settings) == "synthesis":
                generator = open_generator(settings)
                generator.load_ahead()
            reranker = reranker or open_reranker(settings, generator)
            return cls(opened, embedder, generator, settings, reranker)
        except BaseException:
            opened.close()
            raise

    def search(self, query: str, k: int | None = None, *, filter: Filter = EVERY_PAPER) -> Hits:
        """Return the k best papers among those that pass the filter, best first.

        Raises QuestionError for a blank query, FilterError where no paper passes.
        """
        return Hits(self._pipeline.search(without_markup(clean_question(query)), self._k(k), filter))

    def similar(self, paper_id: str | None = None, *, text: str | None = None, k: int | None = None) -> Hits:
        """Return the k papers most like the one with this id or alias (itself left out), or like a text.

        Raises QuestionError for an id that the index does not know and for a text that is blank or too long.
        """
        if (paper_id is None) == (text is None):
            raise SettingsError("one of a paper's id and a text is needed to find papers like it; give one")
        return Hits(self._pipeline.similar(self._example(paper_id, text or ""), self._k(k)))

    def _example(self, paper_id: str | None, text: str) -> Paper:
        if paper_id is None:
            return Paper(id="", abstract=clean_example(text))
        try:
            return self.paper(paper_id)
        except KeyError as exc:
            raise QuestionError(
                f"the index has no paper {paper_id!r}; `rag-qa search WORDS` shows the ids of papers"
            ) from exc

    def _k(self, k: int | None) -> int:
        k = self._settings.k if k is None else k
        if k < 1:
            raise SettingsError(f"k is {k}; ask for at least one paper")
        return k

    def explain(self, query: str, hits: Sequence[Hit]) -> list[Explanation]:
        """Return why a search for the query found each of its hits, in their order."""
        return self._pipeline.explain(without_markup(clean_question(query)), hits)

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Answer] = (),
        filter: Filter = EVERY_PAPER,
        literal: bool = False,
    ) -> Answer:
        """Return the answer from the papers that pass the filter; `history` holds the turns before, oldest first.

        A literal question is taken as it stands: neither "the second one" nor "papers by X" is understood. Raises
        QuestionError, and FilterError where no paper passes.
        """
        return _last(self.stream(question, history=history, filter=filter, literal=literal))

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Answer] = (),
        filter: Filter = EVERY_PAPER,
        literal: bool = False,
    ) -> Iterator[Event]:
        """Yield the hits, then each sentence once it is checked, then the whole answer."""
        query = self.understand(question, history=history, filter=filter, literal=literal)
        return self._pipeline.answer(clean_question(question), query)

    def understand(
        self,
        question: str,
        *,
        history: Sequence[Answer] = (),
        filter: Filter = EVERY_PAPER,
        literal: bool = False,
    ) -> Query:
        """Return a question as it is understood, without answering it. Raises as `ask` does."""
        return parse(
            without_markup(clean_question(question), marks=not history),
            history if self._settings.resolve_followups else (),
            wanted=filter,
            facets=self._index.facets,
            literal=literal,
            embedder=self._embedder,
            index=self._index,
            rewriter=self._rewriter,
        )

    def again(self, answer: Answer) -> Answer:
        """Return the answer to what a saved answer was asked, as it was understood then.

        Raises ReceiptError where the answer does not say what that was, FilterError where no paper passes any more.
        """
        if answer.query is None:
            raise ReceiptError("the answer does not say what was asked; save one of `Assistant.ask`")
        return _last(self._pipeline.answer(answer.question, answer.query))

    def confidences(self, question: str, held_out: str) -> tuple[float, float]:
        """Return the probability that the papers answer a question, and the same as if one paper were not there."""
        query = parse(
            without_markup(clean_question(question)),
            facets=self._index.facets,
            literal=True,
            embedder=self._embedder,
        )
        return self._pipeline.confidences(query, held_out)

    def passing(self, filter: Filter = EVERY_PAPER) -> frozenset[str]:
        """Return the ids of the papers that pass the filter; none where no paper does."""
        try:
            places = matching(filter, self._index.facets)
        except FilterError:
            return frozenset()
        return frozenset(self._index.lexical.paper_ids[place] for place in places)

    def count(self, filter: Filter = EVERY_PAPER) -> int:
        """Return how many papers pass the filter. Raises FilterError where none does."""
        return self._pipeline.count(filter)

    def paper(self, paper_id: str) -> Paper:
        """Return the paper with this id or alias. Raises KeyError where the index has none."""
        return self._index.paper(paper_id)

    def papers(self) -> Iterator[Paper]:
        """Yield every paper of the index."""
        return self._index.papers()

    @property
    def facets(self) -> Facets:
        """What the papers of the index can be filtered by: their venues, authors, files, statuses and years."""
        return self._index.facets

    def close(self) -> None:
        """Let go of the index."""
        self._index.close()

    def __enter__(self) -> "Assistant":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _last(events: Iterator[Event]) -> Answer:
    for event in events:
        if event.answer is not None:
            return event.answer
    raise AssertionError("a stream ends in an answer")


def style_of(settings: Settings) -> AnswerStyle:
    """Return the answer style: the one set, else the catalogue's for the model, else (a file) prose."""
    if settings.style != "auto":
        return settings.style
    try:
        return find_entry(settings.model, kind="generator").style or "synthesis"
    except ModelNotFoundError:
        return "synthesis"


def reads_well(settings: Settings) -> bool:
    """Return whether the language model is good enough to decide what is answered, as the catalogue says of it."""
    return style_of(settings.model_copy(update={"style": "auto"})) == "synthesis"
