"""Whether a question looks back, as learned."""

import contextlib

import numpy as np
import pytest

from rag_qa import build_index
from rag_qa.answering.classifier import load_classifier
from rag_qa.answering.query.kinds import kind_of
from rag_qa.answering.query.looking_back import FILE, LOOKS, features, look_of
from rag_qa.index.reader import Index
from rag_qa.testing import HashingEmbedder
from rag_qa.types import Paper

BERRIES = Paper(
    id="berries",
    title="Ripening of berries",
    abstract="Berries ripen sooner in warm soil. Sugar rises by a third.",
)
FORMER = "how do berries ripen?"


def look(question, papers=(BERRIES,)):
    """How a question looks back, by its words alone."""
    return look_of(question, FORMER, papers, kind_of(question, None), None, None)


@pytest.mark.parametrize("question", ["does it raise the sugar?", "why?", "what do they say about soil?"])
def test_a_pronoun_without_a_topic_means_the_papers_shown(question):
    """What has no topic but theirs is about the papers shown."""
    assert look(question) == "shown"


@pytest.mark.parametrize(
    "question",
    [
        "how are bridges protected from wind, and do they need dampers?",
        "which papers study sleep in birds?",
        "what causes drought in alpine valleys?",
    ],
)
def test_a_whole_question_on_something_else_stands_alone(question):
    """A question with a topic of its own stands alone, even if pronouns follow."""
    assert look(question) == "alone"


@pytest.mark.parametrize(
    ("question", "looks"),
    [("only those from 2017", "narrows"), ("leave out everything before 2020", "drops")],
)
def test_a_list_is_narrowed_by_what_is_kept_or_dropped(question, looks):
    """Keeping and dropping some of the papers shown are distinguished."""
    assert look(question, (BERRIES, BERRIES)) == looks


def test_coefficients_fit_the_features(tmp_path):
    """There is a coefficient for each feature and look; likeness is among them only with embedder and index."""
    (tmp_path / "papers.jsonl").write_text(BERRIES.model_dump_json(include={"id", "title", "abstract"}))
    build_index([tmp_path / "papers.jsonl"], tmp_path / "index", embedder=HashingEmbedder())
    classifier, kind = load_classifier(FILE), kind_of("why?", None)
    with contextlib.closing(Index.open(tmp_path / "index")) as index:
        for name, embedder in (("words", None), ("both", HashingEmbedder())):
            found = features("why?", FORMER, (BERRIES,), kind, classifier.vocabulary, embedder, index)
            assert classifier.weights[name].shape == (len(LOOKS), len(found) + 1)
            assert np.isfinite(found).all()


def test_another_embedder_leaves_likeness_out():
    """With an embedder that the coefficients were not fitted for, words decide."""
    asked = ("why?", FORMER, (BERRIES,), kind_of("why?", None))
    assert look_of(*asked, HashingEmbedder(), None) == look_of(*asked, None, None)
