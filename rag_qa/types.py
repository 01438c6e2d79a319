"""The values that flow through the engine; frozen, without I/O, importing nothing of ours.

What a notebook shows of them is the one thing that they leave to others, rag_qa.exports, once it asks.

Offsets are characters into the paper's abstract: `paper.abstract[c.start:c.end] == c.quote`.
Marks such as `[1]` exist only in prompts and on screens; here everything speaks of paper ids.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, overload

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from pandas import DataFrame  # type: ignore[import-untyped]

OPENING_WORDS = 10

SentenceKind = Literal["quote", "prose", "metadata"]
VerdictLabel = Literal["supported", "partial", "unsupported"]
MetadataField = Literal["authors", "year", "venue"]
QuestionKind = Literal["fact", "number", "yesno", "comparison", "which", "metadata"]
# What a reader must know before trusting a paper, gravest first.
PaperStatus = Literal["retracted", "expression of concern", "corrected", "preprint"]
FateName = Literal["added", "changed", "merged", "unchanged", "skipped"]
PaperKind = Literal["abstract", "synopsis", "pdf"]


class Value(BaseModel):
    """A frozen value that accepts no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Value):
    """Where a paper was read: a file, the record's number in it (from 1), the text there if it differs."""

    path: str
    record: int
    variant: str | None = None


class Version(Value):
    """Another version of a paper, such as its preprint, as its own record described it."""

    title: str = ""
    venue: str | None = None
    year: int | None = None
    doi: str | None = None
    arxiv_id: str | None = None
    pmid: str | None = None
    status: PaperStatus | None = None


class Paper(Value):
    """A paper as far as its abstract goes.

    `more_authors` where a source leaves some out ("et al.", "and others"), who are no author by that name.
    `aliases` are its other known ids, in order. `venue`, `year` and `doi` come from one record, the published one
    first; `versions` holds what the records of other versions said. A `kind` of "pdf" marks a title and an abstract
    that were found in a PDF by layout, at best effort.
    """

    id: str
    title: str = ""
    abstract: str
    authors: tuple[str, ...] = ()
    more_authors: bool = False
    venue: str | None = None
    year: int | None = None
    url: str | None = None
    doi: str | None = None
    arxiv_id: str | None = None
    pmid: str | None = None
    status: PaperStatus | None = None
    kind: PaperKind = "abstract"
    versions: tuple[Version, ...] = ()
    aliases: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()

    @property
    def heading(self) -> str:
        """The title, or the opening words marked as untitled: a title is never invented."""
        if self.title:
            return self.title
        words = self.abstract.split()
        ellipsis = "…" if len(words) > OPENING_WORDS else ""
        return f"{' '.join(words[:OPENING_WORDS])}{ellipsis} (untitled)"

    def _repr_html_(self) -> str:
        from rag_qa.exports.html import paper_html

        return paper_html(self)


class Filter(Value):
    """Which papers to consider; an empty field does not restrict.

    Papers of the years `since` to `until` (both included), at any of the venues, by all of the authors, from any of
    the sources, of any of the statuses, and of none of those in `without`. retrieval/filters.py says what counts as the
    same name. Years and venues are those of any version.
    """

    since: int | None = None
    until: int | None = None
    venues: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    statuses: tuple[PaperStatus, ...] = ()
    without: tuple[PaperStatus, ...] = ()

    @property
    def text(self) -> str:
        """The filter in words, such as "by Ian Gemp, at NeurIPS, from 2019 to 2022"; empty when it lets all through."""
        parts = [f"by {' and '.join(self.authors)}"] if self.authors else []
        parts += [f"at {' or '.join(self.venues)}"] if self.venues else []
        parts += [f"in {' or '.join(self.sources)}"] if self.sources else []
        parts += [f"marked {' or '.join(self.statuses)}"] if self.statuses else []
        parts += [f"not marked {' or '.join(self.without)}"] if self.without else []
        return ", ".join([*parts, *self._years()])

    def _years(self) -> list[str]:
        if self.since is None and self.until is None:
            return []
        if self.until is None:
            return [f"since {self.since}"]
        if self.since is None:
            return [f"until {self.until}"]
        return [f"from {self.since}" + (f" to {self.until}" if self.until != self.since else "")]


EVERY_PAPER = Filter()


class Skipped(Value):
    """A record that was not taken, and why."""

    path: str
    record: int
    reason: str


class Fate(Value):
    """What became of one record of a file (counted from 1).

    `paper_id` names the paper that it became or was merged into; `reason` says why it was skipped, or why it is
    taken for the same paper as another.
    """

    path: str
    record: int
    fate: FateName
    paper_id: str | None = None
    reason: str | None = None


class Passage(Value):
    """A window of whole sentences: `text == paper.abstract[start:end]`."""

    id: str
    paper_id: str
    text: str
    start: int
    end: int


class Hit(Value):
    """A paper found by search, with its best passage. `rank` counts from 1; higher `score` is better."""

    paper: Paper
    passage: Passage
    score: float
    rank: int
    components: Mapping[str, float]


class Hits(list[Hit]):
    """Hits, best first: a list that notebooks show, and that becomes a table."""

    @overload
    def __getitem__(self, at: SupportsIndex, /) -> Hit: ...

    @overload
    def __getitem__(self, at: slice, /) -> "Hits": ...

    def __getitem__(self, at: SupportsIndex | slice, /) -> "Hit | Hits":
        """Return a hit, or those of a slice as hits that notebooks show too."""
        return Hits(super().__getitem__(at)) if isinstance(at, slice) else super().__getitem__(at)

    def _repr_html_(self) -> str:
        from rag_qa.exports.html import hits_html

        return hits_html(self)

    def to_dataframe(self) -> "DataFrame":
        """Return a table with a row a hit. Raises ExportError where pandas is not installed."""
        from rag_qa.exports.frames import hits_frame

        return hits_frame(self)


