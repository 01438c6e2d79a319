"""A small world: three papers, and an assistant that answers from a script."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from rag_qa.errors import QuestionError
from rag_qa.types import Answer, Citation, Hit, Paper, Passage, Sentence, Verdict

GAME = Paper(
    id="game",
    title="EigenGame",
    abstract="PCA is a game. Each of 1,024 players owns a vector.",
    aliases=("g1",),
)
UNLOADED = Paper(
    id="unloaded", title="EigenGame Unloaded", abstract="The update is unbiased. It runs in parallel."
)
COOKING = Paper(id="cooking", title="On soup", abstract="Salt the water first.")
PAPERS = {paper.id: paper for paper in (GAME, UNLOADED, COOKING)}

QUESTIONS = (
    {
        "_id": "q1",
        "text": "which papers are about games?",
        "kind": "which",
        "answerable": True,
        "key_facts": [],
    },
    {
        "_id": "q2",
        "text": "how many players?",
        "kind": "fact",
        "answerable": True,
        "key_facts": [["1024 players", "1024 agents"], ["vector"]],
    },
    {"_id": "q3", "text": "how many GPUs?", "kind": "near", "answerable": False, "key_facts": []},
    {"_id": "q4", "text": "who won the cup?", "kind": "far", "answerable": False, "key_facts": []},
    {"_id": "q5", "text": "", "kind": "hostile", "answerable": False, "key_facts": []},
)
QRELS = "query_id\tdoc_id\trelevance\nq1\tg1\t1\nq1\tunloaded\t1\nq2\tgame\t1\n"


def cite(paper: Paper, quote: str) -> Citation:
    """A true citation of the quote's first occurrence."""
    start = paper.abstract.index(quote)
    return Citation(paper_id=paper.id, quote=quote, start=start, end=start + len(quote))


def say(text: str, *citations: Citation) -> Sentence:
    return Sentence(
        text=text, kind="prose", citations=citations, verdict=Verdict(label="supported", probability=1.0)
    )


def answer(*sentences: Sentence, abstained: bool = False, papers: Sequence[Paper] | None = None) -> Answer:
    """An answer with the papers that it cites, unless others are given."""
    cited = {c.paper_id for s in sentences for c in s.citations}
    carried = [p for p in PAPERS.values() if p.id in cited] if papers is None else papers
    return Answer(
        question="?",
        abstained=abstained,
        reason="nothing relevant" if abstained else None,
        sentences=sentences,
        papers=tuple(carried),
        provenance={"model": {"name": "fake"}, "seed": 0, "evidence": len(sentences)},
        timings={"search": 0.25, "generate": 0.5},
    )


def lookup(paper_id: str) -> Paper:
    by_name = {name: paper for paper in PAPERS.values() for name in (paper.id, *paper.aliases)}
    return by_name[paper_id]


class Scripted:
    """Answers by question from a script, abstaining if it has none; finds papers in a fixed order."""

    def __init__(
        self, answers: Mapping[str, Answer], found: Sequence[Paper] = (GAME, COOKING, UNLOADED)
    ) -> None:
        self.answers = answers
        self.found = found
        self.calls: list[str] = []

    def ask(self, question: str, /) -> Answer:
        self.calls.append(f"ask {question}")
        if not question:
            raise QuestionError("the question is empty; type one")
        return self.answers.get(question, answer(abstained=True))

    def search(self, question: str, /, *, k: int) -> list[Hit]:
        self.calls.append(f"search {question}")
        return [hit(paper, rank) for rank, paper in enumerate(self.found[:k], 1)]

    def paper(self, paper_id: str, /) -> Paper:
        return lookup(paper_id)


def hit(paper: Paper, rank: int) -> Hit:
    end = len(paper.abstract)
    passage = Passage(id=f"{paper.id}#0", paper_id=paper.id, text=paper.abstract, start=0, end=end)
    return Hit(paper=paper, passage=passage, score=1 / rank, rank=rank, components={})


RIGHT = {
    "which papers are about games?": answer(
        say("PCA is a game.", cite(GAME, "PCA is a game.")),
        say("It runs in parallel.", cite(UNLOADED, "It runs in parallel.")),
    ),
    "how many players?": answer(
        say("Each of 1,024 players owns a vector.", cite(GAME, "Each of 1,024 players owns a vector."))
    ),
}

WriteSet = Callable[..., Path]


@pytest.fixture
def world() -> type["World"]:
    return World


class World:
    """What the tests of this folder share, by name."""

    GAME, UNLOADED, COOKING, RIGHT = GAME, UNLOADED, COOKING, RIGHT
    cite = staticmethod(cite)
    say = staticmethod(say)
    answer = staticmethod(answer)
    lookup = staticmethod(lookup)
    Scripted = Scripted


@pytest.fixture
def write_set(tmp_path: Path) -> WriteSet:
    """Write a question set, sound unless a part is replaced, and return its folder."""

    def write(
        header: str = 'name = "tiny"\ndescription = "three papers"\ncorpus = "papers.jsonl"\n',
        questions: Sequence[object] = QUESTIONS,
        qrels: str = QRELS,
    ) -> Path:
        folder = tmp_path / "eval" / "tiny"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "set.toml").write_text(header, "utf-8")
        lines = [q if isinstance(q, str) else json.dumps(q) for q in questions]
        (folder / "queries.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
        (folder / "qrels.tsv").write_text(qrels, "utf-8")
        return folder

    return write
