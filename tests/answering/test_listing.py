"""Answers from what the index knows of its papers: lists, counts, filters and explanations."""

import json

import pytest

from rag_qa import Assistant, Filter, Settings, build_index
from rag_qa.answering.listing import _same_word
from rag_qa.backends.locating import STARTER
from rag_qa.errors import FilterError
from rag_qa.testing import HashingEmbedder

PAPERS = [
    {
        "id": "games",
        "title": "Eigenvectors as a game",
        "abstract": "We begin softly. Eigenvectors are players in a game. Each player owns one vector.",
        "authors": ["Ian Gemp"],
        "year": 2020,
        "venue": "ICLR",
    },
    {
        "id": "soup",
        "title": "On onion soup",
        "abstract": "Salt the water before the onions go in. Onion soup needs stock and no game.",
        "authors": ["Ada Cook", "Ian Gemp"],
        "year": 2021,
    },
    {
        "id": "bees",
        "title": "Dances of bees",
        "abstract": "A bee tells the others by a dance where flowers stand. The games of bees are dances.",
        "authors": ["Karl Frisch"],
        "year": 2019,
    },
]


@pytest.fixture(scope="module")
def assistant(tmp_path_factory):
    """An assistant over three papers, which answers in quotes."""
    root = tmp_path_factory.mktemp("listing")
    (root / "papers.jsonl").write_text("\n".join(map(json.dumps, PAPERS)))
    build_index([root / "papers.jsonl"], root / "index", embedder=HashingEmbedder())
    with Assistant.open(
        root / "index", settings=Settings(model=STARTER, style="quote"), embedder=HashingEmbedder()
    ) as opened:
        yield opened


def cited(answer):
    return [paper.id for paper in answer.papers]


def test_papers_of_an_author_are_listed_newest_first(assistant):
    """Papers asked for by author alone are all given, the newest first, each with the sentence nearest its title."""
    answer = assistant.ask("which papers by I. Gemp?")
    assert cited(answer) == ["soup", "games"]
    assert answer.query.understood_as == "papers by Ian Gemp"
    assert [s.text for s in answer.sentences] == [
        "Onion soup needs stock and no game.",
        "Eigenvectors are players in a game.",
    ]


def test_a_topic_is_searched_among_the_papers_meant(assistant):
    """A question with a restriction and a topic gives relevant papers that pass."""
    assert cited(assistant.ask("which papers by Ian Gemp speak of onion soup and water?")) == ["soup"]


@pytest.mark.parametrize(
    ("question", "told", "papers"),
    [
        ("how many papers are there?", "The index holds 3 papers.", ["soup", "games", "bees"]),
        (
            "how many papers mention games?",
            "3 of 3 papers in the index mention “games”.",
            ["soup", "games", "bees"],
        ),
        (
            "how many papers mention 'onion soup'?",
            "1 of 3 papers in the index mention “onion soup”.",
            ["soup"],
        ),
        (
            "how many papers mention 'onion soup' or dinosaurs?",
            "1 of 3 papers in the index mention “onion soup” or “dinosaurs”.",
            ["soup"],
        ),
        (
            "how many papers by Ian Gemp since 2021 mention water?",
            "1 of 3 papers in the index are by Ian Gemp, since 2021 and mention “water”.",
            ["soup"],
        ),
    ],
)
def test_papers_are_counted(assistant, question, told, papers):
    """A count comes first, of words next to each other in any inflection, and then quotes from those counted."""
    answer = assistant.ask(question)
    assert (answer.sentences[0].text, answer.sentences[0].kind) == (told, "metadata")
    assert cited(answer) == papers
    assert all(sentence.kind == "quote" for sentence in answer.sentences[1:])


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("papers by Geoffrey Hinton", "no paper in the index has the author 'Geoffrey Hinton'"),
        ("how many papers mention dinosaurs?", "no paper mentions “dinosaurs”"),
        ("how many papers mention C# or C++?", "no paper mentions “C#” or “C++”"),
        ("papers from 1999", "its papers are from 2019 to 2021"),
    ],
)
def test_a_restriction_that_no_paper_passes_is_the_reason(assistant, question, reason):
    """A restriction of the question that no paper passes is an answer that says so, not an error."""
    answer = assistant.ask(question)
    assert answer.abstained
    assert reason in answer.reason


def test_a_restriction_that_no_paper_passes_is_dropped(assistant):
    """If no paper passes the restriction of a question, its topic is searched among all papers, and that is shown."""
    answer = assistant.ask("papers from 1999 about soup")
    assert cited(answer)[0] == "soup"
    assert "of any paper: none is from 1999" in answer.query.understood_as


