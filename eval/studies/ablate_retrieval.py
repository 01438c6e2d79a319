"""Measure what each component of search adds, on nine judged collections; write the table into eval/README.md.

    python eval/studies/ablate_retrieval.py DATA --cache FOLDER [--questions N] [--seed S] [--readme FILE]

DATA holds the collections (COLLECTIONS and SETS below name the files). FOLDER keeps one index a collection, built if it
is missing. Every row of a set asks the same questions. Differences have paired bootstrap intervals of 95%.

The row of cross-validated weights shows how search does on questions that did not choose its weights. The questions of
all sets that choose are dealt into five folds, and those of a fold are ranked with the weights of GRID that do best on
the other four, by the mean over sets of recall@20 and nDCG@10. Two sets choose nothing: SciTLDR dev and CSFCube.
Fusion looks at the first 300 papers of each component; nothing else comes among the first twenty.

Embeds about 50,000 abstracts once, which takes most of an hour on two cores. Check afterwards that the rows `all` are
no lower than in the table before, and `rag-qa eval --check litsearch_dev autoscholar_dev`.
"""

import json
import random
import string
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import numpy as np

from eval.programs import parser_for, read_rows
from rag_qa import build_index
from rag_qa.backends.embedding import open_embedder
from rag_qa.evaluation import load_beir, paired_interval
from rag_qa.evaluation.provenance import describe_run
from rag_qa.evaluation.retrieval_runs import retrieval_scores
from rag_qa.index import lexical
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder, Matrix
from rag_qa.retrieval.feedback import middle
from rag_qa.retrieval.fusion import Scores, mean_of_max_scaled
from rag_qa.retrieval.ranks import top
from rag_qa.retrieval.requests import without_request
from rag_qa.retrieval.searching import WEIGHTS, Retriever
from rag_qa.retrieval.typos import WORD
from rag_qa.settings import Settings

COLLECTIONS = {
    "cranfield": "classic/cranfield/documents.jsonl.gz",
    "cisi": "classic/cisi/documents.jsonl.gz",
    "scitldr": "scitldr/documents.jsonl.gz",
    "csfcube": "csfcube/documents.jsonl.gz",
    "scifact": "scifact/documents.jsonl.gz",
    "ml": "ml_abstracts/documents.jsonl.gz",
}
# Only these papers of the large collection are searched.
ML_IDS = "paper_search_corpus_small/ids.txt"
TLDRS = "ml_abstracts/tldr_queries.jsonl"


class Judged(NamedTuple):
    """The files of a set's questions, the collection that they are asked of, and whether they choose weights."""

    collection: str
    folder: str
    split: str | None = None
    chooses: bool = True


SETS = {
    "LitSearch": Judged("ml", "litsearch", "dev"),
    "AutoScholar": Judged("ml", "autoscholar", "dev"),
    "ML TL;DRs": Judged("ml", TLDRS),
    "SciFact": Judged("scifact", "scifact", "dev"),
    "SciTLDR train": Judged("scitldr", "scitldr", "train"),
    "SciTLDR dev": Judged("scitldr", "scitldr", "dev", chooses=False),
    "Cranfield": Judged("cranfield", "classic/cranfield"),
    "CISI": Judged("cisi", "classic/cisi"),
    "CSFCube": Judged("csfcube", "csfcube", chooses=False),
}
BY_EXAMPLE = "CSFCube"

