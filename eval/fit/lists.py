"""Fit which papers meet a request for papers, with what a language model says of each; print TOML.

    python eval/fit/lists.py SHARED_DATA_FOLDER

Fits the probe `matched` (see eval/fit/probes.py) of the prompt `match`, and writes it; then the logistic regressions
`matched_paper` and `matched_list` of rag_qa/answering/evidence/relevance.toml. Paste the blocks there. The requests are
those of eval/sets/lists/dev, over 500 abstracts of four fields, of eval/sets/dev/ml, over 80, and of
eval/sets/lists/groups, over 90 abstracts each; among them near ones: about the same things as some paper, but met by
none. The language model reads the papers that it would read for an answer. The figures printed are of requests left
out: of the probe in ten folds, of `matched_paper` one by one; `matched_list` is fitted on what these say of all.

Takes about 50 minutes on two cores the first time (2 to 3 s a paper; states are kept).
Check afterwards: `rag-qa eval --check seeds_writer seeds_heldout_writer`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]
from sklearn.model_selection import KFold  # type: ignore[import-untyped]

from eval.fit.relevance import index_lists, index_papers, read_lists, read_questions
from eval.logistic import as_toml, fit_logistic, fit_states
from eval.programs import parser_for, read_rows
from rag_qa.answering.evidence.relevance import assess, worth_reading
from rag_qa.answering.evidence.scoring import as_evidence, score_sentences
from rag_qa.answering.logistic import log_odds, sigmoid
from rag_qa.answering.pipeline import MATCH_SENTENCES, SEARCHED
from rag_qa.answering.query.parse import parse
from rag_qa.answering.writing.probe import FILE, MATCHED, Probe, save_probes, texts_of
from rag_qa.answering.writing.prompt import load_prompt
from rag_qa.answering.writing.writer import Writer
from rag_qa.backends.embedding import open_embedder
from rag_qa.backends.llama import open_generator
from rag_qa.evaluation.caching import CachedGenerator
from rag_qa.evaluation.corpora import select_papers
from rag_qa.index.builder import build_index
from rag_qa.index.reader import Index
from rag_qa.protocols import Embedder
from rag_qa.retrieval.searching import Retriever
from rag_qa.settings import Settings
from rag_qa.text.words import question_terms

PROMPT = "match"
LAYER, STRENGTH, FOLDS = 18, 1e-3, 10
GROUPS = Path(__file__).parents[1] / "sets" / "lists" / "groups"
SOURCES = ("ml_abstracts/documents.jsonl.gz", "scifact/documents.jsonl.gz", "csfcube/documents.jsonl.gz")
FEATURES = ("found", "matched")
# Papers are listed from this probability on. Lower values list more that is only near over 2,000 abstracts (8 requests:
# precision .65 from .15 on, .75 from .2 on, .81 from .25 on).
LISTED_FROM = 0.2
# A request is answered if it is likelier to be met than not.
ANSWERED_FROM = 0.5


class Request(NamedTuple):
    """The papers that the model read: log odds by search, shape (papers,), the model's states, shape (papers, e), gold.

    `maybe` are those that count neither way, `name` is that of its set, `wanted` is the number of gold papers in the
    index, 0 for a near request. `features`, shape (papers, 2), are the log odds by search and by a probe of others.
    """

    name: str
    found: NDArray[np.float64]
    states: NDArray[np.float32]
    gold: NDArray[np.bool_]
    maybe: NDArray[np.bool_]
    wanted: int
    features: NDArray[np.float64] = np.empty((0, 2))


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("data", type=Path)
    data: Path = parser.parse_args().data
    settings = Settings(style="synthesis", model="Qwen2.5-Coder-1.5B-Instruct")
    embedder = open_embedder(settings)
    generator = CachedGenerator(open_generator(settings), user_cache_path("rag_qa") / "generations")
    writer = Writer(generator, load_prompt("answer"), settings, reads=True)
    with TemporaryDirectory() as work:
        requests = _with_features(list(_requests(data, Path(work), writer, generator, embedder)))
    found = [_probabilities([r for r in requests if r is not own], own) for own in requests]
    met = np.array([request.wanted > 0 for request in requests])
    best = np.array([probability.max() for probability in found])
    odds = np.array([[log_odds(probability)] for probability in best])
    whole = fit_logistic(odds, met)
    sure = whole.predict_proba(odds)[:, 1]
    pairs = (
        np.concatenate(found),
        *(np.concatenate([getattr(r, name) for r in requests]) for name in ("gold", "maybe")),
    )
    by_search, by_probe = np.concatenate([r.features for r in requests]).T
    for name in dict.fromkeys(request.name for request in requests):
        chosen = [n for n, request in enumerate(requests) if request.name == name]
        precision, recall = list_scores(
            [requests[n] for n in chosen], [found[n] for n in chosen], LISTED_FROM
        )
        print(f"# {name}: {len(chosen)} requests, listed: precision {precision:.3f} at recall {recall:.3f}")
    print(
        f"# {met.sum()} requests met, {(~met).sum()} near, each left out. Papers: area under ROC "
        f"{_area(*pairs):.3f} (by search alone {_area(by_search, *pairs[1:]):.3f}, by the probe alone "
        f"{_area(by_probe, *pairs[1:]):.3f}). Requests: area under ROC "
        f"{roc_auc_score(met, best):.3f}, met refused {(sure[met] < ANSWERED_FROM).mean():.3f}, near "
        f"answered {(sure[~met] >= ANSWERED_FROM).mean():.3f}"
    )
    model = _model(requests)
    lines = as_toml("matched_paper", FEATURES, model.coef_[0], model.intercept_[0], LISTED_FROM)
    lines += ["", *as_toml("matched_list", ("best",), whole.coef_[0], whole.intercept_[0], ANSWERED_FROM)]
    print("\n".join(lines))
    known = (PROMPT, texts_of(writer.prompts, PROMPT), generator.spec.sha256)
    save_probes(FILE, Probe(MATCHED, *known, LAYER, *_fit(requests)))


def list_scores(
    requests: Sequence[Request], found: Sequence[NDArray[np.float64]], threshold: float
) -> tuple[float, float]:
    """Return the mean precision and recall of the papers listed for the requests that some paper meets."""
    scores = []
    for request, probability in zip(requests, found, strict=True):
        if request.wanted:
            kept = (probability >= min(threshold, probability.max())) & ~request.maybe
            right = (kept & request.gold).sum()
            scores.append((right / max(1, kept.sum()), right / request.wanted))
    precision, recall = np.mean(scores, axis=0)
    return float(precision), float(recall)


def _area(scores: NDArray[np.float64], gold: NDArray[np.bool_], maybe: NDArray[np.bool_]) -> float:
    return float(roc_auc_score(gold[~maybe], scores[~maybe]))


def _fit(requests: Sequence[Request]) -> tuple[NDArray[np.float32], float]:
    """Return the coefficients and the intercept of a probe."""
    states = np.concatenate([r.states[~r.maybe] for r in requests])
    return fit_states(states, np.concatenate([r.gold[~r.maybe] for r in requests]), strength=STRENGTH)


def _with_features(requests: Sequence[Request]) -> list[Request]:
    """Return the requests with features by probes that have not seen them, in the same order."""
    whole = list(requests)
    for others, own in KFold(FOLDS, shuffle=True, random_state=0).split(whole):
        weights, intercept = _fit([requests[n] for n in others])
        for n in own:
            # Bounded as what the model says is bounded.
            inside = [log_odds(sigmoid(odds)) for odds in requests[n].states @ weights + intercept]
            whole[n] = requests[n]._replace(features=np.c_[requests[n].found, inside])
    return whole


def _model(requests: Sequence[Request]) -> Any:
    used = np.concatenate([r.features[~r.maybe] for r in requests])
    return fit_logistic(used, np.concatenate([r.gold[~r.maybe] for r in requests]))


def _probabilities(others: Sequence[Request], own: Request) -> NDArray[np.float64]:
    probabilities: NDArray[np.float64] = _model(others).predict_proba(own.features)[:, 1]
    return probabilities


def _requests(
    data: Path, work: Path, writer: Writer, generator: CachedGenerator, embedder: Embedder
) -> Iterator[Request]:
    """Yield the requests that are read as requests for papers on a topic, with their first papers."""
    sources = {
        "lists": (index_lists(data, work, embedder), read_lists()),
        "ml": (index_papers(data, "ml", work, embedder), read_questions("ml")),
    }
    for folder in sorted(path.parent for path in GROUPS.glob("*/ids.txt")):
        papers = [data / source for source in SOURCES]
        source = select_papers(papers, folder / "ids.txt", work / f"{folder.name}.jsonl")
        build_index([source], work / folder.name, embedder=embedder)
        sources[folder.name] = (Index.open(work / folder.name), read_rows(folder / "requests.jsonl"))
    for name, (index, rows) in sources.items():
        for row in rows:
            query = parse(row["text"], facets=index.facets, literal=True, embedder=embedder)
            if row["kind"] in ("which", "near") and query.kind == "which" and not query.counts:
                yield _examine(name, index, row, writer, generator, embedder)
        index.close()


def _examine(
    name: str,
    index: Index,
    row: Mapping[str, Any],
    writer: Writer,
    generator: CachedGenerator,
    embedder: Embedder,
) -> Request:
    text = row["text"]
    hits = Retriever(index, embedder).search(text, SEARCHED)
    papers, terms = [hit.paper for hit in hits], question_terms(text)
    weights = index.term_weights(terms)
    scored = score_sentences(text, terms, papers, weights, embedder)
    assessed = worth_reading(assess(hits, scored, terms, weights))
    titles = {paper.id: paper.title for paper in papers}
    states = []
    for paper in assessed:
        reading = writer.read(text, as_evidence(paper.sentences[:MATCH_SENTENCES]), titles)
        assert reading is not None, "a paper has sentences"
        prompt = writer.prompts.fill(PROMPT, reading.text, question=text)
        states.append(generator.hidden_state(prompt, layer=LAYER))
    return Request(
        name,
        np.array([log_odds(paper.probability) for paper in assessed]),
        np.array(states),
        np.array([paper.paper_id in row["gold"] for paper in assessed]),
        np.array([paper.paper_id in row.get("maybe", ()) for paper in assessed]),
        len(row["gold"]),
    )


if __name__ == "__main__":
    main()
