"""The values that flow through the engine, in the order of the flow: papers, query, hits, evidence, answer, scores.

They are frozen and do no I/O. They import nothing of rag_qa, except rag_qa.exports when a notebook shows one.

Offsets count characters of the paper's abstract: `paper.abstract[c.start:c.end] == c.quote`. Marks such as `[1]`
exist only in prompts and on screens; values hold paper ids.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, overload

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from pandas import DataFrame

OPENING_WORDS = 10

SentenceKind = Literal["quote", "prose", "metadata"]
VerdictLabel = Literal["supported", "partial", "unsupported"]
MetadataField = Literal["authors", "year", "venue"]
QuestionKind = Literal["fact", "number", "yesno", "comparison", "which", "metadata"]
# What a reader must know before trusting a paper, the most serious first.
PaperStatus = Literal["retracted", "expression of concern", "corrected", "preprint"]
FateName = Literal["added", "changed", "merged", "unchanged", "skipped"]
PaperKind = Literal["abstract", "synopsis", "pdf"]


class Value(BaseModel):
    """A frozen value that accepts no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Value):
    """Where a paper was read: a file, the number of the record in it (from 1), and its text if that differs."""

    path: str
    record: int
    variant: str | None = None


class Version(Value):
    """Another version of a paper, such as its preprint, as its record describes it."""

    title: str = ""
    venue: str | None = None
    year: int | None = None
    doi: str | None = None
    arxiv_id: str | None = None
    pmid: str | None = None
    status: PaperStatus | None = None


class Paper(Value):
    """A paper: its abstract and its metadata.

    `more_authors` is true if a source leaves authors out ("et al.", "and others"). `aliases` are its other known ids,
    in order of preference. `venue`, `year` and `doi` come from one record, by preference that of the published version;
    `versions` describes the other versions. A `kind` of "pdf" marks a title and an abstract that were found in a PDF
    by its layout, and may be wrong.
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
        """The title; if there is none, the first words of the abstract, marked as untitled."""
        if self.title:
            return self.title
        words = self.abstract.split()
        ellipsis = "…" if len(words) > OPENING_WORDS else ""
        return f"{' '.join(words[:OPENING_WORDS])}{ellipsis} (untitled)"

    def _repr_html_(self) -> str:
        from rag_qa.exports.html import paper_html

        return paper_html(self)


class Passage(Value):
    """A part of an abstract, in whole sentences if they fit: `text == paper.abstract[start:end]`."""

    id: str
    paper_id: str
    text: str
    start: int
    end: int


class Skipped(Value):
    """A record that did not become a paper, and why."""

    path: str
    record: int
    reason: str


class Fate(Value):
    """What became of one record of a file (counted from 1).

    `paper_id` is the paper that it became or was merged into. `reason` says why it was skipped or merged.
    """

    path: str
    record: int
    fate: FateName
    paper_id: str | None = None
    reason: str | None = None


class IndexReport(Value):
    """What an indexing run did.

    Every record in the files has a fate, and the counts add up: `found` is `added` + `changed` + `merged` +
    `unchanged` + `skipped`. The first record of a paper is `added`, `changed` or `unchanged`; the others are `merged`
    into it, and so is a record of a paper that the index has from another file. `fates` lists them one by one.
    `read` counts the records that were not skipped, and `skips` lists the others with the reason.

    Besides, `removed` papers are no longer in the index, `papers` is the number in it now, and `embedded` passages had
    to be embedded. `encodings` names, by path, each file that was read now and is not UTF-8.
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


class Filter(Value):
    """Which papers to consider; an empty field does not restrict.

    A paper passes if any of its versions is from the years `since` to `until` (both included), any is at one of
    `venues`, all of `authors` wrote it, it comes from one of `sources`, and its status is one of `statuses` and none
    of `without`. rag_qa.retrieval.filters says which names count as the same.

    >>> Filter(since=2020, authors=("Ian Gemp",)).text
    'by Ian Gemp, since 2020'
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
        """The filter in words, such as "by Ian Gemp, at NeurIPS, from 2019 to 2022"; empty if every paper passes."""
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


class Query(Value):
    """A question as it is understood, made once from its text, the earlier turns and what the index holds.

    `text` is the question rewritten to stand alone. `topic` is the part that is searched, without the restrictions in
    `filter`; it is empty if they are the whole question. `within` holds the ids of the papers that the question names.
    `counts` is true if it asks for a number of papers. `wanted` names the metadata that it asks for, if it asks for
    nothing else. `fallback` is the filter without the years found in the text, because they may belong to the topic.
    `understood_as` says all this in words, if it differs from what was asked. `nothing` says why no paper can be meant.
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


