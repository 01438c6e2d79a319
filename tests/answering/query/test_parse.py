import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa import build_index
from rag_qa.answering.query.kinds import VERB_FIRST, asked_topic, asking_words, counted_topic, kind_of
from rag_qa.answering.query.parse import parse
from rag_qa.answering.query.restrictions import restriction
from rag_qa.errors import FilterError, QuestionError
from rag_qa.index.reader import Index
from rag_qa.sample import sample_papers_path
from rag_qa.testing import HashingEmbedder
from rag_qa.types import Answer, Filter


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """An index of the sample papers."""
    folder = tmp_path_factory.mktemp("sample")
    build_index([sample_papers_path()], folder, embedder=HashingEmbedder())
    opened = Index.open(folder)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("question", "filter"),
    [
        ("papers by David Silver", Filter(authors=("David Silver",))),
        ("papers by d. silver", Filter(authors=("David Silver",))),
        ("anything by Emmanuel Candès?", Filter(authors=("Emmanuel J. Candes",))),
        ("papers from NIPS", Filter(venues=("NIPS",))),
        ("papers at ICML since 2018", Filter(venues=("ICML",), since=2018)),
        ("papers older than 2012", Filter(until=2011)),
        ("papers from '15", Filter(since=2015, until=2015)),
        ("papers from 2015-17", Filter(since=2015, until=2017)),
        ("papers from 2015 or earlier", Filter(until=2015)),
        ("papers published between 2013 and 2015", Filter(since=2013, until=2015)),
        ("papers after 2018 but before 2021", Filter(since=2019, until=2020)),
        ("papers from the 2010s", Filter(since=2010, until=2019)),
        ("papers from 2019 to now", Filter(since=2019)),
        ("papers from EMNLP 2020", Filter(venues=("EMNLP",), since=2020, until=2020)),
        ("everything by Kaiming He", Filter(authors=("Kaiming He",))),
    ],
)
def test_values_of_the_index_restrict_a_question(index, question, filter):
    """Authors, venues and years of the index are read in a question that asks for papers, and shown."""
    found = parse(question, facets=index.facets)
    assert (found.filter, found.topic) == (filter, "")
    assert found.understood_as == f"papers {filter.text}"


@pytest.mark.parametrize(
    "question", ["papers about Bahdanau attention", "papers evaluated on ImageNet 2012", "models from Google"]
)
def test_names_in_a_topic_restrict_nothing(index, question):
    """A family name before a noun, a year in a name and a name that the index lacks are topic."""
    assert parse(question, facets=index.facets).filter == Filter()


def test_a_contraction_is_no_author(tmp_path):
    """ "I'm" is not I. M. Bell, who is found by name."""
    source = tmp_path / "papers.jsonl"
    source.write_text('{"title": "Games", "abstract": "Players play games.", "authors": ["I. M. Bell"]}')
    build_index([source], tmp_path / "index", embedder=HashingEmbedder())
    with contextlib.closing(Index.open(tmp_path / "index")) as opened:
        asked = ("I'm looking for papers on games", "papers by I. M. Bell")
        found = [parse(question, facets=opened.facets, index=opened).filter.authors for question in asked]
    assert found == [(), ("I. M. Bell",)]


def test_a_name_in_small_letters_is_read_if_it_is_no_word(index):
    """A family name that no abstract uses as a word needs no capital; one that is a word does."""
    found = [
        parse(question, facets=index.facets, index=index).filter.authors
        for question in ("arjovsky on generative nets", "long sequences")
    ]
    assert found == [("Martin Arjovsky",), ()]


@pytest.mark.parametrize(
    "question",
    [
        "papers by Percy Liang",
        "Judea Pearl's articles",
        "stuff written by sutton",
        "anything by andrej karpathy?",
        "articles of Judea Pearl",
    ],
)
def test_nobodys_papers_are_none(index, question):
    """For an author that the index does not have, the query says that there are no papers, and why."""
    assert "no paper in the index has the author" in parse(question, facets=index.facets).nothing