NOTHING = dict.fromkeys(WEIGHTS, 0.0)
SYSTEMS = {
    "without feedback": WEIGHTS | {"dense": 1.0, "feedback": 0.0},
    "without dense": WEIGHTS | {"dense": 0.0},
    "without dense and feedback": WEIGHTS | {"dense": 0.0, "feedback": 0.0},
    "without pairs": WEIGHTS | {"pairs": 0.0},
    "without lexical": WEIGHTS | {"lexical": 0.0},
    "dense alone": NOTHING | {"dense": 1.0},
    "BM25 alone": NOTHING | {"lexical": 1.0},
}
AS_ASKED, TITLES_ONCE = "question as asked", "titles count once"
TYPO, TYPO_KEPT = "a typo in each question", "a typo, not mended"
GRID = [
    {"dense": dense, "feedback": feedback, "lexical": 1.0, "pairs": pairs}
    for dense, feedback, pairs in product((0.0, 0.5, 1.0), (0.0, 0.5, 1.0, 1.5), (0.0, 0.15, 0.3))
    if dense + feedback
]
FOLDS = 5
CONSIDERED = 300
MEASURES = ("recall@5", "recall@20", "mrr@10", "ndcg@10")
COMPARED = ("recall@20", "ndcg@10")
BEGIN, END = "<!-- components: begin -->", "<!-- components: end -->"

# A row for each question, a column for each measure.
Table = np.ndarray


class Question(NamedTuple):
    """A question (or the id of an example paper), with its judgments under the index's ids."""

    text: str
    grades: Mapping[str, int]


class Measured(NamedTuple):
    """The scores of one set: by system, and by the number of the weights in GRID."""

    systems: dict[str, Table]
    grid: list[Table]


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=1000, help="of each set at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--readme", type=Path, default=Path(__file__).parents[1] / "README.md")
    options = parser.parse_args()
    embedder = open_embedder(Settings())
    measured = {}
    for name, judged in SETS.items():
        index = opened(options.data, options.cache, judged.collection, embedder)
        questions = read_questions(name, options.data, index)
        chance = random.Random(options.seed)
        questions = chance.sample(questions, min(options.questions, len(questions)))
        measured[name] = measure(name, index, options.cache, embedder, questions)
        index.close()
        print(f"{name}: {len(questions)} questions", flush=True)
    said = describe_run()
    header = (
        f"Starter embedder in {embedder.spec.dtype}, {said['processor']}, commit {str(said['commit'])[:12]}, "
        f"{said['date'][:10]}, seed {options.seed}."
    )
    fill(options.readme, f"{header}\n\n{render(measured, cross_validated(measured, options.seed))}")


# --- collections and questions


def opened(data: Path, cache: Path, collection: str, embedder: Embedder) -> Index:
    """Return the collection's index, built first if the cache has none."""
    folder = cache / collection
    if not folder.is_dir():
        source = data / COLLECTIONS[collection]
        if collection == "ml":
            source = cache / "ml.jsonl"
            wanted = set((data / ML_IDS).read_text("utf-8").split())
            papers = read_rows(data / COLLECTIONS["ml"])
            cache.mkdir(parents=True, exist_ok=True)
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in papers if row["id"] in wanted)
            source.write_text("".join(lines), "utf-8")
        build_index([source], folder, embedder=embedder)
    return Index.open(folder)


def read_questions(name: str, data: Path, index: Index) -> list[Question]:
    """Return the questions of a set that have a relevant paper in the index, which may know it by an alias."""
    judged = SETS[name]
    if judged.folder == TLDRS:
        questions = [Question(row["text"], {row["doc"]: 1}) for row in read_rows(data / TLDRS)]
    else:
        beir = load_beir(data / judged.folder, split=judged.split)
        texts = examples(data / judged.folder) if name == BY_EXAMPLE else beir.queries
        questions = [Question(texts[query], grades) for query, grades in beir.qrels.items()]
    known = [Question(q.text, {own(index, key): grade for key, grade in q.grades.items()}) for q in questions]
    ids = set(index.lexical.paper_ids)
    return [q for q in known if any(key in ids for key, grade in q.grades.items() if grade >= 1)]


def examples(folder: Path) -> dict[str, str]:
    """Return the example paper of each question; its facet is ignored."""
    return {row["id"]: row["query_doc"] for row in read_rows(folder / "queries.jsonl")}


def own(index: Index, paper_id: str) -> str:
    return next(iter(index.resolve([paper_id])), paper_id)


# --- ranking


