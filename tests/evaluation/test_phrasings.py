"""Phrasings: what counts as understood, and how a set is read."""

import json

import pytest

from rag_qa.errors import EvaluationError, QuestionError
from rag_qa.evaluation.phrasings import is_phrasing_set, kind_of, load_phrasings, run_phrasings
from rag_qa.types import Filter, Query

HEADER = 'name = "asked"\ndescription = ""\ncorpus = "sample"\n'
PASSING = {"Gemp": {"game", "unloaded"}, "Ian Gemp": {"game", "unloaded"}, "Cook": {"soup"}}


@pytest.fixture
def phrasings(tmp_path):
    """Write phrasings as the development half of a set, and return its folder."""

    def write(*rows):
        (tmp_path / "set.toml").write_text(HEADER)
        lines = [
            json.dumps({"id": f"p{n}", "text": "asked", "kind": "fact"} | row) for n, row in enumerate(rows)
        ]
        (tmp_path / "dev.jsonl").write_text("\n".join(lines))
        return tmp_path

    return write


class Reader:
    """Understands every question as one query, or declines it; an author's papers are those of PASSING."""

    def __init__(self, query=None):
        self.query = query

    def understand(self, question, /, *, history=()):
        if self.query is None:
            raise QuestionError("no paper has that position")
        return self.query

    def passing(self, filter, /):
        return frozenset(PASSING[filter.authors[0]] if filter.authors else {"game", "unloaded", "soup"})


def scored(folder, **query):
    """The scores of the one phrasing of a set that is understood as given."""
    reader = Reader(Query(**{"text": "asked", "topic": "asked"} | query))
    return run_phrasings(reader, load_phrasings(folder)).per_query[0]["scores"]


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ({"kind": "which", "counts": True}, "count"),
        ({"kind": "metadata", "wanted": ("year",)}, "metadata"),
        ({"kind": "number"}, "fact"),
        ({"kind": "which"}, "which"),
        ({"kind": "yesno"}, "yesno"),
    ],
)
def test_counting_and_metadata_are_kinds(query, kind):
    """A query that counts or wants metadata is of that kind, and one for a number is on facts."""
    assert kind_of(Query(text="q", topic="q", **query)) == kind


def test_filters_are_the_same_where_the_same_papers_pass(phrasings):
    """An author's name may be spelt otherwise as long as the papers are the same."""
    folder = phrasings({"kind": "which", "authors": ["Gemp"]})
    assert scored(folder, kind="which", filter=Filter(authors=("Ian Gemp",)))["understood"] == 1
    wrong = scored(folder, kind="which", filter=Filter(authors=("Cook",)))
    assert (wrong["filter"], wrong["kind"], wrong["understood"]) == (0, 1, 0)


def test_a_fact_may_be_taken_for_a_comparison_but_not_the_reverse(phrasings):
    """Kinds answered from what abstracts say pass for a fact."""
    assert scored(phrasings({"kind": "fact"}), kind="comparison")["understood"] == 1
    assert scored(phrasings({"kind": "comparison"}), kind="fact")["kind"] == 0


def test_all_metadata_wanted_must_be_read(phrasings):
    """The fields wanted are the same, in any order."""
    folder = phrasings({"kind": "metadata", "wanted": ["venue", "authors"]})
    assert scored(folder, kind="metadata", wanted=("authors", "venue"))["wanted"] == 1
    assert scored(folder, kind="metadata", wanted=("authors",))["wanted"] == 0


def test_an_author_whom_the_index_lacks_is_an_error(phrasings):
    """A phrasing that names foreign authors is understood if nothing can be meant, and no other is."""
    folder = phrasings({"kind": "which", "foreign": ["Turing"]})
    assert scored(folder, kind="which", nothing="no such author")["understood"] == 1
    assert scored(folder, kind="which")["foreign"] == 0
    assert scored(phrasings({"kind": "which"}), kind="which", nothing="no such author")["understood"] == 0


def test_words_of_the_topic_must_still_be_searched(phrasings):
    """A word of the topic that is lost is a fault."""
    folder = phrasings({"kind": "which", "topic": ["Onion", "soup"]})
    assert scored(folder, kind="which", topic="onion soup")["topic"] == 1
    assert scored(folder, kind="which", topic="soup")["topic"] == 0


def test_a_declined_question_is_not_understood(phrasings):
    """A QuestionError counts as not understood, and the row says why."""
    report = run_phrasings(Reader(), load_phrasings(phrasings({})))
    assert report.per_query[0]["problem"] == "no paper has that position"
    assert report.scores["understood"] == 0


def test_scores_are_given_by_kind(phrasings):
    """`understood` is reported in total and by the kind that the writer meant; progress counts the phrasings."""
    seen = []
    judged = load_phrasings(phrasings({"kind": "fact"}, {"kind": "which"}))
    reader = Reader(Query(text="asked", topic="asked"))
    report = run_phrasings(reader, judged, progress=lambda done, total: seen.append((done, total)))
    scores = {name: report.scores[name] for name in ("understood", "understood/fact", "understood/which")}
    assert scores == {"understood": 0.5, "understood/fact": 1, "understood/which": 0}
    assert seen == [(1, 2), (2, 2)]


def test_a_folder_is_known_by_its_splits(phrasings, tmp_path):
    """A folder with dev.jsonl is a set of phrasings."""
    assert not is_phrasing_set(tmp_path)
    assert is_phrasing_set(phrasings({}))


def test_faults_of_a_set_name_file_and_cure(phrasings):
    """A line that is no phrasing and a split that is not there are errors that name file and line."""
    folder = phrasings({"kind": "riddle"})
    with pytest.raises(EvaluationError, match=r"dev\.jsonl"):
        load_phrasings(folder)
    with pytest.raises(EvaluationError, match="--split"):
        load_phrasings(folder, split="heldout")