@pytest.fixture(scope="module")
def towns(tmp_path_factory):
    """An index whose venues and authors bear the names of other things, too."""
    folder = tmp_path_factory.mktemp("towns")
    source = folder / "papers.jsonl"
    rows = [
        {"title": "Maps", "abstract": "Drivers recall maps.", "authors": ["Ann London"], "venue": "Brain"},
        {"title": "Pipes", "abstract": "Rainfall in 2003 was low.", "authors": ["Bo Hill"], "year": 2011},
        {"title": "Pumps", "abstract": "Pumps at noon.", "authors": ["Bo Hill"], "year": 2003},
    ]
    source.write_text("\n".join(map(json.dumps, rows)))
    build_index([source], folder / "index", embedder=HashingEmbedder())
    with contextlib.closing(Index.open(folder / "index")) as opened:
        yield opened


@pytest.mark.parametrize(
    "question",
    [
        "which papers study texts written by ChatGPT?",
        "which papers use code that was written by large language models?",
        "which papers study traffic from London?",
        "which papers study rents in London?",
        "which papers study pain in the brain?",
        "which studies in the brain use maps?",
        "which papers use the Brain dataset?",
    ],
)
def test_a_name_that_is_not_said_of_papers_is_topic(question, towns):
    """What other things are written by, come from or lie in restricts no paper, whoever bears the name."""
    found = parse(question, facets=towns.facets, index=towns)
    assert (found.filter, found.nothing) == (Filter(), None)


@pytest.mark.parametrize(
    ("question", "filter"),
    [
        ("papers from London on maps", Filter(authors=("Ann London",))),
        ("which papers about maps are by London?", Filter(authors=("Ann London",))),
        ("which papers appeared in brain?", Filter(venues=("brain",))),
        ("papers in the Brain on maps", Filter(venues=("Brain",))),
        ("which papers in the journal Brain study maps?", Filter(venues=("Brain",))),
    ],
)
def test_a_name_that_is_said_of_papers_restricts_them(question, filter, towns):
    """Right after a word for papers, or for where they appear, the same names are read."""
    assert parse(question, facets=towns.facets, index=towns).filter == filter


def test_papers_on_a_topic_by_nobody_are_none(index):
    """ "were written by" refers to the papers, even if a topic comes between."""
    found = parse("which papers about attention were written by Judea Pearl?", facets=index.facets)
    assert "no paper in the index has the author" in found.nothing


def test_a_restriction_that_no_paper_passes_is_dropped_and_shown(index):
    """A restriction that no paper passes is dropped from a question with a topic, and that is shown."""
    found = parse("papers on attention by David Silver from 1999", facets=index.facets)
    assert (found.nothing, found.filter) == (None, Filter())
    assert "none is by David Silver" in found.understood_as


def test_the_users_own_filter_holds(index):
    """The user's filter is kept beside what was read, and is an error if no paper passes it."""
    assert (
        parse("papers by David Silver", wanted=Filter(since=2017), facets=index.facets).filter.since == 2017
    )
    with pytest.raises(FilterError):
        parse("papers on attention", wanted=Filter(since=2100), facets=index.facets)


def test_counting_keeps_the_topic(index):
    """A count is of the papers that mention what is left without the words that ask."""
    found = parse("how many papers mention ImageNet?", facets=index.facets)
    assert (found.counts, found.topic) == (True, "ImageNet")
    assert asked_topic("GAN papers: how many are there?") == "GAN"


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("how many papers mention C# or C++?", "C# or C++"),
        ("how many papers mention either “C++” or “C#”?", "C++ or C#"),
        ("How many papers use C, C++, or F#?", "C or C++ or F#"),
        ("how many papers mention NIH, 深度学习 or WHO?", "NIH or 深度学习 or WHO"),
        ("Among cancer papers, how many mention mice or rats?", "cancer mice or rats"),
        ("how many papers mention an OR?", "OR"),
        ("how many papers use one or more ImageNet models?", "ImageNet models"),
        ("how many papers compare teachers at the old village school or at a large town school?", None),
    ],
)
def test_alternatives_are_counted_together(question, topic):
    """Short terms parted by "or" stay parted; longer ones are the words of one topic."""
    assert counted_topic(question) == (topic or asked_topic(question))


