"""Fit whether papers meet a request for papers, with what a language model says of them; print TOML.

    python eval/fit/lists.py SHARED_DATA_FOLDER

Fits the logistic regression `read_list` of rag_qa/answering/evidence/relevance.toml. Paste the block there. The
requests are those of eval/sets/dev and eval/sets/lists/dev, among them the near ones: about the same things as some
paper, but met by none. Each is read and then refused, since no list reaches a confidence of 1, and its clues are what
is fitted on. The figures printed are leave-one-out: each request is judged by a model of all others.

Takes about 20 minutes on two cores the first time (8 s a request; what the model said is kept).
Check afterwards: `rag-qa eval --check seeds_writer fields_dev`.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from platformdirs import user_cache_path
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

from eval.fit.relevance import SETS, index_lists, index_papers, read_lists, read_questions
from eval.logistic import as_toml, fit_logistic, leave_one_out
from eval.programs import parser_for
from rag_qa.answering.assistant import Assistant
from rag_qa.backends.embedding import open_embedder
from rag_qa.backends.llama import open_generator
from rag_qa.evaluation.caching import CachedGenerator
from rag_qa.protocols import Embedder, Generator
from rag_qa.settings import Settings

FEATURES = ("listed", "stated")
# The share of requests that some paper meets that may be refused.
REFUSED = 0.05


class Request(NamedTuple):
    """What a request was decided by, and whether some paper meets it."""

    kind: str
    clues: list[float]

    @property
    def met(self) -> bool:
        return self.kind == "which"


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("data", type=Path)
    data: Path = parser.parse_args().data
    settings = Settings(style="synthesis", model="Qwen2.5-Coder-1.5B-Instruct", min_relevance=1.0)
    embedder = open_embedder(settings)
    generator = CachedGenerator(open_generator(settings), user_cache_path("rag_qa") / "generations")
    with TemporaryDirectory() as work:
        requests = list(_requests(data, Path(work), settings, embedder, generator))
    x, y = np.array([r.clues for r in requests]), np.array([r.met for r in requests])
    probability, listed = leave_one_out(x, y), x[:, 0]
    threshold = float(np.quantile(probability[y], REFUSED, method="lower"))
    print(
        f"# read_list: {y.sum()} requests met, {(~y).sum()} near, of others left out: area under ROC "
        f"{roc_auc_score(y, probability):.3f} (by search alone {roc_auc_score(y, listed):.3f}), met refused "
        f"{(probability[y] < threshold).mean():.3f}, near answered {(probability[~y] >= threshold).mean():.3f} (by "
        f"search alone, as many refused, {(listed[~y] >= np.quantile(listed[y], REFUSED, method='lower')).mean():.3f})"
    )
    model = fit_logistic(x, y)
    print("\n".join(as_toml("read_list", FEATURES, model.coef_[0], model.intercept_[0], threshold)))


def _requests(
    data: Path, work: Path, settings: Settings, embedder: Embedder, generator: Generator
) -> Iterator[Request]:
    """Ask each request of the sets, and yield those that were read as requests for papers on a topic."""
    for name in (*SETS, "lists"):
        if name == "lists":
            index, rows = index_lists(data, work, embedder), read_lists()
        else:
            index, rows = index_papers(data, name, work, embedder), read_questions(name)
        index.close()
        with Assistant.open(
            work / name, embedder=embedder, generator=generator, settings=settings
        ) as assistant:
            for text, kind in ((row["text"], row["kind"]) for row in rows):
                if kind in ("which", "near") and assistant.understand(text, literal=True).kind == "which":
                    clues = assistant.ask(text, literal=True).provenance["clues"]
                    if set(FEATURES) <= clues.keys():
                        yield Request(kind, [clues[feature] for feature in FEATURES])


if __name__ == "__main__":
    main()