def measure(
    name: str, index: Index, cache: Path, embedder: Embedder, questions: Sequence[Question]
) -> Measured:
    """Return the scores of every system and of all weights of the grid."""
    retriever = Retriever(index, embedder)
    once = titles_once(index, cache / f"{SETS[name].collection}-titles-once")
    ids = index.lexical.paper_ids
    systems: dict[str, list[list[float]]] = {}
    grid: list[list[list[float]]] = [[] for _ in GRID]
    for question, variants in zip(
        questions, inputs(name, index, retriever, embedder, questions), strict=True
    ):
        places = np.arange(len(ids))
        if name == BY_EXAMPLE:
            places = np.delete(places, index.lexical.ordinals[own(index, question.text)])
        text, vector = variants["all"]
        found = retriever.components(text, vector, places)
        whole = Candidates.of(ids, places, found)
        plain = Candidates.of(ids, places, found | {"lexical": once.scores(text)[places]})
        rows = {"all": whole.ranked(WEIGHTS), TITLES_ONCE: plain.ranked(WEIGHTS)}
        for variant in (AS_ASKED, TYPO, TYPO_KEPT):
            other = whole
            if variants[variant][0] != text:
                other = Candidates.of(ids, places, retriever.components(*variants[variant], places))
            rows[variant] = other.ranked(WEIGHTS)
        rows |= {system: whole.ranked(weights) for system, weights in SYSTEMS.items()}
        for system, ranking in rows.items():
            systems.setdefault(system, []).append(scored(ranking, question))
        for scores, weights in zip(grid, GRID, strict=True):
            scores.append(scored(whole.ranked(weights), question))
    return Measured(
        {name: np.array(rows) for name, rows in systems.items()}, [np.array(rows) for rows in grid]
    )


class Candidates(NamedTuple):
    """The papers that any component ranks among its first, in the order of ids, with their scores."""

    ids: list[str]
    components: dict[str, Scores]

    @classmethod
    def of(cls, ids: Sequence[str], places: np.ndarray, components: Mapping[str, Scores]) -> "Candidates":
        first = np.unique(np.concatenate([top(scores, CONSIDERED) for scores in components.values()]))
        found = {name: scores[first] for name, scores in components.items()}
        return cls([ids[place] for place in places[first]], found)

    def ranked(self, weights: Mapping[str, float]) -> list[str]:
        """Return the first twenty papers."""
        return [self.ids[n] for n in top(mean_of_max_scaled(self.components, weights), 20)]


def scored(ranking: Sequence[str], question: Question) -> list[float]:
    scores = retrieval_scores(ranking, question.grades, recalls=(5, 20), k=20)
    return [scores[measure] for measure in MEASURES]


def inputs(
    name: str, index: Index, retriever: Retriever, embedder: Embedder, questions: Sequence[Question]
) -> list[dict[str, tuple[str, Matrix]]]:
    """Return text and vector of each question: as it is searched for, as it was asked, and misspelt."""
    if name == BY_EXAMPLE:
        papers = [index.paper(question.text) for question in questions]
        return [
            dict.fromkeys(
                ("all", AS_ASKED, TYPO, TYPO_KEPT),
                (f"{paper.title} {paper.abstract}", middle(index.passage_vectors([paper.id])[1])),
            )
            for paper in papers
        ]
    chance = random.Random(name)
    asked = [question.text for question in questions]
    misspelt = [with_typo(without_request(text), chance) for text in asked]
    variants = {
        "all": [retriever.topic(text) for text in asked],
        AS_ASKED: asked,
        TYPO: [retriever.topic(text) for text in misspelt],
        TYPO_KEPT: misspelt,
    }
    pairs = {
        variant: list(zip(texts, embedder.encode(texts, role="query"), strict=True))
        for variant, texts in variants.items()
    }
    return [{variant: found[n] for variant, found in pairs.items()} for n in range(len(questions))]