@pytest.mark.parametrize(
    "question", ["how many layers has a ResNet?", "number of languages behind BIG-bench?"]
)
def test_what_papers_count_is_no_count_of_papers(index, question):
    """A number of anything but papers is a question on what papers say, even if it was classified as a count."""
    found = parse(question, facets=index.facets)
    assert (found.counts, found.topic) == (False, question)


def test_without_a_word_of_counting_nothing_is_counted(index):
    """Papers on how sure something is are listed and not counted."""
    assert not parse("which papers estimate how unsure a deep model is?", facets=index.facets).counts


def test_a_literal_question_is_taken_as_it_stands(index):
    """A literal question has neither filter nor references."""
    found = parse("papers by David Silver", facets=index.facets, literal=True)
    assert (found.topic, found.filter, found.understood_as) == ("papers by David Silver", Filter(), None)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("papers on crop rotation", "which"),
        ("why does the beam bend?", "fact"),
        ("how many layers does the net have?", "number"),
        ("does exercise help against asthma?", "yesno"),
        ("compare maize and wheat", "comparison"),
        ("who wrote the maize paper?", "metadata"),
    ],
)
def test_words_alone_give_the_kind(question, kind):
    """With an embedder for which nothing was fitted, the asking words decide."""
    assert kind_of(question, HashingEmbedder()).kind == kind


@pytest.mark.parametrize(
    "question",
    ["Are margins of predictive value?", "Cancer of the mucosa: are margins of predictive value?"],
)
def test_a_clause_that_begins_with_its_verb_asks_for_yes_or_no(question):
    """A question is one of yes or no behind a title and a colon too; a verb further on does not make it one."""
    assert VERB_FIRST in asking_words(question)
    assert kind_of(question, None).kind == "yesno"
    assert VERB_FIRST not in asking_words("Which margins are of predictive value?")


def test_metadata_names_its_fields():
    """A question for metadata says which."""
    assert kind_of("who wrote the maize paper, and when was it published?", None).wanted == (
        "authors",
        "year",
    )


@given(st.text(max_size=80), st.booleans())
def test_any_text_is_understood_or_refused(index, text, follows):
    """For any text, first or after an answer, parsing returns a Query or raises a QuestionError or FilterError."""
    papers = (index.paper("arXiv:1810.04805"), index.paper("arXiv:1907.11692"))
    turn = Answer(
        question="x", abstained=False, reason=None, sentences=(), papers=papers, provenance={}, timings={}
    )
    with contextlib.suppress(QuestionError, FilterError):
        parse(text, [turn] if follows else [], facets=index.facets, index=index)


@pytest.mark.parametrize("question", ["Andrew Silver on games", "what has Fei-Fei Gemp written?"])
def test_a_longer_name_is_nobody_of_the_index(question, index):
    """A family name of the index behind another given name is another person's."""
    assert restriction(question, index.facets, index).filter.authors == ()


@pytest.mark.parametrize(
    ("question", "doubtful"),
    [
        ("which papers measure rainfall in 2003?", True),
        ("articles on the drought of 2011", True),
        ("which papers from 2017 use attention?", False),
        ("2017 papers on attention", False),
        ("anything on attention published in 2017?", False),
        ("papers on attention by Ashish Vaswani, 2017", False),
    ],
)
def test_a_year_behind_a_topic_may_be_of_the_topic(question, doubtful, index):
    """A year after anything but a word for papers leaves a fallback to papers of any year."""
    assert restriction(question, index.facets, index).doubtful is doubtful


def test_from_a_year_on_is_no_topic(index):
    """ "From 2016 on" has no upper bound if nothing follows, and "from 2016 on infections" means one year."""
    assert parse("papers from 2016 on", facets=index.facets).filter == Filter(since=2016)
    assert parse("papers from 2016 on infections", facets=index.facets).filter == Filter(
        since=2016, until=2016
    )
