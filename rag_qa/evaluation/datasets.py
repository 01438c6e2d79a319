"""Read question sets (gold papers and key facts) and BEIR-shaped folders (retrieval alone)."""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from rag_qa.errors import EvaluationError
from rag_qa.evaluation.complaints import fail, first_complaint
from rag_qa.evaluation.qrels import Qrels, gold, read_qrels
from rag_qa.text.lines import read_json_lines, unzip
from rag_qa.types import Value

Kind = Literal["which", "fact", "comparison", "near", "far", "hostile"]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Fact = Annotated[tuple[Text, ...], Field(min_length=1)]

QUERY_CURE = 'a line is {"_id": "q1", "text": "…", "kind": "fact", "answerable": true, "key_facts": [["…"]]}'


class Question(Value):
    """A question with what a right answer holds.

    The kinds `near` and `far` have no answer in the corpus: `near` is on its topics, `far` is not. Each key fact is a
    tuple of alternative wordings; an answer must hold one of them. `yesno` is the right answer to a yes/no question.
    `maybe` are papers that a list may hold or leave out.
    """

    id: Text = Field(alias="_id")
    text: str
    kind: Kind
    answerable: bool
    key_facts: tuple[Fact, ...] = ()
    yesno: Literal["yes", "no"] | None = None
    maybe: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.answerable and self.kind in ("near", "far"):
            raise ValueError(f"a `{self.kind}` question is unanswerable: set answerable to false")
        if self.key_facts and not self.answerable:
            raise ValueError("an unanswerable question has no key facts: set key_facts to []")
        if self.yesno and not self.answerable:
            raise ValueError("an unanswerable question is neither yes nor no: leave `yesno` out")
        if not self.text.strip() and self.kind != "hostile":
            raise ValueError("`text` is empty")
        return self


class CorpusSet(Value):
    """A set over a corpus: "sample", "seeds" or paths. If there is a file `ids`, only over the papers that it lists."""

    name: str
    description: str
    corpus: tuple[str, ...]
    ids: Path | None = None
    folder: Path
    sha256: str


class QuestionSet(CorpusSet):
    """Questions judged by paper ids."""

    questions: tuple[Question, ...]
    qrels: Qrels

    @property
    def retrieval(self) -> "RetrievalSet":
        """The questions that have an answer, as judged queries."""
        return RetrievalSet(
            name=self.name,
            queries={question.id: question.text for question in self.questions if question.answerable},
            qrels={q.id: self.qrels[q.id] for q in self.questions if q.answerable},
            documents=None,
            sha256=self.sha256,
        )


class RetrievalSet(Value):
    """Judged queries for retrieval alone; `documents` is the corpus file if the folder has one."""

    name: str
    queries: Mapping[str, str]
    qrels: Qrels
    documents: Path | None
    sha256: str