class Explanation(Value):
    """Why a paper was found: words of the query in it, and the sentence nearest to the query with its cosine."""

    paper_id: str
    words: tuple[str, ...]
    sentence: str
    similarity: float


class Citation(Value):
    """A quote cut from a stored abstract by offset."""

    paper_id: str
    quote: str
    start: int
    end: int


class Evidence(Value):
    """A verbatim sentence that may answer the question; `score` is its relevance to it."""

    paper_id: str
    sentence: str
    start: int
    end: int
    score: float

    @property
    def citation(self) -> Citation:
        """The citation of this sentence."""
        return Citation(paper_id=self.paper_id, quote=self.sentence, start=self.start, end=self.end)


class Verdict(Value):
    """How well a sentence is supported by exactly what it cites."""

    label: VerdictLabel
    probability: float
    reasons: tuple[str, ...] = ()


class Sentence(Value):
    """One sentence of an answer with its citations: a verbatim quote, prose by the model, or metadata of the index."""

    text: str
    kind: SentenceKind
    citations: tuple[Citation, ...]
    verdict: Verdict


class Query(Value):
    """A question as it is understood, made once from the text, the turns before and what the index holds.

    `text` is the question as it stands alone, and `topic` what of it is searched: without the restrictions that
    `filter` holds ("" where they are all that is asked). `within` are the ids of the papers that it is about, where
    it names any. `counts` says that a number of papers is asked for, and `wanted` which of their metadata, where
    nothing else is. `fallback` is the filter without the years that were read in the text, which may belong to the
    topic; None where none were read. `understood_as` says all of it in words, None where that is just what was asked;
    `nothing` says why no paper can be meant.
    """

    text: str
    topic: str
    kind: QuestionKind = "fact"
    filter: Filter = Filter()
    fallback: Filter | None = None
    within: tuple[str, ...] | None = None
    counts: bool = False
    wanted: tuple[MetadataField, ...] = ()
    understood_as: str | None = None
    nothing: str | None = None


class ModelInput(Value):
    """What the language model was given: two texts, and the grammar (GBNF) that its reply was held to."""

    system: str
    user: str
    grammar: str


class Answer(Value):
    """The answer to a question; `papers` in order of citation, `nearest` shown when it abstains.

    `query` is the question as it was understood; `model_input` is None where no language model wrote. `confidence` is
    the probability that the papers found answer the question; None where that was not judged.
    """

    question: str
    abstained: bool
    reason: str | None
    sentences: tuple[Sentence, ...]
    papers: tuple[Paper, ...]
    nearest: tuple[Paper, ...] = ()
    provenance: Mapping[str, Any]
    timings: Mapping[str, float]
    query: Query | None = None
    model_input: ModelInput | None = None
    confidence: float | None = None

    @property
    def text(self) -> str:
        """The answer as plain text with numbered marks, one sentence a line."""
        numbers = {paper.id: n for n, paper in enumerate(self.papers, 1)}
        return "\n".join(
            f"{s.text} " + "".join(f"[{n}]" for n in sorted({numbers[c.paper_id] for c in s.citations}))
            for s in self.sentences
        )

    def _repr_html_(self) -> str:
        from rag_qa.exports.html import answer_html

        return answer_html(self)

    def to_dataframe(self) -> "DataFrame":
        """Return a table with a row for each citation of each sentence. Raises ExportError without pandas."""
        from rag_qa.exports.frames import answer_frame

        return answer_frame(self)


class Event(Value):
    """A step of a streamed answer: the hits, each piece of text as it is written, each sentence once it is checked.

    Last comes the whole answer. With the hits comes how the question was understood.
    """

    kind: Literal["hits", "piece", "sentence", "answer"]
    hits: tuple[Hit, ...] = ()
    query: Query | None = None
    piece: str = ""
    sentence: Sentence | None = None
    answer: Answer | None = None


class IndexReport(Value):
    """What an indexing run did.

    Every record of the files has a fate, and these add up: `found` is `added` + `changed` + `merged` + `unchanged` +
    `skipped`. The first record of a paper stands for it (`added` to the index, `changed` by what the file says now,
    or `unchanged`), further ones are `merged` into it, as are records of a paper that the index has from other files.
    `fates` lists them one by one. `read` records became papers, all that were not skipped (`skips` says which and why).
    Beside that, `removed` papers are no longer in the index; `papers` is the number in it afterwards, and `embedded`
    the number of passages that had to be embedded. `encodings` names, by path, the encoding of each file read now that
    is not UTF-8.
    """

    found: int
    read: int
    added: int
    changed: int
    merged: int
    unchanged: int
    removed: int
    skipped: int
    skips: tuple[Skipped, ...]
    fates: tuple[Fate, ...]
    encodings: Mapping[str, str] = {}
    embedded: int
    papers: int
    seconds: float


class Interval(Value):
    """A mean difference (new minus baseline) over n queries, with its confidence interval."""

    difference: float
    low: float
    high: float
    confidence: float
    n: int

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


class EvalReport(Value):
    """What an evaluation found: each of `scores` is a mean (or a count) over the rows of `per_query`.

    `provenance` says what was measured, on what, when and with which code; `differences` holds each score's
    mean difference to the baseline that the provenance names, and is empty without one. `intervals` holds the bounds
    of a total's 95% interval over the questions.
    """

    name: str
    scores: Mapping[str, float]
    per_query: tuple[Mapping[str, Any], ...]
    provenance: Mapping[str, Any]
    differences: Mapping[str, Interval] = {}
    intervals: Mapping[str, tuple[float, float]] = {}