class Hit(Value):
    """A paper found by search, with its best passage.

    `rank` counts from 1, and a higher `score` is better. `components` holds the scores that were fused, by name: dense,
    feedback, lexical, pairs, and rerank if a reranker ran.
    """

    paper: Paper
    passage: Passage
    score: float
    rank: int
    components: Mapping[str, float]


class Hits(list[Hit]):
    """Hits, best first: a list that notebooks show and that becomes a table."""

    @overload
    def __getitem__(self, at: SupportsIndex, /) -> Hit: ...

    @overload
    def __getitem__(self, at: slice, /) -> "Hits": ...

    def __getitem__(self, at: SupportsIndex | slice, /) -> "Hit | Hits":
        """Return one hit, or `Hits` for a slice."""
        return Hits(super().__getitem__(at)) if isinstance(at, slice) else super().__getitem__(at)

    def _repr_html_(self) -> str:
        from rag_qa.exports.html import hits_html

        return hits_html(self)

    def to_dataframe(self) -> "DataFrame":
        """Return a table with a row for each hit. Raises ExportError if pandas is not installed."""
        from rag_qa.exports.frames import hits_frame

        return hits_frame(self)


class Explanation(Value):
    """Why a paper was found: the words that it shares with the query, and its sentence nearest to the query.

    `similarity` is the cosine of that sentence with the query, -1 to 1.
    """

    paper_id: str
    words: tuple[str, ...]
    sentence: str
    similarity: float


class Citation(Value):
    """A quote, cut from a stored abstract by offset."""

    paper_id: str
    quote: str
    start: int
    end: int


class Evidence(Value):
    """A verbatim sentence that may answer the question; a higher `score` is more relevant."""

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
    """How well a sentence is supported by exactly what it cites (entailment); `probability` is 0 to 1.

    `read` is the probability of support that a language model gave and that counts in `probability`; None if none did.
    """

    label: VerdictLabel
    probability: float
    reasons: tuple[str, ...] = ()
    read: float | None = None


class Sentence(Value):
    """One sentence of an answer with its citations.

    It is a verbatim quote, prose by the language model, or metadata that the index knows itself.
    """

    text: str
    kind: SentenceKind
    citations: tuple[Citation, ...]
    verdict: Verdict


class ModelInput(Value):
    """What the language model was given: two texts, and the grammar (GBNF) of its reply."""

    system: str
    user: str
    grammar: str


class Answer(Value):
    """The answer to a question, or an abstention with its `reason`.

    `papers` are the cited papers in the order of citation, and `nearest` the ones to show if it abstains. `query` is
    the question as it was understood. `model_input` is None if no language model wrote. `confidence` is the
    probability that the papers found answer the question, None if that was not judged. `timings` are in seconds.
    `set_aside` are the papers cited, and the first ones found, that hold text which addresses its reader: such text is
    not used as evidence.
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
    set_aside: tuple[Paper, ...] = ()

    @property
    def text(self) -> str:
        """The answer as plain text with numbered marks, one sentence on each line."""
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
    """A step of a streamed answer.

    First come the hits with the query as it was understood, then pieces of text as the model writes them, then each
    sentence once it is checked, and last the whole answer.
    """

    kind: Literal["hits", "piece", "sentence", "answer"]
    hits: tuple[Hit, ...] = ()
    query: Query | None = None
    piece: str = ""
    sentence: Sentence | None = None
    answer: Answer | None = None


class Interval(Value):
    """A mean difference (new minus baseline) over `n` queries, with its confidence interval."""

    difference: float
    low: float
    high: float
    confidence: float
    n: int

    @property
    def significant(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


class EvalReport(Value):
    """The result of an evaluation.

    Each of `scores` is a mean (or a count) over the rows of `per_query`. `provenance` says what was measured, on what,
    when and with which code. `differences` holds each score's mean difference to the baseline that the provenance
    names; it is empty without one. `intervals` holds the 95% confidence interval of a total over the questions.
    """

    name: str
    scores: Mapping[str, float]
    per_query: tuple[Mapping[str, Any], ...]
    provenance: Mapping[str, Any]
    differences: Mapping[str, Interval] = {}
    intervals: Mapping[str, tuple[float, float]] = {}