class DatasetHeader(Value):
    """The content of a set's `set.toml`."""

    name: Text
    description: str
    corpus: Annotated[tuple[Text, ...], Field(min_length=1)]
    ids: Text | None = None

    @field_validator("corpus", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    def over(self, folder: Path) -> dict[str, Any]:
        """Return the fields of a set in this folder; `ids` is relative to it."""
        ids = folder / self.ids if self.ids else None
        return {"name": self.name, "description": self.description, "corpus": self.corpus, "ids": ids}


def load_question_set(folder: Path) -> QuestionSet:
    """Read `set.toml`, `queries.jsonl` and `qrels.tsv` of a question set.

    Raises EvaluationError naming the file, the line and the edit that mends it.
    """
    folder = Path(folder)
    files = [folder / "set.toml", folder / "queries.jsonl", folder / "qrels.tsv"]
    for path in files:
        if not path.is_file():
            raise EvaluationError(
                f"{path} is missing; a question set needs set.toml, queries.jsonl, qrels.tsv"
            )
    header = read_header(files[0])
    questions = _read_questions(files[1])
    qrels = read_qrels(files[2], queries=questions)
    for number, question in enumerate(questions.values(), 1):
        if question.answerable and not gold(qrels.get(question.id, {})):
            cure = f"add a row to {files[2].name} or set answerable to false"
            raise EvaluationError(f"{files[1]}, question {number} ({question.id!r}): no gold paper; {cure}")
    return QuestionSet(
        **header.over(folder),
        folder=folder,
        questions=tuple(questions.values()),
        qrels=qrels,
        sha256=file_hash(files),
    )


def read_header(path: Path) -> DatasetHeader:
    """Read a set's `set.toml`. Raises EvaluationError naming the file and what it needs."""
    cure = (
        "it needs the strings name, description and corpus (or a list of these), and may name a file of ids"
    )
    try:
        return DatasetHeader.model_validate(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as exc:
        raise EvaluationError(f"{path}: {first_complaint(exc)}; {cure}") from exc
    except (OSError, ValueError) as exc:
        raise EvaluationError(f"{path} is not TOML ({exc}); {cure}") from exc


def _read_questions(path: Path) -> dict[str, Question]:
    questions: dict[str, Question] = {}
    for number, record in read_json_lines(path, EvaluationError):
        try:
            question = Question.model_validate(record)
        except ValidationError as exc:
            fail(path, number, first_complaint(exc), QUERY_CURE)
        if question.id in questions:
            fail(
                path, number, f"the id {question.id!r} is in the file twice", "give each question its own id"
            )
        questions[question.id] = question
    if not questions:
        fail(path, 1, "no questions", QUERY_CURE)
    return questions


def load_beir(folder: Path, *, split: str | None = None) -> RetrievalSet:
    """Read a BEIR-shaped folder: queries, qrels and, if there is one, the corpus; each plain or `.gz`.

    Queries are `queries[.SPLIT].jsonl` with `_id` or `id` and `text`; judgments are `qrels[.SPLIT].tsv` or
    `qrels/SPLIT.tsv`. Without `split`, the undivided judgments are read, else test, else dev. Only queries with a
    relevant document are kept. The layout is that of BEIR (Thakur et al., NeurIPS 2021). Raises EvaluationError
    naming the file, the line and the edit that mends it.
    """
    folder = Path(folder)
    judged, asked = _split_files(folder, [split] if split else ["", "test", "dev"])
    texts = _read_queries(asked)
    qrels = {query: grades for query, grades in read_qrels(judged, queries=texts).items() if gold(grades)}
    if not qrels:
        raise EvaluationError(f"{judged} judges no document relevant; give it rows of relevance 1 or more")
    return RetrievalSet(
        name=f"{folder.resolve().name}-{split}" if split else folder.resolve().name,
        queries={query: text for query, text in texts.items() if query in qrels},
        qrels=qrels,
        documents=_find(folder, ["corpus.jsonl", "documents.jsonl"]),
        sha256=file_hash([asked, judged]),
    )


def _split_files(folder: Path, splits: Iterable[str]) -> tuple[Path, Path]:
    """The judgments and the queries of the first split that has judgments."""
    for split in splits:
        judged = _find(folder, [f"qrels.{split}.tsv", f"qrels/{split}.tsv"] if split else ["qrels.tsv"])
        if judged is None:
            continue
        asked = _find(folder, ([f"queries.{split}.jsonl"] if split else []) + ["queries.jsonl"])
        if asked is None:
            raise EvaluationError(
                f"{folder} has no queries for {judged.name}; add a queries.jsonl with a query a line"
            )
        return judged, asked
    wanted = " or ".join(split for split in splits if split)
    if others := _splits(folder):
        cure = f"name one that it has with --split: {', '.join(others)}"
    else:
        cure = "a BEIR folder holds queries.jsonl and qrels.tsv or qrels/SPLIT.tsv"
    raise EvaluationError(f"{folder} has no qrels of a split {wanted}; {cure}")


def _splits(folder: Path) -> list[str]:
    """The splits with judgments."""
    names = [path.name for path in folder.glob("qrels/*.tsv*")]
    names += [path.name.removeprefix("qrels.") for path in folder.glob("qrels.*.tsv*")]
    return sorted({name.removesuffix(".gz").removesuffix(".tsv") for name in names})


def _find(folder: Path, names: Iterable[str]) -> Path | None:
    """The first of `names` in the folder, plain or else gzipped."""
    candidates = (folder / (name + ending) for name in names for ending in ("", ".gz"))
    return next((path for path in candidates if path.is_file()), None)


def _read_queries(path: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    for number, record in read_json_lines(path, EvaluationError):
        query, text = record.get("_id", record.get("id")), record.get("text")
        if not isinstance(query, str) or not query or not isinstance(text, str) or not text.strip():
            fail(path, number, "no string `_id` (or `id`) and `text`", 'write {"_id": "q1", "text": "…"}')
        if query in texts:
            fail(path, number, f"the id {query!r} is in the file twice", "give each query its own id")
        texts[query] = text
    return texts


def file_hash(files: Iterable[Path]) -> str:
    """Return a SHA-256 over the files' names and contents, in the given order; gzipped files are unpacked first."""
    digest = hashlib.sha256()
    for path in files:
        content = unzip(path.read_bytes())
        digest.update(f"{path.name.removesuffix('.gz')}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
