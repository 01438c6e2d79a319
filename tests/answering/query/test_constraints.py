"""What is read out of questions about the collection."""

import pytest

from rag_qa import Filter, Paper
from rag_qa.answering.query.constraints import understand
from rag_qa.index.facets import Facets, build_facets

PAPERS = [
    Paper(id="a", abstract="A.", authors=("Ian Gemp", "Brian McWilliams"), venue="NeurIPS 2020", year=2020),
    Paper(id="b", abstract="B.", authors=("Daniela Rus",), venue="ICRA", year=2019),
    Paper(id="c", abstract="C.", authors=("Ada de la Cruz",), venue="International Conference on Soups"),
]


@pytest.fixture(scope="module")
def facets(tmp_path_factory):
    """The facets of three papers."""
    folder = tmp_path_factory.mktemp("facets")
    build_facets(folder, PAPERS)
    return Facets(folder)


@pytest.mark.parametrize(
    ("question", "fields", "topic"),
    [
        ("which papers by Ian Gemp?", {"authors": ("Ian Gemp",)}, ""),
        ("papers by ian gemp", {"authors": ("ian gemp",)}, ""),
        ("papers by Gemp and McWilliams", {"authors": ("Gemp", "McWilliams")}, ""),
        (
            "list papers written by D. Rus et al. about robots",
            {"authors": ("D. Rus",)},
            "list papers about robots",
        ),
        ("what has Daniela Rus published?", {"authors": ("Daniela Rus",)}, ""),
        ("Daniela Rus's papers on soft robots", {"authors": ("Daniela Rus",)}, "on soft robots"),
        ("anything by Ada de la Cruz?", {"authors": ("Ada de la Cruz",)}, ""),
        ("papers by Geoffrey Hinton", {"authors": ("Geoffrey Hinton",)}, ""),
        ("papers from 2023 about soup", {"since": 2023, "until": 2023}, "papers about soup"),
        ("which papers since 2019 use games?", {"since": 2019}, "which papers use games?"),
        ("papers after 2019 on games", {"since": 2020}, "papers on games"),
        ("papers before 2019 on games", {"until": 2018}, "papers on games"),
        (
            "papers published between 2018 and 2020 on games",
            {"since": 2018, "until": 2020},
            "papers on games",
        ),
        (
            "which papers discuss games in 2020?",
            {"since": 2020, "until": 2020},
            "which papers discuss games?",
        ),
        (
            "which NeurIPS 2020 papers study games?",
            {"venues": ("NeurIPS",), "since": 2020, "until": 2020},
            "which papers study games?",
        ),
        (
            "papers at the International Conference on Soups",
            {"venues": ("International Conference on Soups",)},
            "",
        ),
        (
            "which works by Daniela Rus at ICRA in 2019 are about hands?",
            {"authors": ("Daniela Rus",), "venues": ("ICRA",), "since": 2019, "until": 2019},
            "which works are about hands?",
        ),
    ],
)
def test_restrictions_are_read_and_taken_out(facets, question, fields, topic):
    """A restriction is a filter, and what is left is the topic, empty where nothing is."""
    understood = understand(question, facets)
    assert (understood.filter, understood.topic, understood.counts) == (Filter(**fields), topic, False)


@pytest.mark.parametrize(
    ("question", "fields", "topic"),
    [
        ("how many papers mention eigenvectors?", {}, "eigenvectors"),
        ("How many papers are there?", {}, ""),
        ("how many papers are about 'soft robots'?", {}, "soft robots"),
        ("how many ICRA papers discuss hands?", {"venues": ("ICRA",)}, "hands"),
        ("how many papers by Ian Gemp since 2019?", {"authors": ("Ian Gemp",), "since": 2019}, ""),
    ],
)
def test_counts_are_understood(facets, question, fields, topic):
    """A question for a number of papers is one, with what the papers mention and its restrictions."""
    understood = understand(question, facets)
    assert (understood.filter, understood.topic, understood.counts) == (Filter(**fields), topic, True)


@pytest.mark.parametrize(
    "question",
    [
        "which papers discuss eigendecomposition as a game?",
        "which papers learn by example?",
        "how many papers did the authors analyse?",
        "how many players has the game?",
        "what did the authors find in 2019?",
        "in which paper is attention linear?",
        "how is the model trained from 2020 images?",
        "which papers are motivated by deep learning?",
        "",
        "by",
    ],
)
def test_other_questions_are_left_alone(facets, question):
    """A question about what papers say has no restriction in it."""
    assert understand(question, facets) is None


def test_what_was_understood_is_told(facets):
    """The user sees the restriction, the topic and that papers are counted."""
    assert understand("papers by Ian Gemp", facets).text == "papers by Ian Gemp"
    told = understand("how many papers from 2020 mention games?", facets).text
    assert told == "the number of papers from 2020 that mention “games”"