@pytest.mark.parametrize("style", ["at the end", "spoken of"])
def test_a_year_of_the_topic_is_no_restriction(style, tmp_path):
    """Papers of any year are listed if none of the year meets the request, or if another names the year."""
    drought = {"id": "drought", "title": "A dry summer", "year": 2011}
    when = "in 2003" if style == "spoken of" else "on a farm"
    drought["abstract"] = f"We measure how rainfall fell {when}."
    pumps = {
        "id": "pumps",
        "title": "Pumps",
        "year": 2003,
        "abstract": "We measure how rainfall fell on pumps.",
    }
    other = pumps if style == "spoken of" else pumps | {"abstract": "Diesel pumps use fuel at night."}
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, (drought, other))))
    build_index([tmp_path / "papers.jsonl"], tmp_path / "index", embedder=HashingEmbedder())
    settings = Settings(model=STARTER, style="quote")
    with Assistant.open(tmp_path / "index", settings=settings, embedder=HashingEmbedder()) as assistant:
        answer = assistant.ask("which papers measure how rainfall fell in 2003?")
        firm = assistant.ask("which papers from 2003 measure how rainfall fell?")
    assert "drought" in cited(answer)
    assert "papers of any year" in answer.query.understood_as
    assert "drought" not in cited(firm)


def test_a_year_of_the_topic_is_counted_with_it(tmp_path):
    """A count takes a year as part of the topic if papers mention it so, else as the year of the papers."""
    drought = {"id": "drought", "title": "Dry", "year": 2011, "abstract": "Rainfall in 2003 was low."}
    pumps = {"id": "pumps", "title": "Pumps", "year": 2003, "abstract": "Pumps raise water."}
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, (drought, pumps))))
    build_index([tmp_path / "papers.jsonl"], tmp_path / "index", embedder=HashingEmbedder())
    settings = Settings(model=STARTER, style="quote")
    with Assistant.open(tmp_path / "index", settings=settings, embedder=HashingEmbedder()) as assistant:
        of_topic = assistant.ask("how many papers measure rainfall in 2003?")
        of_papers = assistant.ask("how many papers discuss pumps in 2003?")
    assert "mention “rainfall 2003”" in of_topic.text
    assert "of any year" in of_topic.query.understood_as
    assert "are from 2003 and mention “pumps”" in of_papers.text


def test_a_filter_restricts_search_and_answers(assistant):
    """A filter holds for search and ask; with that of the question, papers pass both."""
    wanted = Filter(since=2020)
    assert {hit.paper.id for hit in assistant.search("a game", filter=wanted)} == {"games", "soup"}
    assert cited(assistant.ask("which papers by Ian Gemp?", filter=Filter(until=2020))) == ["games"]
    assert assistant.ask("papers by Karl Frisch", filter=wanted).abstained
    assert (assistant.count(wanted), assistant.count()) == (2, 3)
    with pytest.raises(FilterError, match="nearest"):
        assistant.ask("what is a game?", filter=Filter(authors=("Ina Gemp",)))


def test_a_literal_question_is_taken_as_it_stands(assistant):
    """With `literal` no restriction is read."""
    assert assistant.ask("which papers by Ian Gemp?", literal=True).query.understood_as is None


def test_search_explains_itself(assistant):
    """An explanation names the words of the query that a paper holds, and its nearest sentence."""
    hits = assistant.search("players of a game")
    (first, *_) = assistant.explain("players of a game", hits)
    assert (first.paper_id, first.words) == ("games", ("players", "game"))
    assert first.sentence == "Eigenvectors are players in a game."
    assert len(assistant.explain("players of a game", hits)) == len(hits)


def test_a_mention_is_of_the_word_and_not_of_its_stem(assistant):
    """Singular and plural are one word; other words of the same stem are no mention."""
    assert cited(assistant.ask("how many papers mention dance?")) == ["bees"]
    assert assistant.ask("how many papers mention salting?").abstained


def test_a_number_of_things_is_no_count_of_papers(assistant):
    """If no paper would be counted and the question has no word for papers, it asks what a paper says."""
    counted = assistant.ask("how many mention players?")
    things = assistant.ask("how many languages are covered by the soup?")
    papers = assistant.ask("how many papers are on languages covered by the soup?")
    assert counted.query.counts
    assert (things.query.counts, things.query.kind) == (False, "number")
    assert papers.query.counts
    assert "no paper mentions" in papers.reason


def test_a_count_stands_alone(assistant):
    """A question for a number of papers is no follow-up: it counts all of them, not those shown before."""
    before = assistant.ask("which papers by Karl Frisch?")
    assert cited(before) == ["bees"]
    counted = assistant.ask("how many papers mention games?", history=[before])
    assert counted.sentences[0].text == "3 of 3 papers in the index mention “games”."
    assert counted.query.text == "how many papers mention games?"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("game", "games", True),
        ("policies", "policy", True),
        ("loss", "losses", True),
        ("database", "databases", True),
        ("transformer", "transformation", False),
        ("dance", "dancing", False),
        ("a", "ab", False),
    ],
)
def test_a_plural_is_the_same_word(one, other, same):
    """A word and its plural are one, whichever is asked for; no other ending is taken off."""
    assert _same_word(one, other) is _same_word(other, one) is same


def test_papers_set_side_by_side_are_quoted_each(assistant):
    """A follow-up that asks for nothing but its papers gets the sentence of each that says most of its title."""
    listed = assistant.ask("which papers by Ian Gemp?")
    answer = assistant.ask("compare the first with the second", history=[listed])
    assert sorted(cited(answer)) == ["games", "soup"]
    assert {s.text for s in answer.sentences} == {
        "Onion soup needs stock and no game.",
        "Eigenvectors are players in a game.",
    }