def with_typo(text: str, chance: random.Random) -> str:
    """Return a text with a slip in one of its long words: a letter left out, changed, added, or two exchanged."""
    words = list(WORD.finditer(text))
    if not words:
        return text
    word = chance.choice(words)
    n = chance.randrange(word.start() + 1, word.end() - 1)
    letter = chance.choice(string.ascii_lowercase)
    before, here, after = text[:n], text[n], text[n + 1 :]
    return chance.choice(
        [
            before + after,
            before + letter + after,
            before + letter + here + after,
            before + after[0] + here + after[1:],
        ]
    )


def titles_once(index: Index, folder: Path) -> lexical.Lexical:
    """Return BM25 of the same papers with every title in the text once."""
    if not folder.is_dir():
        folder.mkdir(parents=True)
        with patch.object(lexical, "TITLE_TIMES", 1):
            lexical.build_lexical(folder, index.papers())
    return lexical.Lexical(folder)


# --- weights and the table


def cross_validated(measured: Mapping[str, Measured], seed: int) -> dict[str, Table]:
    """Return each choosing set's scores, every question ranked with the weights that others chose."""
    chance = np.random.default_rng(seed)
    sets = {name: found for name, found in measured.items() if SETS[name].chooses}
    folds = {name: chance.permutation(len(found.grid[0])) % FOLDS for name, found in sets.items()}
    scores = {name: np.empty_like(found.grid[0]) for name, found in sets.items()}
    for fold in range(FOLDS):
        best = max(
            range(len(GRID)), key=lambda n: goodness(sets, n, {k: v != fold for k, v in folds.items()})
        )
        print(f"fold {fold} chooses {GRID[best]}")
        for name, found in sets.items():
            held_out = folds[name] == fold
            scores[name][held_out] = found.grid[best][held_out]
    return scores


def goodness(sets: Mapping[str, Measured], number: int, chosen: Mapping[str, np.ndarray]) -> float:
    """Return the mean over sets of recall@20 and nDCG@10 on the chosen questions."""
    columns = [MEASURES.index(measure) for measure in COMPARED]
    return float(
        np.mean([found.grid[number][chosen[name]][:, columns].mean() for name, found in sets.items()])
    )


def render(measured: Mapping[str, Measured], validated: Mapping[str, Table]) -> str:
    """Return the table: means of the whole, then what is lost without a component, with intervals."""
    names = list(measured)
    counts = [f"{name} ({len(measured[name].systems['all'])})" for name in names]
    rows = [f"| | | {' | '.join(counts)} |", f"|{'---|' * (len(names) + 2)}"]
    for measure in MEASURES:
        rows.append(row("all", measure, [mean(measured[name].systems["all"], measure) for name in names]))
    for measure in COMPARED:
        cells = [mean(validated[name], measure) if name in validated else "" for name in names]
        rows.append(row("all, weights cross-validated", measure, cells))
    for system, measure in product([AS_ASKED, TITLES_ONCE, TYPO, TYPO_KEPT, *SYSTEMS], COMPARED):
        cells = [
            lost(measured[name].systems["all"], measured[name].systems[system], measure) for name in names
        ]
        rows.append(row(system, measure, cells))
    return "\n".join(rows)


def row(system: str, measure: str, cells: Sequence[str]) -> str:
    return f"| {system} | {measure} | {' | '.join(cells)} |"


def mean(scores: Table, measure: str) -> str:
    return shown(scores[:, MEASURES.index(measure)].mean())


def lost(whole: Table, part: Table, measure: str) -> str:
    """Return the difference of a part to the whole, in bold if its interval leaves out 0."""
    column = MEASURES.index(measure)
    if (whole == part).all():
        return "same"
    interval = paired_interval(whole[:, column], part[:, column])
    text = f"{shown(interval.difference)} [{shown(interval.low)}, {shown(interval.high)}]"
    return f"**{text}**" if interval.significant else text


def shown(value: float) -> str:
    """Return three digits without a leading zero."""
    return f"{value:.3f}".replace("0.", ".", 1).replace("-.000", ".000")


def fill(readme: Path, table: str) -> None:
    """Put the table between the README's two marks."""
    before, begin, rest = readme.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{readme} lacks the marks {BEGIN} and {END}; put them around the table")
    readme.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
