"""The engine: search, similar and ask. The command line, the chat, the service and Python code all use it."""

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
    """Answers questions from one opened index. Close it after use, or use it in a `with` statement.

    `Assistant.open` is the usual way to get one.
    """

    def __init__(
        self,
        index: Index,
        embedder: Embedder,
        generator: Generator | None,
        settings: Settings,
        reranker: Reranker | None = None,
    ) -> None:
        """Put an assistant together from its parts; without a generator it answers in quotes."""
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
        """Open the index in a folder, with the models that the settings name unless they are given here.

        Models load when first used. Raises IndexNotFoundError, IndexMismatchError, ModelNotFoundError and
        ModelHashError.
        """
        settings = settings or Settings()
        settings = settings.model_copy(update={"model": choose_model(settings.model).name})
        embedder = embedder or open_embedder(settings)
        if settings.chroma_url and settings.dense == "auto":
            settings = settings.model_copy(update={"dense": "hnsw"})
        opened = Index.open(Path(index), graph=settings.dense == "hnsw", server=settings.chroma_url)
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
        """Return the k best papers that pass the filter, best first; k is `settings.k` by default.

        Raises QuestionError for a blank query, FilterError if no paper passes, SettingsError if k is below 1.
        """
        return Hits(self._pipeline.search(without_markup(clean_question(query)), self._k(k), filter))

    def similar(self, paper_id: str | None = None, *, text: str | None = None, k: int | None = None) -> Hits:
        """Return the k papers most similar to a paper, given by id or alias, or to a text. The paper is left out.

        Raises QuestionError for an unknown id and for a text that is blank or too long, SettingsError unless exactly
        one of the two is given.
        """
        if (paper_id is None) == (text is None):
            raise SettingsError("similar papers need one example; give either a paper's id or a text")
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
        """Return why a search for the query found each of its hits, in the order of the hits."""
        return self._pipeline.explain(without_markup(clean_question(query)), hits)

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Answer] = (),
        filter: Filter = EVERY_PAPER,
        literal: bool = False,
    ) -> Answer:
        """Return the answer from the papers that pass the filter.

        `history` holds the answers before, oldest first, so that follow-up questions are understood. If `literal`,
        the question is not interpreted: neither "the second one" nor "papers by X" has a special meaning.
        An abstention is an answer with `abstained` set and a `reason`. Raises QuestionError for a blank or far too
        long question, FilterError if no paper passes the filter, PromptError if the question leaves no room for
        evidence.
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
        """Yield the hits, then each sentence once it is checked, then the whole answer. Raises as `ask` does."""
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
        """Return how a question is understood, without answering it. Raises as `ask` does."""
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
        """Answer the question of a saved answer again, understood as it was then.

        Raises ReceiptError if the answer does not hold its query, FilterError if no paper passes its filter any more.
        """
        if answer.query is None:
            raise ReceiptError("the answer does not hold its query; save an answer of `Assistant.ask`")
        return _last(self._pipeline.answer(answer.question, answer.query))

    def confidences(self, question: str, held_out: str) -> tuple[float, float]:
        """Return the probability that the papers answer a question, with all papers and without the one held out."""
        query = parse(
            without_markup(clean_question(question)),
            facets=self._index.facets,
            literal=True,
            embedder=self._embedder,
        )
        return self._pipeline.confidences(query, held_out)

    def passing(self, filter: Filter = EVERY_PAPER) -> frozenset[str]:
        """Return the ids of the papers that pass the filter."""
        try:
            rows = matching(filter, self._index.facets)
        except FilterError:
            return frozenset()
        return frozenset(self._index.lexical.paper_ids[row] for row in rows)

    def count(self, filter: Filter = EVERY_PAPER) -> int:
        """Return how many papers pass the filter. Raises FilterError if none does."""
        return self._pipeline.count(filter)

    def paper(self, paper_id: str) -> Paper:
        """Return the paper with this id or alias. Raises KeyError if there is none."""
        return self._index.paper(paper_id)

    def papers(self) -> Iterator[Paper]:
        """Yield every paper of the index."""
        return self._index.papers()

    @property
    def facets(self) -> Facets:
        """What papers can be filtered by: the venues, authors, files, statuses and years of the index."""
        return self._index.facets

    def close(self) -> None:
        """Close the index."""
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
    """Return the answer style: the one set, else the catalogue's for the model, else prose (for a model file)."""
    if settings.style != "auto":
        return settings.style
    try:
        return find_entry(settings.model, kind="generator").style or "synthesis"
    except ModelNotFoundError:
        return "synthesis"


def reads_well(settings: Settings) -> bool:
    """Return whether the catalogue trusts the language model to decide if the evidence answers a question."""
    return style_of(settings.model_copy(update={"style": "auto"})) == "synthesis"
